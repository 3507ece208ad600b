"""The RAID register, the risk profile with its versions, and what has drifted since they were agreed."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from events.models import Event
from handoffs.models import RaidItem, RiskProfile
from handoffs.services import risk_profiles, risks
from handoffs.services.risk_profiles import StaleProfile, differences, snapshot
from handoffs.services.risks import StaleRaidItem
from handoffs.states import IllegalTransition
from opportunities.models import Opportunity
from tests.cast import Browser
from tests.handoffs.reactions import MONDAY, TUESDAY, move

PANEL = {"HX-Target": "risk-panel"}


def risk(opportunity: Opportunity, actor: User, **values: Any) -> RaidItem:
    """A risk of the deal, added on Monday through the service."""
    given = {"kind": "risk", "text": "The interface is not documented", "likelihood": 4, "impact": 3, **values}
    return risks.add_raid_item(actor=actor, opportunity=opportunity, values=given, now=MONDAY)


def change(item: RaidItem, actor: User, **changes: Any) -> RaidItem:
    return risks.change_raid_item(actor=actor, item=item, changes=changes, expected_version=None, now=TUESDAY)


def close(item: RaidItem, actor: User, note: str = "") -> RaidItem:
    return risks.close_raid_item(actor=actor, item=item, note=note, expected_version=None, now=TUESDAY)


def propose(opportunity: Opportunity, actor: User, reason: str = "", **more: Any) -> RiskProfile:
    return risk_profiles.propose_profile(actor=actor, opportunity=opportunity, reason=reason, now=MONDAY, **more)


def agree(profile: RiskProfile, *people: User) -> RiskProfile:
    for person in people:
        profile = risk_profiles.agree_profile(actor=person, profile=profile, now=TUESDAY)
    return profile


def ways(before: RiskProfile, after: RiskProfile) -> list[tuple[str, str]]:
    return [(change.what, change.entry["text"]) for change in differences(before.items, after.items)]


# --- the register ---


def test_a_risk_is_added_changed_closed_and_opened_again(warm_deal: Opportunity, alice: User, dan: User) -> None:
    item = risk(warm_deal, alice, owner=dan, response="reduce", response_note="Workshop with their IT")
    assert (item.severity, item.added_by, item.version) == (12, alice, 1)
    assert change(item, dan, likelihood=5).severity == 15
    closed = close(item, dan, "Documented")
    assert (closed.closed_by, closed.closed_note, closed.closed_at) == (dan, "Documented", TUESDAY)
    assert not RaidItem.objects.open().exists()
    risks.reopen_raid_item(actor=alice, item=item, expected_version=None, now=TUESDAY)
    assert RaidItem.objects.open().get().closed_note == ""
    names = Event.objects.filter(name__startswith="risks.").order_by("pk").values_list("name", flat=True)
    assert list(names) == ["risks.added", "risks.changed", "risks.closed", "risks.reopened"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": "x" * 501}, "text"),
        ({"kind": "wish"}, "kind"),
        ({"likelihood": None}, "likelihood"),
        ({"likelihood": 6}, "likelihood"),
        ({"impact": 0}, "impact"),
        ({"response": "hope"}, "response"),
        ({"response_note": "a\x00b"}, "response_note"),
        ({"due_on": dt.date(9999, 1, 1)}, "due_on"),
        ({"version": 7}, "version"),
    ],
)
def test_what_makes_no_entry_is_said_at_the_field(
    warm_deal: Opportunity, alice: User, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        risk(warm_deal, alice, **values)
    assert field in refused.value.message_dict
    assert not RaidItem.objects.exists()


def test_an_assumption_needs_no_rating(warm_deal: Opportunity, alice: User) -> None:
    assert risk(warm_deal, alice, kind="assumption", likelihood=None, impact=None).severity is None


def test_the_same_entry_sent_again_is_added_once(warm_deal: Opportunity, alice: User) -> None:
    assert len({risk(warm_deal, alice).pk for _time in range(50)}) == 1


@pytest.mark.parametrize("name", ["eve", "ada", "charlie"])
def test_only_those_who_speak_for_a_side_keep_the_register(
    warm_deal: Opportunity, alice: User, name: str, request: pytest.FixtureRequest
) -> None:
    item, other = risk(warm_deal, alice), request.getfixturevalue(name)
    with pytest.raises(PermissionDenied):
        risk(warm_deal, other)
    with pytest.raises(PermissionDenied):
        close(item, other)
    with pytest.raises(PermissionDenied):
        propose(warm_deal, other)


def test_a_stale_change_is_refused(warm_deal: Opportunity, alice: User) -> None:
    item = risk(warm_deal, alice)
    change(item, alice, impact=5)
    with pytest.raises(StaleRaidItem) as stale:
        risks.change_raid_item(actor=alice, item=item, changes={"impact": 1}, expected_version=1, now=TUESDAY)
    assert stale.value.current.impact == 5


def test_a_closed_entry_and_a_lost_deal_rest(warm_deal: Opportunity, alice: User) -> None:
    item = risk(warm_deal, alice)
    close(item, alice)
    with pytest.raises(IllegalTransition):
        change(item, alice, impact=5)
    lost = move(warm_deal, "lost").opportunity
    with pytest.raises(IllegalTransition):
        risk(lost, alice, text="Another")
    with pytest.raises(IllegalTransition):
        risks.reopen_raid_item(actor=alice, item=item, expected_version=None, now=TUESDAY)


# --- the profile ---


def test_a_version_is_agreed_by_one_of_each_side(warm_deal: Opportunity, alice: User, dan: User) -> None:
    risk(warm_deal, alice)
    profile = propose(warm_deal, alice, "First look")
    assert (profile.number, profile.is_agreed, profile.reason) == (1, False, "First look")
    assert not agree(profile, alice).is_agreed
    agreed = agree(profile, dan)
    assert agreed.is_agreed
    assert (agreed.sales_agreed_by, agreed.delivery_agreed_by) == (alice, dan)
    texts = [event.text for event in Event.objects.filter(name__startswith="risk_profiles.").order_by("pk")]
    assert texts == [
        "put version 1 of the risk profile up for agreement",
        "agreed version 1 of the risk profile for Sales",
        "agreed version 1 of the risk profile for Delivery",
    ]


def test_proposing_may_agree_for_ones_own_side_at_once(warm_deal: Opportunity, alice: User, dan: User) -> None:
    risk(warm_deal, alice)
    profile = propose(warm_deal, dan, agrees=True)
    assert (profile.sales_agreed_by, profile.delivery_agreed_by) == (None, dan)


def test_a_second_person_of_the_same_side_changes_nothing(warm_deal: Opportunity, alice: User, sam: User) -> None:
    risk(warm_deal, alice)
    profile = agree(propose(warm_deal, alice), alice, sam)
    assert profile.sales_agreed_by == alice
    assert Event.objects.filter(name="risk_profiles.agreed").count() == 1


def test_nobody_agrees_for_both_sides(warm_deal: Opportunity, alice: User, dan: User) -> None:
    risk(warm_deal, alice)
    profile = agree(propose(warm_deal, dan), dan)
    Opportunity.objects.filter(pk=warm_deal.pk).update(owner=dan, delivery_owner=None)
    with pytest.raises(ValidationError, match="other side"):
        agree(RiskProfile.objects.get(), dan)
    with pytest.raises(IntegrityError), transaction.atomic():
        RiskProfile.objects.filter(pk=profile.pk).update(sales_agreed_by=dan)


def test_an_empty_register_is_not_put_up(warm_deal: Opportunity, alice: User) -> None:
    with pytest.raises(ValidationError, match="empty"):
        propose(warm_deal, alice)


def test_an_unchanged_register_is_one_version(warm_deal: Opportunity, alice: User, dan: User) -> None:
    risk(warm_deal, alice)
    first = propose(warm_deal, alice)
    assert propose(warm_deal, dan) == first
    agree(first, alice, dan)
    with pytest.raises(ValidationError, match="since version 1"):
        propose(warm_deal, alice)


def test_agreeing_a_version_that_was_replaced_shows_the_newer_one(
    warm_deal: Opportunity, alice: User, dan: User
) -> None:
    item = risk(warm_deal, alice)
    first = propose(warm_deal, alice)
    change(item, alice, impact=5)
    second = propose(warm_deal, alice)
    with pytest.raises(StaleProfile) as stale:
        agree(first, dan)
    assert stale.value.current == second


def test_a_version_keeps_what_it_was(warm_deal: Opportunity, alice: User) -> None:
    item = risk(warm_deal, alice, owner=alice)
    risk(warm_deal, alice, text="Small", likelihood=1, impact=1)
    profile = propose(warm_deal, alice)
    change(item, alice, text="Other words", owner=None)
    kept = RiskProfile.objects.get(pk=profile.pk).items
    assert [entry["text"] for entry in kept] == ["The interface is not documented", "Small"]
    assert kept[0]["owner"] == "Alice"


def test_versions_show_their_differences(warm_deal: Opportunity, alice: User) -> None:
    up, down = risk(warm_deal, alice, text="Up"), risk(warm_deal, alice, text="Down")
    turned, gone = risk(warm_deal, alice, text="Turned", likelihood=4, impact=3), risk(warm_deal, alice, text="Gone")
    other = risk(warm_deal, alice, text="Other")
    first = propose(warm_deal, alice)
    change(up, alice, likelihood=5)
    change(down, alice, impact=1)
    change(turned, alice, likelihood=3, impact=4)
    change(other, alice, response="avoid", text="Other words")
    close(gone, alice)
    risk(warm_deal, alice, text="New")
    second = propose(warm_deal, alice)
    assert ways(first, second) == [
        ("added", "New"), ("up", "Up"), ("up", "Turned"), ("down", "Down"), ("gone", "Gone"),
        ("response", "Other words"), ("reworded", "Other words"),
    ]  # fmt: skip
    assert ("gone", "New") in ways(second, first)
    assert ways(second, second) == []


def test_the_register_drifts_from_the_agreed_version(warm_deal: Opportunity, alice: User, dan: User) -> None:
    item = risk(warm_deal, alice, owner=dan)
    agreed = agree(propose(warm_deal, alice), alice, dan)
    register = RaidItem.objects.open().select_related("owner")
    assert differences(agreed.items, snapshot(register)) == []
    change(item, dan, impact=5)
    assert [found.what for found in differences(agreed.items, snapshot(register.all()))] == ["up"]


def test_a_lost_deals_profile_rests(warm_deal: Opportunity, alice: User, dan: User) -> None:
    risk(warm_deal, alice)
    profile = propose(warm_deal, alice)
    move(warm_deal, "lost")
    with pytest.raises(IllegalTransition):
        agree(profile, dan)


# --- the page ---


def html(response: Any) -> str:
    return str(response.content.decode())


def triggers(response: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(response.headers.get("HX-Trigger", "{}"))
    return found


def url(name: str, pk: int) -> str:
    return reverse(f"handoffs:{name}", args=[pk])


def test_the_panel_is_a_matrix_a_list_and_a_table(warm_deal: Opportunity, alice: User, as_dan: Browser) -> None:
    risk(warm_deal, alice)
    risk(warm_deal, alice, text="Twin")
    risk(warm_deal, alice, text="Small", likelihood=1, impact=2)
    page = html(as_dan.hx("get", url("risk_panel", warm_deal.pk)))
    assert "3 open · 2 high · no agreed profile" in page
    assert 'aria-label="Likelihood 4, impact 3 (high): 2 entries"' in page
    assert 'aria-label="Likelihood 1, impact 2 (low): 1 entry"' in page
    assert "High (12)" in page
    assert "Low (2)" in page


def test_a_cell_filters_the_register_and_stays_chosen(warm_deal: Opportunity, alice: User, as_dan: Browser) -> None:
    risk(warm_deal, alice)
    small = risk(warm_deal, alice, text="Small", likelihood=1, impact=2)
    page = html(as_dan.hx("get", url("risk_panel", warm_deal.pk) + "?cell=1x2"))
    assert "The interface is not documented" not in page
    assert "Small" in page
    assert f'hx-get="{url("risk_panel", warm_deal.pk)}?cell=1x2" hx-trigger="live' in page
    closing = url("close_risk", small.pk) + "?cell=1x2"
    assert closing in page
    after = html(as_dan.hx("post", closing, {"version": 1}, **PANEL))
    assert "The interface is not documented" in after


@pytest.mark.parametrize("cell", ["9x9", "5x5", "<b>", "4x3x", "x" * 5000])
def test_a_cell_that_holds_nothing_shows_everything(
    warm_deal: Opportunity, alice: User, as_dan: Browser, cell: str
) -> None:
    risk(warm_deal, alice)
    page = html(as_dan.hx("get", url("risk_panel", warm_deal.pk), {"cell": cell}))
    assert "The interface is not documented" in page
    assert f'hx-get="{url("risk_panel", warm_deal.pk)}" hx-trigger="live' in page


def test_an_empty_cell_adds_with_its_rating(warm_deal: Opportunity, as_alice: Browser) -> None:
    page = html(as_alice.hx("get", url("add_risk", warm_deal.pk) + "?cell=5x2"))
    assert '<option value="5" selected' in page
    assert '<option value="2" selected' in page


def test_a_risk_is_added_and_changed_in_the_dialog(warm_deal: Opportunity, as_alice: Browser) -> None:
    given = {"kind": "risk", "text": "No test data", "likelihood": "4", "impact": "4"}
    response = as_alice.hx("post", url("add_risk", warm_deal.pk), given)
    assert response.status_code == 204
    assert {"dialog:close", "handoffs-changed", "toast"} == set(triggers(response))
    item = RaidItem.objects.get()
    response = as_alice.hx("post", url("change_risk", item.pk), {**given, "version": 1, "impact": ""})
    assert response.status_code == 422
    assert "A risk is rated from 1 to 5." in html(response)
    assert as_alice.post(url("change_risk", item.pk), {**given, "version": 1, "impact": "5"}).status_code == 302
    assert RaidItem.objects.get().severity == 20


def test_a_colliding_change_shows_theirs_and_keeps_yours(
    warm_deal: Opportunity, alice: User, as_alice: Browser
) -> None:
    item = risk(warm_deal, alice)
    change(item, alice, text="Theirs")
    given = {"kind": "risk", "text": "Mine", "likelihood": "4", "impact": "3", "version": 1}
    response = as_alice.hx("post", url("change_risk", item.pk), given)
    assert response.status_code == 409
    assert "What is now: Theirs" in html(response)
    assert "Mine</textarea>" in html(response)


def test_closing_can_be_undone(warm_deal: Opportunity, alice: User, as_alice: Browser) -> None:
    item = risk(warm_deal, alice)
    response = as_alice.hx("post", url("close_risk", item.pk), {"version": 1, "note": "Solved"}, **PANEL)
    assert "Solved" in html(response)
    as_alice.hx("post", triggers(response)["toast"]["undo"]["url"], {}, **{"HX-Target": "toasts"})
    assert RaidItem.objects.open().exists()


def test_both_agree_in_place_and_the_drift_shows(
    warm_deal: Opportunity, alice: User, as_alice: Browser, as_dan: Browser
) -> None:
    item = risk(warm_deal, alice)
    page = html(as_dan.hx("post", url("propose_profile", warm_deal.pk), {"reason": "First", "agrees": "on"}, **PANEL))
    assert "version 1 not agreed yet" in page
    assert "Sales still to agree" in page
    profile = RiskProfile.objects.get()
    page = html(as_alice.hx("post", url("agree_profile", profile.pk), {}, **PANEL))
    assert "The register stands as both sides agreed it." in page
    change(item, alice, likelihood=5)
    page = html(as_alice.hx("get", url("risk_panel", warm_deal.pk)))
    assert "version 1 agreed · 1 change since" in page
    assert "Rated up" in page
    assert "4 × 3 = 12 → 5 × 3 = 15" in page


def test_an_empty_register_put_up_says_why_not(warm_deal: Opportunity, as_alice: Browser) -> None:
    response = as_alice.post(url("propose_profile", warm_deal.pk), {"reason": "What I typed"})
    assert response.status_code == 422
    assert as_alice.hx("post", url("propose_profile", warm_deal.pk), {}, **{"HX-Target": "x"}).status_code == 422


def test_versions_are_compared_on_their_page(warm_deal: Opportunity, alice: User, as_dan: Browser) -> None:
    item = risk(warm_deal, alice)
    propose(warm_deal, alice, "First")
    for impact in (4, 5):
        change(item, alice, impact=impact)
        last = propose(warm_deal, alice)
    page = html(as_dan.get(url("risk_profile", last.pk)))
    assert "What changed from version 2" in page
    assert "4 × 4 = 16 → 4 × 5 = 20" in page
    page = html(as_dan.get(url("risk_profile", last.pk), {"against": "1"}))
    assert "4 × 3 = 12 → 4 × 5 = 20" in page
    for nonsense in ("0", "x", "99999999999999999999", "3"):
        assert "What changed from version 2" in html(as_dan.get(url("risk_profile", last.pk), {"against": nonsense}))


def test_those_who_only_read_get_no_buttons(warm_deal: Opportunity, alice: User, eve: User) -> None:
    risk(warm_deal, alice)
    propose(warm_deal, alice)
    page = html(Browser(eve).hx("get", url("risk_panel", warm_deal.pk)))
    assert "<form" not in page
    assert "Add one" not in page


def test_as_many_queries_for_fifty_entries_and_ten_versions(
    warm_deal: Opportunity, alice: User, dan: User, as_dan: Browser
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            as_dan.hx("get", url("risk_panel", warm_deal.pk))
        return len(captured)

    risk(warm_deal, alice, owner=dan)
    agree(propose(warm_deal, alice), alice, dan)
    queries()
    few = queries()
    for number in range(49):
        risk(warm_deal, alice, text=f"Risk {number}", owner=dan)
        if number % 5 == 0:
            agree(propose(warm_deal, alice), alice)
    assert queries() == few <= 15
