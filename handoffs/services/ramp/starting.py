"""The ramp begins when the project manager takes the handoff on."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from accounts.models import User
from events import names
from events.recording import record
from handoffs.models import ProjectState, RampPlan
from handoffs.services.client import plan_pulses
from handoffs.services.ramp import common


def start_ramp(*, plan: RampPlan, actor: User | None, now: dt.datetime) -> RampPlan:
    """Let a planned project ramp, and plan when its client is asked how it goes.

        One that ramps already, or is past it, is left alone.
    Raises ValidationError while the plan rests.
    """
    with transaction.atomic():
        current = common.hold_live(plan)
        if current.state != ProjectState.PLANNED:
            return current
        current.state = ProjectState.RAMPING
        common.save(current, now)
        record(names.RAMP_STARTED, actor=actor, about=current, within=current.opportunity, now=now)
        plan_pulses(current, now)
    return current
