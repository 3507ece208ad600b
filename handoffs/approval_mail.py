"""Mails about approvals: who is asked, what they decided, and who takes the handoff on."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.queries import organisation
from events import names
from events.models import Event
from handoffs.approval_queries import steps_of
from handoffs.approvers import Approvers, Option, ask_of_step
from handoffs.invitations import host
from handoffs.models import ApprovalStep, Handoff, HandoffState, StepState, Submission, SubmissionState

# Who was away for longer than this finds it in the inbox.
_NEWS_FOR = dt.timedelta(days=3)
_ASKING = {names.APPROVAL_ASKED: "asked", names.APPROVAL_REMINDED: "reminder", names.APPROVAL_ESCALATED: "escalation"}
_OUTCOMES = {
    names.HANDOFF_APPROVED: HandoffState.APPROVED,
    names.HANDOFF_CHANGES_REQUESTED: HandoffState.CHANGES_REQUESTED,
    names.HANDOFF_REJECTED: HandoffState.REJECTED,
}


@dataclass(frozen=True)
class Letter:
    """One mail to one person; ``refers_to`` is the mail that it follows in a thread."""

    to: User
    subject: str
    template: str
    key: str
    path: str
    context: dict[str, Any] = field(default_factory=dict)
    refers_to: str = ""


def send(*, event: Event, now: dt.datetime) -> None:
    """Mail those concerned what the event says, as far as it is still true.

    Sent again after a failure, the mails carry the same identifiers, and mail programs show each once.
    """
    if now - event.at > _NEWS_FOR:
        return
    handoff = (
        Handoff.objects.live()
        .select_related("opportunity__owner", "opportunity__delivery_owner", "opportunity__account", "project_manager")
        .filter(pk=event.subject_id)
        .first()
    )
    if handoff is None:
        return
    letters = list(_to_approvers(event, handoff, now) if event.name in _ASKING else _of_outcome(event, handoff))
    if letters:
        with get_connection() as server:
            server.send_messages([_message(letter, handoff) for letter in letters])


def _to_approvers(event: Event, handoff: Handoff, now: dt.datetime) -> Iterator[Letter]:
    kind = _ASKING[event.name]
    pending = list(handoff.submissions.filter(state=SubmissionState.PENDING).select_related("submitted_by"))
    steps = steps_of(pending, handoff)
    named = set(event.data.get("step_ids", []))
    for step in steps:
        if step.pk in named and _still_waits(step, kind):
            ask = ask_of_step(step, steps)
            options = Approvers([ask], today=organisation().today(now)).options(ask)
            yield from (_asking(kind, step, option) for option in options)


def _still_waits(step: ApprovalStep, kind: str) -> bool:
    if step.opened_at is None:
        return False
    if kind == "escalation":
        return step.state == StepState.ESCALATED
    return step.state == StepState.PENDING or (kind == "asked" and step.state == StepState.ESCALATED)


def _asking(kind: str, step: ApprovalStep, option: Option) -> Letter:
    subject = {
        "asked": _("Please approve the handoff: %(deal)s"),
        "reminder": _("Reminder: the handoff waits for you: %(deal)s"),
        "escalation": _("Late: the handoff waits for approval: %(deal)s"),
    }[kind]
    first = f"approval-{step.pk}-asked-{option.person.pk}"
    key = f"approval-{step.pk}-{kind}-{option.person.pk}"
    return Letter(
        option.person, subject, "approval_asked", key, reverse("handoffs:approval", args=[step.pk]),
        {"kind": kind, "step": step, "submission": step.submission, "absent": option.on_behalf_of},
        refers_to="" if kind == "asked" else first,
    )  # fmt: skip


def _of_outcome(event: Event, handoff: Handoff) -> Iterator[Letter]:
    submission = Submission.objects.filter(handoff=handoff).select_related("submitted_by").order_by("-number").first()
    is_true = handoff.state == _OUTCOMES[event.name] and handoff.accepted_at is None
    if submission is None or not is_true or submission.pk != event.data.get("submission"):
        return
    path = reverse("handoffs:handoff", args=[handoff.pk])
    manager = handoff.project_manager if handoff.state == HandoffState.APPROVED else None
    if manager is not None and manager.is_active:
        yield Letter(
            manager, _("Please accept the handoff: %(deal)s"), "handoff_to_accept",
            f"submission-{submission.pk}-accept-{manager.pk}", path,
        )  # fmt: skip
    subject = {
        HandoffState.APPROVED: _("The handoff is approved: %(deal)s"),
        HandoffState.CHANGES_REQUESTED: _("Changes are asked for: %(deal)s"),
        HandoffState.REJECTED: _("The handoff was rejected: %(deal)s"),
    }[HandoffState(handoff.state)]
    steps = list(submission.steps.select_related("decided_by", "on_behalf_of").order_by("decided_at", "pk"))
    decided = [step for step in steps if step.decided_by is not None and step.state == submission.state]
    for person in _owners(handoff, submission):
        if person.pk in (event.actor_id, manager.pk if manager else None):
            continue
        yield Letter(
            person, subject, "handoff_decided", f"submission-{submission.pk}-{handoff.state}-{person.pk}", path,
            {"decided": decided, "manager": manager},
        )  # fmt: skip


def _owners(handoff: Handoff, submission: Submission) -> Sequence[User]:
    deal = handoff.opportunity
    people = {person.pk: person for person in (submission.submitted_by, deal.owner, deal.delivery_owner) if person}
    return [person for person in people.values() if person.is_active]


def _message(letter: Letter, handoff: Handoff) -> EmailMessage:
    zone = zoneinfo.ZoneInfo(letter.to.time_zone) if letter.to.time_zone else timezone.get_default_timezone()
    context = {
        **letter.context, "person": letter.to, "handoff": handoff, "deal": handoff.opportunity,
        "url": settings.ONETEAM_URL + letter.path,
    }  # fmt: skip
    with timezone.override(zone):
        body = render_to_string(f"emails/{letter.template}.txt", context)
    headers = {"Message-ID": f"<{letter.key}@{host()}>"}
    if letter.refers_to:
        headers |= dict.fromkeys(("In-Reply-To", "References"), f"<{letter.refers_to}@{host()}>")
    # A line break in a deal's name would end the subject.
    subject = " ".join((letter.subject % {"deal": handoff.opportunity.name}).split())
    return EmailMessage(subject, body, to=[letter.to.email], headers=headers)
