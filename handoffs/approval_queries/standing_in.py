"""Who stands in for whom, as the page shows it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from accounts.models import User
from handoffs.models import Delegation

SHOWN = 50


@dataclass(frozen=True)
class DelegationView:
    """A delegation, and what is to be said about it today."""

    delegation: Delegation
    is_now: bool
    may_end: bool
    # Somebody of the two can't sign in any more, so that it has no effect.
    gone: User | None


@dataclass(frozen=True)
class DelegationLists:
    """Those that hold or will, and those that are over."""

    standing: Sequence[DelegationView]
    past: Sequence[DelegationView]


def delegations_of(user: User, today: dt.date) -> DelegationLists:
    """Delegations by and to the person; everybody's for administrators. Two queries."""
    theirs = Q() if user.is_administrator else Q(delegator=user) | Q(delegate=user)
    rows = Delegation.objects.filter(theirs).select_related("delegator", "delegate", "created_by")
    over = Q(revoked_at__isnull=False) | Q(ends_on__lt=today)
    standing = rows.exclude(over).order_by("starts_on", "pk")
    return DelegationLists(
        [_view(row, user, today) for row in standing[: SHOWN * 4]],
        [_view(row, user, today) for row in rows.filter(over)[:SHOWN]],
    )


def _view(row: Delegation, user: User, today: dt.date) -> DelegationView:
    gone = next((person for person in (row.delegate, row.delegator) if not person.is_active), None)
    return DelegationView(
        row, row.starts_on <= today <= row.ends_on and row.revoked_at is None,
        user.is_administrator or user.pk in (row.delegator_id, row.delegate_id), gone,
    )  # fmt: skip
