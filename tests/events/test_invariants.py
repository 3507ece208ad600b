"""Each invariant finds what breaks it, and a sound database breaks none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.models import Organisation, User
from events.deliveries import deliver
from events.invariants import all_invariants, verify
from events.models import Delivery, DeliveryState
from handoffs import defaults as playbooks
from handoffs.models import DealReview, Engagement, EngagementState, ReviewState, Task, Trigger
from opportunities.models import Opportunity, Stage, StageTotal
from tests import factories
from tests.events.conftest import NOW, happen

pytestmark = pytest.mark.django_db(transaction=True)


def broken() -> set[str]:
    """The names of the invariants that do not hold."""
    return {finding.invariant.name for finding in verify(all_invariants()) if finding.count}


@contextmanager
def without_guards(table: str) -> Iterator[Any]:
    """A cursor with which one can do what the database otherwise refuses."""
    with connection.cursor() as cursor:
        cursor.execute(f"alter table {table} disable trigger user")
        yield cursor
        cursor.execute(f"alter table {table} enable trigger user")


@pytest.fixture
def deal(organisation: Organisation, alice: User) -> Opportunity:
    """A warm deal whose engagement was requested."""
    playbooks.create(organisation=organisation, now=NOW)
    deal = factories.deal("proposal", owner=alice)
    for delivery in Delivery.objects.order_by("id"):
        deliver(delivery.pk, attempt=0, now=dt.datetime.now(dt.UTC))
    return deal


def test_a_sound_database_breaks_none(deal: Opportunity) -> None:
    assert Engagement.objects.open().count() == 1
    assert broken() == set()


def test_a_warm_deal_without_engagement_is_found(deal: Opportunity) -> None:
    Task.objects.all().delete()
    Engagement.objects.all().delete()
    assert broken() == {"handoffs.warm_deals_are_engaged"}


def test_an_engagement_of_an_undone_move_does_not_count(deal: Opportunity) -> None:
    Engagement.objects.update(state=EngagementState.DONE, outcome="withdrawn")
    assert broken() == {"handoffs.warm_deals_are_engaged"}


def test_a_warm_deal_whose_engagement_is_on_its_way_is_fine(deal: Opportunity) -> None:
    Task.objects.all().delete()
    Engagement.objects.all().delete()
    Delivery.objects.update(state=DeliveryState.PENDING)
    assert broken() == set()


def test_a_second_open_engagement_is_found(deal: Opportunity) -> None:
    with connection.cursor() as cursor:
        cursor.execute("drop index handoffs_one_open_engagement")
        try:
            first = Engagement.objects.get()
            first.pk, first.trigger, first.trigger_event_id = None, Trigger.ASKED, None
            first.save(force_insert=True)
            assert broken() == {"handoffs.one_open_engagement"}
        finally:
            Engagement.objects.filter(trigger=Trigger.ASKED).delete()
            cursor.execute(
                "create unique index handoffs_one_open_engagement on handoffs_engagement (opportunity_id) "
                "where state in ('requested', 'accepted', 'active')"
            )


def test_an_engagement_without_signal_is_found(deal: Opportunity) -> None:
    Engagement.objects.update(trigger_event_id=None)
    assert broken() == {"handoffs.engagements_have_a_signal"}


def test_an_engagement_on_a_closed_deal_is_found(deal: Opportunity) -> None:
    DealReview.objects.update(state=ReviewState.CANCELLED)
    with without_guards("opportunities_opportunity"):
        Opportunity.objects.update(archived_at=NOW)
        StageTotal.objects.all().delete()
    assert broken() == {"handoffs.closed_deals_are_let_go"}


def test_a_stage_that_differs_from_its_history_is_found(deal: Opportunity) -> None:
    with without_guards("opportunities_opportunity"):
        Opportunity.objects.update(stage=Stage.objects.get(key="discovery"))
        StageTotal.objects.update(stage_id=Stage.objects.get(key="discovery").pk)
    assert broken() == {"opportunities.stage_is_newest_change"}


def test_a_gap_in_the_history_is_found(deal: Opportunity) -> None:
    with without_guards("opportunities_stagechange") as cursor:
        cursor.execute("update opportunities_stagechange set number = 2")
    assert broken() == {"opportunities.history_is_whole"}


def test_a_kind_that_is_not_the_stages_is_found(deal: Opportunity) -> None:
    DealReview.objects.update(state=ReviewState.CANCELLED)
    with without_guards("opportunities_opportunity"):
        Opportunity.objects.update(kind="won", closed_on=NOW.date(), archived_at=NOW)
        StageTotal.objects.all().delete()
        Engagement.objects.update(state=EngagementState.DONE, outcome="won")
    assert broken() == {"opportunities.kind_is_the_stage's"}


@pytest.mark.parametrize("change", [{"amount": 999}, {"deals": 2}, {"unpriced": 1}, {"weighted": 1}])
def test_a_total_that_is_off_is_found(deal: Opportunity, change: dict[str, Any]) -> None:
    StageTotal.objects.update(**change)
    assert broken() == {"opportunities.totals_are_right"}


def test_a_delivery_that_is_stuck_is_found(deal: Opportunity) -> None:
    with without_guards("events_event") as cursor:
        Delivery.objects.update(state=DeliveryState.PUBLISHED)
        cursor.execute("update events_event set recorded_at = now() - interval '11 minutes'")
    assert broken() == {"events.delivered"}


def test_a_delivery_that_was_given_up_is_found(deal: Opportunity) -> None:
    Delivery.objects.update(state=DeliveryState.DEAD)
    assert "events.none_given_up" in broken()


def test_the_command_is_quiet_about_a_sound_database(deal: Opportunity) -> None:
    said = StringIO()
    call_command("verify_invariants", stdout=said)
    assert "BROKEN" not in said.getvalue()


def test_the_command_fails_and_names_the_rows(deal: Opportunity) -> None:
    Delivery.objects.update(state=DeliveryState.DEAD, last_error="no playbook")
    said = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("verify_invariants", stdout=said)
    assert ended.value.code == 1
    assert "BROKEN events.none_given_up" in said.getvalue()
    assert "last_error no playbook" in said.getvalue()


def test_events_alone_break_nothing() -> None:
    happen()
    assert broken() == set()
