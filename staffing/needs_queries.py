"""Reads shaped for what a deal needs: its rows and the picture of its weeks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from django.db.models import Prefetch
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Organisation, ServiceLine, User
from opportunities.models import Opportunity, StageKind
from opportunities.starts import expected_start
from staffing.models import Booking, NeedSkill, NeedState, NeedTemplate, StaffingNeed, WorkRole
from staffing.services.needs import templates_for
from staffing.templatetags.staffing import hours
from staffing.weeks import NONE, WEEK, monday_of

# Roles beyond these share the last colour.
COLOURS = 8
BAR, GAP, HEIGHT = 16, 4, 72  # of the picture, in its own units
ICONS = {
    NeedState.OPEN: "circle-dashed", NeedState.PROPOSED: "circle-dot-dashed", NeedState.BOOKED: "circle-check",
    NeedState.FILLED: "circle-play", NeedState.CANCELLED: "ban",
}  # fmt: skip
TONES = {NeedState.OPEN: "", NeedState.PROPOSED: "warm", NeedState.BOOKED: "good", NeedState.FILLED: "delivery"}


@dataclass(frozen=True)
class NeedLine:
    """One need, when it is, and who is booked for it."""

    need: StaffingNeed
    colour: int
    first_on: dt.date | None
    bookings: Sequence[Booking]

    @property
    def icon(self) -> str:
        """The picture of its state."""
        return ICONS[NeedState(self.need.state)]

    @property
    def tone(self) -> str:
        """The colour of its state."""
        return TONES[NeedState(self.need.state)]

    @property
    def week(self) -> int:
        """The week of the work in which it begins, from 1."""
        return self.need.offset_weeks + 1

    @property
    def last_on(self) -> dt.date | None:
        """The Friday of its last week."""
        return self.first_on + WEEK * self.need.weeks - dt.timedelta(days=3) if self.first_on else None


@dataclass(frozen=True)
class Block:
    """A rectangle of the picture: hours of one role in one week."""

    x: int
    y: float
    height: float
    colour: int


@dataclass(frozen=True)
class RoleTotal:
    """What all needs of one role come to."""

    role: WorkRole
    colour: int
    hours: Decimal


@dataclass(frozen=True)
class Picture:
    """Hours per week, stacked by role, in its own units."""

    blocks: Sequence[Block]
    width: int
    peak: Decimal
    weeks: int
    height: int = HEIGHT
    bar: int = BAR


@dataclass(frozen=True)
class NeedPanel:
    """What a deal takes."""

    lines: Sequence[NeedLine]
    roles: Sequence[RoleTotal]
    picture: Picture | None
    starts_on: dt.date | None
    usual: int
    service_line: ServiceLine | None
    may_state: bool
    may_plan: bool
    is_lost: bool
    today: dt.date

    @property
    def total(self) -> Decimal:
        """Hours of all needs."""
        return sum((line.need.total_hours for line in self.lines), start=NONE)

    @property
    def is_open(self) -> bool:
        """Whether nobody is named yet for some need."""
        return any(line.need.state == NeedState.OPEN for line in self.lines)

    @property
    def first_on(self) -> dt.date | None:
        """Monday of the week in which the work starts."""
        return monday_of(self.starts_on) if self.starts_on else None

    @property
    def ends_on(self) -> dt.date | None:
        """When the last of them ends."""
        return max((line.last_on for line in self.lines if line.last_on), default=None)

    @property
    def summary(self) -> str:
        """One line about all of them."""
        count, total = len(self.lines), hours(self.total)
        parts = [ngettext("%(count)d need", "%(count)d needs", count) % {"count": count}]
        parts.append(_("%(total)s hours") % {"total": total})
        unstaffed = sum(1 for line in self.lines if line.need.state == NeedState.OPEN)
        parts.append(_("%(count)d still open") % {"count": unstaffed} if unstaffed else _("somebody for each"))
        return " · ".join(parts)


def need_panel(user: User, deal: Opportunity, *, home: Organisation, today: dt.date) -> NeedPanel:
    """Everything on the panel. Six queries at most, however many needs there are."""
    needs = list(
        StaffingNeed.objects.filter(opportunity=deal).live()
        .select_related("role")
        .prefetch_related(
            Prefetch("skills", NeedSkill.objects.select_related("skill")),
            Prefetch("bookings", Booking.objects.live().select_related("person"), to_attr="live_bookings"),
        )
    )  # fmt: skip
    starts_on = expected_start(deal, home)
    colours = _colours(needs)
    lines = [
        NeedLine(
            need, colours[need.role_id], need.starts_on(starts_on) if starts_on else None,
            need.live_bookings,
        )
        for need in needs
    ]  # fmt: skip
    is_lost = deal.kind == StageKind.LOST
    may_state = not is_lost and user.has_perm("staffing.state_needs", deal)
    taken = {need.template_id for need in needs}
    usual = [template for template in templates_for(deal) if template.pk not in taken] if may_state else []
    return NeedPanel(
        lines, _totals(lines), _picture(lines), starts_on, len(usual), deal.service_line, may_state,
        not is_lost and user.has_perm("staffing.plan"), is_lost, today,
    )  # fmt: skip


def templates_by_line(*, is_archived: bool) -> list[tuple[ServiceLine | None, list[NeedTemplate]]]:
    """Need templates by service line, those without one last. One query."""
    found = NeedTemplate.objects.filter(archived_at__isnull=not is_archived).select_related("role", "service_line")
    ordered = sorted(found, key=lambda one: (*_place(one.service_line), one.offset_weeks, one.position, one.pk))
    return [(line, list(rows)) for line, rows in groupby(ordered, key=lambda one: one.service_line)]


def _place(line: ServiceLine | None) -> tuple[bool, int, str]:
    return (False, line.position, line.name) if line else (True, 0, "")


def _colours(needs: Sequence[StaffingNeed]) -> dict[int, int]:
    roles = sorted({need.role_id: need.role for need in needs}.values(), key=lambda role: (role.position, role.pk))
    return {role.pk: min(number, COLOURS - 1) for number, role in enumerate(roles)}


def _totals(lines: Sequence[NeedLine]) -> list[RoleTotal]:
    found: dict[int, RoleTotal] = {}
    for line in lines:
        before = found[line.need.role_id].hours if line.need.role_id in found else NONE
        found[line.need.role_id] = RoleTotal(line.need.role, line.colour, before + line.need.total_hours)
    return sorted(found.values(), key=lambda total: (total.role.position, total.role.pk))


def _picture(lines: Sequence[NeedLine]) -> Picture | None:
    if not lines:
        return None
    weeks = max(line.need.offset_weeks + line.need.weeks for line in lines)
    by_week: list[dict[int, Decimal]] = [{} for _week in range(weeks)]
    for line in sorted(lines, key=lambda line: line.colour):
        for number in range(line.need.offset_weeks, line.need.offset_weeks + line.need.weeks):
            week = by_week[number]
            week[line.colour] = week.get(line.colour, NONE) + line.need.hours_per_week
    peak = max(sum(week.values(), start=NONE) for week in by_week)
    blocks = []
    for number, week in enumerate(by_week):
        top = float(HEIGHT)
        for colour, amount in week.items():
            tall = float(amount / peak) * HEIGHT
            top -= tall
            blocks.append(Block(number * (BAR + GAP), round(top, 2), round(tall, 2), colour))
    return Picture(blocks, weeks * (BAR + GAP) - GAP, peak, weeks)
