"""Tasks that are done when the client said so: a confirmed version, an answered pulse."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from handoffs.models import (
    ClientAnswer,
    Confirmation,
    Pulse,
    RiskProfile,
    Statement,
    Subject,
    Task,
    TaskAction,
)
from handoffs.services.actions import Signatures, follow_tasks, followers
from handoffs.services.client.words import told_on
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
    tasks = list(followers(opportunity, [*ACTIONS.values(), TaskAction.PULSE]))
    if not tasks:
        return
    words = {action: client_word(opportunity, subject) for subject, action in ACTIONS.items()}
    words[TaskAction.PULSE] = _first_pulse(opportunity)
    outcomes = [(task, words[TaskAction(task.action)]) for task in tasks]
    follow_tasks(opportunity, [(task, _signed(word)) for task, word in outcomes], now, actor)
    # What was confirmed already may have been confirmed anew, in a later version.
    told = [(task, word) for task, word in outcomes if word is not None and task.evidence != word.evidence]
    for task, word in told:
        task.evidence, task.updated_at = word.evidence, now
    Task.objects.bulk_update([task for task, _word in told], ["evidence", "updated_at"])


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


def _signed(word: Word | None) -> Signatures | None:
    return Signatures(None, word.at, None, word.at, word.evidence) if word is not None else None
