"""Keeping a deal's review in line with the deal: requested, rested, cancelled and taken up again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Set

import structlog

from accounts.calendars import BusinessDays
from accounts.models import Organisation
from accounts.queries import organisation
from events import names
from events.recording import record
from handoffs.models import DealReview, ReviewAnswer, ReviewState, Task, TaskAction, TaskState, Trigger
from handoffs.services.actions import REVIEW_ACTIONS
from handoffs.services.reviews.clock import put_off, review_due
from handoffs.services.reviews.common import save
from handoffs.services.reviews.requesting import ask, questions_for, start_review
from handoffs.services.wanted import newest_signal
from opportunities.models import Opportunity, StageKind, Temperature

log = structlog.get_logger(__name__)


def align_review(opportunity: Opportunity, wanted: Set[Trigger], now: dt.datetime) -> None:
    """Make the newest review of a (locked) deal what the deal as it stands asks for.

    ``wanted`` are the triggers whose playbooks' tasks can be done now. Depends on no order of events, and doing it
    again changes nothing.
    """
    review = DealReview.objects.filter(opportunity=opportunity).select_for_update().order_by("-pk").first()
    if opportunity.kind != StageKind.OPEN or opportunity.archived_at is not None:
        if review is not None and review.is_running:
            _cancel(review, opportunity, now)
        return
    asking = _asking(opportunity, wanted)
    if review is None:
        _request(opportunity, asking, now)
        return
    review.opportunity = opportunity
    if review.state == ReviewState.AGREED:
        return
    before = _state(review)
    is_resumed = review.state == ReviewState.CANCELLED
    if is_resumed:
        review.state = review.state_before_end or ReviewState.ANSWERING
        review.state_before_end, review.ended_at = "", None
    _hasten(review, asking, now)
    _rest(review, wanted, now)
    if _state(review) != before:
        save(review, now)
    if is_resumed:
        record(names.REVIEW_RESUMED, actor=None, about=review, within=opportunity, now=now)


def follow_dates(opportunity: Opportunity, now: dt.datetime) -> None:
    """Let the review that is not agreed be due by the deal's dates as they stand."""
    review = DealReview.objects.filter(opportunity=opportunity).select_for_update().order_by("-pk").first()
    if review is None or review.state == ReviewState.AGREED:
        return
    review.opportunity = opportunity
    home = organisation()
    due = _due(review, home, BusinessDays(home.calendar))
    if due != review.due_at:
        review.due_at = due
        save(review, now)


def _asking(opportunity: Opportunity, wanted: Set[Trigger]) -> dict[str, Trigger]:
    """What open tasks start, each with the trigger that brought the task."""
    tasks = Task.objects.filter(opportunity=opportunity, state=TaskState.OPEN, action__in=REVIEW_ACTIONS)
    found = tasks.order_by("-pk").values_list("action", "trigger")
    return {action: Trigger(trigger) for action, trigger in found if trigger in wanted}


def _request(opportunity: Opportunity, asking: dict[str, Trigger], now: dt.datetime) -> None:
    if not asking:
        return
    is_express = TaskAction.EXPRESS_REVIEW in asking
    action = TaskAction.EXPRESS_REVIEW if is_express else TaskAction.REVIEW
    if questions_for(opportunity, is_express=is_express)[0] is None:
        log.warning("a deal review was not asked for: there are no questions", deal=opportunity.pk)
        return
    start_review(actor=None, opportunity=opportunity, is_express=is_express, trigger=asking[action], now=now)


def _cancel(review: DealReview, opportunity: Opportunity, now: dt.datetime) -> None:
    review.opportunity = opportunity
    review.state_before_end, review.state = review.state, ReviewState.CANCELLED
    review.ended_at = now
    # The clock rests; a reopened deal gets the lost days back.
    review.paused_at = review.paused_at or now
    save(review, now)
    record(names.REVIEW_CANCELLED, actor=None, about=review, within=opportunity, now=now)


def _hasten(review: DealReview, asking: dict[str, Trigger], now: dt.datetime) -> None:
    """The short clock of the fast lane holds for a running review too; its few questions where none is answered."""
    trigger = asking.get(TaskAction.EXPRESS_REVIEW)
    if trigger is None or review.is_express:
        if review.trigger != Trigger.ASKED and review.trigger not in asking.values() and asking:
            review.trigger = next(iter(asking.values()))
        return
    review.is_express, review.trigger = True, trigger
    review.clock_from, review.paused_at = now, None
    if not ReviewAnswer.objects.filter(question__review=review).exists():
        question_set, questions = questions_for(review.opportunity, is_express=True)
        if question_set is not None:
            review.question_set = question_set
            review.questions.all().delete()
            ask(review, questions)


def _rest(review: DealReview, wanted: Set[Trigger], now: dt.datetime) -> None:
    """Stop the clock of a deal that cooled, or start it again with what the pause cost given back."""
    home = organisation()
    days = BusinessDays(home.calendar)
    rests = _rests(review, wanted)
    if rests and review.paused_at is None:
        review.paused_at = now
    elif not rests and review.paused_at is not None:
        review.clock_from = put_off(
            review.clock_from, is_express=review.is_express, since=review.paused_at, until=now, home=home, days=days
        )
        review.paused_at = None
    review.due_at = _due(review, home, days)


def _rests(review: DealReview, wanted: Set[Trigger]) -> bool:
    if review.trigger != Trigger.ASKED:
        return review.trigger not in wanted
    if review.opportunity.temperature != Temperature.COLD:
        return False
    # Somebody asked for it. On a deal that was cold already that holds; cooling since stops the clock.
    newest = newest_signal(review.opportunity)
    return newest is not None and newest.name == names.OPPORTUNITY_COOLED and newest.at > review.requested_at


def _due(review: DealReview, home: Organisation, days: BusinessDays) -> dt.datetime:
    return review_due(
        review.opportunity, is_express=review.is_express, clock_from=review.clock_from, home=home, days=days
    )  # fmt: skip


def _state(review: DealReview) -> tuple[object, ...]:
    return (
        review.state, review.is_express, review.trigger, review.paused_at, review.clock_from, review.due_at,
        review.question_set_id,
    )  # fmt: skip
