"""Named sets of deals that an app above defines, so that board and list can filter by them.

The home page's zones depend on tasks, which this app knows nothing of: `dashboards` adds them when it is loaded.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Q
from django_stubs_ext import StrPromise


@dataclass(frozen=True)
class Zone:
    """A set of deals: what it is called, and the filter for it on a day."""

    label: StrPromise
    deals: Callable[[dt.date], Q]


ZONES: dict[str, Zone] = {}
