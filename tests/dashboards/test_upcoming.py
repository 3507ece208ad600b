"""Deals that may become work, by expected start."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from accounts.models import Organisation, ServiceLine, User
from dashboards.queries.upcoming import BadCursor, UpcomingFilter, outlook, upcoming_page
from handoffs.models import Task
from handoffs.services.engagements import accept_engagement
from opportunities.models import Opportunity
from tests import factories
from tests.cast import Browser
from tests.dashboards.conftest import TODAY
from tests.handoffs.reactions import MONDAY, deal, engagement_of, fresh, move


def coming(owner: User, *, start_on: dt.date | None = None, close_date: dt.date | None = None, **values: object) -> int:
    """The key of a warm deal with these dates."""
    found = move(deal(owner=owner, **values), "discovery").opportunity
    Opportunity.objects.filter(pk=found.pk).update(start_on=start_on, close_date=close_date)
    return int(found.pk)


def page(user: User, **given: object) -> tuple[list[int], str | None]:
    home = Organisation.objects.get()
    rows, after = upcoming_page(user, home=home, today=TODAY, **given)  # type: ignore[arg-type]
    return [row.deal.pk for row in rows], after


def test_by_expected_start_named_or_from_the_close_date(alice: User, pia: User) -> None:
    undated = coming(alice)
    third = coming(alice, start_on=dt.date(2027, 2, 1))
    second = coming(alice, close_date=dt.date(2027, 1, 10))  # 24 January
    first = coming(alice, start_on=dt.date(2027, 1, 20))
    assert page(pia) == ([first, second, third, undated], None)


def test_pages_go_on_without_gap_or_overlap(alice: User, pia: User) -> None:
    day = dt.date(2027, 1, 20)
    keys = [coming(alice, start_on=day) for _deal in range(3)]
    keys += [coming(alice, close_date=day - dt.timedelta(days=14)) for _deal in range(3)]
    keys += [coming(alice) for _deal in range(3)]
    found: list[int] = []
    after: str | None = ""
    while after is not None:
        rows, after = page(pia, after=after, size=2)
        found += rows
    assert found == keys


def test_cold_and_closed_deals_are_not_coming(alice: User, pia: User) -> None:
    deal(owner=alice)
    move(deal(owner=alice), "won")
    assert page(pia) == ([], None)


def test_filters(alice: User, pia: User) -> None:
    data = factories.service_line("Data")
    soon = coming(alice, start_on=TODAY + dt.timedelta(weeks=4), service_line=data)
    closing = coming(alice, close_date=TODAY + dt.timedelta(weeks=2))
    later = coming(alice, start_on=TODAY + dt.timedelta(weeks=5))
    undated = coming(alice)
    assert page(pia, wanted=UpcomingFilter(weeks=4))[0] == [soon, closing]
    assert page(pia, wanted=UpcomingFilter(service_line_id=data.pk))[0] == [soon]
    assert page(pia)[0] == [soon, closing, later, undated]


def test_outsiders_see_nothing(alice: User, charlie: User) -> None:
    coming(alice, start_on=dt.date(2027, 1, 20))
    assert page(charlie) == ([], None)


@pytest.mark.parametrize("after", ["x", "2027-01-01", f"never.{2**63}", "0001-01-01.5", "2027-02-29.1"])
def test_a_made_up_cursor_is_refused(pia: User, as_dan: Browser, after: str) -> None:
    with pytest.raises(BadCursor):
        page(pia, after=after)
    assert as_dan.get(reverse("dashboards:upcoming"), {"after": after}).status_code == 400


def test_a_row_shows_where_delivery_stands(alice: User, dan: User) -> None:
    found = move(deal(owner=alice), "discovery").opportunity
    accept_engagement(actor=dan, engagement=engagement_of(found), expected_version=None, now=MONDAY)
    ((row,), _after) = upcoming_page(dan, home=Organisation.objects.get(), today=TODAY)
    assert row.engagement is not None
    assert (row.engagement.state, row.open_tasks) == ("accepted", {"sales": 1, "shared": 2, "delivery": 2})
    assert (row.start, row.weeks, row.is_late) == (dt.date(2027, 4, 1), 18, False)


def test_a_start_that_has_passed_is_late(alice: User, dan: User) -> None:
    coming(alice, start_on=dt.date(2026, 11, 2))
    ((row,), _after) = upcoming_page(dan, home=Organisation.objects.get(), today=TODAY)
    assert (row.is_late, row.weeks) == (True, 0)


def test_the_page_has_a_row_for_each_with_its_words(alice: User, dan: User, as_dan: Browser) -> None:
    found = move(deal(owner=alice), "negotiation").opportunity
    text = as_dan.get(reverse("dashboards:upcoming")).content.decode()
    for word in (found.name, "1 Apr 2027", "in 18 weeks", "Hot", "Un-forecasted", "Requested", "Send the offer", "Dan"):
        assert word in text, word


def test_the_page_filters_by_what_the_address_says(alice: User, as_dan: Browser, dan: User) -> None:
    soon, later = coming(alice, start_on=TODAY), coming(alice, start_on=TODAY + dt.timedelta(weeks=20))
    text = as_dan.get(reverse("dashboards:upcoming"), {"weeks": "4"}).content.decode()
    assert fresh(Opportunity(pk=soon)).name in text
    assert fresh(Opportunity(pk=later)).name not in text
    text = as_dan.get(reverse("dashboards:upcoming"), {"weeks": "1e9", "service_line": "x"}).content.decode()
    assert fresh(Opportunity(pk=later)).name in text


# --- the outlook ---


def test_the_outlook_counts_starts_by_line_and_weeks(alice: User, ruth: User) -> None:
    cloud, data = factories.service_line("Cloud"), factories.service_line("Data")
    coming(alice, start_on=TODAY - dt.timedelta(days=3), service_line=cloud)
    coming(alice, start_on=TODAY + dt.timedelta(weeks=2), service_line=cloud)
    coming(alice, close_date=TODAY + dt.timedelta(days=1), service_line=cloud)
    coming(alice, start_on=TODAY + dt.timedelta(weeks=13), service_line=data)
    coming(alice, start_on=TODAY + dt.timedelta(weeks=14), service_line=data)
    move(deal(owner=alice, service_line=data, start_on=TODAY, close_date=TODAY), "negotiation")
    lines = ServiceLine.objects.order_by("name")
    found = outlook(ruth, home=Organisation.objects.get(), today=TODAY, lines=lines)
    assert found.spans == [(1, 2), (3, 4), (5, 8), (9, 13)]
    assert [[(cell.warm, cell.hot) for cell in row.cells] for row in found.rows] == [
        [(2, 0), (1, 0), (0, 0), (0, 0)],
        [(0, 1), (0, 0), (0, 0), (1, 0)],
    ]
    assert not found.is_cut


def test_a_row_changes_its_look_with_all_that_it_shows(as_dan: Browser, alice: User, dan: User) -> None:
    key = coming(alice, start_on=dt.date(2027, 1, 20), name="Portal")
    engagement = engagement_of(fresh(Opportunity.objects.get(pk=key)))
    address = reverse("dashboards:upcoming")
    seen = [as_dan.get(address).content.decode()]
    accept_engagement(actor=dan, engagement=engagement, expected_version=None, now=MONDAY)
    seen.append(as_dan.get(address).content.decode())
    User.objects.filter(pk=dan.pk).update(name="Dan Lund")
    seen.append(as_dan.get(address).content.decode())
    Task.objects.filter(opportunity=key).delete()
    seen.append(as_dan.get(address).content.decode())
    parts = ["Requested", "Accepted", "Dan Lund", "no open tasks"]
    assert [[part in text for part in parts] for text in seen] == [
        [True, False, False, False],
        [False, True, False, False],
        [False, True, True, False],
        [False, True, True, True],
    ]
