"""The board: columns, totals, filters, pages, and what an open board fetches."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import CurrencyRate, User
from opportunities.models import Account, Opportunity, Pipeline, Stage
from opportunities.queries.board import PAGE, closed_since
from opportunities.services.moves import move_to_stage
from tests.cast import Browser
from tests.factories import AccountFactory, deal, deals, organisation, service_line, stage

pytestmark = pytest.mark.django_db

BOARD = "/board/"


def text_of(response: Any) -> str:
    found: str = response.content.decode()
    return found.replace("\N{NO-BREAK SPACE}", " ")


def lane(text: str, key: str) -> str:
    return text.split(f'id="lane-{stage(key).pk}"')[1].split("</section>", maxsplit=1)[0]


def cards(text: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'id="deal-(\d+)"', text)]


def many(count: int, at: str = "prospect") -> None:
    """Copies of a deal by SQL, to make numbers quickly; history goes along because a trigger checks it."""
    made = deal(at)
    with connection.cursor() as cursor:
        cursor.execute("set constraints all deferred")
        columns = [f.column for f in Opportunity._meta.concrete_fields if f.column not in ("id", "name")]
        joined = ", ".join(f'"{column}"' for column in columns)
        cursor.execute(
            f"insert into opportunities_opportunity (name, {joined}) select 'Copy ' || n, {joined}"
            f" from opportunities_opportunity, generate_series(1, %s) n where id = %s",
            [count, made.pk],
        )
        cursor.execute(
            "insert into opportunities_stagechange (opportunity_id, number, to_stage_id, at, recorded_at, source,"
            " reason, skipped, before) select o.id, 1, o.stage_id, now(), now(), 'import', '', 0, '{}' from"
            " opportunities_opportunity o where not exists (select from opportunities_stagechange c"
            " where c.opportunity_id = o.id)"
        )


def test_a_column_has_count_total_and_weighted_total(as_alice: Browser) -> None:
    deal("discovery", amount=Decimal(100_000))
    deal("discovery", amount=Decimal(50_000))
    head = lane(text_of(as_alice.get(BOARD)), "discovery").split("</header>")[0]
    assert re.search(r"Discovery <span[^>]*>2<", head)
    assert "€150 K" in head
    assert "€60 K weighted" in head


def test_deals_without_a_rate_are_counted_not_priced_and_the_header_says_so(as_alice: Browser) -> None:
    CurrencyRate.objects.create(currency="USD", on=dt.date(2026, 1, 2), rate=Decimal("0.5"))
    deal("prospect", amount=Decimal(1000), currency="USD")
    deal("prospect", amount=Decimal(7000), currency="CHF")
    head = lane(text_of(as_alice.get(BOARD)), "prospect").split("</header>")[0]
    assert "€500" in head
    assert "1 without a rate, not in the sum" in head
    assert "rates of 2 Jan" in head


def test_cards_stand_by_close_date_those_without_one_last(as_alice: Browser) -> None:
    late = deal("prospect", close_date=dt.date(2027, 3, 1))
    never = deal("prospect", close_date=None, start_on=None)
    soon = deal("prospect", close_date=dt.date(2027, 1, 1))
    assert cards(lane(text_of(as_alice.get(BOARD)), "prospect")) == [soon.pk, late.pk, never.pk]


def test_a_card_says_what_matters(as_alice: Browser, dan: User) -> None:
    account = AccountFactory.make(name="Globex")
    made = deal(
        "discovery", name="Portal", account=account, delivery_owner=dan, next_step="Call Mia",
        close_date=dt.date(2026, 1, 5), start_on=None,
    )  # fmt: skip
    Opportunity.objects.filter(pk=made.pk).update(
        push_count=2, version=2, stage_entered_at=timezone.now() - dt.timedelta(days=9)
    )
    text = lane(text_of(as_alice.get(BOARD)), "discovery")
    for part in (
        "Portal",
        "Globex",
        "€120,000",
        "past",
        "Warm",
        "Un-forecasted",
        "pushed 2×",
        "Call Mia",
        "9 days here",
    ):
        assert part in text
    assert "Sales: Alice" in text
    assert "Delivery: Dan" in text


def test_text_of_people_is_never_markup(as_alice: Browser) -> None:
    deal("prospect", name="<script>alert(1)</script> {{7*7}}", next_step='"><img src=x hx-get="/x">')
    text = text_of(as_alice.get(BOARD))
    assert "<script>alert" not in text
    assert "{{7*7}}" in text
    assert "<img" not in text


def test_closed_columns_show_the_last_months(as_alice: Browser) -> None:
    recent = deal("won")
    old = deal("won")
    Opportunity.objects.filter(pk=old.pk).update(closed_on=closed_since(timezone.localdate()) - dt.timedelta(days=1))
    assert cards(lane(text_of(as_alice.get(BOARD)), "won")) == [recent.pk]


@pytest.mark.parametrize(
    ("today", "since"), [("2026-11-23", "2026-08-01"), ("2027-02-28", "2026-11-01"), ("2027-03-31", "2026-12-01")]
)
def test_closed_since_is_a_first_of_month(today: str, since: str) -> None:
    assert closed_since(dt.date.fromisoformat(today)).isoformat() == since


def test_columns_page_on_until_every_card_was_shown_once(as_alice: Browser) -> None:
    many(2 * PAGE + 5)
    text = text_of(as_alice.get(BOARD))
    seen = cards(text)
    assert len(seen) == PAGE
    while more := re.search(r'hx-get="([^"]+stages[^"]+)"', text):
        text = text_of(as_alice.get(more[1].replace("&amp;", "&")))
        seen += cards(text)
    assert len(seen) == len(set(seen)) == 2 * PAGE + 6


def test_closed_columns_page_on_too(as_alice: Browser) -> None:
    for number in range(PAGE + 3):
        made = deal("won")
        Opportunity.objects.filter(pk=made.pk).update(closed_on=timezone.localdate() - dt.timedelta(days=number % 7))
    text = text_of(as_alice.get(BOARD))
    more = re.search(r'hx-get="([^"]+stages[^"]+)"', text)
    assert more
    rest = cards(text_of(as_alice.get(more[1].replace("&amp;", "&"))))
    assert sorted(cards(text) + rest) == sorted(Opportunity.objects.values_list("pk", flat=True))


@pytest.mark.parametrize("after", ["", "x", "2026-13-01.4", f"2026-01-01.{2**63}", "never.-1", "2026-01-01."])
def test_a_made_up_page_is_not_found(as_alice: Browser, after: str) -> None:
    address = reverse("opportunities:column", args=["sales", stage("prospect").pk])
    assert as_alice.get(address, {"after": after}).status_code == 404


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("owner=me", {"Mine", "Hot one"}),
        ("temperature=hot", {"Hot one"}),
        ("temperature=hot&temperature=cold", {"Hot one", "Mine", "Of Sam"}),
        ("q=hot", {"Hot one"}),
        ("q=glob", {"Mine"}),
        ("q=nothing+like+it", set()),
        ("unforecasted=on", {"Hot one"}),
        ("service_line=99999", {"Mine", "Of Sam", "Hot one"}),
        (f"owner={2**63}", {"Mine", "Of Sam", "Hot one"}),
    ],
)
def test_filters_narrow_cards_and_totals_alike(
    as_alice: Browser, alice: User, sam: User, query: str, names: set[str]
) -> None:
    deal("prospect", owner=alice, name="Mine", account=AccountFactory.make(name="Globex"), amount=1)
    deal("prospect", owner=sam, name="Of Sam", amount=1)
    deal("negotiation", owner=alice, name="Hot one", amount=1)
    text = text_of(as_alice.get(f"{BOARD}?{query}"))
    assert set(re.findall(r"data-focus>([^<]+)<", text)) == names
    counted = sum(int(number) for number in re.findall(r'lane-count">(\d+)<', text))
    assert counted == len(names)


def test_a_filter_by_service_line(as_alice: Browser) -> None:
    data = service_line("Data")
    made = deal("prospect", service_line=data)
    deal("prospect", service_line=service_line("Cloud"))
    assert cards(text_of(as_alice.get(BOARD, {"service_line": data.pk}))) == [made.pk]


def test_a_deal_that_one_may_only_read_can_not_be_dragged(as_dan: Browser, alice: User) -> None:
    deal("prospect", owner=alice)
    text = lane(text_of(as_dan.get(BOARD)), "prospect")
    assert "data-fixed" in text
    assert "data-move" not in text


def test_an_outsider_sees_nothing_and_no_money(as_charlie: Browser, alice: User) -> None:
    made = deal("prospect", owner=alice)
    text = text_of(as_charlie.get(f"{BOARD}?owner={alice.pk}&q={made.name[:4]}"))
    assert cards(text) == []
    assert "€120" not in text
    assert cards(text_of(as_charlie.get(BOARD))) == []


def test_an_empty_board_is_a_board(as_alice: Browser) -> None:
    response = as_alice.get(BOARD)
    assert response.status_code == 200
    assert text_of(response).count("no deals") == 5


def test_pipelines_are_chosen_by_address(as_alice: Browser) -> None:
    other = Pipeline.objects.create(key="renewals", name="Renewals", position=1)
    Stage.objects.create(pipeline=other, key="due", name="Due", position=0)
    text = text_of(as_alice.get("/board/renewals/"))
    assert "Due" in text
    assert "Negotiation" not in text
    assert as_alice.get("/board/nowhere/").status_code == 404


def test_signing_in_comes_first(client: Any, alice: User) -> None:
    assert client.get(BOARD).status_code == 302


def test_other_methods_are_refused(as_alice: Browser) -> None:
    assert as_alice.post(BOARD).status_code == 405


def queries(browser: Browser, address: str) -> int:
    browser.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert browser.get(address).status_code == 200
    return len(captured)


@pytest.mark.parametrize("query", ["", "?owner=me", "?q=copy", "?temperature=cold&unforecasted=on"])
def test_a_thousand_deals_cost_as_many_queries_as_ten(as_alice: Browser, query: str) -> None:
    many(10)
    few = queries(as_alice, BOARD + query)
    many(990)
    assert queries(as_alice, BOARD + query) == few
    assert few <= 15


# --- What an open board fetches ---


def position(text: str) -> str:
    found = re.search(r'data-position="([^"]+)"', text)
    assert found
    return found[1]


def news(browser: Browser, since: str, shown: str = "", **filters: str) -> Any:
    return browser.hx(
        "get", reverse("opportunities:changes", args=["sales"]), {"since": since, "shown": shown, **filters}
    )


def test_an_open_board_learns_of_a_move(as_alice: Browser, sam: User) -> None:
    made = deal("prospect")
    other = deal("prospect")
    since = position(text_of(as_alice.get(BOARD)))
    move_to_stage(actor=sam, opportunity=made, stage=stage("qualified"), expected_version=None, now=timezone.now())
    text = text_of(news(as_alice, since, shown=f"{made.pk},{other.pk}"))
    # The test's one transaction is still running, so all of its events may be news.
    assert made.pk in cards(text)
    assert f'data-stage="{stage("qualified").pk}"' in text
    assert text.count("lane-head-") == 7


_ELSEWHERE = """
select exists (select from pg_stat_activity where datname <> current_database() and backend_xid is not null)
"""


@pytest.mark.django_db(transaction=True)
def test_news_are_told_once(as_alice: Browser, sam: User) -> None:
    made, other = deal("prospect"), deal("prospect")
    since = position(text_of(as_alice.get(BOARD)))
    move_to_stage(actor=sam, opportunity=made, stage=stage("qualified"), expected_version=None, now=timezone.now())
    text = text_of(news(as_alice, since, shown=f"{made.pk},{other.pk}"))
    assert made.pk in cards(text)
    again = cards(text_of(news(as_alice, position(text))))
    # Told again, harmlessly, while an older transaction runs, be it in a neighbour's database on this server.
    with connection.cursor() as cursor:
        cursor.execute(_ELSEWHERE)
        is_busy_elsewhere = cursor.fetchone()[0]
    assert again == [] or is_busy_elsewhere


def test_a_deal_that_left_the_filter_is_named_as_gone(as_alice: Browser, sam: User) -> None:
    made = deal("prospect")
    since = position(text_of(as_alice.get(BOARD)))
    move_to_stage(actor=sam, opportunity=made, stage=stage("discovery"), expected_version=None, now=timezone.now())
    text = text_of(news(as_alice, since, shown=str(made.pk), temperature="cold"))
    assert f'data-gone="{made.pk}"' in text


def test_deals_of_others_are_not_even_named(as_charlie: Browser, alice: User) -> None:
    since = position(text_of(as_charlie.get(BOARD)))
    made = deal("prospect", owner=alice)
    text = text_of(news(as_charlie, since))
    assert str(made.pk) not in re.findall(r'data-gone="([^"]*)"', text)[0].split(",")
    assert cards(text) == []


@pytest.mark.parametrize("since", ["", "x", "1", "-", f"{9**40}-1"])
def test_an_unknown_position_has_the_board_fetch_itself(as_alice: Browser, since: str) -> None:
    assert news(as_alice, since).status_code == 205


def test_too_many_changes_have_the_board_fetch_itself(as_alice: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opportunities.queries.board._MOST_CHANGES", 2)
    since = position(text_of(as_alice.get(BOARD)))
    deals(3)
    assert news(as_alice, since).status_code == 205


def test_a_card_changes_its_look_with_the_day(as_alice: Browser) -> None:
    organisation()
    deal("prospect", close_date=dt.date(2026, 12, 1), start_on=None)
    with time_machine.travel("2026-11-30T10:00:00Z", tick=False):
        assert ">past<" not in text_of(as_alice.get(BOARD))
    with time_machine.travel("2026-12-02T10:00:00Z", tick=False):
        assert ">past<" in text_of(as_alice.get(BOARD))


def test_a_card_changes_its_look_with_what_it_names(as_alice: Browser, alice: User, dan: User) -> None:
    account = AccountFactory.make(name="Globex")
    deal("discovery", owner=alice, account=account, delivery_owner=dan)
    assert "Globex" in lane(text_of(as_alice.get(BOARD)), "discovery")
    User.objects.filter(pk=dan.pk).update(name="Dan Berg")
    Account.objects.filter(pk=account.pk).update(name="Initech")
    text = lane(text_of(as_alice.get(BOARD)), "discovery")
    assert "Initech" in text
    assert "Delivery: Dan Berg" in text
    assert ">DB<" in text


def test_who_may_only_read_a_deal_can_not_drag_it_whoever_looked_first(
    as_alice: Browser, as_dan: Browser, alice: User
) -> None:
    deal("prospect", owner=alice)
    assert "data-fixed" not in lane(text_of(as_alice.get(BOARD)), "prospect")
    assert "data-fixed" in lane(text_of(as_dan.get(BOARD)), "prospect")
