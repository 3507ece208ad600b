"""What the page of the replay says: each win as it was seen before, and how well past weeks were foreseen."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Organisation, ServiceLine, User
from opportunities.models import Opportunity, Temperature
from opportunities.services.export import safe_cell
from staffing.models import WorkRole
from staffing.replay import Apart, Calendar, DealHistory, Shape, Sight, Win, view, win_of
from staffing.replay_backtest import ENOUGH_WINS, BackTest, Figures, back_test, chance_of, figures
from staffing.replay_learning import Closings
from staffing.replay_reading import calendar_of, read_closings, read_deals
from staffing.weeks import monday_of

# In weeks before a win, or before a week of work.
LEADS = (8, 4, 2)
DEFAULT_LEAD = 4
PERIODS = (13, 26, 52)
DEFAULT_PERIOD = 26
# Wins that are listed one by one.
LISTED = 12


@dataclass(frozen=True)
class SeenLine:
    """A deal as it was seen ``lead`` weeks before its win. ``late`` weeks its work began after the start said then."""

    lead: int
    sight: Sight
    stage: str = ""
    temperature: str = ""
    percent: int = 0
    hours: float = 0.0
    starts_on: dt.date | None = None
    late: int = 0
    is_engaged: bool = False

    @property
    def temperature_label(self) -> str:
        """In words; empty where it wasn't open."""
        return str(Temperature(self.temperature).label) if self.temperature else ""


@dataclass(frozen=True)
class WinLine:
    """A win with what came of it; ``deal`` is None where the reader may not see it. Hours are over all weeks."""

    deal: Opportunity | None
    on: dt.date
    starts_on: dt.date
    hours: float
    seen: list[SeenLine]


@dataclass(frozen=True)
class SightLine:
    """How many of the wins could be seen so long before; ``surprises`` weren't there, ``untold`` can't be told."""

    lead: int
    seen: int
    without_needs: int
    surprises: int
    untold: int


@dataclass(frozen=True)
class RoleFigures:
    """A role, or None for all of them, with its figures if enough wins brought hours of it."""

    role: WorkRole | None
    wins: int
    figures: Figures | None
    row: int


@dataclass(frozen=True)
class Replay:
    """``lines`` hold the wins that the reader may see, newest first; ``unnamed`` others count, but have no name.

    ``apart`` counts wins that are compared with nothing, by why. ``chosen`` are the figures of the role asked for.
    """

    test: BackTest
    lines: list[WinLine]
    unnamed: int
    sights: list[SightLine]
    apart: dict[Apart, int]
    chosen: RoleFigures
    roles: list[RoleFigures]
    all_roles: list[WorkRole]
    service_lines: list[ServiceLine]
    wins: int
    enough: int = ENOUGH_WINS

    @property
    def has_figures(self) -> bool:
        """Whether enough was won to say how good the foresight was."""
        return self.chosen.figures is not None

    @property
    def apart_count(self) -> int:
        """Wins that are compared with nothing."""
        return sum(self.apart.values())


def replay_of(
    user: User,
    home: Organisation,
    *,
    today: dt.date,
    lead: int = DEFAULT_LEAD,
    weeks: int = DEFAULT_PERIOD,
    role: int | None = None,
    line: int | None = None,
) -> Replay:
    """The last full weeks and the wins since their beginning. Ten queries. Raises LookupError for an unknown role.

    ``line`` keeps deals that are of the service line today.
    """
    calendar = calendar_of(home)
    monday = monday_of(today)
    mondays = [monday - dt.timedelta(weeks=back) for back in range(weeks, 0, -1)]
    since = calendar.midnight(mondays[0] - dt.timedelta(weeks=max(LEADS)))
    roles = list(WorkRole.objects.all())
    rows = {each.pk: row for row, each in enumerate(roles)}
    if role is not None and role not in rows:
        raise LookupError(role)
    deals = [deal for deal in read_deals(since) if line is None or deal.service_line == line]
    closings = read_closings(since, calendar)
    outcomes = {deal.pk: win_of(deal, home=calendar) for deal in deals}
    wins = {pk: found for pk, found in outcomes.items() if isinstance(found, Win)}
    test = back_test(deals, wins, closings, mondays=mondays, lead=lead, rows=rows, home=calendar)
    lately = sorted(
        (win for win in wins.values() if win.on >= mondays[0] and _hours(win.needs, role)),
        key=lambda win: (win.on, win.deal.pk), reverse=True,
    )  # fmt: skip
    lines = _win_lines(user, lately, closings, calendar, role)
    found = [
        RoleFigures(each, int(test.wins[row]), figures(test, row), row) for row, each in enumerate(roles)
        if test.wins[row] or test.expected[row].any()
    ]  # fmt: skip
    whole = RoleFigures(None, int(test.wins[-1]), figures(test, len(roles)), len(roles))
    chosen = whole
    if role is not None:
        row = rows[role]
        chosen = RoleFigures(roles[row], int(test.wins[row]), figures(test, row), row)
    named = [each for each in lines if each.deal is not None]
    return Replay(
        test, named, len(lines) - len(named), _sights(lines), _apart(deals, outcomes, calendar, mondays[0]), chosen,
        found, [each for each in roles if each.archived_at is None or each.pk == role],
        list(ServiceLine.objects.filter(is_active=True)), len(lines),
    )  # fmt: skip


