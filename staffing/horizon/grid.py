"""The hours grid: how fine it is, what lies between its points, and powers of characteristic functions on it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]

POINTS = 1024  # as many as a cell's grid has at most, unless a grid is asked for
HUNDREDTHS = 100  # hours are kept in hundredths, so that is the finest step
NEAR = 1e-9  # as a part of a grid step: rounding of floating point, not hours of their own


def choose_steps(hours: Floats, peaks: Floats) -> Floats:
    """Steps in hours of grids from 0 to each of the `peaks`, for contributions of these `hours` (> 0).

    The greatest common divisor of the hours, to a hundredth of an hour, where it takes no more than 1,024 points: then
    every value lies on the grid and nothing is rounded. Else the finest of ¼, ½, 1, 2, 4 … hours within 1,024 points.
    """
    steps = 0.25 * np.exp2(np.ceil(np.log2(np.maximum(peaks / POINTS / 0.25, 1.0))))
    hundredths = np.rint(hours * HUNDREDTHS)
    if len(hours) and np.abs(hours * HUNDREDTHS - hundredths).max() <= 1e-6 and hundredths.min() >= 1:
        divisor = float(np.gcd.reduce(hundredths.astype(np.int64)))
        steps[peaks * HUNDREDTHS <= divisor * POINTS] = divisor / HUNDREDTHS
    return np.asarray(steps)


def split(hours: Floats, step: Floats | float) -> tuple[npt.NDArray[np.int64], Floats]:
    """The grid point at or below each of the hours, and the part of the mass that goes to the point above.

    Giving the part (hours − below) / step to the point above keeps the mean. Values on the grid have part 0.
    """
    scaled = hours / step
    below = np.floor(scaled + NEAR)
    above = scaled - below
    return below.astype(np.int64), np.where(np.abs(above) <= NEAR, 0.0, above)


def rounding_variance(hours: Floats, step: Floats | float) -> Floats:
    """Hours²: what splitting adds to the variance of a contribution that is sure, step² · part · (1 − part)."""
    _, above = split(hours, step)
    return np.asarray(step**2 * above * (1 - above))


def transform_size(points: int) -> int:
    """The next length of at least `points` that transforms quickly: 4, 5, 6 or 7 times a power of two."""
    if points <= 8:
        return points
    quarter: int = 2 ** (math.ceil(math.log2(points)) - 3)
    return min(part * quarter for part in (4, 5, 6, 7, 8) if part * quarter >= points)


class Transforms:
    """Characteristic functions of hours on a grid of `step` hours and `size` points, at its size // 2 + 1 frequencies.

    f(k) = E exp(−2πi k X / (size · step)) for k = 0 … size // 2, as numpy.fft.rfft gives of X's chances.
    """

    def __init__(self, step: float, size: int) -> None:
        self.step, self.size = step, size
        self.frequencies = size // 2 + 1
        self._k = np.arange(self.frequencies)
        self._roots = np.exp(-2j * np.pi * np.arange(size) / size)
        self._powers: dict[float, Complexes] = {}

    def powers(self, hours: float, highest: int) -> Complexes:
        """Rows 0 … `highest` at least: the n-th is of the sum of n independent contributions of these hours."""
        known = self._powers.get(hours)
        if known is None or len(known) <= highest:
            below, above = (part.item() for part in split(np.array([hours]), self.step))
            rows = np.ones((highest + 1, self.frequencies), dtype=np.complex128)
            rows[1:] = self._roots[below * self._k % self.size] * (1 - above + above * self._roots[self._k])
            known = self._powers[hours] = np.multiply.accumulate(rows, axis=0)
        return known
