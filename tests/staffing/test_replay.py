"""What was known of a deal at a moment, and what came of it: against the services that write history."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from accounts.models import Organisation, User
from events.models import Event
from opportunities.models import Opportunity
from opportunities.models.history import Source
from opportunities.services.archiving import archive, restore
from opportunities.services.closing import reopen
from opportunities.services.editing import update_opportunity
from opportunities.services.loading import Step, add_many, place
from staffing.horizon_learning import learn
from staffing.models import StaffingNeed, WorkRole
from staffing.replay import Apart, Calendar, DealHistory, Sight, View, Win, view, win_of
from staffing.replay_learning import Closings
from staffing.replay_reading import calendar_of, read_closings, read_deals
from staffing.services.needs import add_need, cancel_need, change_need, restore_need
from tests import factories
from tests.handoffs.reactions import move
from tests.staffing.staffed import role

DAY = dt.timedelta(days=1)
WEEK = 7 * DAY
# A Monday; deals of these tests are made in the weeks from here on.
BEGIN = dt.datetime(2026, 6, 1, 9, tzinfo=dt.UTC)


def after(weeks: float) -> dt.datetime:
    """So many weeks from the beginning."""
    return BEGIN + weeks * WEEK


def made(weeks: float = 0, at: str = "discovery", **values: Any) -> Opportunity:
    """A deal that closes and starts in September, unless told otherwise."""
    given = {"close_date": dt.date(2026, 9, 1), "start_on": dt.date(2026, 9, 14), **values}
    return factories.deal(at, now=after(weeks), **given)


def asks(deal: Opportunity, hours: int = 20, weeks: int = 6, at: float = 0, **more: Any) -> StaffingNeed:
    """Somebody says what it takes."""
    values = {"role": role(), "hours_per_week": hours, "offset_weeks": 0, "weeks": weeks, **more}
    return add_need(actor=factories.ruth(), opportunity=deal, values=values, now=after(at))


def history(deal: Opportunity) -> DealHistory:
    """As it is read."""
    return next(found for found in read_deals(BEGIN) if found.pk == deal.pk)


def seen(deal: Opportunity, weeks: float, home: Organisation) -> View:
    """The deal as it was seen then."""
    return view(history(deal), after(weeks), start_after=calendar_of(home).start_after)


def fresh(deal: Opportunity) -> Opportunity:
    return Opportunity.objects.get(pk=deal.pk)


def edit(deal: Opportunity, at: float, **changes: Any) -> None:
    update_opportunity(
        actor=factories.alice(), opportunity=deal, changes=changes, expected_version=fresh(deal).version, now=after(at)
    )


# --- what was known of a deal ---


def test_a_deal_is_seen_as_it_stood(organisation: Organisation, alice: User) -> None:
    deal = made()
    asks(deal, hours=20, weeks=6, at=1)
    found = seen(deal, 2, organisation)
    assert (found.sight, found.percent, found.temperature) == (Sight.SEEN, 40, "warm")
    assert (found.starts_on, found.hours) == (dt.date(2026, 9, 14), 120)


def test_before_it_was_entered_it_is_not_there(organisation: Organisation) -> None:
    deal = made(2)
    asks(deal, at=2)
    assert seen(deal, 1, organisation).sight is Sight.NOT_THERE


def test_before_somebody_said_what_it_takes_it_has_no_needs(organisation: Organisation) -> None:
    deal = made()
    asks(deal, at=3)
    assert seen(deal, 2, organisation).sight is Sight.NO_NEEDS
    assert seen(deal, 4, organisation).sight is Sight.SEEN


def test_a_deal_without_any_date_says_so_until_it_has_one(organisation: Organisation) -> None:
    deal = made(at="prospect", close_date=None, start_on=None)
    asks(deal)
    edit(deal, 3, close_date=dt.date(2026, 10, 1))
    assert seen(deal, 2, organisation).sight is Sight.NO_DATE
    assert seen(deal, 4, organisation).starts_on == dt.date(2026, 10, 15)


def test_dates_and_chances_are_those_of_the_moment(organisation: Organisation) -> None:
    deal = made()
    asks(deal)
    edit(deal, 2, start_on=dt.date(2026, 10, 5), probability=55)
    edit(deal, 4, start_on=dt.date(2026, 11, 2), probability=35)
    assert [seen(deal, week, organisation).percent for week in (1, 3, 5)] == [40, 55, 35]
    assert [str(seen(deal, week, organisation).starts_on) for week in (1, 3, 5)] == [
        "2026-09-14", "2026-10-05", "2026-11-02",
    ]  # fmt: skip


def test_a_move_between_stages_takes_its_chance_and_temperature_along(organisation: Organisation) -> None:
    deal = made()
    asks(deal)
    edit(deal, 1, probability=45)
    move(deal, "negotiation", now=after(3), reacts=False)
    before, later = seen(deal, 2, organisation), seen(deal, 4, organisation)
    assert (before.percent, before.temperature) == (45, "warm")
    assert (later.percent, later.temperature) == (80, "hot")


def test_needs_are_those_of_the_moment(organisation: Organisation) -> None:
    deal, other = made(), role("Tester")
    need = asks(deal, hours=20, weeks=6)
    for at, changes in ((2, {"hours_per_week": 30}), (4, {"role": other, "weeks": 2, "offset_weeks": 3})):
        change_need(actor=factories.ruth(), need=need, changes=changes, expected_version=None, now=after(at))
    cancel_need(actor=factories.ruth(), need=need, expected_version=None, now=after(6))
    restore_need(actor=factories.ruth(), need=need, now=after(8))
    shapes = [seen(deal, week, organisation).needs for week in (1, 3, 5, 7, 9)]
    told = [[(each.role, each.hours, each.weeks, each.offset) for each in found] for found in shapes]
    assert told == [
        [(role().pk, 20, 6, 0)], [(role().pk, 30, 6, 0)], [(other.pk, 30, 2, 3)], [], [(other.pk, 30, 2, 3)],
    ]  # fmt: skip


def _older(need: StaffingNeed, at: float, fields: dict[str, list[Any]]) -> None:
    """A change of a need as it was recorded before the replay."""
    Event.objects.create(
        name="staffing_needs.changed", at=after(at), subject_kind="staffingneed", subject_id=need.pk,
        opportunity_id=need.opportunity_id, data={"role": "Architect", "fields": fields},
    )  # fmt: skip


def test_older_changes_tell_hours_and_weeks(organisation: Organisation) -> None:
    need = asks(made(), hours=20, weeks=6)
    _older(need, 2, {"hours_per_week": ["10.00", "20.00"], "weeks": [3, 6]})
    assert [each.total for each in seen(need.opportunity, 1, organisation).needs] == [30]


def test_older_changes_of_a_role_do_not_tell_what_was_asked(organisation: Organisation) -> None:
    need = asks(made())
    _older(need, 2, {"role": ["Tester", "Architect"]})
    assert seen(need.opportunity, 1, organisation).sight is Sight.UNRECORDED
    assert seen(need.opportunity, 3, organisation).sight is Sight.SEEN


def test_in_the_archive_and_lost_it_is_not_there(organisation: Organisation) -> None:
    deal = made()
    asks(deal)
    actor = factories.alice()
    archive(actor=actor, opportunity=deal, expected_version=fresh(deal).version, now=after(2))
    restore(actor=actor, opportunity=deal, now=after(4))
    move(deal, "lost", now=after(6), reacts=False)
    reopen(actor=actor, opportunity=fresh(deal), reason="Back", expected_version=fresh(deal).version, now=after(8))
    wanted = [Sight.SEEN, Sight.NOT_THERE, Sight.SEEN, Sight.NOT_THERE, Sight.SEEN]
    assert [seen(deal, week, organisation).sight for week in (1, 3, 5, 7, 9)] == wanted


def test_what_an_import_tells_of_the_past_was_not_known_then(organisation: Organisation, alice: User) -> None:
    deal = Opportunity(name="Imported", owner=alice, currency="EUR", created_by=alice)
    stage = factories.stage("discovery")
    arrival = place(deal, [Step(stage, after(0))], home=organisation, now=after(4))
    add_many(actor=alice, arrivals=[arrival], source=Source.IMPORT, is_baseline=True, now=after(4))
    deal.refresh_from_db()
    asks(deal, at=5)
    assert seen(deal, 2, organisation).sight is Sight.TOLD_LATER


# --- what came ---


def came(deal: Opportunity, home: Organisation) -> Win | Apart | None:
    return win_of(history(deal), home=calendar_of(home))


def test_a_win_takes_what_was_asked_at_the_end_of_its_day(organisation: Organisation) -> None:
    deal = made()
    need = asks(deal, hours=20, weeks=6)
    move(deal, "won", now=after(4), reacts=False)
    change_need(
        actor=factories.ruth(), need=need, changes={"hours_per_week": 25}, expected_version=None,
        now=after(4) + dt.timedelta(hours=3),
    )  # fmt: skip
    change_need(actor=factories.ruth(), need=need, changes={"hours_per_week": 90}, expected_version=None, now=after(5))
    found = came(deal, organisation)
    assert isinstance(found, Win)
    assert (found.on, found.starts_on, found.hours) == (after(4).date(), dt.date(2026, 9, 14), 150)


def test_work_begins_with_the_start_that_is_named_now_but_not_before_the_win(organisation: Organisation) -> None:
    deal = made(close_date=dt.date(2026, 6, 10), start_on=dt.date(2026, 6, 15))
    asks(deal)
    move(deal, "won", now=after(4), reacts=False)
    first = came(deal, organisation)
    edit(deal, 5, start_on=dt.date(2026, 8, 3))
    second = came(deal, organisation)
    assert isinstance(first, Win)
    assert isinstance(second, Win)
    assert (first.starts_on, second.starts_on) == (after(4).date(), dt.date(2026, 8, 3))


@pytest.mark.parametrize("stated", [False, True])
def test_wins_without_needs_stand_apart(organisation: Organisation, stated: bool) -> None:
    deal = made()
    move(deal, "won", now=after(4), reacts=False)
    if stated:
        asks(deal, at=5)
    assert came(deal, organisation) is (Apart.LATE_NEEDS if stated else Apart.NO_NEEDS)


def test_a_win_that_came_with_an_import_stands_apart(organisation: Organisation, alice: User) -> None:
    deal = Opportunity(name="Imported", owner=alice, currency="EUR", created_by=alice)
    steps = [Step(factories.stage("discovery"), after(0)), Step(factories.stage("won"), after(4))]
    add_many(
        actor=alice, arrivals=[place(deal, steps, home=organisation, now=after(6))], source=Source.IMPORT,
        is_baseline=True, now=after(6),
    )  # fmt: skip
    assert came(deal, organisation) is Apart.IMPORTED


def test_what_is_open_lost_or_put_away_did_not_come(organisation: Organisation) -> None:
    still, lost, away = made(), made(), made()
    for deal in (still, lost, away):
        asks(deal)
    move(lost, "lost", now=after(2), reacts=False)
    move(away, "won", now=after(2), reacts=False)
    archive(actor=factories.alice(), opportunity=away, expected_version=fresh(away).version, now=after(3))
    assert [came(deal, organisation) for deal in (still, lost, away)] == [None, None, None]


# --- nothing of the future ---


def _said(home: Organisation, moment: dt.datetime) -> tuple[list[View], Any]:
    """All that is said of a moment."""
    calendar = calendar_of(home)
    views = [view(deal, moment, start_after=calendar.start_after) for deal in read_deals(BEGIN)]
    told = [found for found in views if found.sight.is_open]
    return told, read_closings(BEGIN, calendar).at(moment)


def test_whatever_happens_later_does_not_change_what_was_said(
    organisation: Organisation, architect: WorkRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("staffing.replay_learning.ENOUGH_CLOSED", 1)
    monkeypatch.setattr("staffing.horizon_learning.ENOUGH_SLIPS", 1)
    alice, ruth = factories.alice(), factories.ruth()
    deals = [made(number / 10) for number in range(6)]
    needs = [asks(deal, hours=10 + number, at=1) for number, deal in enumerate(deals)]
    for weeks, outcome in ((1, "won"), (2, "lost"), (2.5, "won")):
        closed = made(0)
        edit(closed, 0.5, close_date=dt.date(2026, 7, 1))
        move(closed, outcome, now=after(weeks), reacts=False)
    moment = after(4)
    before = _said(organisation, moment)
    assert len(before[0]) == 6
    assert before[1].shares
    assert before[1].slips.moved

    edit(deals[0], 5, probability=5, start_on=dt.date(2027, 5, 3), close_date=dt.date(2027, 4, 1))
    change_need(actor=ruth, need=needs[0], changes={"hours_per_week": 99, "role": role("Tester"), "weeks": 30},
                expected_version=None, now=after(5))  # fmt: skip
    cancel_need(actor=ruth, need=needs[1], expected_version=None, now=after(5))
    move(deals[1], "won", now=after(6), reacts=False)
    move(deals[2], "lost", now=after(6), reacts=False)
    archive(actor=alice, opportunity=deals[3], expected_version=fresh(deals[3]).version, now=after(6))
    move(deals[4], "won", now=after(6), reacts=False)
    reopen(
        actor=alice, opportunity=fresh(deals[4]), reason="No", expected_version=fresh(deals[4]).version, now=after(7)
    )
    reopen(actor=alice, opportunity=fresh(closed), reason="No", expected_version=fresh(closed).version, now=after(7))
    asks(deals[5], hours=80, at=6)
    asks(made(6), at=6)

    assert _said(organisation, moment) == before
    assert _said(organisation, after(8)) != before


# --- what was learned by then ---


def test_only_closings_known_by_then_teach(organisation: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("staffing.replay_learning.ENOUGH_CLOSED", 1)
    stage = factories.stage("discovery")
    for weeks, outcome in ((1, "won"), (3, "lost"), (5, "lost")):
        move(made(0), outcome, now=after(weeks), reacts=False)
    closings = read_closings(BEGIN, calendar_of(organisation))
    found = [closings.at(after(week)).shares.get(stage.pk) for week in (1, 2, 4, 6)]
    assert [share and (share.won, share.closed) for share in found] == [None, (1, 1), (1, 2), (1, 3)]


def test_it_learns_what_the_horizon_learned(organisation: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("staffing.replay_learning", "staffing.horizon_learning"):
        monkeypatch.setattr(f"{module}.ENOUGH_CLOSED", 2)
        monkeypatch.setattr(f"{module}.RECENT", 4)
    monkeypatch.setattr("staffing.horizon_learning.ENOUGH_SLIPS", 1)
    for number in range(12):
        deal = made(number / 10)
        if number % 3:
            edit(deal, 2, close_date=dt.date(2026, 9, 1) + number * DAY)
        move(deal, "lost" if number % 4 == 0 else "won", now=after(3 + number // 2), reacts=False)
    assert read_closings(BEGIN, calendar_of(organisation)).at(after(20)) == learn()


def test_without_any_closing_nothing_is_learned() -> None:
    found = Closings([]).at(BEGIN)
    assert not found.shares
    assert not found.slips.is_learned


def test_days_are_those_of_the_organisation() -> None:
    home = Calendar(dt.timezone(dt.timedelta(hours=10)), 14 * DAY)
    assert home.day(dt.datetime(2026, 6, 1, 20, tzinfo=dt.UTC)) == dt.date(2026, 6, 2)
    assert home.midnight(dt.date(2026, 6, 2)) == dt.datetime(2026, 6, 1, 14, tzinfo=dt.UTC)
