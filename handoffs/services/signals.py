"""Following a deal's signals: what delivery's involvement and the tasks must look like now.

Handlers may run late, twice or out of order, so nothing here depends on the order of events: a signal makes sure
that there is an engagement, then everything is brought in line with the deal as it stands.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence

from accounts.calendars import BusinessDays
from accounts.models import Organisation, User
from accounts.queries import organisation
from events import names
from events.models import Event
from events.recording import record, record_many
from handoffs.assignment import assignee_for, propose_delivery_owner
from handoffs.models import (
    Anchor,
    Assignee,
    Engagement,
    EngagementState,
    Outcome,
    Task,
    TaskState,
    Trigger,
)
from handoffs.models.engagement import OPEN_STATES
from handoffs.services.actions import follow_profile, follow_review
from handoffs.services.client import follow_client
from handoffs.services.handoff.following import follow_handoff
from handoffs.services.handoff.opening import align_handoff, follow_contacts, rest_handoff, was_won_here
from handoffs.services.playbooks import apply_playbook, reschedule
from handoffs.services.reviews.clock import put_off
from handoffs.services.reviews.following import align_review
from handoffs.services.wanted import wanted_triggers
from opportunities.models import Opportunity, StageKind
from opportunities.services.editing import apply_changes, save_changed
from opportunities.services.versions import locked

_ASKING = {
    names.OPPORTUNITY_TURNED_WARM: Trigger.WARM,
    names.OPPORTUNITY_TURNED_HOT: Trigger.HOT,
    names.OPPORTUNITY_SURFACED_UNFORECASTED: Trigger.UNFORECASTED,
    names.OPPORTUNITY_WON: Trigger.WON,
}
_ABOUT_CONTACTS = frozenset({names.OPPORTUNITY_CONTACT_LINKED, names.OPPORTUNITY_CONTACT_UNLINKED})
# Until when delivery should answer: hours in the fast lane, else business days.
FAST_LANE_HOURS = 4
ANSWER_DAYS = {Trigger.WARM: 2, Trigger.HOT: 1, Trigger.WON: 1, Trigger.ASKED: 2}


def follow(*, event: Event, now: dt.datetime) -> None:
    """Bring delivery's involvement in line after a signal. Runs in the caller's transaction."""
    opportunity = locked(Opportunity(pk=event.subject_id))
    engagement = opportunity.engagements.order_by("-requested_at", "-pk").first()
    asking = _asking_signals(opportunity)
    undoing = event.data.get("undoes_change")
    asked_by = (engagement.trigger_event_id or 0) if engagement is not None else 0
    # A deal that has warmed again since, or whose close date was pulled in, is asked about all the same.
    is_last_word = not any(signal.pk > asked_by for signal in asking)
    if undoing and is_last_word and engagement is not None and _withdraw(engagement, undoing, now=now):
        align_handoff(opportunity, engagement, now)
        _align_tasks(opportunity, set(), now=now)
        align_review(opportunity, set(), now)
        return
    if event.name == names.OPPORTUNITY_WON and not was_won_here(opportunity):
        asking = []
    if event in asking and _should_ask(engagement, event):
        first = next(signal for signal in asking if signal.pk > asked_by)
        engagement = _request(opportunity, event=first, trigger=_ASKING[first.name], now=now)
    if engagement is None:
        # Somebody may have asked for a review all the same.
        align_review(opportunity, set(), now)
        return
    bring_in_line(opportunity=opportunity, engagement=engagement, now=now)


def follow_together(events: Sequence[Event], now: dt.datetime) -> None:
    """What must not wait: a win brings its handoff in the transaction that wins, reopening lets it rest.

    So do people named on a won deal. Everything else follows afterwards.
    """
    for event in events:
        if event.name == names.OPPORTUNITY_WON:
            follow(event=event, now=now)
        elif event.name == names.OPPORTUNITY_REOPENED:
            rest_handoff(locked(Opportunity(pk=event.subject_id)), now)
        elif event.name in _ABOUT_CONTACTS and event.opportunity_id is not None:
            follow_contacts(locked(Opportunity(pk=event.opportunity_id)), now)


def bring_in_line(*, opportunity: Opportunity, engagement: Engagement, now: dt.datetime) -> None:
    """Make the engagement's state, the deal's tasks and its review what the deal as it stands asks for."""
    _align_engagement(opportunity, engagement, now=now)
    wanted = wanted_triggers(opportunity, engagement)
    handoff = align_handoff(opportunity, engagement, now)
    if _align_tasks(opportunity, wanted, now=now):
        # Nobody told the cancelled ones that the deal's dates moved meanwhile.
        reschedule(opportunity=opportunity, now=now)
    if handoff is None:
        # Won before anybody looked: a baseline says how things stand and asks for nothing.
        wanted -= {Trigger.HANDOFF, Trigger.WON}
    for trigger in (Trigger.WARM, Trigger.HOT, Trigger.UNFORECASTED, Trigger.HANDOFF, Trigger.WON):
        if trigger in wanted:
            apply_playbook(engagement=engagement, opportunity=opportunity, trigger=trigger, handoff=handoff, now=now)
    align_review(opportunity, wanted, now)
    follow_review(opportunity, now)
    follow_profile(opportunity, now)
    if handoff is not None:
        follow_handoff(opportunity, now)
    follow_client(opportunity, now)


def request_engagement(
    *,
    opportunity: Opportunity,
    trigger: Trigger,
    event_id: int | None,
    now: dt.datetime,
    actor: User | None = None,
) -> Engagement:
    """Open an engagement on a (locked) deal and propose a delivery owner where none is named."""
    home = organisation()
    is_fast_lane = trigger == Trigger.UNFORECASTED or opportunity.is_unforecasted
    engagement = Engagement.objects.create(
        opportunity=opportunity, trigger=trigger, trigger_event_id=event_id, is_fast_lane=is_fast_lane,
        requested_at=now, created_at=now, updated_at=now,
        answer_due_at=_answer_due(trigger, is_fast_lane=is_fast_lane, home=home, now=now),
    )  # fmt: skip
    Task.objects.filter(opportunity=opportunity).update(engagement=engagement)
    owner = opportunity.delivery_owner
    if owner is None or not owner.is_active:
        proposed = propose_delivery_owner(opportunity, is_fast_lane=is_fast_lane)
        if proposed != owner:
            edit = apply_changes(opportunity, {"delivery_owner": proposed}, home=home, now=now)
            save_changed(opportunity, now=now)
            record_many(edit.occurrences, actor=None, now=now)
    record(
        names.ENGAGEMENT_REQUESTED, actor=actor, about=engagement, within=opportunity, now=now,
        data={
            "trigger": trigger, "owner": str(opportunity.delivery_owner or "–"), "fast_lane": is_fast_lane,
            "answer_due_at": engagement.answer_due_at.isoformat(),
        },
    )  # fmt: skip
    return engagement


def follow_people(*, opportunity: Opportunity, now: dt.datetime) -> None:
    """Give the open tasks of the deal's owners to those who own it now."""
    for role in (Assignee.SALES_OWNER, Assignee.DELIVERY_OWNER):
        person = assignee_for(opportunity, role)
        waiting = Task.objects.filter(
            opportunity=opportunity, assignee_role=role, state__in=[TaskState.OPEN, TaskState.PAUSED]
        )
        waiting.exclude(assignee=person).update(assignee=person, updated_at=now)


