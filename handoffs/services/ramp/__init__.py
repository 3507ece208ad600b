"""Ramp plans: import every service from here."""

from handoffs.services.ramp.common import StalePlan
from handoffs.services.ramp.starting import start_ramp

__all__ = ["StalePlan", "start_ramp"]
