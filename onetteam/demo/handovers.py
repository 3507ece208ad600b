"""What became of the deals that the demo won lately: one is being handed over, one waits for approval, one stands."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from accounts.models import User
from handoffs.approval_queries import can_decide
from handoffs.handoff_queries import blockers_of
from handoffs.models import (
    ApprovalStep,
    Commitment,
    CommitmentOutcome,
    ConditionState,
    Handoff,
    LessonProposal,
    Playbook,
    Rag,
    RampPhase,
    Stance,
    StepState,
    Subject,
    Task,
    TaskAction,
    TaskState,
    TouchpointKind,
)
from handoffs.services.approvals import accept_handoff, decide_step, submit_handoff
from handoffs.services.client import (
    amend,
    answer_pulse,
    ask_client,
    confirm,
    newest_statement,
    send_pulse,
    write_statement,
)
from handoffs.services.client.links import link_of
from handoffs.services.commitments import answer_commitment, settle_commitment
from handoffs.services.handoff import accept_relationship, change_relationship, name_project_manager, waive_item
from handoffs.services.ramp import add_lesson, close_project, exit_ramp, log_touchpoint, report_health
from handoffs.services.reviews import settle_condition
from handoffs.services.risk_profiles import newest_profile
from handoffs.services.tasks import complete_task
from opportunities.models import Contact

if TYPE_CHECKING:
    from onetteam.demo.pursuits import Pursuit
    from onetteam.demo.story import Story

Act = Callable[["Story", "Pursuit", dt.datetime], None]
SCOPE = (
    "In: the portal with orders, stock and invoices; sign-in with the client’s own accounts; "
    "training of twelve people.\n"
    "Out: data older than three years, the warehouse scanners, changes to the ERP itself."
)
SCOPE_AMENDED = SCOPE.replace("training of twelve people", "training of twenty people in two groups")
CRITERIA = (
    "Nine of ten orders are placed without a call, three months after the start.\n"
    "A new order is confirmed within two minutes.\n"
    "The service desk gets fewer than ten tickets a week."
)
WORDS = {
    "introduced": "A call of half an hour, all three of us",
    "evidence": "Minutes of the handover call, in the project’s folder",
    "note": "Everything we promised is on the list; two promises were talked through with the client again.",
    "changes": "The acceptance criteria are missing for the second release. Please add them before I sign.",
    "waived": "There is no data to move; the client starts empty.",
    "amber": "Their test system comes a week late; the first release still holds.",
    "green": "The test system is there, and the users are trained.",
    "touch": "Went through the open questions; they will name a second product owner.",
    "lesson": "We asked for test accounts too late. Ask before the internal kick-off.",
    "rated": "Well prepared. We only had to explain things once.",
}  # fmt: skip


def plan(story: Story, pursuit: Pursuit) -> None:
    """What happens after a win, as far as the days since then allow."""
    won = -pursuit.closes
    steps: list[tuple[float, Act]] = [
        (1, _write_down), (2, partial(_work_on_items, share=0.6)), (3, _hand_over_people), (4, _finish_items),
        (5, _submit), (6.5, _approve), (7, _accept), (9, _ask_client), (12, _kick_off), (14, _report_amber),
        (16, _client_answers), (20, _rate), (28, _report_green), (40, _finish_ramp), (42, _exit),
        (95, _learn_and_close),
    ]  # fmt: skip
    if pursuit.name in _SENT_BACK:
        steps.append((6, _ask_for_changes))
    # Later in the day each time, so that what falls on one Monday keeps its order.
    for minutes, (days, act) in enumerate(steps):
        if days <= _REACHES.get(pursuit.name, 99):
            story.at(_workday(story, won, days) + dt.timedelta(minutes=20 * minutes), partial(act, story, pursuit))


# Until which step (days after the win) a deal got, where it is not as far as its days allow.
_REACHES: Mapping[str, float] = {
    "Archive to the cloud": 2, "Crew scheduling": 5, "Billing data clean-up": 5, "Piste status platform": 6,
    "Turbine parts portal": 6.5,
}  # fmt: skip
_SENT_BACK = ("Piste status platform",)


def _workday(story: Story, won: int, days: float) -> dt.datetime:
    """Nine o'clock so many days after the win; weekends move to the Monday after."""
    day = story.today - dt.timedelta(days=won) + dt.timedelta(days=days)
    day += dt.timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)
    return dt.datetime.combine(day, dt.time(9), dt.UTC)


def _handoff(story: Story, pursuit: Pursuit) -> Handoff | None:
    found = Handoff.objects.filter(opportunity=story.deals[pursuit])
    return found.select_related(
        "opportunity__owner", "opportunity__delivery_owner", "project_manager", "ramp_plan"
    ).first()


def _manager(story: Story, handoff: Handoff) -> User:
    return handoff.project_manager or story.company.people["Pia"]


