"""Notice lost to delivery: business days by which a skipped or a back-dated stage made it learn of a deal later.

A skipped stage costs the business days that deals are expected to spend in it. A change that was written down later
than it happened costs the business days in between; history that came with a new deal costs nothing.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import DateTimeField, F, OuterRef, Q, Subquery
from django.utils import timezone

from accounts.calendars import BusinessDays
from accounts.models import Organisation, User
from opportunities.models import Opportunity, Stage, StageChange, StageKind


@dataclass(frozen=True)
class LostNotice:
    """What one step through the pipeline cost delivery, in business days."""

    change: StageChange
    skipped: tuple[Stage, ...]
    late_days: int

    @property
    def skipped_days(self) -> int:
        """Those of the skipped stages that say how long they are expected to take."""
        return sum(stage.expected_days or 0 for stage in self.skipped)

    @property
    def written_on(self) -> dt.date:
        """The day on which delivery could know of it, as the reader's clock has it."""
        return timezone.localdate(self.change.recorded_at)

    @property
    def days(self) -> int:
        """All of them."""
        return self.skipped_days + self.late_days


def notice_lost(
    changes: Iterable[StageChange], stages: Sequence[Stage], *, home: Organisation, days: BusinessDays
) -> dict[int, LostNotice]:
    """What the steps of one deal cost, by the key of the change; steps that cost nothing are left out. No query.

    ``changes`` are all of the deal's, in any order; ``stages`` the active ones of its pipeline.
    """
    ordered = sorted(changes, key=lambda change: change.number)
    zone = zoneinfo.ZoneInfo(home.time_zone)
    came_at = ordered[0].recorded_at if ordered else None
    found = (_lost(change, stages, came_at, zone, days) for change in ordered)
    return {lost.change.pk: lost for lost in found if lost.days}


def notice_lost_since(user: User, since: dt.datetime, *, home: Organisation) -> list[LostNotice]:
    """The same over all deals that the person may see, newest first; each with its deal. Three queries."""
    first = StageChange.objects.filter(opportunity=OuterRef("opportunity"), number=1).values("recorded_at")
    changes = (
        StageChange.objects.filter(recorded_at__gte=since, number__gt=1)
        .filter(Q(skipped__gt=0) | Q(at__lt=F("recorded_at") - dt.timedelta(hours=1)))
        .filter(opportunity__in=Opportunity.objects.current().visible_to(user))
        .annotate(came_at=Subquery(first, output_field=DateTimeField()))
        .select_related("opportunity__account", "opportunity__owner", "from_stage", "to_stage", "by")
        .order_by("-recorded_at")
    )
    stages: defaultdict[int, list[Stage]] = defaultdict(list)
    for stage in Stage.objects.active():
        stages[stage.pipeline_id].append(stage)
    days, zone = BusinessDays(home.calendar), zoneinfo.ZoneInfo(home.time_zone)
    found = (_lost(each, stages[each.to_stage.pipeline_id], each.came_at, zone, days) for each in changes)
    return [lost for lost in found if lost.days]


def _lost(
    change: StageChange, stages: Sequence[Stage], came_at: dt.datetime | None, zone: zoneinfo.ZoneInfo,
    days: BusinessDays,
) -> LostNotice:  # fmt: skip
    skipped: tuple[Stage, ...] = ()
    if change.skipped and change.from_stage is not None:
        low, high = change.from_stage.position, change.to_stage.position
        skipped = tuple(each for each in stages if each.kind == StageKind.OPEN and low < each.position < high)
    late = 0
    if came_at is not None and change.recorded_at > came_at:
        happened, written = (moment.astimezone(zone).date() for moment in (change.at, change.recorded_at))
        late = max(days.between(happened, written), 0)
    return LostNotice(change, skipped, late)
