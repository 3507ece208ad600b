"""The picture of a role: hours by week as steps, in the units of its drawing."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

from staffing.capacity import Floats
from staffing.horizon import Horizon
from staffing.horizon_inputs import Inputs

WIDTH, HEIGHT = 640, 190
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 10, 26


@dataclass(frozen=True)
class Tick:
    """A line of the scale; ``at`` and ``text`` as the drawing takes them."""

    at: str
    text: str
    on: dt.date | None = None


@dataclass(frozen=True)
class Bands:
    """Paths of areas and lines. ``expected`` and ``capacity`` are lines, the others areas."""

    confirmed: str
    likely: str
    expected: str
    capacity: str
    hours: list[Tick]
    weeks: list[Tick]
    most_asked: float
    most_there: float
    view_box: str = f"0 0 {WIDTH} {HEIGHT}"
    left: int = LEFT
    right: int = WIDTH - RIGHT
    base: int = HEIGHT - BOTTOM


def draw_bands(inputs: Inputs, horizon: Horizon, row: int) -> Bands:
    """What is sure, what is expected and how far it may go, against the hours that there are."""
    capacity, confirmed, expected = horizon.capacity[row], horizon.confirmed[row], horizon.expected[row]
    p50, p80 = horizon.p50[row], horizon.p80[row]
    step = scale_step(max(float(each.max()) for each in (capacity, p80, expected)))
    most = step * max(math.ceil(max(float(each.max()) for each in (capacity, p80, expected)) / step), 1)
    wide, high = (WIDTH - LEFT - RIGHT) / inputs.weeks, HEIGHT - TOP - BOTTOM

    def y(hours: float) -> float:
        return TOP + high * (1 - hours / most)

    def steps(hours: Floats) -> list[tuple[float, float]]:
        corners = []
        for week, value in enumerate(hours.tolist()):
            corners += [(LEFT + wide * week, y(value)), (LEFT + wide * (week + 1), y(value))]
        return corners

    zero = [(WIDTH - RIGHT, y(0)), (LEFT, y(0))]
    every = 4 if inputs.weeks <= 52 else 8
    return Bands(
        drawn_path([*steps(confirmed), *zero], closed=True),
        drawn_path([*steps(p80), *reversed(steps(p50))], closed=True),
        drawn_path(steps(expected)),
        drawn_path(steps(capacity)),
        [Tick(f"{y(step * n):.1f}", f"{step * n:g}") for n in range(round(most / step) + 1)],
        [
            Tick(f"{LEFT + wide * week:.1f}", str(inputs.week(week).isocalendar().week), inputs.week(week))
            for week in range(0, inputs.weeks, every)
        ],
        float(p80.max()),
        float(capacity.max()),
    )


def drawn_path(corners: list[tuple[float, float]], *, closed: bool = False) -> str:
    """The corners joined by straight lines, as an SVG path takes them."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in corners) + ("Z" if closed else "")


def scale_step(most: float) -> float:
    """Of the scale: 1, 2 or 5 times a power of ten, so that three to six lines stand."""
    if most <= 0:
        return 20.0
    power = 10.0 ** math.floor(math.log10(most / 4))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor * 4 >= most)
