"""What a win carries over: conditions of the review and promises to the client, as items that follow them."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import ValidationError

from accounts.models import User
from events import names
from events.models import Event
from handoffs.handoff_queries import blockers_of
from handoffs.models import (
    Commitment,
    Handoff,
    HandoffState,
    ReviewCondition,
    Section,
    Task,
    TaskAction,
    TaskState,
)
from handoffs.services.approvals import recall_handoff
from handoffs.services.commitments import (
    add_commitment,
    answer_commitment,
    change_commitment,
    settle_commitment,
    withdraw_commitment,
)
from handoffs.services.reviews import ConditionDraft, settle_condition
from handoffs.services.tasks import complete_task
from opportunities.models import Opportunity
from tests.handoffs import reviewing
from tests.handoffs.approving import ready, submitted
from tests.handoffs.handing import handoff_of
from tests.handoffs.reactions import MONDAY, TUESDAY, deal, move

pytestmark = pytest.mark.django_db
SOON = MONDAY.date() + dt.timedelta(days=7)


@pytest.fixture
def offered(alice: User, dan: User) -> Opportunity:
    """A deal at the offer."""
    return deal("proposal", owner=alice, delivery_owner=dan)


def promised(by: User, to: Opportunity, text: str = "Go live in March") -> Commitment:
    """A promise on the ledger."""
    return add_commitment(actor=by, opportunity=to, values={"text": text, "kind": "date", "source": "call"}, now=MONDAY)


def answered(by: User, promise: Commitment, stance: str, note: str = "") -> Commitment:
    """Delivery's answer to a promise."""
    return answer_commitment(actor=by, commitment=promise, stance=stance, note=note, expected_version=None, now=MONDAY)


def settled(by: User, promise: Commitment, outcome: str, note: str = "") -> None:
    """What became of a promise."""
    settle_commitment(actor=by, commitment=promise, outcome=outcome, note=note, expected_version=None, now=TUESDAY)


def reviewed(offered: Opportunity, alice: User, dan: User, *texts: str) -> list[ReviewCondition]:
    """An agreed review with conditions."""
    drafts = [ConditionDraft(text, dan, SOON) for text in texts]
    review = reviewing.agreed(reviewing.requested(offered, dan), alice, dan, "go_if", conditions=drafts)
    return list(ReviewCondition.objects.filter(decision__review=review).order_by("position"))


def amended(condition: ReviewCondition, alice: User, dan: User, *drafts: ConditionDraft) -> list[ReviewCondition]:
    """A further version of its verdict, signed by both."""
    review = condition.decision.review
    verdict = "go_if" if drafts else "go"
    decision = reviewing.decide(review, dan, verdict, conditions=drafts, reason="Things changed", now=TUESDAY)
    for person in (alice, dan):
        reviewing.sign(review, person, decision.number, now=TUESDAY)
    return list(decision.conditions.order_by("position"))


def items(offered: Opportunity, action: TaskAction) -> list[Task]:
    """The items of this kind, in the order of the checklist."""
    return list(Task.objects.filter(opportunity=offered, action=action).order_by("position", "pk"))


def item(offered: Opportunity, action: TaskAction) -> Task:
    """The only item of this kind."""
    [found] = items(offered, action)
    return found


def settle(by: User, condition: ReviewCondition, state: str, note: str = "") -> None:
    """Settle a condition after the win."""
    settle_condition(actor=by, condition=condition, state=state, note=note, now=TUESDAY)


def test_open_conditions_and_promises_come_over_once(alice: User, dan: User, offered: Opportunity) -> None:
    reviewed(offered, alice, dan, "Architect is free", "Price stands")
    promised(alice, offered)
    won = move(offered, "won").opportunity
    conditions, promises = items(won, TaskAction.CONDITION), items(won, TaskAction.COMMITMENT)
    assert [each.title for each in conditions] == ["Condition: Architect is free", "Condition: Price stands"]
    assert {each.section for each in conditions} == {Section.RISKS}
    assert [(each.title, each.section) for each in promises] == [("Promise: Go live in March", Section.COMMITMENTS)]
    move(move(won, "negotiation", now=TUESDAY).opportunity, "won", now=TUESDAY)
    assert len(items(won, TaskAction.CONDITION)) == 2
    assert len(items(won, TaskAction.COMMITMENT)) == 1


