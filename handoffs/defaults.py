"""What a new organisation starts with: playbooks, review questions, who hears, who approves, and the win's gate."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from accounts.models import Organisation, Role
from handoffs.default_playbooks import PLAYBOOKS, DefaultTask
from handoffs.models import EscalationStep, Playbook, PlaybookTask, Question, QuestionSet, Trigger
from handoffs.services.approvals.chain import create_default_chain
from opportunities.models import Criterion, Stage, StageKind

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
    """Make the default playbooks, review questions, escalation and approval chain, each unless there is some already.

    An organisation that has playbooks, but none for the handoff, gets that one; what is there stays as it is.
    """
    with transaction.atomic():
        _create_playbooks()
        if not QuestionSet.objects.exists():
            _create_questions()
        if not EscalationStep.objects.exists():
            _create_chain()
        create_default_chain()


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
    is_new = not Playbook.objects.exists()
    # One that somebody archived or renamed was meant; only what came with a later release is missing.
    has_checklist = Playbook.objects.filter(trigger=Trigger.HANDOFF).exists()
    for key, name, trigger, tasks in PLAYBOOKS:
        if is_new or (trigger == Trigger.HANDOFF and not has_checklist):
            _create_playbook(key, name, trigger, tasks)


def _create_playbook(key: str, name: str, trigger: Trigger, tasks: Sequence[DefaultTask]) -> None:
    playbook = Playbook.objects.create(key=key, name=name, trigger=trigger)
    made: dict[str, PlaybookTask] = {}
    for position, task in enumerate(tasks):
        made[task.key] = PlaybookTask.objects.create(
            playbook=playbook, key=task.key, title=task.title, help_text=task.help_text, side=task.side,
            assignee=task.assignee, offset_days=task.days, anchor=task.anchor, evidence=task.evidence,
            action=task.action, conditions=task.conditions, section=task.section, phase=task.phase,
            is_required=task.is_required, position=position,
        )  # fmt: skip
        made[task.key].depends_on.set([made[earlier] for earlier in task.after])
