"""A small company in which everything that has an address exists once: what the permission matrix is asked about."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from allauth.usersessions.models import UserSession
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import CalendarDay, CurrencyRate, Region, Role, User
from api.models import Token
from events import names
from events.models import Delivery, DeliveryState
from events.recording import record
from handoffs import defaults
from handoffs.models import (
    DealReview,
    Engagement,
    EscalationStep,
    Playbook,
    Pulse,
    Question,
    QuestionSet,
    RampPlan,
    RelationshipTransfer,
    ReviewCondition,
    ReviewDecision,
    ReviewState,
    RiskProfile,
    Subject,
    TouchpointKind,
    Trigger,
    Verdict,
)
from handoffs.services.approvals import delegate
from handoffs.services.client import write_statement
from handoffs.services.client.links import make_link
from handoffs.services.commitments import add_commitment
from handoffs.services.ramp import add_lesson, log_touchpoint
from handoffs.services.reviews import Meeting, request_review, schedule_review
from handoffs.services.risk_profiles import propose_profile
from handoffs.services.risks import add_raid_item
from integrations.imports.models import Import
from opportunities.models import Contact, Opportunity, SavedView
from opportunities.services.archiving import archive
from opportunities.services.conversation import add_comment
from opportunities.services.files import add_file
from opportunities.services.moves import move_to_stage
from staffing.models import (
    Booking,
    BookingKind,
    NeedTemplate,
    Scenario,
    ScenarioChange,
    Skill,
    StaffingNeed,
    TimeOff,
    WorkRole,
)
from staffing.models import Person as Worker
from tests import factories
from tests.handoffs.approving import ready, step_of, submitted
from tests.handoffs.asking import started
from tests.handoffs.handing import won
from tests.handoffs.reactions import react

BACKEND = "django.contrib.auth.backends.ModelBackend"


@dataclass
class Person:
    """Somebody, with both keys: the session of a browser and the token of a program."""

    user: User
    session: str
    token: str


def cast() -> dict[str, Person]:
    """Everybody, by name."""
    users = {
        "charlie": factories.charlie(),
        "alice": factories.alice(),
        "sam": factories.sam(),
        "pia": factories.pia(),
        "dan": factories.dan(),
        "ruth": factories.ruth(),
        "eve": factories.eve(),
        "ada": factories.ada(),
        # Could do everything, were they not disabled.
        "disabled": factories.person("Dora", *Role, teams=(factories.team(), factories.pia().teams.get())),
    }
    people = {}
    for name, user in users.items():
        client = Client()
        client.force_login(user, backend=BACKEND)
        _kept, token = Token.objects.create(user, name="Matrix")
        people[name] = Person(user, client.cookies["sessionid"].value, token)
    User.objects.filter(pk=users["disabled"].pk).update(is_active=False)
    return people


def things(people: dict[str, Person]) -> dict[str, Any]:
    """What stands in addresses, by name. The deal is Alice's, in Sales North, warm, with Dan for delivery."""
    now, alice, ada = timezone.now(), people["alice"].user, people["ada"].user
    defaults.create(organisation=factories.organisation(), now=now)
    deal = factories.deal("qualified", account=factories.AccountFactory.make(team=factories.team()))
    assert deal.account is not None
    move = move_to_stage(
        actor=alice, opportunity=deal, stage=factories.stage("discovery"), expected_version=None, now=now
    )
    react(now)
    engagement = Engagement.objects.get(opportunity=deal)
    review = request_review(actor=alice, opportunity=deal, is_express=False, trigger=Trigger.ASKED, now=now)
    meeting = Meeting(now + dt.timedelta(days=3), attendees=(alice,))
    schedule_review(actor=alice, review=review, meeting=meeting, expected_version=None, now=now)
    contact = factories.ContactFactory.make(account=deal.account)
    deal.contacts.add(contact)
    archived = factories.deal()
    archive(actor=alice, opportunity=archived, expected_version=1, now=now)
    upload = SimpleUploadedFile("notes.txt", b"What was said", "text/plain")
    given_up = record(names.SETTINGS_CHANGED, actor=ada, about=deal, now=now, data={"what": "nothing"})
    playbook = Playbook.objects.get(key="warm")
    stage = factories.stage("proposal")
    questions = QuestionSet.objects.create(name="Questions of the matrix", is_active=False)
    question = Question.objects.create(question_set=questions, text="Is the scope clear?")
    return {
        "deal": deal.pk,
        "lost_deal": factories.deal("lost").pk,
        "archived_deal": archived.pk,
        "change": move.change.pk if move.change else 0,
        "comment": add_comment(actor=alice, opportunity=deal, body="Mind the date", now=now).pk,
        "file": add_file(actor=alice, opportunity=deal, upload=upload, now=now).pk,
        "account": deal.account.pk,
        "contact": contact.pk,
        "view": SavedView.objects.create(owner=alice, name="Hot ones", query="temperature=hot").pk,
        "engagement": engagement.pk,
        "review": review.pk,
        "condition": _condition(alice, now).pk,
        **_ledger(alice, deal, now),
        **_handoff(people, now),
        **_voice(alice, deal, contact, now),
        **_ramp(people, now),
        "sales_task": engagement.tasks.get(template__key="brief-delivery").pk,
        "delivery_task": engagement.tasks.get(template__key="read-the-deal").pk,
        "pipeline": stage.pipeline_id,
        "pipeline_key": stage.pipeline.key,
        "stage": stage.pk,
        "playbook": playbook.pk,
        "playbook_task": playbook.tasks.all()[0].pk,
        "question_set": question.question_set_id,
        "question": question.pk,
        "escalation_step": EscalationStep.objects.create(position=90, hours=90, role=Role.EXECUTIVE).pk,
        "team": factories.team("Empty").pk,
        "person": people["charlie"].user.pk,
        "line": factories.service_line().pk,
        **_staffing(deal, now),
        "region": Region.objects.create(name="North").pk,
        "rate": CurrencyRate.objects.create(currency="USD", on=dt.date(2026, 1, 1), rate=Decimal("0.9")).pk,
        "day": CalendarDay.objects.create(
            calendar=factories.organisation().calendar, on=dt.date(2026, 12, 24), name="Eve"
        ).pk,
        "session": _session_of(people["alice"]),
        "digest": Token.objects.filter(user=alice)[0].digest,
        "delivery": Delivery.objects.create(event=given_up, handler="nobody", state=DeliveryState.DEAD).pk,
        "import": Import.objects.create(file_name="deals.csv", created_by=people["sam"].user).pk,
    }