def _request(opportunity: Opportunity, *, event: Event, trigger: Trigger, now: dt.datetime) -> Engagement:
    return request_engagement(opportunity=opportunity, trigger=trigger, event_id=event.pk, now=now)


def _should_ask(engagement: Engagement | None, event: Event) -> bool:
    """Whether the signal opens a new engagement: there is none to go on with, and it is news."""
    if engagement is None:
        return True
    if engagement.state in OPEN_STATES or engagement.outcome in (Outcome.WON, Outcome.LOST):
        return False
    return event.pk > (engagement.trigger_event_id or 0) and event.name != names.OPPORTUNITY_WON


def _asking_signals(opportunity: Opportunity) -> list[Event]:
    """The deal's signals that call delivery in and were not taken back, oldest first."""
    told = Event.objects.filter(opportunity_id=opportunity.pk, name__in=[*_ASKING, names.OPPORTUNITY_MOVED])
    events = list(told.order_by("pk"))
    undone = {event.data.get("undoes_change") for event in events} - {None}
    return [event for event in events if event.name in _ASKING and event.data.get("change") not in undone]


def _withdraw(engagement: Engagement, undone_change: int, *, now: dt.datetime) -> bool:
    """End an untouched engagement that only the undone move had asked for."""
    has_closed = engagement.outcome in (Outcome.WON, Outcome.LOST)
    stood = engagement.state_before_end if has_closed else engagement.state
    if stood != EngagementState.REQUESTED or engagement.trigger_event_id is None:
        return False
    asked = Event.objects.filter(pk=engagement.trigger_event_id, data__change=undone_change).exists()
    touched = engagement.tasks.filter(state=TaskState.DONE).exists()
    if not asked or touched:
        return False
    engagement.state = stood
    _end(engagement, Outcome.WITHDRAWN, now=now)
    return True


