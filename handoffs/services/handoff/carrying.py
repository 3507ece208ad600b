"""What a win carries over onto the checklist: conditions of the review, and promises that nobody has settled."""

from __future__ import annotations

import datetime as dt

from django.db.models import Exists, OuterRef

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
    Task,
    TaskAction,
    TaskSide,
    Trigger,
)
from handoffs.services.actions import complete
from handoffs.services.handoff.common import CHANGEABLE
from handoffs.services.handoff.following import (
    condition_title,
    follow_conditions,
    promise_signatures,
    promise_title,
)
from opportunities.models import Opportunity

# Business days after the win by which a promise without a day of its own should be taken over.
DAYS_FOR_PROMISES = 5
# Behind the items of the playbook.
_AFTER_OTHERS = 1000


def carry_over(opportunity: Opportunity, engagement: Engagement, handoff: Handoff, now: dt.datetime) -> list[Task]:
    """Add an item for every open condition of the newest verdict and every unsettled promise that has none yet.

    A promise that delivery has accepted already comes as a done item, so that the approvers see it. A checklist that
    was handed in is left as it is.
    """
    if handoff.shelved_at is not None or handoff.state not in CHANGEABLE:
        return []
    # An item that is there goes on with the condition's newest version, so it must not come a second time.
    follow_conditions(opportunity, now)
    home = organisation()
    today, days = home.today(now), BusinessDays(home.calendar)
    items = []
    for condition in _open_conditions(opportunity, handoff):
        item = _item(opportunity, engagement, handoff, condition_title(condition), now)
        item.section, item.action, item.condition = Section.RISKS, TaskAction.CONDITION, condition
        item.side, item.assignee_role = TaskSide.SHARED, Assignee.DELIVERY_OWNER
        item.assignee, item.due_on = condition.owner, max(condition.due_on, days.on_or_after(today))
        items.append(item)
    for promise in _unsettled_promises(opportunity, handoff):
        item = _item(opportunity, engagement, handoff, promise_title(promise), now)
        item.section, item.action, item.commitment = Section.COMMITMENTS, TaskAction.COMMITMENT, promise
        item.side, item.assignee_role = TaskSide.DELIVERY, Assignee.DELIVERY_OWNER
        item.assignee, item.due_on = opportunity.delivery_owner, days.add(today, DAYS_FOR_PROMISES)
        accepted = promise_signatures(promise)
        if accepted is not None:
            complete(item, accepted)
        items.append(item)
    for position, item in enumerate(items, start=_AFTER_OTHERS):
        item.position, item.is_due_fixed, item.anchored_on = position, True, today
    return Task.objects.bulk_create(items)


def _item(opportunity: Opportunity, engagement: Engagement, handoff: Handoff, title: str, now: dt.datetime) -> Task:
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
    return list(promises.filter(~Exists(known)).select_related("stance_by").order_by("promised_on", "pk"))
