"""What a win carries over onto the checklist: conditions of the review, and promises that nobody has settled."""

from __future__ import annotations

import datetime as dt

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from accounts.calendars import BusinessDays
from accounts.queries import organisation
from handoffs.models import (
    Anchor,
    Assignee,
    Commitment,
    CommitmentOutcome,
    ConditionState,
    Engagement,
    Handoff,
    ReviewCondition,
    ReviewDecision,
    Section,
    Stance,
    Task,
    TaskAction,
    TaskSide,
    Trigger,
)
from opportunities.models import Opportunity

# Business days after the win by which a promise without a day of its own should be taken over.
DAYS_FOR_PROMISES = 5
_LONGEST = 200


def carry_over(opportunity: Opportunity, engagement: Engagement, handoff: Handoff, now: dt.datetime) -> list[Task]:
    """Add an item for every open condition of the newest verdict and every unsettled promise that has none yet."""
    home = organisation()
    today, days = home.today(now), BusinessDays(home.calendar)
    items = []
    for condition in _open_conditions(opportunity, handoff):
        item = _item(opportunity, engagement, handoff, _("Condition: %(text)s") % {"text": condition.text}, now)
        item.section, item.action, item.condition = Section.RISKS, TaskAction.CONDITION, condition
        item.side, item.assignee_role = TaskSide.SHARED, Assignee.DELIVERY_OWNER
        item.assignee, item.due_on = condition.owner, max(condition.due_on, days.on_or_after(today))
        items.append(item)
    for promise in _unsettled_promises(opportunity, handoff):
        item = _item(opportunity, engagement, handoff, _("Promise: %(text)s") % {"text": promise.text}, now)
        item.section, item.action, item.commitment = Section.COMMITMENTS, TaskAction.COMMITMENT, promise
        item.side, item.assignee_role = TaskSide.DELIVERY, Assignee.DELIVERY_OWNER
        item.assignee, item.due_on = opportunity.delivery_owner, days.add(today, DAYS_FOR_PROMISES)
        # What delivery has accepted it knows; the rest has to be cleared up before the handoff.
        item.is_required = promise.stance != Stance.ACCEPTED
        items.append(item)
    for position, item in enumerate(items, start=1000):
        item.position, item.is_due_fixed, item.anchored_on = position, True, today
    return Task.objects.bulk_create(items)


def _item(opportunity: Opportunity, engagement: Engagement, handoff: Handoff, title: str, now: dt.datetime) -> Task:
    if len(title) > _LONGEST:
        title = title[: _LONGEST - 1] + "…"
    return Task(
        opportunity=opportunity, engagement=engagement, handoff=handoff, trigger=Trigger.HANDOFF, title=title,
        anchor=Anchor.TRIGGER, offset_days=0, created_at=now, updated_at=now,
    )  # fmt: skip


def _open_conditions(opportunity: Opportunity, handoff: Handoff) -> list[ReviewCondition]:
    later = ReviewDecision.objects.filter(review=OuterRef("decision__review"), number__gt=OuterRef("decision__number"))
    conditions = ReviewCondition.objects.filter(
        ~Exists(later), decision__review__opportunity=opportunity, state=ConditionState.OPEN
    )
    known = Task.objects.filter(handoff=handoff, condition=OuterRef("pk"))
    return list(conditions.filter(~Exists(known)).select_related("owner").order_by("position", "pk"))


def _unsettled_promises(opportunity: Opportunity, handoff: Handoff) -> list[Commitment]:
    promises = Commitment.objects.current().filter(opportunity=opportunity, outcome=CommitmentOutcome.OPEN)
    known = Task.objects.filter(handoff=handoff, commitment=OuterRef("pk"))
    return list(promises.filter(~Exists(known)).order_by("promised_on", "pk"))