def weeks_table(replay: Replay) -> Iterator[list[Any]]:
    """A heading, then a row by role and week."""
    yield [
        _("Role"), _("Week from"), _("Weeks before"), _("Expected hours"), _("P50"), _("P80"),
        _("Came of deals known then"), _("Came as a surprise"),
    ]  # fmt: skip
    test = replay.test
    for each in replay.roles:
        for week, monday in enumerate(test.mondays):
            values = (test.expected, test.p50, test.p80, test.came, test.surprised)
            yield [
                safe_cell(each.role.name if each.role else ""), monday, test.lead,
                *(round(float(found[each.row, week]), 2) for found in values),
            ]  # fmt: skip


def wins_table(replay: Replay) -> Iterator[list[Any]]:
    """A heading, then a row by win and lead, of wins that the reader may see."""
    yield [
        _("Deal"), _("Won on"), _("Hours that came"), _("Started on"), _("Weeks before"), _("Seen"), _("Stage"),
        _("Temperature"), _("Chance in %"), _("Hours said"), _("Start said"), _("Delivery engaged"),
    ]  # fmt: skip
    for line in replay.lines:
        for seen in line.seen:
            yield [
                safe_cell(str(line.deal)), line.on, line.hours, line.starts_on, seen.lead, seen.sight.value,
                safe_cell(seen.stage), seen.temperature_label, seen.percent if seen.sight.is_open else None,
                seen.hours if seen.sight is Sight.SEEN else None, seen.starts_on,
                seen.is_engaged if seen.sight.is_open else None,
            ]  # fmt: skip


def _win_lines(user: User, wins: Sequence[Win], closings: Closings, home: Calendar, role: int | None) -> list[WinLine]:
    keys = [win.deal.pk for win in wins]
    deals = Opportunity.objects.visible_to(user).select_related("account").distinct().in_bulk(keys)
    return [
        WinLine(
            deals.get(win.deal.pk), win.on, win.starts_on, _hours(win.needs, role),
            [_seen(win, lead, closings, home, role) for lead in LEADS],
        )
        for win in wins
    ]  # fmt: skip


def _seen(win: Win, lead: int, closings: Closings, home: Calendar, role: int | None) -> SeenLine:
    moment = home.midnight(win.on - dt.timedelta(weeks=lead))
    found = view(win.deal, moment, start_after=home.start_after)
    if not found.sight.is_open or found.entry is None:
        return SeenLine(lead, found.sight)
    late = (monday_of(win.starts_on) - monday_of(found.starts_on)).days // 7 if found.starts_on else 0
    return SeenLine(
        lead, found.sight, found.entry.name, found.temperature,
        round(100 * chance_of(found, closings.at(moment))), _hours(found.needs, role), found.starts_on, late,
        found.is_engaged,
    )  # fmt: skip


def _sights(lines: Sequence[WinLine]) -> list[SightLine]:
    found = []
    for number, lead in enumerate(LEADS):
        counted = Counter(line.seen[number].sight for line in lines)
        untold = counted[Sight.TOLD_LATER] + counted[Sight.UNRECORDED]
        without = counted[Sight.NO_NEEDS] + counted[Sight.NO_DATE]
        seen = counted[Sight.SEEN]
        found.append(SightLine(lead, seen, without, len(lines) - seen - without - untold, untold))
    return found


def _apart(
    deals: Iterable[DealHistory], outcomes: dict[int, Win | Apart | None], home: Calendar, since: dt.date
) -> dict[Apart, int]:
    counted: Counter[Apart] = Counter()
    for deal in deals:
        outcome = outcomes[deal.pk]
        if isinstance(outcome, Apart) and deal.win is not None and home.day(deal.win.at) >= since:
            counted[outcome] += 1
    return {reason: counted[reason] for reason in Apart if counted[reason]}


def _hours(needs: Iterable[Shape], role: int | None) -> float:
    return sum(need.total for need in needs if role is None or need.role == role)