def _write_down(story: Story, pursuit: Pursuit, when: dt.datetime) -> None:
    deal, seller = story.deals[pursuit], story.seller(pursuit)
    write_statement(actor=seller, opportunity=deal, subject=Subject.SCOPE, text=SCOPE, now=when)
    write_statement(actor=seller, opportunity=deal, subject=Subject.SUCCESS_CRITERIA, text=CRITERIA, now=when)
    handoff = _handoff(story, pursuit)
    if handoff is not None and handoff.project_manager is None:
        deliverer, *others = story.company.managers(pursuit.line)
        pia = story.company.people["Pia"]
        manager = pia if pia in others else story.project_manager(pursuit.line)
        name_project_manager(actor=deliverer, handoff=handoff, person=manager, now=when, expected_version=None)


def _work_on_items(story: Story, pursuit: Pursuit, when: dt.datetime, *, share: float) -> None:
    handoff = _handoff(story, pursuit)
    if handoff is None:
        return
    items = Task.objects.open().filter(handoff=handoff, action__in=["", TaskAction.STAFFING])
    _complete(story, list(items.order_by("position", "pk")), when, share=share)


def _complete(story: Story, tasks: list[Task], when: dt.datetime, *, share: float = 1) -> None:
    """In the order of what waits for what, each by whoever has to say so."""
    for task in tasks[: round(len(tasks) * share)]:
        current = Task.objects.select_related(
            "assignee", "opportunity__owner", "opportunity__delivery_owner", "opportunity__team"
        ).get(pk=task.pk)
        if current.depends_on.filter(state__in=[TaskState.OPEN, TaskState.PAUSED]).exists():
            continue
        for person in story.doers(current):
            complete_task(actor=person, task=current, evidence=WORDS["evidence"], now=when)


def _hand_over_people(story: Story, pursuit: Pursuit, when: dt.datetime) -> None:
    handoff = _handoff(story, pursuit)
    if handoff is None:
        return
    manager = _manager(story, handoff)
    for transfer in handoff.relationships.filter(dropped_at__isnull=True).select_related("handoff__opportunity"):
        values = {"owner_next": manager, "introduced_on": when.date(), "introduced_how": WORDS["introduced"]}
        change_relationship(
            actor=story.seller(pursuit), transfer=transfer, values=values, now=when, expected_version=None
        )
        accept_relationship(actor=manager, transfer=transfer, now=when)


def _finish_items(story: Story, pursuit: Pursuit, when: dt.datetime) -> None:
    handoff = _handoff(story, pursuit)
    if handoff is None:
        return
    deal, deliverer = handoff.opportunity, story.company.managers(pursuit.line)[0]
    for item in handoff.items.filter(condition__isnull=False, state=TaskState.OPEN).select_related("condition"):
        assert item.condition is not None
        settle_condition(
            actor=story.seller(pursuit), condition=item.condition, state=ConditionState.MET, note="Written and agreed.",
            now=when,
        )  # fmt: skip
    for promise in Commitment.objects.current().filter(opportunity=deal, outcome=CommitmentOutcome.OPEN):
        if promise.stance != Stance.ACCEPTED:
            answer_commitment(
                actor=deal.delivery_owner or deliverer, commitment=promise, stance=Stance.ACCEPTED, note="",
                expected_version=None, now=when,
            )  # fmt: skip
    _work_on_items(story, pursuit, when, share=1)
    _work_on_items(story, pursuit, when, share=1)
    for item in handoff.items.filter(state=TaskState.OPEN, is_required=True)[:1]:
        waive_item(actor=deliverer, task=item, reason=WORDS["waived"], now=when)


def _submit(story: Story, pursuit: Pursuit, when: dt.datetime) -> None:
    handoff = _handoff(story, pursuit)
    if handoff is not None and not blockers_of(handoff):
        submit_handoff(
            actor=story.seller(pursuit), handoff=handoff, note=WORDS["note"], now=when, expected_version=None
        )


def _approve(story: Story, pursuit: Pursuit, when: dt.datetime) -> None:
    while (found := _step(story, pursuit, when)) is not None:
        person, step = found
        decide_step(actor=person, step=step, decision=StepState.APPROVED, comment="", now=when)


def _ask_for_changes(story: Story, pursuit: Pursuit, when: dt.datetime) -> None:
    found = _step(story, pursuit, when)
    if found is not None:
        person, step = found
        decide_step(actor=person, step=step, decision=StepState.CHANGES_REQUESTED, comment=WORDS["changes"], now=when)


def _step(story: Story, pursuit: Pursuit, when: dt.datetime) -> tuple[User, ApprovalStep] | None:
    """Somebody who may decide, and what."""
    steps = ApprovalStep.objects.waiting().filter(submission__handoff__opportunity=story.deals[pursuit])
    for step in steps.order_by("position", "pk"):
        for person in story.company.people.values():
            if step.role in person.roles and can_decide(person, step, when):
                return person, step
    return None


def _accept(story: Story, pursuit: Pursuit, when: dt.datetime) -> None:
    handoff = _handoff(story, pursuit)
    if handoff is not None and handoff.state == "approved":
        accept_handoff(actor=_manager(story, handoff), handoff=handoff, now=when)


def _contact(story: Story, pursuit: Pursuit) -> Contact | None:
    return story.deals[pursuit].contacts.exclude(email="").order_by("pk").first()


