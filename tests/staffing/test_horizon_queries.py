"""What goes into the horizon: what is sure, what may come, and what our own history says."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Organisation, WorkingCalendar
from events import names
from events.recording import record
from opportunities.models import Opportunity
from staffing.horizon.deals import DEFAULT_SHIFT, Need
from staffing.horizon_inputs import Inputs, gather
from staffing.horizon_learning import learn
from staffing.horizon_queries import horizon_of
from staffing.models import NeedState
from tests import factories
from tests.staffing.staffed import booking, need, role, worker

MONDAY = dt.date(2027, 1, 11)
NOW = dt.datetime(2027, 1, 12, 9, tzinfo=dt.UTC)
WEEK = dt.timedelta(weeks=1)


def found(home: Organisation, weeks: int = 4) -> Inputs:
    return gather(MONDAY, weeks, home=home)


def sure(home: Organisation, weeks: int = 4) -> list[float]:
    """Confirmed hours of the one role."""
    (only,) = found(home, weeks).confirmed.round(6).tolist()
    return [float(number) for number in only]


def begins(start_on: dt.date | None = MONDAY, at: str = "prospect", **values: Any) -> Opportunity:
    """A deal whose work is expected to begin on that day."""
    return factories.deal(at, now=NOW, **{"close_date": start_on, "start_on": start_on, **values})


def won(start_on: dt.date = MONDAY) -> Opportunity:
    return begins(start_on, "won")


def test_hard_bookings_are_sure_and_soft_ones_are_not(organisation: Organisation) -> None:
    nora = worker("Nora")
    booking(MONDAY, MONDAY + dt.timedelta(days=8), 20, person=nora)
    deal = begins()
    booking(MONDAY, MONDAY + 2 * WEEK, 10, person=nora, opportunity=deal, kind="soft")
    assert sure(organisation) == [20, 8, 0, 0]


def test_released_bookings_count_for_nothing(organisation: Organisation) -> None:
    booking(MONDAY, MONDAY + 2 * WEEK, 20, person=worker("Nora"), released_at=NOW)
    assert sure(organisation) == [0, 0, 0, 0]


def test_hours_of_somebody_booked_for_another_role_are_of_their_own(organisation: Organisation) -> None:
    architect, tester = role("Architect"), role("Tester")
    booking(MONDAY, MONDAY + dt.timedelta(days=6), 20, person=worker("Nora", architect), role=tester)
    inputs = found(organisation, 1)
    assert inputs.confirmed[inputs.row(architect.pk)].tolist() == [20]
    assert inputs.confirmed[inputs.row(tester.pk)].tolist() == [0]


def test_what_a_won_deal_needs_is_sure_beyond_its_bookings(organisation: Organisation) -> None:
    nora = worker("Nora")
    deal = won(MONDAY + WEEK)
    asked = need(deal, nora.role, 30, weeks=2)
    booking(MONDAY + WEEK, MONDAY + 2 * WEEK - dt.timedelta(days=1), 20, person=nora, opportunity=deal, need=asked)
    assert sure(organisation) == [0, 30, 30, 0]


def test_more_booked_than_needed_is_no_relief_elsewhere(organisation: Organisation) -> None:
    nora = worker("Nora")
    deal = won()
    asked = need(deal, nora.role, 10, weeks=1)
    need(deal, nora.role, 8, weeks=1)
    booking(MONDAY, MONDAY + dt.timedelta(days=6), 20, person=nora, opportunity=deal, need=asked)
    assert sure(organisation, 1) == [28]


def test_a_cancelled_need_asks_for_nothing(organisation: Organisation) -> None:
    asked = need(won(), role(), 30)
    asked.state, asked.cancelled_at = NeedState.CANCELLED, NOW
    asked.save()
    assert sure(organisation) == [0, 0, 0, 0]


def test_needs_of_won_deals_end_with_their_weeks(organisation: Organisation) -> None:
    need(won(MONDAY - 3 * WEEK), role(), 30, weeks=4)
    need(won(MONDAY - 30 * WEEK), role(), 30, weeks=4)
    assert sure(organisation) == [30, 0, 0, 0]


def test_an_open_deal_asks_for_its_needs_with_its_chance(organisation: Organisation) -> None:
    architect, tester = role("Architect", position=1), role("Tester", position=2)
    deal = begins(MONDAY + dt.timedelta(days=9), "proposal")
    need(deal, architect, 30, weeks=3)
    need(deal, tester, 10, weeks=2, offset=1)
    (prospect,) = found(organisation).deals
    assert prospect.key == deal.pk
    assert prospect.probability == deal.probability / 100
    assert prospect.start == 1
    assert set(prospect.needs) == {Need(0, 30, 3, 0), Need(1, 10, 2, 1)}
    assert prospect.shift == DEFAULT_SHIFT


def test_without_a_start_the_work_follows_the_close_date(organisation: Organisation) -> None:
    need(begins(None, close_date=MONDAY), role(), 30)
    (prospect,) = found(organisation).deals
    assert prospect.start == organisation.start_after_close_days // 7 == 2


def test_work_that_is_not_won_begins_this_week_at_the_earliest(organisation: Organisation) -> None:
    need(begins(MONDAY - 9 * WEEK), role(), 30)
    (prospect,) = found(organisation).deals
    assert prospect.start == 0


def test_a_deal_without_dates_is_left_out_and_counted(organisation: Organisation) -> None:
    need(begins(None), role(), 30)
    inputs = found(organisation)
    assert (inputs.deals, inputs.undated) == ([], 1)


def test_a_start_at_the_end_of_time_breaks_nothing(organisation: Organisation) -> None:
    for deal in (begins(), begins(), won()):
        need(deal, role(), 30, offset=104)
    Opportunity.objects.update(start_on=dt.date.max, close_date=dt.date.max)
    Opportunity.objects.filter(pk=deal.pk - 1).update(start_on=None)
    inputs = found(organisation)
    assert len(inputs.deals) == 2
    assert not inputs.confirmed.any()


def test_soft_bookings_of_a_need_are_part_of_it(organisation: Organisation) -> None:
    nora = worker("Nora")
    deal = begins()
    asked = need(deal, nora.role, 30)
    booking(MONDAY, MONDAY + 4 * WEEK, 30, person=nora, opportunity=deal, need=asked, kind="soft")
    (prospect,) = found(organisation).deals
    assert prospect.needs == (Need(0, 30, 4, 0),)


def test_hard_bookings_of_an_open_deal_leave_the_rest_of_the_need(organisation: Organisation) -> None:
    nora = worker("Nora")
    deal = begins()
    asked = need(deal, nora.role, 30)
    booking(MONDAY, MONDAY + 4 * WEEK - dt.timedelta(days=1), 20, person=nora, opportunity=deal, need=asked)
    (prospect,) = found(organisation).deals
    assert prospect.needs == (Need(0, 10, 4, 0),)
    assert sure(organisation) == [20, 20, 20, 20]


def test_soft_bookings_without_a_need_are_one_more(organisation: Organisation) -> None:
    nora = worker("Nora")
    deal = begins(MONDAY + 2 * WEEK)
    booking(MONDAY + WEEK, MONDAY + 3 * WEEK, 12, person=nora, opportunity=deal, kind="soft")
    (prospect,) = found(organisation).deals
    assert prospect.needs == (Need(0, 12, 3, -1),)


def test_closed_and_archived_deals_do_not_come(organisation: Organisation) -> None:
    need(factories.deal("lost", now=NOW), role(), 30)
    Opportunity.objects.filter(pk=need(factories.deal(now=NOW), role(), 30).opportunity_id).update(archived_at=NOW)
    inputs = found(organisation)
    assert inputs.deals == []
    assert not inputs.confirmed.any()


def test_roles_put_away_stay_while_something_asks_for_them(organisation: Organisation) -> None:
    role("Fax operator", archived_at=NOW)
    need(begins(), role("Telegraphist", archived_at=NOW), 10)
    assert [each.name for each in found(organisation).roles] == ["Telegraphist"]


def closed(count: int, at: str, **values: Any) -> list[Opportunity]:
    return [factories.deal(at, now=NOW, **values) for _ in range(count)]


def test_few_closed_deals_say_nothing_about_a_stage(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("staffing.horizon_learning.ENOUGH_CLOSED", 4)
    closed(3, "won")
    assert learn().shares == {}


def test_enough_closed_deals_say_how_often_a_stage_is_won(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("staffing.horizon_learning.ENOUGH_CLOSED", 4)
    closed(1, "won")
    closed(3, "lost")
    negotiation = factories.stage("negotiation")
    (share,) = learn().shares.items()
    assert (share[0], share[1].closed, share[1].won, share[1].chance) == (negotiation.pk, 4, 1, 0.25)
    for at in ("negotiation", "proposal"):
        need(begins(at=at, probability=90), role(), 30)
    inputs = found(organisation)
    assert sorted(deal.probability for deal in inputs.deals) == [0.25, 0.9]
    assert inputs.calibrated == 1


def test_the_share_is_not_bent_by_reading_the_latest_only(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("staffing.horizon_learning.ENOUGH_CLOSED", 2)
    monkeypatch.setattr("staffing.horizon_learning.RECENT", 4)
    for days in range(9):
        Opportunity.objects.filter(pk=closed(1, "lost")[0].pk).update(closed_on=MONDAY - days * WEEK)
    for days in (0, 2, 4, 6, 8):
        Opportunity.objects.filter(pk=closed(1, "won")[0].pk).update(closed_on=MONDAY - days * WEEK)
    (share,) = learn().shares.values()
    assert (share.closed, share.won) == (5, 2)  # since the fourth last loss, its own day left out


def test_few_slips_leave_the_default(organisation: Organisation) -> None:
    closed(2, "won")
    assert learn().slips.shift == DEFAULT_SHIFT
    assert not learn().slips.is_learned


def test_enough_slips_give_their_own_distribution(organisation: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("staffing.horizon_learning.ENOUGH_SLIPS", 2)
    today = NOW.date()
    for weeks in (3, 40):
        (deal,) = closed(1, "won")
        for planned in (today - weeks * WEEK, today - WEEK):
            dates = {"from": planned.isoformat(), "to": today.isoformat()}
            record(names.OPPORTUNITY_CLOSE_DATE_MOVED, actor=None, about=deal, within=deal, now=NOW, data=dates)
    closed(2, "won", close_date=today)
    learned = learn().slips
    assert learned.moved == 2
    assert learned.shift.first == 0
    assert learned.shift.chances[0] == 0.5
    assert learned.shift.chances[3] == 0.25
    assert (len(learned.shift.chances), learned.shift.chances[12]) == (13, 0.25)


def test_dates_that_were_not_known_are_no_slips(organisation: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("staffing.horizon_learning.ENOUGH_SLIPS", 1)
    (deal,) = closed(1, "won")
    dates = {"from": "–", "to": "2027-01-01"}
    record(names.OPPORTUNITY_CLOSE_DATE_MOVED, actor=None, about=deal, within=deal, now=NOW, data=dates)
    assert not learn().slips.is_learned


def test_queries_do_not_grow_with_deals(organisation: Organisation) -> None:
    counts = []
    nora = worker("Nora")
    for _ in range(2):
        for deal in (begins(), begins(), won()):
            asked = need(deal, nora.role, 8)
            booking(MONDAY, MONDAY + WEEK, 8, opportunity=deal, need=asked, person=nora)
        with CaptureQueriesContext(connection) as queries:
            found(organisation)
        counts.append(len(queries))
    assert counts == [8, 8]


def test_weeks_with_holidays_ask_what_bookings_will_take(organisation: Organisation) -> None:
    easter = dt.date(2027, 3, 15)
    nora = worker("Nora", calendar=WorkingCalendar.objects.create(name="Germany", country="DE"))
    organisation.calendar = nora.calendar
    organisation.save()
    deal = begins(easter, probability=100)
    need(deal, nora.role, 40, weeks=3)

    def asked() -> tuple[list[float], list[float]]:
        inputs, horizon = horizon_of(organisation, today=easter, weeks=3)
        shown = inputs.row(nora.role_id)
        return horizon.exposure[shown].round(6).tolist(), horizon.overload_probability[shown].round(6).tolist()

    assert asked() == ([40, 32, 32], [0, 0, 0])
    booking(easter, easter + 3 * WEEK - dt.timedelta(days=1), 40, person=nora, title="The same")
    assert asked()[0] == [80, 64, 64]
