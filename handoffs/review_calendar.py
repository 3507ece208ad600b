"""The calendar of deal reviews: what is late, what still needs a meeting, and the days ahead."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils import timezone

from accounts.access import audience_of
from accounts.models import User
from handoffs.models import DealReview
from handoffs.review_queries import OpenPoints, is_review_late, open_points, upcoming_reviews

WHO = ("mine", "team", "all")
AHEAD = dt.timedelta(weeks=8)
_ALWAYS = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Entry:
    """A review with what each side owes it."""

    review: DealReview
    points: OpenPoints
    is_late: bool

    @property
    def owes(self) -> list[tuple[str, str]]:
        """Side and act (answer, decide, sign) of what is still to be done."""
        return [(side, act) for side, acts in self.points.by_side.items() for act in acts]


@dataclass(frozen=True)
class Agenda:
    """Reviews by when they are held; ``late`` and ``unscheduled`` have no meeting ahead, oldest promise first."""

    late: Sequence[Entry]
    unscheduled: Sequence[Entry]
    days: Sequence[tuple[dt.date, Sequence[Entry]]]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing at all."""
        return not (self.late or self.unscheduled or self.days)


def agenda(user: User, *, who: str, now: dt.datetime) -> Agenda:
    """The running reviews of mine, of my teams', or all that the person may see; days as the reader's clock has them.

    At most seven queries.
    """
    is_wanted = _filter(user, who)
    reviews = [review for review in upcoming_reviews(user, _ALWAYS, now + AHEAD) if is_wanted(review)]
    points = open_points([review.opportunity for review in reviews])
    entries = [Entry(review, points[review.opportunity_id], is_review_late(review, now)) for review in reviews]
    days: dict[dt.date, list[Entry]] = defaultdict(list)
    adrift = []
    today = timezone.localtime(now).date()
    for entry in entries:
        starts_at = entry.review.starts_at
        if starts_at is not None and timezone.localtime(starts_at).date() >= today:
            days[timezone.localtime(starts_at).date()].append(entry)
        else:
            adrift.append(entry)
    adrift.sort(key=lambda entry: (entry.review.due_at, entry.review.pk))
    return Agenda(
        late=[entry for entry in adrift if entry.is_late],
        unscheduled=[entry for entry in adrift if not entry.is_late],
        days=sorted(days.items()),
    )


def _filter(user: User, who: str) -> Callable[[DealReview], bool]:
    if who == "all":
        return lambda _review: True
    people = {user.pk}
    teams: frozenset[int] = frozenset()
    if who == "team":
        people |= set(User.objects.filter(teams__members=user).values_list("pk", flat=True))
        teams = audience_of(user).team_ids

    def is_wanted(review: DealReview) -> bool:
        deal = review.opportunity
        involved = {deal.owner_id, deal.delivery_owner_id, *(each.user_id for each in review.attendees.all())}
        return bool(people & involved) or deal.team_id in teams

    return is_wanted