def _condition(owner: User, now: dt.datetime) -> ReviewCondition:
    """A condition of hers in the verdict on another deal of hers."""
    review = DealReview.objects.create(
        opportunity=factories.deal(), question_set=QuestionSet.objects.create(name="Asked", is_active=False),
        state=ReviewState.DECIDED, trigger=Trigger.ASKED, requested_at=now, due_at=now, sales_answered_at=now,
        delivery_answered_at=now,
    )  # fmt: skip
    decision = ReviewDecision.objects.create(
        review=review, number=1, verdict=Verdict.GO_IF, decided_by=owner, decided_at=now
    )
    return ReviewCondition.objects.create(
        decision=decision, text="The scope is clear", owner=owner, due_on=now.date() + dt.timedelta(days=7)
    )


def _ledger(actor: User, deal: Opportunity, now: dt.datetime) -> dict[str, int]:
    """A promise of hers on the deal, a risk, and the profile that she put up."""
    promise = {"text": "Live before the summer", "kind": "date", "source": "call"}
    risk = {"kind": "risk", "text": "No interface list", "likelihood": 4, "impact": 3}
    commitment = add_commitment(actor=actor, opportunity=deal, values=promise, now=now)
    item = add_raid_item(actor=actor, opportunity=deal, values=risk, now=now)
    profile = propose_profile(actor=actor, opportunity=deal, reason="", now=now)
    return {"commitment": commitment.pk, "risk": item.pk, "risk_profile": profile.pk}


