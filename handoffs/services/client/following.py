"""Tasks that are done when the client said so: a confirmed version, an answered pulse."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.queries import organisation
from events import names
from events.recording import Occurrence, record_many
from handoffs.models import (
    ClientAnswer,
    Confirmation,
    Pulse,
    RiskProfile,
    Statement,
    Subject,
    Task,
    TaskAction,
    TaskState,
)
from handoffs.services.client.words import told_on
from handoffs.services.wanted import wanted_triggers
from opportunities.models import Opportunity

ACTIONS = {
    Subject.SCOPE: TaskAction.CLIENT_SCOPE,
    Subject.SUCCESS_CRITERIA: TaskAction.CLIENT_CRITERIA,
    Subject.RISK_PROFILE: TaskAction.CLIENT_RISKS,
}


@dataclass(frozen=True)
class Word:
    """What the client said: by whom, when, about which version; ``evidence`` is the sentence for the task."""

    by: str
    at: dt.datetime
    number: int
    evidence: str


def follow_client(opportunity: Opportunity, now: dt.datetime, actor: User | None = None) -> None:
    """Make tasks about the client's word done while the newest version is confirmed, and open again while it isn't.

    The task of the pulse is done once a pulse was answered. Runs in the caller's transaction, with the deal locked;
    doing it again changes nothing.
    """
    waiting = list(
        Task.objects.filter(opportunity=opportunity, action__in=[*ACTIONS.values(), TaskAction.PULSE])
        .filter(state__in=[TaskState.OPEN, TaskState.PAUSED, TaskState.DONE])
        .order_by("pk")
    )
    if not waiting:
        return
    words = {action: client_word(opportunity, subject) for subject, action in ACTIONS.items()}
    words[TaskAction.PULSE] = _first_pulse(opportunity)
    closed, opened = [], []
    for task in waiting:
        word = words[TaskAction(task.action)]
        if word is not None and (task.state != TaskState.DONE or task.evidence != word.evidence):
            closed.append(task)
            _complete(task, word)
        elif word is None and task.state == TaskState.DONE:
            opened.append(task)
    _reopen(opened, opportunity, now)
    _save(closed, names.TASK_COMPLETED, opportunity, now, actor)
    _save(opened, names.TASK_REOPENED, opportunity, now, actor)


def client_word(opportunity: Opportunity, subject: Subject) -> Word | None:
    """The client's yes to the newest version of a subject, or None while it is missing."""
    given = Confirmation.objects.filter(opportunity=opportunity, subject=subject, answer=ClientAnswer.CONFIRMED)
    given = given.select_related("contact").order_by("pk")
    newest: Statement | RiskProfile | None
    if subject == Subject.RISK_PROFILE:
        profiles = RiskProfile.objects.filter(opportunity=opportunity).select_related("amended_by")
        newest = profiles.order_by("-number").first()
        said = given.filter(risk_profile=newest).first() if newest is not None else None
        written_at = newest.proposed_at if isinstance(newest, RiskProfile) else None
    else:
        statements = Statement.objects.filter(opportunity=opportunity, subject=subject).select_related("amended_by")
        newest = statements.order_by("-number").first()
        said = given.filter(statement=newest).first() if newest is not None else None
        written_at = newest.written_at if isinstance(newest, Statement) else None
    if newest is None:
        return None
    if newest.amended_by is not None and written_at is not None:
        # The version that the client wrote is the client's word.
        return _word(newest.amended_by.name, written_at, newest.number)
    return _word(said.contact.name, said.at, newest.number) if said is not None else None


def _word(by: str, at: dt.datetime, number: int) -> Word:
    with translation.override(settings.LANGUAGE_CODE):
        evidence = _("confirmed by %(name)s on %(day)s, version %(number)d") % {
            "name": by, "day": told_on(at), "number": number,
        }  # fmt: skip
    return Word(by, at, number, evidence)


def _first_pulse(opportunity: Opportunity) -> Word | None:
    answered = Pulse.objects.answered().filter(plan__opportunity=opportunity).select_related("contact")
    pulse = answered.order_by("answered_at", "pk").first()
    if pulse is None or pulse.answered_at is None:
        return None
    with translation.override(settings.LANGUAGE_CODE):
        evidence = _("rated %(csat)d of 5 by %(name)s on %(day)s") % {
            "csat": pulse.csat, "name": pulse.contact.name, "day": told_on(pulse.answered_at),
        }  # fmt: skip
    return Word(pulse.contact.name, pulse.answered_at, 0, evidence)


def _complete(task: Task, word: Word) -> None:
    task.state, task.paused_on = TaskState.DONE, None
    task.evidence = word.evidence
    task.done_at = task.sales_done_at = task.delivery_done_at = word.at


def _reopen(tasks: list[Task], opportunity: Opportunity, now: dt.datetime) -> None:
    if not tasks:
        return
    engagement = opportunity.engagements.order_by("-requested_at", "-pk").first()
    wanted = wanted_triggers(opportunity, engagement) if engagement is not None else set()
    for task in tasks:
        task.state = TaskState.OPEN if task.trigger in wanted else TaskState.PAUSED
        task.paused_on = None if task.state == TaskState.OPEN else organisation().today(now)
        task.evidence = ""
        task.done_at = task.sales_done_at = task.delivery_done_at = None
        task.sales_done_by = task.delivery_done_by = None


def _save(tasks: list[Task], name: str, opportunity: Opportunity, now: dt.datetime, actor: User | None) -> None:
    for task in tasks:
        task.version += 1
        task.updated_at = now
    Task.objects.bulk_update(tasks, [
        "state", "evidence", "paused_on", "sales_done_by", "sales_done_at", "delivery_done_by", "delivery_done_at",
        "done_at", "version", "updated_at",
    ])  # fmt: skip
    is_done = name == names.TASK_COMPLETED
    record_many([
        Occurrence(name, task, opportunity, {"title": task.title, "done": is_done, "side": task.side})
        for task in tasks
    ], actor=actor, now=now)  # fmt: skip
