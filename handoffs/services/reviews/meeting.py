"""The meeting of a deal review: when, where, who, and who came."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from events import names
from events.recording import record
from handoffs.models import DealReview, ReviewAttendee, ReviewState
from handoffs.services.reviews.common import StaleReview, clean, hold, require_open, save, told_moment
from handoffs.states import REVIEW, IllegalTransition
from opportunities.models import Opportunity
from opportunities.queries.people import people_who_see

SHORTEST, LONGEST = 5, 480  # minutes
MOST_ATTENDEES = 50


@dataclass(frozen=True)
class Meeting:
    """When and where both sides talk, about what, and who is invited."""

    starts_at: dt.datetime
    minutes: int = 30
    place: str = ""
    agenda: str = ""
    attendees: Sequence[User] = ()


def schedule_review(
    *, actor: User, review: DealReview, meeting: Meeting, expected_version: int | None, now: dt.datetime
) -> DealReview:
    """Set or move the meeting of a running review. The same meeting again changes nothing.

    Raises PermissionDenied, StaleReview, IllegalTransition, ValidationError per field of ``Meeting``.
    """
    with transaction.atomic():
        current = _held_for(actor, review)
        meeting = _cleaned(meeting, current.opportunity)
        wanted = {user.pk for user in meeting.attendees}
        invited = set(current.attendees.values_list("user_id", flat=True))
        details = (meeting.starts_at, meeting.minutes, meeting.place, meeting.agenda)
        was_at = current.starts_at
        if invited == wanted and details == (was_at, current.minutes, current.place, current.agenda):
            return current
        _check(current, expected_version)
        if meeting.starts_at != was_at and meeting.starts_at <= now:
            raise ValidationError({"starts_at": _("Choose a time in the future.")})
        current.starts_at, current.minutes, current.place, current.agenda = details
        current.invitation_number += 1
        current.attendees.exclude(user__in=wanted).delete()
        if meeting.starts_at != was_at:
            current.attendees.update(was_there=None)
        ReviewAttendee.objects.bulk_create(
            ReviewAttendee(review=current, user_id=pk) for pk in sorted(wanted - invited)
        )
        save(current, now)
        record(
            names.REVIEW_SCHEDULED, actor=actor, about=current, within=current.opportunity, now=now,
            data={
                "starts": told_moment(meeting.starts_at), "starts_at": meeting.starts_at.astimezone(dt.UTC).isoformat(),
                "minutes": meeting.minutes, "attendees": sorted(wanted),
            },
        )  # fmt: skip
    return current


def unschedule_review(
    *, actor: User, review: DealReview, expected_version: int | None, now: dt.datetime
) -> DealReview:  # fmt: skip
    """Call the meeting off; those invited stay noted, so that they can be told. Raises as ``schedule_review``."""
    with transaction.atomic():
        current = _held_for(actor, review)
        if current.starts_at is None:
            return current
        _check(current, expected_version)
        current.starts_at = None
        current.invitation_number += 1
        current.attendees.update(was_there=None)
        save(current, now)
        record(names.REVIEW_UNSCHEDULED, actor=actor, about=current, within=current.opportunity, now=now)
    return current


def note_attendance(*, actor: User, review: DealReview, present: Collection[int], now: dt.datetime) -> DealReview:
    """Note which of those invited (by their keys) came; the others didn't. The same again changes nothing.

    Raises PermissionDenied, ValidationError before the meeting began or for somebody who was not invited.
    """
    with transaction.atomic():
        current = _held_for(actor, review)
        if current.starts_at is None or current.starts_at > now:
            raise ValidationError(_("Note who was there once the meeting has begun."))
        attendees = list(current.attendees.select_related("user"))
        if not set(present) <= {attendee.user_id for attendee in attendees}:
            raise ValidationError({"present": _("Only people who were invited can be noted here. Invite them first.")})
        changed = [each for each in attendees if each.was_there != (each.user_id in present)]
        if not changed:
            return current
        for attendee in changed:
            attendee.was_there = attendee.user_id in present
        ReviewAttendee.objects.bulk_update(changed, ["was_there"])
        save(current, now)
        record(
            names.REVIEW_HELD, actor=actor, about=current, within=current.opportunity, now=now,
            data={"present": sorted(present), "people": _listed(each.user for each in attendees if each.was_there)},
        )  # fmt: skip
    return current


def _held_for(actor: User, review: DealReview) -> DealReview:
    current = hold(review)
    if not actor.has_perm("handoffs.schedule_review", current):
        raise PermissionDenied(_("People of sales or delivery on this deal schedule its review."))
    return current


def _check(review: DealReview, expected_version: int | None) -> None:
    if expected_version not in (None, review.version):
        raise StaleReview(review)
    require_open(review.opportunity)
    if not review.is_running:
        sentence = _("The review is over; there is nothing to meet about.")
        raise IllegalTransition(sentence, REVIEW[ReviewState(review.state)])


def _cleaned(meeting: Meeting, opportunity: Opportunity) -> Meeting:
    """The meeting as it is stored. Raises ValidationError with all that is wrong."""
    problems: dict[str, str] = {}
    texts = {}
    for name, longest in (("place", 300), ("agenda", 4000)):
        try:
            texts[name] = clean(getattr(meeting, name), field=name, longest=longest, is_multiline=name == "agenda")
        except ValidationError as error:
            problems[name] = " ".join(error.messages)
    if not 2000 <= meeting.starts_at.year <= 2100:
        problems["starts_at"] = _("Use a year between 2000 and 2100.")
    if not SHORTEST <= meeting.minutes <= LONGEST:
        problems["minutes"] = _("Between %(shortest)d and %(longest)d minutes.") % {
            "shortest": SHORTEST, "longest": LONGEST,
        }  # fmt: skip
    attendees = list({user.pk: user for user in meeting.attendees}.values())
    strangers = _strangers(attendees, opportunity)
    if strangers:
        problems["attendees"] = _("%(names)s can't see this deal, so they can't be invited.") % {"names": strangers}
    elif len(attendees) > MOST_ATTENDEES:
        problems["attendees"] = _("Invite at most %(count)d people.") % {"count": MOST_ATTENDEES}
    if problems:
        raise ValidationError(problems)
    starts_at = meeting.starts_at.replace(second=0, microsecond=0)
    return Meeting(starts_at, meeting.minutes, texts["place"], texts["agenda"], attendees)


def _strangers(attendees: Sequence[User], opportunity: Opportunity) -> str:
    keys = [user.pk for user in attendees]
    insiders = set(people_who_see(opportunity).filter(pk__in=keys).values_list("pk", flat=True)) if keys else set()
    return _listed(user for user in attendees if user.pk not in insiders)


def _listed(users: Iterable[User]) -> str:
    return ", ".join(str(user) for user in users)
