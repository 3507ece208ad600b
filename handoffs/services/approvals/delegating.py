"""Standing in for each other."""

from __future__ import annotations

import datetime as dt

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.queries import organisation
from events import names
from events.recording import record
from handoffs.models import Delegation
from handoffs.services.reviews.common import clean
from opportunities.services.editing import readable

LONGEST_DAYS = 366


def delegate(
    *,
    actor: User,
    delegator: User,
    delegate: User,
    starts_on: dt.date,
    ends_on: dt.date,
    reason: str,
    now: dt.datetime,
) -> Delegation:
    """Let somebody stand in for the delegator's approvals, from a day to a day, both included.

    Asking for what stands already changes nothing. Raises PermissionDenied (for somebody else), ValidationError: the
    same person, somebody who can't sign in, days that are over, more than a year, a second one on the same days, or a
    circle of any length.
    """
    if not actor.is_active or (actor.pk != delegator.pk and not actor.is_administrator):
        raise PermissionDenied(_("People name who stands in for them; administrators do it for others."))
    reason = clean(reason, field="reason", longest=200)
    _check_days(starts_on, ends_on, organisation().today(now))
    with transaction.atomic():
        _queue_up()
        _check_people(delegator, delegate)
        others = Delegation.objects.standing().filter(starts_on__lte=ends_on, ends_on__gte=starts_on)
        standing = list(others.select_related("delegator", "delegate"))
        for one in standing:
            if one.delegator_id != delegator.pk:
                continue
            if (one.delegate_id, one.starts_on, one.ends_on) == (delegate.pk, starts_on, ends_on):
                return one
            raise ValidationError({"starts_on": _told_overlap(one)})
        circle = _circle(delegator, delegate, starts_on, ends_on, standing)
        if circle:
            raise ValidationError({"delegate": _told_circle(delegator, circle)})
        made = Delegation.objects.create(
            delegator=delegator, delegate=delegate, starts_on=starts_on, ends_on=ends_on, reason=reason,
            created_by=actor, created_at=now,
        )  # fmt: skip
        record(names.DELEGATION_ADDED, actor=actor, about=made, now=now, data=_told(made))
    return made


def end_delegation(*, actor: User, delegation: Delegation, now: dt.datetime) -> Delegation:
    """End it now; what was decided stays. Either of the two may, and administrators. Ending it again changes nothing.

    Raises PermissionDenied, ValidationError (it ran out already).
    """
    if not actor.is_active or not (
        actor.pk in (delegation.delegator_id, delegation.delegate_id) or actor.is_administrator
    ):
        raise PermissionDenied(_("The two people themselves end it, or an administrator."))
    with transaction.atomic():
        _queue_up()
        current = Delegation.objects.select_for_update().get(pk=delegation.pk)
        if current.revoked_at is not None:
            return current
        if current.ends_on < organisation().today(now):
            raise ValidationError(_("Its last day has passed; there is nothing to end."))
        current.revoked_at = now
        current.save(update_fields=["revoked_at"])
        record(names.DELEGATION_ENDED, actor=actor, about=current, now=now, data=_told(current))
    return current


def _check_days(starts_on: dt.date, ends_on: dt.date, today: dt.date) -> None:
    if ends_on < starts_on:
        raise ValidationError({"ends_on": _("The last day comes before the first.")})
    if ends_on < today:
        raise ValidationError({"ends_on": _("That is over already. Choose a last day from today on.")})
    if (ends_on - starts_on).days >= LONGEST_DAYS:
        raise ValidationError({"ends_on": _("Name somebody for a year at most.")})


def _check_people(delegator: User, delegate: User) -> None:
    if delegator.pk == delegate.pk:
        raise ValidationError({"delegate": _("Choose somebody else: nobody stands in for themselves.")})
    for field, person in (("delegator", delegator), ("delegate", delegate)):
        if not User.objects.filter(pk=person.pk, is_active=True).exists():
            raise ValidationError({field: _("%(name)s can't sign in any more.") % {"name": person}})


def _circle(
    delegator: User, start: User, since: dt.date, until: dt.date, standing: list[Delegation]
) -> list[User] | None:
    """The people through whom, on some day in the span, the way from ``start`` leads back to the delegator."""
    paths = [([start], since, until)]
    while paths:
        people, first, last = paths.pop()
        for one in standing:
            begins, ends = max(first, one.starts_on), min(last, one.ends_on)
            if one.delegator_id != people[-1].pk or begins > ends:
                continue
            if one.delegate_id == delegator.pk:
                return people
            if all(one.delegate_id != person.pk for person in people):
                paths.append(([*people, one.delegate], begins, ends))
    return None


def _told_overlap(one: Delegation) -> str:
    return _("%(delegate)s stands in from %(from)s to %(to)s already. End that first, or choose other days.") % {
        "delegate": one.delegate, "from": readable(one.starts_on), "to": readable(one.ends_on),
    }  # fmt: skip


def _told_circle(delegator: User, people: list[User]) -> str:
    way = " → ".join(str(person) for person in [delegator, *people, delegator])
    return _("That would be a circle: %(way)s. Choose somebody else.") % {"way": way}


def _told(one: Delegation) -> dict[str, object]:
    return {
        "delegate": str(one.delegate), "delegator": str(one.delegator), "delegate_id": one.delegate_id,
        "delegator_id": one.delegator_id, "from": one.starts_on.isoformat(), "to": one.ends_on.isoformat(),
    }  # fmt: skip


def _queue_up() -> None:
    # Two people who name each other at the same moment would both find nothing.
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended('handoffs:delegations', 0))")
