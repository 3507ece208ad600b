"""What the pages of the horizon say: chances by role and week, what drives them, and when a deal can start."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from accounts.models import Organisation, User
from opportunities.models import Opportunity
from staffing.horizon import CONFIDENCE, Driver, Horizon, cell_drivers, compute_horizon
from staffing.horizon_inputs import Inputs, gather
from staffing.horizon_pictures import Bands, draw_bands
from staffing.models import WorkRole
from staffing.weeks import monday_of

WEEKS = (13, 26, 52, 104)
DEFAULT_WEEKS = 26
# Hours a week that count as one person.
FULL_TIME = 40.0
# More roles than this are too many for one look: those most at risk stand in for all.
MANY_ROLES, SHOWN_ROLES = 16, 12
# Drivers that are listed one by one.
LISTED = 12
MOVED_BY = 4
# From which percentages on a cell is darker.
_LEVELS = (1, 10, 20, 40, 70)


@dataclass(frozen=True)
class Cell:
    """One role in one week. ``level`` 0 to 5 says how dark."""

    on: dt.date
    percent: int
    level: int

    @property
    def week(self) -> int:
        """Of the year, by ISO 8601."""
        return self.on.isocalendar().week

    @property
    def day(self) -> str:
        """Its Monday as addresses name it."""
        return self.on.isoformat()


@dataclass(frozen=True)
class RoleLine:
    """A role over the weeks. ``short_from`` is the first week that doesn't fit with the confidence asked for.

    ``lacking`` people would be enough in its worst week, with that confidence.
    """

    role: WorkRole
    people: int
    cells: list[Cell]
    short_from: Cell | None
    lacking: float
    asked: bool
    draw: Callable[[], Bands]

    @cached_property
    def bands(self) -> Bands:
        """The picture of its hours, drawn once somebody looks."""
        return self.draw()

    @property
    def worst(self) -> int:
        """The highest chance of overload in percent."""
        return max((cell.percent for cell in self.cells), default=0)


@dataclass(frozen=True)
class HorizonPage:
    """Lines of the roles shown, worst first where not all are; ``all_roles`` are those to choose from."""

    inputs: Inputs
    lines: list[RoleLine]
    short: list[RoleLine]
    all_roles: list[WorkRole]
    is_cut: bool

    @property
    def weeks(self) -> list[Cell]:
        """The heads of the columns."""
        return [Cell(self.inputs.week(number), 0, 0) for number in range(self.inputs.weeks)]


@dataclass(frozen=True)
class DriverLine:
    """A deal behind a cell; ``deal`` is None where the reader may not see it. Percentages are of overload, after."""

    deal: Opportunity | None
    chance: int
    hours: float
    if_lost: int
    if_moved: int
    hours_if_lost: float
    hours_if_moved: float


@dataclass(frozen=True)
class CellPage:
    """A cell in figures, hours a week, with the deals behind it; ``more`` are not listed."""

    role: WorkRole
    cell: Cell
    capacity: float
    confirmed: float
    expected: float
    p50: float
    p80: float
    lacking: float
    drivers: list[DriverLine]
    more: int

    @property
    def until(self) -> dt.date:
        """Sunday of the week."""
        return self.cell.on + dt.timedelta(days=6)


def horizon_of(home: Organisation, *, today: dt.date, weeks: int) -> tuple[Inputs, Horizon]:
    """Inputs and figures from this week on. Eight queries."""
    inputs = gather(monday_of(today), weeks, home=home)
    return inputs, compute_horizon(inputs.capacity, inputs.confirmed, inputs.deals, working=inputs.working)


def horizon_page(
    inputs: Inputs, horizon: Horizon, *, role: int | None = None, every: bool = False, first: int = 0
) -> HorizonPage:
    """All roles, or one of them; of very many those most at risk, unless ``every`` one is asked for.

    Lines begin with the week number ``first``.
    """
    lines = [_line(inputs, horizon, row, first) for row in range(len(inputs.roles))]
    short = sorted((line for line in lines if line.short_from), key=lambda line: (-line.worst, -line.lacking))
    wanted = [line for line in lines if line.role.pk == role] if role else lines
    is_cut = len(wanted) > MANY_ROLES and not every
    if is_cut:
        wanted = sorted(wanted, key=lambda line: (-line.worst, -line.lacking))[:SHOWN_ROLES]
    return HorizonPage(inputs, wanted, short, inputs.roles, is_cut)


def cell_page(user: User, inputs: Inputs, horizon: Horizon, *, role: int, on: dt.date) -> CellPage:
    """What stands behind a cell. Raises LookupError for a role or week that isn't there."""
    row, week = inputs.row(role), (on - inputs.monday).days // 7
    drivers = cell_drivers(horizon, row, week, move_by=MOVED_BY)
    here = (row, week)
    chance = float(horizon.overload_probability[here])
    return CellPage(
        inputs.roles[row], cell_of(inputs, horizon, row, week), float(horizon.capacity[here]),
        float(horizon.confirmed[here]), float(horizon.expected[here]), float(horizon.p50[here]),
        float(horizon.p80[here]), float(horizon.expected_overload[here]),
        driver_lines(user, [(drivers[:LISTED], chance)])[0], max(len(drivers) - LISTED, 0),
    )  # fmt: skip


def driver_lines(user: User, found: Sequence[tuple[Sequence[Driver], float]]) -> list[list[DriverLine]]:
    """Drivers of cells with their chances of overload, as the person may see them. One query."""
    keys = {int(str(driver.key)) for drivers, _chance in found for driver in drivers}
    deals = Opportunity.objects.current().visible_to(user).select_related("account").distinct().in_bulk(list(keys))
    return [
        [
            DriverLine(
                deals.get(int(str(driver.key))), percent(driver.chance), driver.expected_hours,
                percent(chance - driver.probability_fall_if_lost), percent(chance - driver.probability_fall_if_moved),
                driver.hours_fall_if_lost, driver.hours_fall_if_moved,
            )
            for driver in drivers
        ]
        for drivers, chance in found
    ]  # fmt: skip


def _line(inputs: Inputs, horizon: Horizon, row: int, first_week: int = 0) -> RoleLine:
    cells = [cell_of(inputs, horizon, row, week) for week in range(first_week, inputs.weeks)]
    lacks = (horizon.p80[row] - horizon.capacity[row])[first_week:]
    unsafe = horizon.overload_probability[row, first_week:] > 1 - CONFIDENCE + 1e-9
    first = int(unsafe.argmax()) if unsafe.any() else None
    return RoleLine(
        inputs.roles[row], inputs.people[row], cells, None if first is None else cells[first],
        max(float(lacks.max()), 0.0) / FULL_TIME, bool(horizon.exposure[row].any()),
        partial(draw_bands, inputs, horizon, row),
    )  # fmt: skip


def cell_of(inputs: Inputs, horizon: Horizon, row: int, week: int) -> Cell:
    """The chance of overload of a role in a week."""
    rounded = percent(float(horizon.overload_probability[row, week]))
    return Cell(inputs.week(week), rounded, sum(rounded >= level for level in _LEVELS))


def percent(chance: float) -> int:
    """In whole percent; neither 0 nor 100 unless it is next to sure."""
    if 0.001 <= chance <= 0.999:
        return min(max(round(chance * 100), 1), 99)
    return round(chance * 100)
