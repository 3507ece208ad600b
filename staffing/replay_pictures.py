"""The picture of the back-test: what was foreseen for each week as a band, and what came as bars."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from staffing.capacity import Floats
from staffing.horizon_pictures import Tick, drawn_path, scale_step
from staffing.replay_backtest import BackTest

WIDTH, HEIGHT = 960, 260
LEFT, RIGHT, TOP, BOTTOM = 52, 8, 12, 40


@dataclass(frozen=True)
class Bar:
    """What came in a week: of deals known before, and on top of it as a surprise. Heights as the drawing takes them."""

    on: dt.date
    x: str
    width: str
    top: str
    height: str
    surprise_top: str
    surprise_height: str


@dataclass(frozen=True)
class WeekLine:
    """A week in figures, hours."""

    on: dt.date
    expected: float
    p50: float
    p80: float
    came: float
    surprised: float

    @property
    def is_beyond(self) -> bool:
        """Whether more came than was foreseen with 80 % confidence."""
        return self.came > self.p80 + 1e-6


@dataclass(frozen=True)
class Picture:
    """Paths of the band and of the line of what was expected, bars, and the scale."""

    band: str
    expected: str
    bars: list[Bar]
    hours: list[Tick]
    weeks: list[Tick]
    lines: list[WeekLine]
    view_box: str = f"0 0 {WIDTH} {HEIGHT}"
    left: int = LEFT
    right: int = WIDTH - RIGHT
    base: int = HEIGHT - BOTTOM


def draw_back_test(test: BackTest, row: int) -> Picture:
    """Of a role, or of all in the last row."""
    expected, p50, p80 = test.expected[row], test.p50[row], test.p80[row]
    came, surprised = test.came[row], test.surprised[row]
    count = len(test.mondays)
    highest = max(float(each.max()) for each in (expected, p80, came + surprised))
    step = scale_step(highest)
    most = step * max(-(-highest // step), 1)
    wide, high = (WIDTH - LEFT - RIGHT) / count, HEIGHT - TOP - BOTTOM

    def y(hours: float) -> float:
        return TOP + high * (1 - hours / most)

    def steps(hours: Floats) -> list[tuple[float, float]]:
        return [
            corner
            for week, value in enumerate(hours.tolist())
            for corner in ((LEFT + wide * week, y(value)), (LEFT + wide * (week + 1), y(value)))
        ]

    def bar(week: int) -> Bar:
        known, new = float(came[week]), float(surprised[week])
        return Bar(
            test.mondays[week], f"{LEFT + wide * (week + 0.28):.1f}", f"{wide * 0.44:.1f}", f"{y(known):.1f}",
            f"{y(0) - y(known):.1f}", f"{y(known + new):.1f}", f"{y(known) - y(known + new):.1f}",
        )  # fmt: skip

    every = 2 if count <= 26 else 4
    return Picture(
        drawn_path([*steps(p80), *reversed(steps(p50))], closed=True), drawn_path(steps(expected)),
        [bar(week) for week in range(count)],
        [Tick(f"{y(step * number):.1f}", f"{step * number:g}") for number in range(round(most / step) + 1)],
        [
            Tick(f"{LEFT + wide * (week + 0.5):.1f}", str(test.mondays[week].isocalendar().week), test.mondays[week])
            for week in range(0, count, every)
        ],
        [
            WeekLine(monday, *(float(values[week]) for values in (expected, p50, p80, came, surprised)))
            for week, monday in enumerate(test.mondays)
        ],
    )  # fmt: skip