def _ask_client(story: Story, pursuit: Pursuit, when: dt.datetime) -> None:
    contact = _contact(story, pursuit)
    if contact is not None:
        _link, token = ask_client(
            actor=story.seller(pursuit), opportunity=story.deals[pursuit], contact=contact, now=when, send=False
        )
        story.tokens[pursuit] = token


def _kick_off(story: Story, pursuit: Pursuit, when: dt.datetime) -> None:
    _ramp_until(story, pursuit, when, (RampPhase.INTERNAL_KICKOFF, RampPhase.CLIENT_KICKOFF))
    handoff, contact = _handoff(story, pursuit), _contact(story, pursuit)
    if handoff is not None and contact is not None:
        log_touchpoint(
            actor=_manager(story, handoff), plan=handoff.ramp_plan, kind=TouchpointKind.MEETING, on=when.date(),
            note=WORDS["touch"], contacts=[contact], request_id=uuid.uuid4(), now=when,
        )  # fmt: skip


def _ramp_until(story: Story, pursuit: Pursuit, when: dt.datetime, phases: tuple[RampPhase, ...]) -> None:
    handoff = _handoff(story, pursuit)
    if handoff is not None:
        tasks = Task.objects.open().filter(ramp_plan=handoff.ramp_plan, phase__in=phases, action="")
        _complete(story, list(tasks.order_by("due_on", "position", "pk")), when)


def _report_amber(story: Story, pursuit: Pursuit, when: dt.datetime) -> None:
    _report(story, pursuit, when, Rag.AMBER, WORDS["amber"])


def _report_green(story: Story, pursuit: Pursuit, when: dt.datetime) -> None:
    _report(story, pursuit, when, Rag.GREEN, WORDS["green"])


def _report(story: Story, pursuit: Pursuit, when: dt.datetime, rag: Rag, reason: str) -> None:
    handoff = _handoff(story, pursuit)
    if handoff is not None:
        report_health(actor=_manager(story, handoff), plan=handoff.ramp_plan, rag=rag, reason=reason, now=when)


def _client_answers(story: Story, pursuit: Pursuit, when: dt.datetime) -> None:
    """Yes to the criteria and the risks; the scope they put right first."""
    link = link_of(story.tokens.get(pursuit, ""))
    deal = story.deals[pursuit]
    scope, criteria = (newest_statement(deal, subject) for subject in (Subject.SCOPE, Subject.SUCCESS_CRITERIA))
    profile = newest_profile(deal)
    if link is None or scope is None or criteria is None:
        return
    amend(link=link, subject=Subject.SCOPE, number=scope.number, text=SCOPE_AMENDED, now=when)
    confirm(link=link, subject=Subject.SUCCESS_CRITERIA, number=criteria.number, now=when)
    if profile is not None:
        confirm(link=link, subject=Subject.RISK_PROFILE, number=profile.number, now=when)


def _rate(story: Story, pursuit: Pursuit, when: dt.datetime) -> None:
    handoff, contact = _handoff(story, pursuit), _contact(story, pursuit)
    if handoff is None or contact is None:
        return
    _pulse, token = send_pulse(
        actor=story.seller(pursuit), plan=handoff.ramp_plan, contact=contact, now=when, send=False
    )
    link = link_of(token)
    if link is not None:
        answer_pulse(link=link, csat=5, recommend=9, comment=WORDS["rated"], now=when)


def _finish_ramp(story: Story, pursuit: Pursuit, when: dt.datetime) -> None:
    for _time in range(3):  # what waits for something else comes after it
        _ramp_until(story, pursuit, when, tuple(RampPhase))
    for promise in Commitment.objects.current().filter(opportunity=story.deals[pursuit], outcome="open"):
        settle_commitment(
            actor=story.seller(pursuit), commitment=promise, outcome=CommitmentOutcome.KEPT, note="",
            expected_version=None, now=when,
        )  # fmt: skip


def _exit(story: Story, pursuit: Pursuit, when: dt.datetime) -> None:
    handoff = _handoff(story, pursuit)
    if handoff is None:
        return
    deliverer = story.company.managers(pursuit.line)[0]
    is_open = Task.objects.open().filter(ramp_plan=handoff.ramp_plan, phase=RampPhase.EXIT).exists()
    exit_ramp(
        actor=deliverer, plan=handoff.ramp_plan, now=when, early=is_open,
        reason="Their sponsor confirmed it by telephone; the link comes after the holidays." if is_open else "",
    )  # fmt: skip


def _learn_and_close(story: Story, pursuit: Pursuit, when: dt.datetime) -> None:
    handoff = _handoff(story, pursuit)
    if handoff is None:
        return
    add_lesson(
        actor=_manager(story, handoff), plan=handoff.ramp_plan, text=WORDS["lesson"], request_id=uuid.uuid4(), now=when,
        proposal=LessonProposal.ADD, playbook=Playbook.objects.get(key="won"), title="Ask for test accounts",
    )  # fmt: skip
    plan_now = handoff.ramp_plan
    plan_now.refresh_from_db()
    close_project(actor=_manager(story, handoff), plan=plan_now, now=when, despite_duties=True)