def _align_engagement(opportunity: Opportunity, engagement: Engagement, *, now: dt.datetime) -> None:
    outcome = {StageKind.WON: Outcome.WON, StageKind.LOST: Outcome.LOST}.get(StageKind(opportunity.kind))
    if opportunity.archived_at and outcome is None:
        outcome = Outcome.LOST
    if outcome is not None:
        if engagement.state in OPEN_STATES:
            _end(engagement, outcome, now=now)
        elif engagement.outcome in (Outcome.WON, Outcome.LOST) and engagement.outcome != outcome:
            engagement.outcome = outcome
            engagement.save()
        return
    if engagement.state == EngagementState.DONE and engagement.outcome in (Outcome.WON, Outcome.LOST):
        engagement.state = engagement.state_before_end or EngagementState.REQUESTED
        engagement.outcome = engagement.state_before_end = ""
        _give_back(engagement, engagement.ended_at, now=now)
        engagement.ended_at = None
        _touch(engagement, now)
        record(names.ENGAGEMENT_RESUMED, actor=None, about=engagement, within=opportunity, now=now)
    is_paused = not wanted_triggers(opportunity, engagement)
    if engagement.state in OPEN_STATES and is_paused != (engagement.paused_at is not None):
        _give_back(engagement, engagement.paused_at, now=now)
        engagement.paused_at = now if is_paused else None
        _touch(engagement, now)


def _give_back(engagement: Engagement, since: dt.datetime | None, *, now: dt.datetime) -> None:
    """Move the day of the answer by the time since which there was nothing to answer."""
    if since is None or engagement.state != EngagementState.REQUESTED:
        return
    home = organisation()
    engagement.answer_due_at = put_off(
        engagement.answer_due_at, is_express=engagement.is_fast_lane, since=since, until=now,
        home=home, days=BusinessDays(home.calendar),
    )  # fmt: skip


def _end(engagement: Engagement, outcome: Outcome, *, now: dt.datetime) -> None:
    engagement.state_before_end = engagement.state
    engagement.state = EngagementState.DONE
    engagement.outcome = outcome
    engagement.ended_at = now
    engagement.paused_at = None
    _touch(engagement, now)
    record(
        names.ENGAGEMENT_CLOSED, actor=None, about=engagement, within=engagement, now=now,
        data={"outcome": str(outcome.label)},
    )  # fmt: skip


def _touch(engagement: Engagement, now: dt.datetime) -> None:
    engagement.version += 1
    engagement.updated_at = now
    engagement.save()


def _align_tasks(opportunity: Opportunity, wanted: set[Trigger], *, now: dt.datetime) -> bool:
    """Open what is wanted, pause the rest of an open deal, cancel the rest of a closed one.

    Returns whether tasks that were cancelled are open or paused again.
    """
    home = organisation()
    today = home.today(now)
    days = BusinessDays(home.calendar)
    is_closed = opportunity.kind != StageKind.OPEN or opportunity.archived_at is not None
    rest = TaskState.CANCELLED if is_closed else TaskState.PAUSED
    changed: list[Task] = []
    has_revived = False
    for task in Task.objects.filter(opportunity=opportunity).exclude(state__in=[TaskState.DONE, TaskState.WAIVED]):
        state = TaskState.OPEN if task.trigger in wanted else rest
        if state == task.state:
            continue
        has_revived |= task.state == TaskState.CANCELLED
        if state == TaskState.OPEN:
            _resume(task, today, days)
        elif task.paused_on is None:
            task.paused_on = today
        task.state = state
        task.version += 1
        task.updated_at = now
        changed.append(task)
    Task.objects.bulk_update(changed, ["state", "paused_on", "due_on", "anchored_on", "version", "updated_at"])
    counts = Counter(task.state for task in changed)
    for state, name in ((TaskState.PAUSED, names.TASKS_PAUSED), (TaskState.OPEN, names.TASKS_RESUMED)):
        if counts[state]:
            record(name, actor=None, about=opportunity, within=opportunity, now=now, data={"count": counts[state]})
    return has_revived


def _resume(task: Task, today: dt.date, days: BusinessDays) -> None:
    """Give back the business days during which nobody could work on the task."""
    if task.paused_on is not None and task.anchor == Anchor.TRIGGER and not task.is_due_fixed:
        lost = days.between(task.paused_on, today)
        if lost > 0:
            task.due_on = days.add(task.due_on, lost)
            task.anchored_on = days.add(task.anchored_on, lost)
    task.paused_on = None


def _answer_due(trigger: Trigger, *, is_fast_lane: bool, home: Organisation, now: dt.datetime) -> dt.datetime:
    if is_fast_lane:
        return now + dt.timedelta(hours=FAST_LANE_HOURS)
    day = BusinessDays(home.calendar).add(home.today(now), ANSWER_DAYS.get(trigger, 2))
    return now + (day - home.today(now))
