"""The deal list: filters, order, pages, columns, totals."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role, User
from opportunities.models import Account, Opportunity, Stage
from opportunities.queries.filters import DealFilter
from opportunities.queries.listing import COLUMNS, PAGE, BadCursor, Order, deal_page, listed
from tests.cast import Browser
from tests.factories import AccountFactory, deal, service_line, stage, team
from tests.opportunities.test_board import many, queries

pytestmark = pytest.mark.django_db

LIST = "/deals/"


def names(response: Any) -> list[str]:
    return re.findall(r'class="deal-link"[^>]*>([^<]+)<', response.content.decode())


def text_of(response: Any) -> str:
    found: str = response.content.decode()
    return found.replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture
def some(alice: User, sam: User, dan: User) -> None:
    globex = AccountFactory.make(name="Globex", team=team())
    deal("prospect", owner=alice, name="Cold", account=globex, amount=Decimal(10), close_date=dt.date(2027, 3, 1))
    deal("discovery", owner=sam, name="Warm", amount=Decimal(30), close_date=dt.date(2027, 1, 1), delivery_owner=dan)
    deal("negotiation", owner=alice, name="Hot", amount=Decimal(20), close_date=dt.date(2027, 2, 1), start_on=None)
    deal("won", owner=alice, name="Won")
    deal("lost", owner=alice, name="Lost")


@pytest.mark.usefixtures("some")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Warm", "Hot", "Cold"]),
        ("sort=-amount", ["Warm", "Hot", "Cold"]),
        ("sort=amount", ["Cold", "Hot", "Warm"]),
        ("sort=name", ["Cold", "Hot", "Warm"]),
        ("sort=-stage", ["Hot", "Warm", "Cold"]),
        ("sort=owner__password", ["Warm", "Hot", "Cold"]),
        ("owner=me", ["Hot", "Cold"]),
        ("temperature=hot&temperature=warm", ["Warm", "Hot"]),
        ("temperature=boiling", ["Warm", "Hot", "Cold"]),
        ("unforecasted=on", ["Warm", "Hot"]),
        ("state=won", ["Won"]),
        ("state=lost", ["Lost"]),
        ("state=all&sort=name", ["Cold", "Hot", "Lost", "Warm", "Won"]),
        ("q=glob", ["Cold"]),
        ("q=WAR", ["Warm"]),
        ("q=ar", []),
        ("q=%25", []),
        ("q=%27+%26+%7C+%21", []),
        ("close_from=2027-01-15&close_to=2027-02-15", ["Hot"]),
        ("close_from=2027-02-01", ["Hot", "Cold"]),
        ("close_from=nonsense", ["Warm", "Hot", "Cold"]),
        ("close_from=2027-03-01&close_to=2027-01-01", ["Cold"]),
        ("account=999999", []),
        (f"account={2**63}", ["Warm", "Hot", "Cold"]),
        ("stage=x&view=99&columns=password", ["Warm", "Hot", "Cold"]),
        ("after=x", ["Warm", "Hot", "Cold"]),
    ],
)
def test_filters_and_order(as_alice: Browser, query: str, found: list[str]) -> None:
    assert names(as_alice.get(f"{LIST}?{query}")) == found


@pytest.mark.usefixtures("some")
def test_filters_by_record(as_alice: Browser, dan: User, sam: User) -> None:
    assert names(as_alice.get(LIST, {"delivery_owner": dan.pk})) == ["Warm"]
    assert names(as_alice.get(LIST, {"owner": sam.pk})) == ["Warm"]
    assert names(as_alice.get(LIST, {"stage": [stage("discovery").pk, stage("won").pk]})) == ["Warm", "Won"]
    assert names(as_alice.get(LIST, {"account": Opportunity.objects.get(name="Cold").account_id})) == ["Cold"]
    data = service_line("Data")
    Opportunity.objects.filter(name="Hot").update(service_line=data)
    assert names(as_alice.get(LIST, {"service_line": data.pk})) == ["Hot"]


@pytest.mark.usefixtures("some")
def test_standing_still_is_a_filter(as_alice: Browser) -> None:
    assert names(as_alice.get(LIST, {"rotting": "on"})) == []
    Opportunity.objects.filter(name="Warm").update(stage_entered_at=timezone.now() - dt.timedelta(days=90))
    assert names(as_alice.get(LIST, {"rotting": "on"})) == ["Warm"]


@pytest.mark.usefixtures("some")
def test_the_header_totals_the_whole_list(as_alice: Browser) -> None:
    text = text_of(as_alice.get(LIST))
    assert "3 deals · €60, €29 weighted" in text
    assert "1 deal · €10" in text_of(as_alice.get(LIST, {"q": "cold"}))
    assert "1 deal · €120 K" in text_of(as_alice.get(LIST, {"state": "won"}))


@pytest.mark.usefixtures("some")
def test_columns_are_chosen(as_alice: Browser) -> None:
    text = text_of(as_alice.get(f"{LIST}?columns=probability&columns=forecast"))
    heads = re.findall(r'<th scope="col"[^>]*>(?:<a[^>]*>)?([^<]+)', text)
    assert heads == ["Deal", "Probability", "Forecast"]
    assert "80 %" in text
    assert "Best case" not in text


@pytest.mark.usefixtures("some")
def test_every_column_can_be_shown_and_sorted_by(as_alice: Browser) -> None:
    chosen = "&".join(f"columns={key}" for key in COLUMNS)
    for column in COLUMNS.values():
        assert len(names(as_alice.get(f"{LIST}?{chosen}&state=all&sort={column.key}"))) == 5


def test_a_sorted_head_says_so_and_turns_round(as_alice: Browser) -> None:
    deal()
    text = text_of(as_alice.get(f"{LIST}?sort=-amount"))
    head = re.search(r'<th scope="col" class="ot-end" aria-sort="descending"><a class="deal-sort" href="([^"]+)"', text)
    assert head
    assert "sort=amount" in head[1]


@pytest.mark.parametrize("key", [column.key for column in COLUMNS.values() if column.sort])
@pytest.mark.parametrize("sign", ["", "-"])
def test_pages_show_every_deal_once_in_both_directions(alice: User, key: str, sign: str) -> None:
    many(2 * PAGE + 7)
    # Ties, gaps and different values of what is sorted by.
    for number, made in enumerate(Opportunity.objects.order_by("pk")):
        Opportunity.objects.filter(pk=made.pk).update(
            amount=None if number % 5 == 0 else Decimal(number % 3), push_count=number % 4,
            close_date=None if number % 7 == 0 else dt.date(2027, 1, 1 + number % 3), start_on=None,
            next_step_on=None if number % 2 else dt.date(2027, 1, 2), probability=number % 100,
            owner=None if number % 3 else alice, account=None if number % 4 else made.account,
        )  # fmt: skip
    order, deals = Order.parse(sign + key), listed(alice, DealFilter())
    pages = [deal_page(deals, order)]
    while pages[-1].after:
        pages.append(deal_page(deals, order, after=pages[-1].after))
    shown = [made.pk for page in pages for made in page.deals]
    assert len(shown) == len(set(shown)) == 2 * PAGE + 8
    back = pages[-1]
    for expected in reversed(pages[:-1]):
        assert back.before
        back = deal_page(deals, order, before=back.before)
        assert [made.pk for made in back.deals] == [made.pk for made in expected.deals]


def test_a_page_stays_put_while_deals_come(alice: User) -> None:
    many(PAGE + 10)
    order, deals = Order("close_date"), listed(alice, DealFilter())
    first = deal_page(deals, order)
    deal("prospect", close_date=dt.date(2026, 1, 1), start_on=None)
    assert first.after
    second = deal_page(deals, order, after=first.after)
    assert not {made.pk for made in first.deals} & {made.pk for made in second.deals}


@pytest.mark.parametrize("cursor", ["x", "e30", "WyJjbG9zZV9kYXRlIiwgIngiLCAxXQ", "=" * 50, "a" * 5000, "\udcff"])
def test_a_made_up_cursor_is_refused(alice: User, cursor: str) -> None:
    with pytest.raises(BadCursor):
        deal_page(listed(alice, DealFilter()), Order("close_date"), after=cursor)


@pytest.mark.parametrize("query", ["", "?owner=me&sort=-amount", "?q=copy", "?state=all&sort=account"])
def test_a_thousand_deals_cost_as_many_queries_as_ten(as_alice: Browser, query: str) -> None:
    many(10)
    few = queries(as_alice, LIST + query)
    many(990)
    assert queries(as_alice, LIST + query) == few
    assert few <= 15


def test_an_outsider_sees_nothing_by_any_filter(as_charlie: Browser, alice: User) -> None:
    made = deal("discovery", owner=alice, name="Secret")
    for query in ("", "q=secret", f"owner={alice.pk}", f"account={made.account_id}", "state=all", "unforecasted=on"):
        response = as_charlie.get(f"{LIST}?{query}")
        assert names(response) == []
        assert "€" not in text_of(response).split("</header>")[0]


def test_an_empty_list_says_how_to_fill_it(as_alice: Browser) -> None:
    assert "No deals yet" in text_of(as_alice.get(LIST))
    assert "No deal matches" in text_of(as_alice.get(LIST, {"q": "x"}))


def test_text_of_people_is_never_markup(as_alice: Browser) -> None:
    account = AccountFactory.make(name="<img src=x onerror=alert(1)>", team=team())
    deal(name="<script>alert(1)</script>", account=account, next_step="{{7*7}}<b>")
    text = text_of(as_alice.get(LIST))
    assert "<script>alert" not in text
    assert "<img src" not in text
    assert "{{7*7}}&lt;b&gt;" in text


def test_signing_in_comes_first(client: Any, alice: User) -> None:
    assert client.get(LIST).status_code == 302
    assert client.get(LIST, headers={"HX-Request": "true"}).status_code == 401


def test_a_row_changes_its_look_with_what_it_names(as_alice: Browser, alice: User, dan: User) -> None:
    account = AccountFactory.make(name="Globex", team=team())
    deal("discovery", owner=alice, account=account, delivery_owner=dan)
    address = f"{LIST}?columns=owner&columns=delivery_owner&columns=account&columns=stage"
    assert "ot-avatar-delivery" in text_of(as_alice.get(address))
    User.objects.filter(pk=dan.pk).update(roles=[Role.SALES_REP], name="Dan Berg")
    Account.objects.filter(pk=account.pk).update(name="Initech")
    Stage.objects.filter(key="discovery").update(name="Finding out")
    (row,) = re.findall(r'<tr id="row-.*?</tr>', text_of(as_alice.get(address)), re.DOTALL)
    for part in ("Dan Berg", "Initech", "Finding out"):
        assert part in row
    assert "Globex" not in row
    assert "ot-avatar-delivery" not in row


def test_who_may_only_read_a_deal_can_not_tick_it_whoever_looked_first(
    as_alice: Browser, as_dan: Browser, alice: User
) -> None:
    made = deal("prospect", owner=alice)
    tick = rf'name="ids" value="{made.pk}"[^>]* disabled'
    assert not re.search(tick, text_of(as_alice.get(LIST)))
    assert re.search(tick, text_of(as_dan.get(LIST)))


def test_a_filter_that_can_not_be_read_says_so(as_alice: Browser) -> None:
    assert "invalid-feedback" in text_of(as_alice.get(f"{LIST}?delivery_owner=abc"))


def test_fifty_words_and_a_megabyte_are_a_search_too(as_alice: Browser) -> None:
    deal(name="Portal")
    assert as_alice.get(LIST, {"q": "x " * 60}).status_code == 200
    assert as_alice.get(reverse("opportunities:list"), {"q": "y" * 100_000}).status_code == 200
