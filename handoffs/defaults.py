"""What a new organisation starts with: playbooks, review questions, who hears of a late review, and the win's gate."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from django.db import transaction

from accounts.models import Organisation, Role
from handoffs.models import (
    Anchor,
    Assignee,
    EscalationStep,
    Playbook,
    PlaybookTask,
    Question,
    QuestionSet,
    TaskAction,
    TaskSide,
    Trigger,
)
from opportunities.models import Criterion, Stage, StageKind

S, D, SH = TaskSide.SALES, TaskSide.DELIVERY, TaskSide.SHARED


@dataclass(frozen=True)
class _Task:
    key: str
    title: str
    side: TaskSide
    assignee: Assignee
    days: int
    anchor: Anchor = Anchor.TRIGGER
    after: tuple[str, ...] = ()
    evidence: str = ""
    help_text: str = ""
    action: TaskAction = TaskAction.NONE
    conditions: list[dict[str, object]] = field(default_factory=list)


_PLAYBOOKS: tuple[tuple[str, str, Trigger, tuple[_Task, ...]], ...] = (
    (
        "warm", "A deal turns warm", Trigger.WARM,
        (
            _Task("brief-delivery", "Brief delivery on client, need and timing", S, Assignee.SALES_OWNER, 2,
                  help_text="Who decides, what hurts, what was said about dates, team and price."),
            _Task("read-the-deal", "Read the deal and name open questions", D, Assignee.DELIVERY_OWNER, 3,
                  after=("brief-delivery",)),
            _Task("scope-call", "Talk scope through together", SH, Assignee.DELIVERY_OWNER, 5,
                  after=("read-the-deal",), help_text="Half an hour; what is in, what is out, what is unknown."),
            _Task("rough-team", "Sketch roles, weeks and hours", D, Assignee.DELIVERY_OWNER, 8,
                  after=("scope-call",), evidence="the sketch, or where it is"),
            _Task("first-risks", "Write down the first risks", SH, Assignee.DELIVERY_OWNER, 10),
        ),
    ),
    (
        "hot", "A deal turns hot", Trigger.HOT,
        (
            _Task("staffing-needs", "State the staffing needs by role and week", D, Assignee.DELIVERY_OWNER, 3,
                  action=TaskAction.STAFFING),
            _Task("check-capacity", "Check capacity for the wanted start", D, Assignee.RESOURCE_MANAGER, 4,
                  after=("staffing-needs",)),
            _Task("deal-review", "Hold the deal review", SH, Assignee.DELIVERY_OWNER, 5, action=TaskAction.REVIEW,
                  help_text="Same questions, both sides, before anything is promised."),
            _Task("risk-profile", "Agree the risk profile", SH, Assignee.DELIVERY_OWNER, 5,
                  action=TaskAction.RISK_PROFILE,
                  help_text="What could go wrong, how likely, how bad, and what is done about it."),
            _Task("confirm-dates", "Agree the dates that may be promised", SH, Assignee.SALES_OWNER, 5,
                  after=("check-capacity",)),
            _Task("large-deal", "Have the price checked against the effort", D, Assignee.DELIVERY_MANAGER, 5,
                  conditions=[{"field": "amount", "op": "at_least", "value": "250000"}]),
            _Task("name-pm", "Name the project manager", D, Assignee.DELIVERY_MANAGER, -5, Anchor.CLOSE_DATE),
        ),
    ),
    (
        "fast-lane", "A deal surfaces un-forecasted", Trigger.UNFORECASTED,
        (
            _Task("express-brief", "Tell delivery what is promised already", S, Assignee.SALES_OWNER, 0,
                  help_text="Dates, price, people, scope: whatever the client has heard."),
            _Task("express-answer", "Answer: can we, by when, with whom", D, Assignee.DELIVERY_OWNER, 1),
            _Task("express-review", "Hold an express review", SH, Assignee.DELIVERY_OWNER, 2,
                  after=("express-brief",), action=TaskAction.EXPRESS_REVIEW),
        ),
    ),
    (
        "won", "A deal is won", Trigger.WON,
        (
            _Task("handover-call", "Hand over in a call: people, promises, risks", SH, Assignee.SALES_OWNER, 3),
            _Task("introduce-pm", "Introduce the project manager to the client", S, Assignee.SALES_OWNER, 5,
                  evidence="when, and with whom"),
            _Task("internal-kickoff", "Hold the internal kick-off", D, Assignee.DELIVERY_OWNER, -5, Anchor.KICKOFF),
            _Task("client-kickoff", "Hold the kick-off with the client", SH, Assignee.DELIVERY_OWNER, 0,
                  Anchor.KICKOFF, after=("internal-kickoff",)),
            _Task("expectations", "Reset expectations on open scope questions", S, Assignee.SALES_OWNER, 10,
                  Anchor.KICKOFF),
        ),
    ),
)  # fmt: skip


# question, what a five means, asked in express reviews too
_QUESTIONS: tuple[tuple[str, str, bool], ...] = (
    ("Is the scope clear?",
     "What is in and what is out is written down, and both of us read it the same way.", True),
    ("Are the success criteria written down?",
     "The client has said how it will tell that this was a success, and it can be measured.", False),
    ("Do the promised dates hold?",
     "Start and end are agreed with the people who do the work, with room for surprises.", True),
    ("Is the team there?",
     "The roles and skills are known, and people are free from the wanted start.", True),
    ("Can the client do its part?",
     "What we need from the client (people, access, data, decisions) is named and agreed.", False),
    ("Does the price fit the effort?",
     "The estimate was made by people who have done such work, and the price covers it with its risks.", True),
    ("Do we know the people, and do they trust us?",
     "We know who decides and who uses it, and could call them today with bad news.", False),
    ("Can we do it technically?",
     "We have done this before with these tools; what is new to us is small and was tried.", False),
    ("Are the terms fair?",
     "Acceptance, payment, liability and changes are settled in words that we can live with.", False),
)  # fmt: skip
# hours after the clock ran out, and who hears of it
_CHAIN = ((0, Role.DELIVERY_MANAGER), (4, Role.SALES_MANAGER), (12, Role.EXECUTIVE))
QUESTION_SET = "Every deal"


def create(*, organisation: Organisation, now: dt.datetime) -> None:
    """Make the default playbooks, review questions and escalation chain, each unless there is some already."""
    with transaction.atomic():
        if not Playbook.objects.exists():
            _create_playbooks()
        if not QuestionSet.objects.exists():
            _create_questions()
        if not EscalationStep.objects.exists():
            _create_chain()


def demand_reviews(*, organisation: Organisation, now: dt.datetime) -> None:
    """Let the default pipeline ask for an agreed deal review before a win."""
    for stage in Stage.objects.filter(pipeline__key="sales", kind=StageKind.WON):
        known = stage.criteria.count()
        if not stage.criteria.filter(kind="agreed_review").exists():
            Criterion.objects.create(stage=stage, kind="agreed_review", params={}, position=known)


def _create_questions() -> None:
    made = QuestionSet.objects.create(name=QUESTION_SET)
    Question.objects.bulk_create(
        Question(question_set=made, text=text, hint=hint, is_express=is_express, position=position)
        for position, (text, hint, is_express) in enumerate(_QUESTIONS)
    )


def _create_chain() -> None:
    EscalationStep.objects.bulk_create(
        EscalationStep(position=position, hours=hours, role=role)
        for position, (hours, role) in enumerate(_CHAIN, start=1)
    )


def _create_playbooks() -> None:
    for key, name, trigger, tasks in _PLAYBOOKS:
        playbook = Playbook.objects.create(key=key, name=name, trigger=trigger)
        made: dict[str, PlaybookTask] = {}
        for position, task in enumerate(tasks):
            made[task.key] = PlaybookTask.objects.create(
                playbook=playbook, key=task.key, title=task.title, help_text=task.help_text, side=task.side,
                assignee=task.assignee, offset_days=task.days, anchor=task.anchor, evidence=task.evidence,
                action=task.action, conditions=task.conditions, position=position,
            )  # fmt: skip
            made[task.key].depends_on.set([made[earlier] for earlier in task.after])
