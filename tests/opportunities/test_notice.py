"""Notice lost to delivery by stages that were skipped or written down late."""

import datetime as dt

from accounts.models import Organisation, User
from opportunities.models import Opportunity, Stage, StageChange
from opportunities.queries.notice import notice_lost_since
from opportunities.services.moves import move_to_stage
from tests.cast import Browser
from tests.factories import deal, stage

MONDAY = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)


def moved(made: Opportunity, *, to: str, by: User, now: dt.datetime = MONDAY) -> StageChange:
    change = move_to_stage(
        actor=by, opportunity=made, stage=stage(to), expected_version=None, now=now, reason="They are in a hurry"
    ).change
    assert change is not None
    return change


def test_a_skipped_stage_costs_the_days_that_deals_are_expected_to_spend_in_it(
    as_alice: Browser, alice: User, organisation: Organisation
) -> None:
    Stage.objects.filter(key="qualified").update(expected_days=10)
    Stage.objects.filter(key="discovery").update(expected_days=15)
    made = deal(owner=alice, now=MONDAY - dt.timedelta(days=7))
    moved(made, to="proposal", by=alice)
    page = as_alice.get(f"/deals/{made.pk}/").content.decode()
    assert "25 business days less notice for delivery" in page
    [lost] = notice_lost_since(alice, MONDAY - dt.timedelta(days=1), home=organisation)
    assert (lost.change.opportunity, lost.days, lost.late_days) == (made, 25, 0)


def test_a_step_by_step_deal_costs_nothing(as_alice: Browser, alice: User, organisation: Organisation) -> None:
    made = deal(owner=alice, now=MONDAY - dt.timedelta(days=7))
    moved(made, to="qualified", by=alice)
    assert "less notice" not in as_alice.get(f"/deals/{made.pk}/").content.decode()
    assert notice_lost_since(alice, MONDAY - dt.timedelta(days=1), home=organisation) == []


def test_a_change_written_down_later_costs_the_business_days_between(
    as_alice: Browser, alice: User, organisation: Organisation
) -> None:
    made = deal(owner=alice, now=MONDAY - dt.timedelta(days=7))
    happened = MONDAY - dt.timedelta(days=3)  # the Friday before
    newest = made.stage_changes.get()
    StageChange.objects.create(
        opportunity=made, number=2, from_stage=newest.to_stage, to_stage=newest.to_stage, at=happened,
        recorded_at=MONDAY + dt.timedelta(days=1), source="sync",
    )  # fmt: skip
    assert "written down 2 days late" in as_alice.get(f"/deals/{made.pk}/").content.decode()
    [lost] = notice_lost_since(alice, MONDAY, home=organisation)
    assert lost.late_days == 2


def test_history_that_came_with_the_deal_costs_nothing(
    as_alice: Browser, alice: User, organisation: Organisation
) -> None:
    made = deal(owner=alice, now=MONDAY)
    newest = made.stage_changes.get()
    StageChange.objects.create(
        opportunity=made, number=2, from_stage=newest.to_stage, to_stage=newest.to_stage,
        at=MONDAY - dt.timedelta(days=60), recorded_at=newest.recorded_at, source="import",
    )  # fmt: skip
    assert notice_lost_since(alice, MONDAY - dt.timedelta(days=1), home=organisation) == []


def test_an_outsider_learns_nothing_of_it(charlie: User, alice: User, organisation: Organisation) -> None:
    made = deal(owner=alice, now=MONDAY - dt.timedelta(days=7))
    moved(made, to="proposal", by=alice)
    assert notice_lost_since(charlie, MONDAY - dt.timedelta(days=1), home=organisation) == []
