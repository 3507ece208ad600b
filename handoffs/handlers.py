"""Reactions to deal events; each may run twice, late or out of order."""

from __future__ import annotations

from datetime import datetime

from events.deliveries import outside
from events.models import Event
from handoffs import approval_mail, client_mail, invitations
from handoffs.services import playbooks, signals
from handoffs.services.client import plan_pulses_of
from handoffs.services.reviews.following import follow_dates
from opportunities.models import Opportunity
from opportunities.services.versions import locked


def request_engagement(*, event: Event, now: datetime) -> None:
    """A deal turned warm or hot, or surfaced un-forecasted: delivery is asked in, tasks are added or resumed."""
    signals.follow(event=event, now=now)


def pause_engagement(*, event: Event, now: datetime) -> None:
    """A deal cooled: what its temperature no longer asks for is paused."""
    signals.follow(event=event, now=now)


def close_engagement(*, event: Event, now: datetime) -> None:
    """A deal was won, lost or archived: the engagement ends, tasks are closed, a win brings its own."""
    signals.follow(event=event, now=now)


def resume_engagement(*, event: Event, now: datetime) -> None:
    """A deal was reopened, or came back from the archive: everything is taken up again."""
    signals.follow(event=event, now=now)


def reschedule_tasks(*, event: Event, now: datetime) -> None:
    """The dates of a deal moved: due dates of tasks and review move with them."""
    opportunity = locked(Opportunity(pk=event.subject_id))
    playbooks.reschedule(opportunity=opportunity, now=now)
    follow_dates(opportunity, now)
    plan_pulses_of(opportunity.pk, now)


def follow_people(*, event: Event, now: datetime) -> None:
    """A deal has another owner: open tasks follow."""
    opportunity = Opportunity.objects.select_related("owner", "delivery_owner").get(pk=event.subject_id)
    signals.follow_people(opportunity=opportunity, now=now)


@outside
def send_invitations(*, event: Event, now: datetime) -> None:
    """The meeting of a review was set, moved or called off: those invited are told by mail, with a calendar file."""
    invitations.send(event=event, now=now)


def plan_pulses(*, event: Event, now: datetime) -> None:
    """A ramp began, moved, rests or ended, or the deal has other contacts: who is asked how it goes, and when."""
    if event.opportunity_id is not None:
        plan_pulses_of(event.opportunity_id, now)


@outside
def mail_client(*, event: Event, now: datetime) -> None:
    """A contact is asked to confirm or to rate, or is reminded: a mail brings the private link."""
    client_mail.send(event=event, now=now)


@outside
def mail_approvals(*, event: Event, now: datetime) -> None:
    """An approval is asked for, late or decided: approvers, owners and the project manager are told by mail."""
    approval_mail.send(event=event, now=now)
