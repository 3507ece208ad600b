"""The commitment ledger: promises, delivery's stance, and what became of them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import User
from events.models import Event
from handoffs.models import Commitment, CommitmentOutcome, Stance
from handoffs.services import commitments as services
from handoffs.services.commitments import StaleCommitment
from handoffs.states import IllegalTransition
from opportunities.models import Opportunity
from tests import factories
from tests.handoffs.reactions import MONDAY, TUESDAY, deal, move

FRIDAY_BEFORE = (MONDAY - dt.timedelta(days=3)).date()
PANEL = {"HX-Target": "commitment-panel"}


def promise(opportunity: Opportunity, actor: User, **values: Any) -> Commitment:
    """A promise on the deal, noted on Monday through the service."""
    given = {"text": "Live before the summer", "kind": "date", "source": "call", "promised_on": FRIDAY_BEFORE, **values}
    return services.add_commitment(actor=actor, opportunity=opportunity, values=given, now=MONDAY)


def answer(commitment: Commitment, actor: User, stance: str = "accepted", note: str = "", **more: Any) -> Commitment:
    given = {"expected_version": None, "now": TUESDAY, **more}
    return services.answer_commitment(actor=actor, commitment=commitment, stance=stance, note=note, **given)


def settle(commitment: Commitment, actor: User, outcome: str = "kept", note: str = "", **more: Any) -> Commitment:
    given = {"expected_version": None, "now": TUESDAY, **more}
    return services.settle_commitment(actor=actor, commitment=commitment, outcome=outcome, note=note, **given)


def change(commitment: Commitment, actor: User, **changes: Any) -> Commitment:
    version = commitment.version
    return services.change_commitment(
        actor=actor, commitment=commitment, changes=changes, expected_version=version, now=TUESDAY
    )


def withdraw(commitment: Commitment, actor: User) -> Commitment:
    return services.withdraw_commitment(actor=actor, commitment=commitment, expected_version=None, now=TUESDAY)


def told(opportunity: Opportunity) -> list[str]:
    """What the timeline says of promises, oldest first."""
    events = Event.objects.filter(opportunity_id=opportunity.pk, name__startswith="commitments.").order_by("pk")
    return [event.text for event in events]


# --- noting ---


def test_a_promise_says_who_made_it_to_whom_when_and_where(warm_deal: Opportunity, alice: User) -> None:
    kari = factories.ContactFactory.make(account=warm_deal.account, name="Kari")
    made = promise(warm_deal, alice, promised_to=kari, source_note="Second call", due_on=dt.date(2027, 6, 1))
    kept = Commitment.objects.get(pk=made.pk)
    assert (kept.promised_by, kept.promised_to, kept.promised_on) == (alice, kari, FRIDAY_BEFORE)
    assert (kept.stance, kept.outcome, kept.version, kept.added_by) == ("pending", "open", 1, alice)
    assert told(warm_deal) == ["noted a promise: Live before the summer"]


def test_the_same_promise_sent_again_is_noted_once(warm_deal: Opportunity, alice: User) -> None:
    assert {promise(warm_deal, alice).pk for _time in range(50)} == {Commitment.objects.get().pk}
    assert len(told(warm_deal)) == 1


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"text": " \u200b "}, "text"),
        ({"text": "a\u202eb"}, "text"),
        ({"text": "x" * 501}, "text"),
        ({"kind": "moon"}, "kind"),
        ({"promised_on": dt.date(2026, 11, 24)}, "promised_on"),
        ({"promised_on": dt.date(1999, 1, 1)}, "promised_on"),
        ({"promised_on": None}, "promised_on"),
        ({"due_on": dt.date(9999, 1, 1)}, "due_on"),
        ({"promised_by": None}, "promised_by"),
        ({"stance": "accepted"}, "stance"),
    ],
)
def test_what_makes_no_promise_is_said_at_the_field(
    warm_deal: Opportunity, alice: User, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        promise(warm_deal, alice, **values)
    assert field in refused.value.message_dict
    assert not Commitment.objects.exists()


def test_a_promise_is_to_somebody_at_the_deals_account_or_on_the_deal(warm_deal: Opportunity, alice: User) -> None:
    stranger = factories.ContactFactory.make(name="Somebody else's client")
    with pytest.raises(ValidationError, match="at the deal’s account"):
        promise(warm_deal, alice, promised_to=stranger)
    warm_deal.contacts.add(stranger)
    assert promise(warm_deal, alice, promised_to=stranger).promised_to == stranger


@pytest.mark.parametrize("name", ["eve", "ada", "charlie"])
def test_only_those_who_speak_for_a_side_note_promises(
    warm_deal: Opportunity, name: str, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(PermissionDenied):
        promise(warm_deal, request.getfixturevalue(name))


def test_delivery_notes_what_it_heard(warm_deal: Opportunity, alice: User, dan: User) -> None:
    assert promise(warm_deal, dan, promised_by=alice).added_by == dan


def test_a_lost_deal_takes_no_promises(warm_deal: Opportunity, alice: User) -> None:
    made = promise(warm_deal, alice)
    lost = move(warm_deal, "lost").opportunity
    with pytest.raises(IllegalTransition, match="kept as they are"):
        promise(lost, alice, text="Another")
    with pytest.raises(IllegalTransition):
        change(made, alice, text="Another")


# --- delivery's stance ---


def test_delivery_accepts(warm_deal: Opportunity, alice: User, dan: User) -> None:
    answered = answer(promise(warm_deal, alice), dan)
    assert (answered.stance, answered.stance_by, answered.stance_at) == ("accepted", dan, TUESDAY)
    assert told(warm_deal)[-1] == "answered the promise “Live before the summer”: Accepted"


@pytest.mark.parametrize("stance", ["accepted_if", "disputed"])
def test_objections_need_a_note(warm_deal: Opportunity, alice: User, dan: User, stance: str) -> None:
    made = promise(warm_deal, alice)
    with pytest.raises(ValidationError) as refused:
        answer(made, dan, stance, " ")
    assert "note" in refused.value.message_dict
    assert answer(made, dan, stance, "No test data before May").stance_note == "No test data before May"


@pytest.mark.parametrize("name", ["alice", "sam", "eve", "ada"])
def test_nobody_answers_but_delivery(warm_deal: Opportunity, name: str, request: pytest.FixtureRequest) -> None:
    made = promise(warm_deal, request.getfixturevalue("alice"))
    with pytest.raises(PermissionDenied):
        answer(made, request.getfixturevalue(name))


def test_who_owns_the_deal_for_sales_does_not_answer_for_delivery(alice: User, dan: User) -> None:
    """One person stands on one side: Dan sells this one himself."""
    own = deal("discovery", owner=dan)
    made = promise(own, dan)
    with pytest.raises(PermissionDenied):
        answer(made, dan)


def test_the_same_answer_again_changes_nothing(warm_deal: Opportunity, alice: User, dan: User) -> None:
    made = promise(warm_deal, alice)
    assert answer(made, dan).version == answer(made, dan).version == 2
    assert len(told(warm_deal)) == 2


def test_an_answer_to_words_that_have_changed_is_refused(warm_deal: Opportunity, alice: User, dan: User) -> None:
    made = promise(warm_deal, alice)
    change(made, alice, text="Live before Easter")
    with pytest.raises(StaleCommitment) as stale:
        answer(made, dan, expected_version=1)
    assert stale.value.current.text == "Live before Easter"
    assert Commitment.objects.get().stance == Stance.PENDING


@pytest.mark.parametrize("changes", [{"text": "Live before Easter"}, {"due_on": dt.date(2027, 3, 1)}])
def test_other_words_or_another_date_are_answered_anew(
    warm_deal: Opportunity, alice: User, dan: User, changes: dict[str, Any]
) -> None:
    made = answer(promise(warm_deal, alice), dan, "disputed", "Never")
    changed = change(made, alice, **changes)
    assert (changed.stance, changed.stance_note, changed.stance_by, changed.stance_at) == ("pending", "", None, None)
    event = Event.objects.filter(name="commitments.changed").get()
    assert event.data["taken_back"] == "Disputed"


def test_where_it_was_said_leaves_the_answer_alone(warm_deal: Opportunity, alice: User, dan: User) -> None:
    made = answer(promise(warm_deal, alice), dan)
    assert change(made, alice, is_in_sow=True, source_note="Minutes").stance == "accepted"


# --- changing and withdrawing ---


def test_a_change_to_the_present_values_does_nothing(warm_deal: Opportunity, alice: User) -> None:
    made = promise(warm_deal, alice)
    assert change(made, alice, text=made.text).version == 1


def test_a_stale_change_is_refused(warm_deal: Opportunity, alice: User) -> None:
    made = promise(warm_deal, alice)
    change(made, alice, text="Theirs")
    with pytest.raises(StaleCommitment):
        services.change_commitment(
            actor=alice, commitment=made, changes={"text": "Mine"}, expected_version=1, now=TUESDAY
        )


def test_delivery_changes_only_what_it_noted(warm_deal: Opportunity, alice: User, dan: User, pia: User) -> None:
    with pytest.raises(PermissionDenied):
        change(promise(warm_deal, alice), dan, text="Less")
    heard = promise(warm_deal, dan, text="What Dan heard")
    assert change(heard, dan, text="What Dan heard well").version == 2
    with pytest.raises(PermissionDenied):
        withdraw(heard, pia)


def test_a_withdrawn_promise_is_gone_and_comes_back(warm_deal: Opportunity, alice: User, dan: User) -> None:
    made = promise(warm_deal, alice)
    withdraw(made, alice)
    assert withdraw(made, alice).version == 2
    assert not Commitment.objects.current().exists()
    with pytest.raises(IllegalTransition, match="withdrawn"):
        answer(made, dan)
    services.restore_commitment(actor=alice, commitment=made, now=TUESDAY)
    assert Commitment.objects.current().get() == made


# --- after the win ---


def test_a_promise_is_settled_after_the_win_only(warm_deal: Opportunity, alice: User, dan: User) -> None:
    made = promise(warm_deal, alice)
    with pytest.raises(IllegalTransition, match="once the deal is won"):
        settle(made, alice)
    move(warm_deal, "won")
    settled = settle(made, dan)
    assert (settled.outcome, settled.settled_by, settled.settled_at) == ("kept", dan, TUESDAY)
    assert told(warm_deal)[-1] == "settled the promise “Live before the summer”: Kept"


@pytest.mark.parametrize("outcome", ["changed", "broken"])
def test_what_was_not_kept_needs_a_note(warm_deal: Opportunity, alice: User, outcome: str) -> None:
    made = promise(warm_deal, alice)
    move(warm_deal, "won")
    with pytest.raises(ValidationError):
        settle(made, alice, outcome)
    assert settle(made, alice, outcome, "Agreed with Kari").outcome_note == "Agreed with Kari"
    taken_back = settle(made, alice, "open")
    assert (taken_back.outcome_note, taken_back.settled_by) == ("", None)


def test_a_won_deals_promises_are_not_withdrawn(warm_deal: Opportunity, alice: User) -> None:
    made = promise(warm_deal, alice)
    move(warm_deal, "won")
    with pytest.raises(IllegalTransition, match="what became of the promise"):
        withdraw(made, alice)


def test_a_settled_promise_stays_as_it_was_worded(warm_deal: Opportunity, alice: User, dan: User) -> None:
    made = promise(warm_deal, alice)
    move(warm_deal, "won")
    settled = settle(made, alice)
    with pytest.raises(IllegalTransition):
        change(settled, alice, text="Something easier")
    with pytest.raises(IllegalTransition):
        answer(settled, dan)
    assert Commitment.objects.get().outcome == CommitmentOutcome.KEPT