def test_settled_ones_do_not(alice: User, dan: User, offered: Opportunity) -> None:
    [condition] = reviewed(offered, alice, dan, "Architect is free")
    settle(dan, condition, "met")
    withdraw_commitment(actor=alice, commitment=promised(alice, offered), expected_version=None, now=MONDAY)
    won = move(offered, "won").opportunity
    assert not items(won, TaskAction.CONDITION) + items(won, TaskAction.COMMITMENT)


@pytest.mark.parametrize(("state", "note", "evidence"), [("met", "", "Met"), ("dropped", "Bought", "Dropped: Bought")])
def test_a_settled_condition_makes_its_item_done(
    alice: User, dan: User, offered: Opportunity, state: str, note: str, evidence: str
) -> None:
    [condition] = reviewed(offered, alice, dan, "Architect is free")
    won = move(offered, "won").opportunity
    settle(dan, condition, state, note)
    done = item(won, TaskAction.CONDITION)
    assert (done.state, done.evidence, done.delivery_done_by) == (TaskState.DONE, evidence, dan)
    settle(dan, condition, "open")
    assert item(won, TaskAction.CONDITION).state == TaskState.OPEN


def test_items_that_follow_are_not_ticked_by_hand(alice: User, dan: User, offered: Opportunity) -> None:
    reviewed(offered, alice, dan, "Architect is free")
    promised(alice, offered)
    won = move(offered, "won").opportunity
    for action, where in ((TaskAction.CONDITION, "deal review"), (TaskAction.COMMITMENT, "promise")):
        with pytest.raises(ValidationError, match=where):
            complete_task(actor=dan, task=item(won, action), now=MONDAY)


def test_blockers_say_what_is_promised_and_on_what_it_hangs(alice: User, dan: User, offered: Opportunity) -> None:
    reviewed(offered, alice, dan, "Architect is free")
    promised(alice, offered)
    said = [blocker.sentence for blocker in blockers_of(handoff_of(move(offered, "won").opportunity))]
    assert "Meet or drop in the deal review: “Architect is free”." in said
    assert "Let delivery accept the promise, or settle it: “Go live in March”." in said


def test_a_condition_carried_into_a_new_version_takes_its_item_along(
    alice: User, dan: User, offered: Opportunity
) -> None:
    [first] = reviewed(offered, alice, dan, "Architect is free")
    won = move(offered, "won").opportunity
    move(won, "negotiation", now=TUESDAY)
    later = SOON + dt.timedelta(days=7)
    [second] = amended(first, alice, dan, ConditionDraft("Two architects are free", alice, later, follows=first.pk))
    move(won, "won", now=TUESDAY)
    followed = item(won, TaskAction.CONDITION)
    assert (followed.condition, followed.assignee, followed.due_on) == (second, alice, later)
    assert followed.title == "Condition: Two architects are free"


def test_a_condition_left_out_of_a_new_version_is_done_with(alice: User, dan: User, offered: Opportunity) -> None:
    [first] = reviewed(offered, alice, dan, "Architect is free")
    won = move(offered, "won").opportunity
    move(won, "negotiation", now=TUESDAY)
    amended(first, alice, dan)
    move(won, "won", now=TUESDAY)
    done = item(won, TaskAction.CONDITION)
    assert (done.state, done.evidence) == (TaskState.DONE, "Left out of version 2 of the verdict")


def test_a_condition_that_is_new_in_a_version_comes_with_the_next_win(
    alice: User, dan: User, offered: Opportunity
) -> None:
    [first] = reviewed(offered, alice, dan, "Architect is free")
    won = move(offered, "won").opportunity
    move(won, "negotiation", now=TUESDAY)
    amended(
        first, alice, dan, ConditionDraft("Architect is free", dan, SOON, follows=first.pk),
        ConditionDraft("Price stands", dan, SOON),
    )  # fmt: skip
    move(won, "won", now=TUESDAY)
    assert [each.title for each in items(won, TaskAction.CONDITION)] == [
        "Condition: Architect is free", "Condition: Price stands",
    ]  # fmt: skip


