"""The project manager takes the handoff on."""

from __future__ import annotations

import datetime as dt

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from events import names
from events.recording import record
from handoffs.models import Handoff, HandoffState
from handoffs.services.approvals.common import told_state
from handoffs.services.handoff.common import hold, require_awake, save
from handoffs.services.ramp import start_ramp
from handoffs.states import HANDOFF, IllegalTransition


def accept_handoff(*, actor: User, handoff: Handoff, now: dt.datetime) -> Handoff:
    """Take an approved handoff on as its project manager; the ramp begins. Accepting again changes nothing.

    Raises PermissionDenied (anybody else), IllegalTransition (not approved, resting).
    """
    with transaction.atomic():
        current = hold(handoff)
        if current.project_manager_id != actor.pk or not actor.is_active:
            raise PermissionDenied(_("The project manager named in the handoff accepts it."))
        require_awake(current)
        if current.accepted_at is not None:
            return current
        if current.state != HandoffState.APPROVED:
            raise IllegalTransition(told_state(current), HANDOFF[HandoffState(current.state)])
        current.accepted_at, current.accepted_by = now, actor
        save(current, now)
        record(names.HANDOFF_ACCEPTED, actor=actor, about=current, within=current.opportunity, now=now)
        plan = current.ramp_plan
        plan.opportunity, plan.handoff = current.opportunity, current
        start_ramp(plan=plan, actor=actor, now=now)
    return current
