"""What the horizon said before each win, for programs."""

from __future__ import annotations

from accounts.models import Organisation
from tests.api.conftest import Program
from tests.staffing.staffed import role
from tests.staffing.test_replay_pages import ago, won


def test_shows_weeks_figures_and_wins(dans: Program, organisation: Organisation) -> None:
    deal = won(10, entered=17, asked=13, starts=9, name="Portal")
    shown = dans.get("staffing/horizon/replay/?lead=2&weeks=13").json
    assert (shown["lead"], shown["wins_needed"], shown["wins_compared"], shown["wins_unnamed"]) == (2, 10, 1, 0)
    whole, architect = shown["roles"]
    assert (whole["role"], architect["role"]["name"], whole["figures"]) == (None, "Architect", None)
    assert len(whole["weeks"]) == 13
    assert sum(week["came"] for week in architect["weeks"]) == 40
    (win,) = shown["wins"]
    assert (win["opportunity"]["id"], win["won_on"], win["hours"]) == (deal.pk, ago(10).date().isoformat(), 80)
    assert [seen["sight"] for seen in win["seen"]] == ["not_there", "no_needs", "seen"]
    assert (win["seen"][2]["chance_percent"], win["seen"][2]["temperature"]) == (40, "warm")


def test_ten_wins_bring_figures(dans: Program, organisation: Organisation) -> None:
    for _number in range(10):
        won()
    figures = dans.get(f"staffing/horizon/replay/?role={role().pk}").json["roles"][0]["figures"]
    assert 0 <= figures["within_p80"] <= 1
    assert figures["surprise_share"] == 0


def test_wins_left_out_are_counted_by_why(dans: Program, organisation: Organisation) -> None:
    won(asked=None)
    assert dans.get("staffing/horizon/replay/").json["wins_left_out"] == {"no_needs": 1}


def test_what_cant_be_asked_is_refused(dans: Program, organisation: Organisation) -> None:
    for query in ("lead=3", "weeks=0", "role=x", "when=now"):
        assert dans.get(f"staffing/horizon/replay/?{query}").status == 400, query


def test_a_role_that_is_nowhere_finds_nothing(dans: Program, organisation: Organisation) -> None:
    won()
    shown = dans.get("staffing/horizon/replay/?role=999999").json
    assert (shown["roles"], shown["wins"], shown["wins_compared"]) == ([], [], 0)


def test_sales_may_not_read_it(alices: Program, organisation: Organisation) -> None:
    assert alices.get("staffing/horizon/replay/").status == 403
