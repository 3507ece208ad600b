"""The replay as people see it."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Organisation, User
from opportunities.models import Opportunity
from opportunities.services.editing import update_opportunity
from staffing.models import WorkRole
from staffing.services.needs import add_need
from staffing.weeks import monday_of
from tests import factories
from tests.cast import Browser
from tests.handoffs.reactions import move
from tests.staffing.staffed import role

REPLAY = "/staffing/horizon/replay/"
WEEK = dt.timedelta(weeks=1)
MONDAY = monday_of(timezone.now().date())


@pytest.fixture
def as_ruth(ruth: User) -> Browser:
    return Browser(ruth)


def text(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def ago(weeks: float) -> dt.datetime:
    """A moment on the Monday so many weeks ago."""
    return dt.datetime.combine(MONDAY, dt.time(9), dt.UTC) - weeks * WEEK


def won(
    weeks: float = 10, *, entered: float = 30, asked: float | None = 30, starts: float = 9, hours: int = 20,
    in_role: WorkRole | None = None, **values: Any,
) -> Opportunity:  # fmt: skip
    """A deal that was entered, got its needs and was won so many weeks ago."""
    deal = factories.deal(
        "discovery", now=ago(entered), close_date=ago(weeks).date(), start_on=ago(starts).date(), **values
    )
    if asked is not None:
        asks(deal, asked, hours=hours, in_role=in_role)
    move(deal, "won", now=ago(weeks), reacts=False)
    return deal


def asks(deal: Opportunity, weeks: float, *, hours: int = 20, in_role: WorkRole | None = None) -> None:
    values = {"role": in_role or role(), "hours_per_week": hours, "weeks": 4, "offset_weeks": 0}
    add_need(actor=factories.ruth(), opportunity=deal, values=values, now=ago(weeks))


def row_of(shown: str, name: str) -> str:
    """What stands in the row of a deal."""
    return shown.split(name, 1)[1][:400]


def test_without_wins_it_says_what_would_be_here(as_ruth: Browser) -> None:
    assert "No wins to look back from yet" in text(as_ruth.get(REPLAY))


def test_below_ten_wins_there_are_no_figures(as_ruth: Browser) -> None:
    for _number in range(9):
        won()
    answer = as_ruth.get(REPLAY)
    shown = text(answer)
    assert "Not enough wins yet (9 of 10)." in shown
    assert "Mean error" not in shown.split("By role")[0]
    assert "rp-svg" not in answer.content.decode()


def test_with_ten_wins_there_are_figures_a_picture_and_its_table(as_ruth: Browser) -> None:
    for _number in range(10):
        won()
    answer = as_ruth.get(REPLAY, {"lead": 4})
    shown = text(answer)
    assert "Weeks at or below P80" in shown
    assert answer.content.decode().count('class="rp-came"') == 26
    assert "The same as a table" in shown
    # 10 × 20 hours in each of four weeks; four weeks before the last of them they weren't won yet.
    table = answer.content.decode().split("<tbody>")[1].split("</tbody>")[0]
    assert table.count(">200") == 4


def test_each_win_says_what_was_seen_before(as_ruth: Browser) -> None:
    deal = won(10, entered=17, asked=13, starts=7, name="Portal")
    row = row_of(text(as_ruth.get(REPLAY)), deal.name)
    assert "80 h" in row
    assert row.count("Discovery, 40 %") == 2
    assert row.index("not there yet") < row.index("nobody had said what it takes") < row.rindex("80 h from")


def test_a_start_that_moved_is_said(as_ruth: Browser) -> None:
    deal = won(10, starts=9, name="Portal")
    deal.refresh_from_db()
    update_opportunity(
        actor=factories.alice(), opportunity=deal, changes={"start_on": ago(6).date()}, expected_version=deal.version,
        now=ago(9.5),
    )  # fmt: skip
    assert row_of(text(as_ruth.get(REPLAY)), "Portal").count("began 3 weeks later") == 3


def test_wins_that_compare_with_nothing_are_counted_apart(as_ruth: Browser) -> None:
    won(name="Compared")
    for _number in range(2):
        won(asked=None)
    asks(won(asked=None), 9)
    shown = text(as_ruth.get(REPLAY))
    assert "2 wins are left out: nobody ever said what they take." in shown
    assert "1 win is left out: what it takes was said only after it was won." in shown


def test_wins_of_deals_of_others_are_counted_without_their_names(organisation: Organisation) -> None:
    data, cloud = factories.service_line("Data"), factories.service_line("Cloud")
    team = factories.team("Data people", side="delivery")
    team.service_lines.add(data)
    tom = factories.UserFactory.make(name="Tom", roles=["delivery_manager"], teams=[team])
    won(name="Open plan", service_line=data)
    won(name="Secret plan", service_line=cloud)
    browser = Browser(tom)
    shown = text(browser.get(REPLAY))
    assert "Open plan" in shown
    assert "Secret plan" not in shown
    assert "1 more win is of a deal that you may not see" in shown
    assert "2 of 2 in the horizon" in shown
    assert b"Secret plan" not in b"".join(browser.get(f"{REPLAY}wins.csv").streaming_content)  # type: ignore[attr-defined]


def test_role_and_service_line_narrow_it_down(as_ruth: Browser) -> None:
    tester = role("Tester")
    data, cloud = factories.service_line("Data"), factories.service_line("Cloud")
    won(name="Tested", in_role=tester, service_line=data)
    won(name="Built", service_line=cloud)
    by_role, by_line = text(as_ruth.get(REPLAY, {"role": tester.pk})), text(as_ruth.get(REPLAY, {"line": cloud.pk}))
    assert ("Tested" in by_role, "Built" in by_role) == (True, False)
    assert ("Tested" in by_line, "Built" in by_line) == (False, True)


def test_only_wins_of_the_period_are_listed(as_ruth: Browser) -> None:
    won(20, entered=40, asked=40, starts=19, name="Long ago")
    won(5, starts=4, name="Lately")
    shown = text(as_ruth.get(REPLAY, {"weeks": 13}))
    assert ("Long ago" in shown, "Lately" in shown) == (False, True)


@pytest.mark.parametrize("given", [{"lead": "3", "weeks": "x"}, {"lead": "", "weeks": "0"}, {"weeks": "9" * 12}])
def test_nonsense_is_taken_for_nothing(as_ruth: Browser, given: dict[str, str]) -> None:
    won()
    assert "4 weeks before" in text(as_ruth.get(REPLAY, given))


def test_a_role_that_is_nowhere_is_not_there(as_ruth: Browser) -> None:
    assert as_ruth.get(REPLAY, {"role": "99999"}).status_code == 404


def test_filters_answer_with_the_part_that_changes(as_ruth: Browser) -> None:
    answer = as_ruth.hx("get", REPLAY, {"lead": 2})
    assert answer.content.decode().lstrip().startswith('<div class="hz" id="replay">')


def test_it_is_a_tab_of_the_horizon(as_ruth: Browser) -> None:
    assert REPLAY in as_ruth.get("/staffing/horizon/").content.decode()


def test_sales_does_not_see_it(as_alice: Browser, as_sam: Browser) -> None:
    for path in (REPLAY, f"{REPLAY}weeks.csv", f"{REPLAY}wins.csv"):
        assert [browser.get(path).status_code for browser in (as_alice, as_sam)] == [403, 403]


def _rows(answer: Any) -> list[list[str]]:
    body = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(body)))


def test_tables_come_as_csv(as_ruth: Browser) -> None:
    won(name="=Portal", hours=30)
    wins, weeks = _rows(as_ruth.get(f"{REPLAY}wins.csv")), _rows(as_ruth.get(f"{REPLAY}weeks.csv", {"lead": 2}))
    assert len(wins) == 1 + 3
    assert wins[1][:3] == ["'=Portal", ago(10).date().isoformat(), "120.0"]
    assert len(weeks) == 1 + 26
    came = [float(row[6]) for row in weeks[1:]]
    assert sorted(came)[-1] == 30
    assert {row[2] for row in weeks[1:]} == {"2"}


def test_the_page_asks_as_much_of_many_as_of_few(as_ruth: Browser) -> None:
    as_ruth.get(REPLAY)
    counts = []
    for size in (1, 6):
        for number in range(size):
            won(10 + number / 10, in_role=role(f"Role {size} {number}"))
        with CaptureQueriesContext(connection) as queries:
            as_ruth.get(REPLAY)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 15
