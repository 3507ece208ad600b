"""The RAID register, the risk profile with its versions, and what has drifted since they were agreed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from accounts.models import User
from events.models import Event
from handoffs.models import RaidItem, RiskProfile
from handoffs.services import risk_profiles, risks
from handoffs.services.risk_profiles import StaleProfile, differences, snapshot
from handoffs.services.risks import StaleRaidItem
from handoffs.states import IllegalTransition
from opportunities.models import Opportunity
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
