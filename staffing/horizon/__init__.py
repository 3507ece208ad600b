"""The computing core of the staffing horizon: arrays in, arrays out, without Django.

`compute_horizon` gives the figures of every role and week, `update_horizon` those after a change, `cell_drivers` and
`cell_distribution` look into one cell, `earliest_start` finds the first safe start of a deal. Grid and error are
described in `distribution`.
"""

from staffing.horizon.deals import DEFAULT_SHIFT, ON_TIME, Need, OpenDeal, Shift
from staffing.horizon.distribution import (
    CellDistribution,
    Horizon,
    cell_distribution,
    compute_horizon,
    update_horizon,
)
from staffing.horizon.drivers import Driver, cell_drivers
from staffing.horizon.earliest import CONFIDENCE, EarliestStart, NeedStart, Reason, earliest_start, headroom

__all__ = [
    "CONFIDENCE",
    "DEFAULT_SHIFT",
    "ON_TIME",
    "CellDistribution",
    "Driver",
    "EarliestStart",
    "Horizon",
    "Need",
    "NeedStart",
    "OpenDeal",
    "Reason",
    "Shift",
    "cell_distribution",
    "cell_drivers",
    "compute_horizon",
    "earliest_start",
    "headroom",
    "update_horizon",
]
