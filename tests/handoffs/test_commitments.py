"""The commitment ledger: promises, delivery's stance, and what became of them."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from events.models import Event
from handoffs.models import Commitment, CommitmentOutcome, Stance
from handoffs.services import commitments as services
from handoffs.services.commitments import StaleCommitment
from handoffs.states import IllegalTransition
from opportunities.models import Opportunity
from opportunities.services.archiving import archive
from tests import factories
from tests.cast import Browser
from tests.handoffs.reactions import MONDAY, TUESDAY, deal, fresh, move

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


# --- the page ---


def html(response: Any) -> str:
    return str(response.content.decode())


def triggers(response: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(response.headers.get("HX-Trigger", "{}"))
    return found


def url(name: str, pk: int) -> str:
    return reverse(f"handoffs:{name}", args=[pk])


FORM = {
    "text": "Live before the summer", "kind": "date", "source": "call", "promised_on": FRIDAY_BEFORE.isoformat(),
}  # fmt: skip


def test_the_panel_sums_up_and_shows_what_needs_somebody_first(
    warm_deal: Opportunity, alice: User, dan: User, as_dan: Browser
) -> None:
    answer(promise(warm_deal, alice, text="Fine"), dan)
    answer(promise(warm_deal, alice, text="Never"), dan, "disputed", "No people")
    promise(warm_deal, alice, text="Well?")
    page = html(as_dan.hx("get", url("commitment_panel", warm_deal.pk)))
    assert "<html" not in page
    assert 'id="commitment-panel"' in page
    assert "3 promises · 1 disputed · 1 not answered" in page
    places = [page.index(f'ol-text">{text}') for text in ("Never", "Well?", "Fine")]
    assert places == sorted(places)
    assert "No people" in page


def test_it_is_a_page_of_its_own_without_script(warm_deal: Opportunity, as_dan: Browser) -> None:
    page = html(as_dan.get(url("commitment_panel", warm_deal.pk)))
    assert "<html" in page
    assert "Nothing has been promised yet" in page


def test_those_who_only_read_get_no_buttons(warm_deal: Opportunity, alice: User, eve: User) -> None:
    made = promise(warm_deal, alice)
    page = html(Browser(eve).hx("get", url("commitment_panel", warm_deal.pk)))
    assert made.text in page
    assert "<form" not in page
    assert "Note a promise" not in page


def test_a_promise_is_noted_in_the_dialog(warm_deal: Opportunity, alice: User, as_alice: Browser) -> None:
    page = html(as_alice.hx("get", url("add_commitment", warm_deal.pk)))
    assert "dialog-title" in page
    response = as_alice.hx("post", url("add_commitment", warm_deal.pk), {**FORM, "promised_by": alice.pk})
    assert response.status_code == 204
    assert {"dialog:close", "handoffs-changed", "toast"} == set(triggers(response))
    assert Commitment.objects.get().text == FORM["text"]


def test_a_promise_is_noted_without_script(warm_deal: Opportunity, alice: User, as_alice: Browser) -> None:
    response = as_alice.post(url("add_commitment", warm_deal.pk), {**FORM, "promised_by": alice.pk})
    assert response.headers["Location"] == url("commitment_panel", warm_deal.pk)
    made = Commitment.objects.get()
    assert "<html" in html(as_alice.get(url("change_commitment", made.pk)))


@pytest.mark.parametrize(
    ("field", "value"),
    [("text", ""), ("kind", "moon"), ("promised_on", "2027-02-29"), ("promised_on", "2099-01-01"), ("due_on", "soon")],
)
def test_a_faulty_form_comes_back_with_what_was_typed(
    warm_deal: Opportunity, alice: User, as_alice: Browser, field: str, value: str
) -> None:
    given = {**FORM, "promised_by": alice.pk, "source_note": "Minutes of May", field: value}
    response = as_alice.hx("post", url("add_commitment", warm_deal.pk), given)
    assert response.status_code == 422
    assert "Minutes of May" in html(response)
    assert "invalid-feedback" in html(response)


def test_delivery_answers_in_place(warm_deal: Opportunity, alice: User, as_dan: Browser) -> None:
    made = promise(warm_deal, alice)
    given = {"version": 1, "stance": "accepted"}
    response = as_dan.hx("post", url("commitment_stance", made.pk), given, **PANEL)
    assert response.status_code == 200
    assert "all accepted" in html(response)
    assert "handoffs-changed" in triggers(response)


def test_an_objection_without_a_note_stays_open_and_says_so(
    warm_deal: Opportunity, alice: User, as_dan: Browser
) -> None:
    made = promise(warm_deal, alice)
    given = {"version": 1, "stance": "disputed", "note": " "}
    response = as_dan.hx("post", url("commitment_stance", made.pk), given, **PANEL)
    assert response.status_code == 422
    assert "Say what stands against it" in html(response)
    assert 'value="disputed" checked' in html(response)


def test_an_answer_to_changed_words_shows_them_and_keeps_the_note(
    warm_deal: Opportunity, alice: User, as_dan: Browser
) -> None:
    made = promise(warm_deal, alice)
    change(made, alice, text="Live before Easter")
    given = {"version": 1, "stance": "disputed", "note": "Nobody is free"}
    response = as_dan.hx("post", url("commitment_stance", made.pk), given, **PANEL)
    assert response.status_code == 409
    assert "Live before Easter" in html(response)
    assert "Nobody is free</textarea>" in html(response)


def test_sales_does_not_answer(warm_deal: Opportunity, alice: User, as_alice: Browser) -> None:
    made = promise(warm_deal, alice)
    assert as_alice.hx("post", url("commitment_stance", made.pk), {"stance": "accepted"}, **PANEL).status_code == 403


def test_a_colliding_change_shows_theirs_and_keeps_yours(
    warm_deal: Opportunity, alice: User, as_alice: Browser
) -> None:
    made = promise(warm_deal, alice)
    change(made, alice, text="Theirs", is_in_sow=True)
    given = {**FORM, "promised_by": alice.pk, "version": 1, "text": "Mine"}
    response = as_alice.hx("post", url("change_commitment", made.pk), given)
    assert response.status_code == 409
    assert "What was promised is now: Theirs" in html(response)
    assert "It is in the SOW is now: yes" in html(response)
    assert "Mine</textarea>" in html(response)
    assert as_alice.hx("post", url("change_commitment", made.pk), {**given, "version": 2}).status_code == 204
    assert Commitment.objects.get().text == "Mine"


def test_the_toast_says_that_delivery_is_asked_again(
    warm_deal: Opportunity, alice: User, dan: User, as_alice: Browser
) -> None:
    made = answer(promise(warm_deal, alice), dan)
    given = {**FORM, "promised_by": alice.pk, "version": 2, "text": "Live before Easter"}
    response = as_alice.hx("post", url("change_commitment", made.pk), given)
    assert "asked again" in triggers(response)["toast"]["text"]


def test_withdrawing_can_be_undone(warm_deal: Opportunity, alice: User, as_alice: Browser) -> None:
    made = promise(warm_deal, alice)
    response = as_alice.hx("post", url("withdraw_commitment", made.pk), {"version": 1}, **PANEL)
    undo = triggers(response)["toast"]["undo"]["url"]
    assert not Commitment.objects.current().exists()
    assert as_alice.hx("post", undo, {}, **{"HX-Target": "toasts"}).status_code == 204
    assert Commitment.objects.current().exists()


def test_a_won_deals_promise_is_settled_in_place(warm_deal: Opportunity, alice: User, as_dan: Browser) -> None:
    made = promise(warm_deal, alice)
    move(warm_deal, "won")
    given = {"version": 1, "outcome": "changed", "note": "Three weeks later, agreed with Kari"}
    response = as_dan.hx("post", url("settle_commitment", made.pk), given, **PANEL)
    assert "1 promise · 1 changed" in html(response)
    assert "Three weeks later" in html(response)


def test_what_clients_are_promised_is_text_and_nothing_else(
    warm_deal: Opportunity, alice: User, as_dan: Browser
) -> None:
    promise(warm_deal, alice, text="<script>alert(1)</script>{{7*7}}", source_note="<b hx-get='/'>x")
    page = html(as_dan.hx("get", url("commitment_panel", warm_deal.pk)))
    assert "<script>alert" not in page
    assert "<b hx-get" not in page
    assert "{{7*7}}" in page


def test_outsiders_and_archived_deals_show_nothing(
    warm_deal: Opportunity, alice: User, as_alice: Browser, as_charlie: Browser
) -> None:
    made = promise(warm_deal, alice)
    assert as_charlie.get(url("commitment_panel", warm_deal.pk)).status_code == 404
    assert as_charlie.post(url("commitment_stance", made.pk)).status_code == 404
    archive(actor=alice, opportunity=warm_deal, expected_version=fresh(warm_deal).version, now=TUESDAY)
    assert as_alice.get(url("change_commitment", made.pk)).status_code == 404
    assert as_alice.get(url("change_commitment", 2**63)).status_code == 404


def test_as_many_queries_for_fifty_promises(warm_deal: Opportunity, alice: User, dan: User, as_dan: Browser) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            as_dan.hx("get", url("commitment_panel", warm_deal.pk))
        return len(captured)

    answer(promise(warm_deal, alice), dan)
    queries()
    few = queries()
    kari = factories.ContactFactory.make(account=warm_deal.account)
    for number in range(49):
        answer(promise(warm_deal, alice, text=f"Promise {number}", promised_to=kari), dan)
    assert queries() == few <= 15