def _staffing(deal: Opportunity, now: dt.datetime) -> dict[str, int]:
    """Somebody without a login, away for a day, and softly booked for her deal; needs of it, one of them held."""
    role, today = WorkRole.objects.create(name="Role of the matrix"), now.date()
    worker = Worker.objects.create(name="Worker of the matrix", role=role)
    booking = Booking.objects.create(
        role=role, person=worker, opportunity=deal, kind=BookingKind.SOFT, hours_per_week=Decimal(20), first_on=today,
        last_on=today + dt.timedelta(days=20),
    )  # fmt: skip
    need = StaffingNeed.objects.create(opportunity=deal, role=role, hours_per_week=10, weeks=2)
    held = Booking.objects.create(
        role=role, opportunity=deal, need=need, kind=BookingKind.SOFT, hours_per_week=Decimal(10), first_on=today,
        last_on=today + dt.timedelta(days=13),
    )  # fmt: skip
    template = NeedTemplate.objects.create(role=role, hours_per_week=Decimal(8), weeks=4)
    scenario = Scenario.objects.create(name="What if of the matrix", created_by=factories.ruth())
    shift = ScenarioChange.objects.create(
        scenario=scenario, kind="shift", opportunity=deal, weeks=4, added_by=factories.ruth()
    )
    return {
        "work_role": role.pk, "worker": worker.pk, "booking": booking.pk, "need_booking": held.pk,
        "need_template": template.pk, "scenario": scenario.pk, "scenario_change": shift.pk,
        "time_off": TimeOff.objects.create(person=worker, first_on=today, last_on=today).pk,
        "skill": Skill.objects.create(name="Skill of the matrix").pk,
        "need": StaffingNeed.objects.create(opportunity=deal, role=role, hours_per_week=20, weeks=3).pk,
    }  # fmt: skip


def _voice(actor: User, deal: Opportunity, contact: Contact, now: dt.datetime) -> dict[str, Any]:
    """Links for a contact of the deal to confirm and, on another deal of hers, to rate; and a risk profile that the
    contact amended.
    """
    link, token = make_link(deal, contact, actor=actor, now=now)
    write_statement(actor=actor, opportunity=deal, subject=Subject.SCOPE, text="Two shops", now=now)
    amended = RiskProfile.objects.create(
        opportunity=factories.deal(), number=1, items=[], amended_by=contact, proposed_at=now
    )
    plan = started(won(owner=actor, now=now))
    pulse = Pulse.objects.create(plan=plan, contact=contact, occasion="asked", due_on=now.date(), sent_at=now)
    _link, pulse_token = make_link(plan.opportunity, contact, actor=actor, now=now, pulse=pulse)
    return {
        "client_link": link.pk, "client_token": token, "pulse": pulse.pk, "pulse_token": pulse_token,
        "amended_profile": amended.pk,
    }  # fmt: skip


def _handoff(people: dict[str, Person], now: dt.datetime) -> dict[str, int]:
    """A deal of hers that was won, with Dan and Pia for delivery; she submitted its handoff. Pia stands in for Dan."""
    alice, dan, pia = people["alice"].user, people["dan"].user, people["pia"].user
    submission = submitted(ready(won(owner=alice, delivery_owner=dan, now=now), now=now), by=alice, now=now)
    delegation = delegate(
        actor=dan, delegator=dan, delegate=pia, starts_on=now.date() + dt.timedelta(days=40),
        ends_on=now.date() + dt.timedelta(days=45), reason="", now=now,
    )  # fmt: skip
    return {
        "won_deal": submission.handoff.opportunity_id,
        "handoff": submission.handoff_id,
        "handoff_item": submission.handoff.items.filter(side="sales", assignee=alice)[0].pk,
        "relationship": RelationshipTransfer.objects.create(
            handoff=submission.handoff, owner_now=alice, owner_next=pia, contact=factories.ContactFactory.make()
        ).pk,
        "sales_step": step_of(submission, "Sales").pk,
        "delegation": delegation.pk,
        "approval_rule": step_of(submission, "Sales").rule_id,
    }


def _ramp(people: dict[str, Person], now: dt.datetime) -> dict[str, int]:
    """The plan of that won deal, with an entry of hers on its log and a lesson."""
    alice = people["alice"].user
    plan = RampPlan.objects.get(handoff__submissions__isnull=False)
    entry = log_touchpoint(
        actor=alice, plan=plan, kind=TouchpointKind.CALL, on=now.date(), note="All well", contacts=(),
        request_id=uuid.uuid4(), now=now,
    )  # fmt: skip
    lesson = add_lesson(actor=alice, plan=plan, text="Ask for access early", request_id=uuid.uuid4(), now=now)
    return {"ramp_plan": plan.pk, "touchpoint": entry.pk, "lesson": lesson.pk}


def _session_of(person: Person) -> int:
    """Another place where the person is signed in."""
    return int(UserSession.objects.create(user=person.user, ip="127.0.0.1", session_key="elsewhere").pk)
