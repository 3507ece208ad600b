"""Which deals are Sales', shared, Delivery's; and who acts alone."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db.models import Q
from django.urls import reverse

from accounts.models import Role, Side, User
from accounts.queries import Rates
from dashboards.queries.zones import MOST_COUNTED, ZONES, alone_count, zone_totals
from handoffs.models import Engagement, RampPlan
from handoffs.services.engagements import accept_engagement, decline_engagement
from opportunities.models import Opportunity
from tests import factories
from tests.cast import Browser
from tests.dashboards.conftest import TODAY
from tests.handoffs.reactions import MONDAY, deal, engagement_of, fresh, move

LONG_AGO = MONDAY - dt.timedelta(days=140)


def won(owner: User, *, now: dt.datetime = MONDAY, handed_over: bool = False, **values: object) -> Opportunity:
    found = move(deal(owner=owner, now=now, **values), "won", now=now).opportunity
    if handed_over:
        RampPlan.objects.filter(opportunity=found).update(state="in_delivery", exited_at=now)
    return found


def counts(user: User, priced: Rates) -> tuple[int, int, int]:
    zones = zone_totals(user, rates=priced, today=TODAY)
    return zones.sales.deals, zones.one_team.deals, zones.delivery.deals


def members(user: User, zone: str) -> set[int]:
    deals = Opportunity.objects.current().visible_to(user).filter(ZONES[zone].deals(TODAY))
    return set(deals.values_list("pk", flat=True))


@pytest.fixture
def all_kinds(alice: User, dan: User) -> dict[str, set[int]]:
    """Deals of every kind, by the zone that they belong to."""
    return {
        "sales": {deal(owner=alice).pk, deal("prospect", owner=alice).pk},
        "one_team": {
            move(deal(owner=alice), "discovery").opportunity.pk,
            move(deal(owner=alice), "negotiation").opportunity.pk,
            won(alice).pk,
            won(alice, now=LONG_AGO).pk,
        },
        "delivery": {won(alice, handed_over=True).pk},
        "none": {move(deal(owner=alice), "lost").opportunity.pk, won(alice, now=LONG_AGO, handed_over=True).pk},
    }


@pytest.mark.parametrize("who", ["alice", "sam", "dan", "eve"])
def test_zones_count_what_their_lists_show(
    all_kinds: dict[str, set[int]], priced: Rates, request: pytest.FixtureRequest, who: str
) -> None:
    user = request.getfixturevalue(who)
    for zone in ("sales", "one_team", "delivery"):
        assert members(user, zone) == all_kinds[zone], zone
    assert counts(user, priced) == (2, 4, 1)


def test_outsiders_zones_are_empty(all_kinds: dict[str, set[int]], priced: Rates, charlie: User) -> None:
    assert counts(charlie, priced) == (0, 0, 0)


def test_a_deal_moves_through_the_circles(alice: User, eve: User, priced: Rates) -> None:
    found = deal(owner=alice)
    assert counts(eve, priced) == (1, 0, 0)
    found = move(found, "discovery").opportunity
    assert counts(eve, priced) == (0, 1, 0)
    found = move(found, "won").opportunity
    assert counts(eve, priced) == (0, 1, 0)
    RampPlan.objects.filter(opportunity=found).update(state="in_delivery", exited_at=MONDAY)
    assert counts(eve, priced) == (0, 0, 1)


def test_money_is_in_the_base_currency_and_what_has_no_rate_is_counted(alice: User, eve: User, priced: Rates) -> None:
    deal(owner=alice, amount=Decimal(1000))
    deal(owner=alice, amount=Decimal(1000), currency="USD")
    deal(owner=alice, amount=Decimal(1000), currency="CHF")
    deal(owner=alice, amount=None)
    zones = zone_totals(eve, rates=priced, today=TODAY)
    assert (zones.sales.deals, zones.sales.amount, zones.without_rate) == (4, Decimal(1500), 1)


def test_a_handover_takes_its_money_along(alice: User, eve: User, priced: Rates) -> None:
    won(alice, amount=Decimal(700), currency="USD")
    won(alice, amount=Decimal(100), handed_over=True)
    zones = zone_totals(eve, rates=priced, today=TODAY)
    assert (zones.one_team.amount, zones.delivery.amount) == (Decimal(350), Decimal(100))


def test_zones_of_one_owner(alice: User, sam: User, priced: Rates) -> None:
    deal(owner=alice)
    won(sam)
    zones = zone_totals(sam, rates=priced, today=TODAY, filters=Q(owner_id=sam.pk))
    assert (zones.sales.deals, zones.one_team.deals) == (0, 1)


# --- one side alone ---


def shared(owner: User, **values: object) -> Opportunity:
    return move(deal(owner=owner, **values), "discovery").opportunity


def alone(user: User) -> int:
    assert members(user, "alone") == set() or alone_count(user) == len(members(user, "alone"))
    return alone_count(user)


def test_a_request_without_an_answer_is_alone(alice: User, dan: User) -> None:
    found = shared(alice)
    assert alone(alice) == 1
    accept_engagement(actor=dan, engagement=engagement_of(found), expected_version=None, now=MONDAY)
    assert alone(alice) == 0


def test_a_declined_deal_is_alone(alice: User, dan: User) -> None:
    found = shared(alice)
    decline_engagement(actor=dan, engagement=engagement_of(found), reason="Busy", expected_version=None, now=MONDAY)
    assert alone(alice) == 1


@pytest.mark.parametrize("side", ["owner", "delivery_owner"])
def test_a_deal_without_an_owner_on_one_side_is_alone(alice: User, dan: User, eve: User, side: str) -> None:
    found = shared(alice)
    accept_engagement(actor=dan, engagement=engagement_of(found), expected_version=None, now=MONDAY)
    Opportunity.objects.filter(pk=found.pk).update(**{side: None})
    assert alone(eve) == 1


def test_a_completed_engagement_is_not_alone(alice: User, dan: User) -> None:
    found = shared(alice)
    accept_engagement(actor=dan, engagement=engagement_of(found), expected_version=None, now=MONDAY)
    Engagement.objects.filter(opportunity=found).update(state="done", outcome="completed")
    assert alone(alice) == 0


def test_cold_and_closed_deals_are_not_alone(alice: User, dan: User) -> None:
    move(shared(alice), "qualified")
    move(shared(alice), "lost")
    won(alice)
    assert alone(alice) == 0


def test_a_deal_is_alone_once_however_many_are_missing(alice: User, eve: User) -> None:
    found = shared(alice)
    Opportunity.objects.filter(pk=found.pk).update(owner=None)
    assert fresh(found).delivery_owner is None
    assert alone(eve) == 1


def test_counting_stops(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboards.queries.zones.MOST_COUNTED", 2)
    for _deal in range(5):
        shared(alice)
    assert alone_count(alice) == 3
    assert MOST_COUNTED == 99


# --- the list behind a zone ---


@pytest.mark.parametrize("zone", ["sales", "one_team", "delivery"])
def test_each_zone_links_to_its_list(all_kinds: dict[str, set[int]], as_alice: Browser, zone: str) -> None:
    page = as_alice.get("/").content.decode()
    url = f"{reverse('opportunities:list')}?zone={zone}"
    assert url in page
    listed = as_alice.get(url).content.decode()
    for name, keys in all_kinds.items():
        for key in keys:
            assert (Opportunity.objects.get(pk=key).name in listed) is (name == zone)


def test_a_zone_nobody_knows_filters_nothing(alice: User, as_alice: Browser) -> None:
    found = deal(owner=alice)
    assert found.name in as_alice.get(f"{reverse('opportunities:list')}?zone=nowhere").content.decode()


def test_a_delivery_person_named_on_a_deal_of_another_line_counts_it_once(priced: Rates, alice: User) -> None:
    team = factories.team("Data delivery", side=Side.DELIVERY)
    team.service_lines.add(factories.service_line("Data"))
    dora = factories.person("Dora", Role.DELIVERY_MANAGER, teams=(team,))
    deal(owner=alice, delivery_owner=dora)
    deal(owner=alice, delivery_owner=dora, service_line=factories.service_line("Data"))
    deal(owner=alice)
    assert counts(dora, priced) == (2, 0, 0)