def test_a_promise_that_delivery_accepted_comes_done(alice: User, dan: User, offered: Opportunity) -> None:
    answered(dan, promised(alice, offered), "accepted")
    done = item(move(offered, "won").opportunity, TaskAction.COMMITMENT)
    assert (done.state, done.evidence, done.delivery_done_by) == (TaskState.DONE, "Accepted by delivery", dan)
    assert not Event.objects.filter(name=names.TASK_COMPLETED).exists()


def test_accepting_after_the_win_makes_it_done_and_doubting_opens_it_again(
    alice: User, dan: User, offered: Opportunity
) -> None:
    promise = promised(alice, offered)
    won = move(offered, "won").opportunity
    promise = answered(dan, promise, "accepted")
    assert item(won, TaskAction.COMMITMENT).state == TaskState.DONE
    answered(dan, promise, "disputed", "Not in March")
    assert item(won, TaskAction.COMMITMENT).state == TaskState.OPEN


@pytest.mark.parametrize(
    ("outcome", "note", "evidence"),
    [("kept", "", "Kept"), ("changed", "In April", "Changed by agreement: In April"),
     ("broken", "Late", "Broken: Late")],
)  # fmt: skip
def test_settling_a_promise_makes_its_item_done(
    alice: User, dan: User, offered: Opportunity, outcome: str, note: str, evidence: str
) -> None:
    promise = promised(alice, offered)
    won = move(offered, "won").opportunity
    settled(dan, promise, outcome, note)
    done = item(won, TaskAction.COMMITMENT)
    assert (done.state, done.evidence) == (TaskState.DONE, evidence)
    settled(dan, promise, "open")
    assert item(won, TaskAction.COMMITMENT).state == TaskState.OPEN


def test_other_words_take_the_answer_back_and_show_on_the_item(alice: User, dan: User, offered: Opportunity) -> None:
    promise = answered(dan, promised(alice, offered), "accepted")
    won = move(offered, "won").opportunity
    change_commitment(
        actor=alice, commitment=promise, changes={"text": "Go live in May"}, expected_version=None, now=TUESDAY
    )
    again = item(won, TaskAction.COMMITMENT)
    assert (again.title, again.state) == ("Promise: Go live in May", TaskState.OPEN)


def test_a_promise_withdrawn_while_the_deal_was_open_again_is_done_with(
    alice: User, dan: User, offered: Opportunity
) -> None:
    promise = promised(alice, offered)
    won = move(offered, "won").opportunity
    move(won, "negotiation", now=TUESDAY)
    withdraw_commitment(actor=alice, commitment=promise, expected_version=None, now=TUESDAY)
    move(won, "won", now=TUESDAY)
    assert item(won, TaskAction.COMMITMENT).state == TaskState.DONE


def test_a_promise_noted_after_the_win_is_on_the_checklist_at_once(
    alice: User, dan: User, offered: Opportunity
) -> None:
    won = move(offered, "won").opportunity
    promised(alice, won)
    assert item(won, TaskAction.COMMITMENT).state == TaskState.OPEN


def test_a_checklist_that_was_handed_in_gets_nothing_new(alice: User, dan: User, offered: Opportunity) -> None:
    won = move(offered, "won").opportunity
    Handoff.objects.update(state=HandoffState.SUBMITTED)
    promised(alice, won)
    assert not items(won, TaskAction.COMMITMENT)


def test_what_was_promised_meanwhile_comes_with_the_recall(
    alice: User, sam: User, dan: User, offered: Opportunity
) -> None:
    won = move(offered, "won").opportunity
    submission = submitted(ready(won, now=TUESDAY), by=alice, now=TUESDAY)
    promised(alice, won)
    recall_handoff(actor=alice, handoff=submission.handoff, reason="A promise is missing", now=TUESDAY)
    assert item(won, TaskAction.COMMITMENT).state == TaskState.OPEN


def test_a_long_promise_makes_a_title_that_fits(alice: User, dan: User, offered: Opportunity) -> None:
    promised(alice, offered, "x" * 400)
    title = item(move(offered, "won").opportunity, TaskAction.COMMITMENT).title
    assert len(title) == 200
    assert title.endswith("…")
