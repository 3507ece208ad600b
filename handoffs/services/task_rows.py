"""What every service that changes a task shares: locking in one order, the refusal of stale ones, and saving."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from handoffs.models import Handoff, Task
from opportunities.models import Opportunity
from opportunities.services.versions import locked


class StaleTask(Exception):
    """Somebody else changed the task; ``current`` is how it stands now."""

    def __init__(self, current: Task) -> None:
        super().__init__(_("Somebody changed this task in the meantime. Look at it as it is now and try again."))
        self.current = current


def hold_task(task: Task) -> Task:
    """The task as it stands, held until the transaction ends.

    For an item of a handoff or a milestone the deal comes first, then the handoff, so that it can't be completed while
    its handoff is submitted or its deal reopened.
    """
    deal, handoff = None, None
    if task.handoff_id is not None or task.ramp_plan_id is not None:
        deal = locked(Opportunity(pk=task.opportunity_id))
    if task.handoff_id is not None:
        handoff = Handoff.objects.select_for_update().get(pk=task.handoff_id)
    current = Task.objects.select_related("opportunity").select_for_update(of=("self",)).get(pk=task.pk)
    if deal is not None:
        current.opportunity = deal
    if handoff is not None and deal is not None:
        handoff.opportunity = deal
        current.handoff = handoff
    return current


def save_task(task: Task, now: dt.datetime) -> None:
    """Count a change, check what people typed, and save. Raises ValidationError."""
    task.version += 1
    task.updated_at = now
    task.full_clean(exclude=_NOT_TYPED, validate_unique=False, validate_constraints=False)
    task.save()


_NOT_TYPED = [field.name for field in Task._meta.fields if field.is_relation]
