"""A deal that surfaces without having been forecast is flagged, with every reason, and only then."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from accounts.models import User
from events import names
from events.models import Event
from opportunities.models import ForecastSnapshot, Opportunity
from opportunities.services.editing import update_opportunity
from opportunities.services.forecast import lock_snapshot, lock_when_due
from opportunities.services.moves import move_to_stage
from tests import factories

pytestmark = pytest.mark.django_db
MONDAY = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)


def _move(user: User, deal: Opportunity, key: str) -> Opportunity:
    return move_to_stage(
        actor=user, opportunity=deal, stage=factories.stage(key), expected_version=None, now=timezone.now()
    ).opportunity


def _deal(owner: User, at: str = "qualified") -> Opportunity:
    return factories.deals(1, at, owner=owner)[0]


def test_one_step_to_warm_is_no_surprise(alice: User) -> None:
    deal = _move(alice, _deal(alice), "discovery")
    assert not deal.is_unforecasted
    assert not Event.objects.filter(name=names.OPPORTUNITY_SURFACED_UNFORECASTED).exists()


@pytest.mark.parametrize(
    ("start", "end", "reasons"),
    [
        ("qualified", "negotiation", {"cold_to_hot", "stage_skipped"}),
        ("prospect", "discovery", {"stage_skipped"}),
        ("prospect", "won", {"stage_skipped"}),
        ("prospect", "qualified", set()),
    ],
)
def test_reasons_of_a_move(alice: User, start: str, end: str, reasons: set[str]) -> None:
    deal = _move(alice, _deal(alice, start), end)
    assert set(deal.unforecasted_reasons) == reasons
    assert deal.is_unforecasted is bool(reasons)


def test_first_seen_warm(alice: User) -> None:
    assert _deal(alice, "discovery").unforecasted_reasons == ["first_seen_warm"]


def test_absent_from_the_last_snapshot(alice: User) -> None:
    known = _deal(alice)
    lock_snapshot(now=MONDAY)
    unknown = _deal(alice)
    assert _move(alice, known, "discovery").unforecasted_reasons == []
    assert _move(alice, unknown, "discovery").unforecasted_reasons == ["not_in_snapshot"]


@pytest.mark.parametrize(("days", "is_surprise"), [(14, False), (15, True)])
def test_close_date_pulled_in_by_more_than_the_set_days(alice: User, days: int, is_surprise: bool) -> None:
    deal = _deal(alice)
    assert deal.close_date
    sooner = deal.close_date - dt.timedelta(days=days)
    deal = update_opportunity(
        actor=alice, opportunity=deal, changes={"close_date": sooner}, expected_version=deal.version,
        now=timezone.now(),
    )  # fmt: skip
    assert deal.is_unforecasted is is_surprise
    assert deal.push_count == 0


def test_the_week_is_locked_once_and_the_first_time_on_a_monday(alice: User) -> None:
    tuesday, wednesday = MONDAY + dt.timedelta(days=1), MONDAY + dt.timedelta(days=2)
    assert lock_when_due(now=tuesday) is None
    first = lock_when_due(now=MONDAY)
    assert lock_when_due(now=wednesday) == first
    lock_when_due(now=MONDAY + dt.timedelta(days=9))
    assert list(ForecastSnapshot.objects.values_list("period", flat=True)) == [
        dt.date(2026, 11, 30),
        dt.date(2026, 11, 23),
    ]
