"""Stage history, timeline and the feed of events."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import psycopg2
import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Role, User
from api.timeline import settled
from events import names
from events.models import Event
from events.recording import record
from opportunities.models.history import Source
from opportunities.services.clients import add_account
from opportunities.services.editing import update_opportunity
from opportunities.services.moves import move_to_stage
from tests import factories
from tests.api.conftest import Program, queries_of

START = dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC)


def test_history_has_true_dates_and_days(alices: Program, alice: User) -> None:
    deal = factories.deal("prospect", now=START)
    move_to_stage(
        actor=alice, opportunity=deal, stage=factories.stage("discovery"), expected_version=None,
        now=START + dt.timedelta(days=3, hours=12), source=Source.BOARD,
    )  # fmt: skip
    rows = alices.rows(f"opportunities/{deal.pk}/history/?page_size=1")
    assert [(row["from"], row["to"]["key"], row["days_in_stage"]) for row in rows[:1]] == [(None, "prospect", 3.5)]
    assert (rows[1]["from"]["key"], rows[1]["to"]["key"], rows[1]["skipped"]) == ("prospect", "discovery", 1)
    assert (rows[1]["at"], rows[1]["by"]["name"], rows[1]["source"]) == ("2026-11-05T21:00:00Z", "Alice", "board")
    assert rows[1]["days_in_stage"] > 0


def test_timeline_is_newest_first(alices: Program, alice: User) -> None:
    deal = factories.deal("prospect")
    factories.deal("prospect")
    update_opportunity(
        actor=alice, opportunity=deal, changes={"next_step": "Call"}, expected_version=1, now=timezone.now()
    )
    rows = alices.rows(f"opportunities/{deal.pk}/timeline/?page_size=1")
    assert [row["name"] for row in rows] == ["opportunities.changed", "opportunities.created"]
    assert rows[0]["actor"] == {"id": alice.pk, "name": "Alice"}
    assert rows[0]["subject"] == {"kind": "opportunity", "id": deal.pk}
    assert rows[0]["text"] == "changed next step"
    assert rows[0]["data"]["fields"] == {"next_step": ["Send the offer", "Call"]}


@pytest.mark.parametrize("part", ["history", "timeline"])
def test_outsider_reads_nothing_of_a_deal(charlies: Program, part: str) -> None:
    assert charlies.get(f"opportunities/{factories.deal().pk}/{part}/").status == 404


@pytest.mark.parametrize("part", ["history", "timeline"])
def test_nobody_writes_history(alices: Program, part: str) -> None:
    deal = factories.deal()
    for method in ("POST", "PATCH", "PUT", "DELETE"):
        assert alices.ask(method, f"opportunities/{deal.pk}/{part}/").status == 405


def test_queries_do_not_grow(alices: Program, alice: User) -> None:
    deal = factories.deal("prospect")
    paths = [f"opportunities/{deal.pk}/history/", f"opportunities/{deal.pk}/timeline/"]
    few = [queries_of(alices, path) for path in paths]
    for key in ["qualified", "discovery", "proposal", "negotiation"] * 3:
        move_to_stage(
            actor=alice, opportunity=deal, stage=factories.stage(key), expected_version=None, now=timezone.now(),
            source=Source.BOARD, reason="because",
        )  # fmt: skip
    assert [queries_of(alices, path) for path in paths] == few
    assert max(few) <= 6


# --- the feed, on committed transactions ------------------------------------------------------------------------------


def settle() -> None:
    """Wait until no transaction of another test on this server holds the feed back."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute(
                "select coalesce(max(transaction_id), 0) < pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
                " from events_event where transaction_id < 4000000000"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.05)


@pytest.mark.django_db(transaction=True)
def test_feed_goes_on_after_the_last_event() -> None:
    program = Program(factories.alice())
    first, second = factories.deal("prospect"), factories.deal("prospect")
    settle()
    assert [row["opportunity"] for row in program.rows("events/?page_size=1")] == [first.pk, second.pk]
    last = program.rows("events/")[-1]["id"]
    assert program.get(f"events/?after={last}").json == {"next": None, "previous": None, "results": []}
    third = factories.deal("prospect")
    settle()
    assert [row["opportunity"] for row in program.rows(f"events/?after={last}")] == [third.pk]
    assert [row["opportunity"] for row in program.rows(f"events/?opportunity={second.pk}")] == [second.pk]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("after", ["999999999", "0", "-1", "abc", "", str(2**63)])
def test_feed_refuses_a_place_that_is_none(after: str) -> None:
    program = Program(factories.alice())
    factories.deal("prospect")
    answer = program.get(f"events/?after={after}")
    assert answer.status == 400
    assert list(answer.json["fields"]) == ["after"]


@pytest.mark.django_db(transaction=True)
def test_feed_tells_nobody_what_they_may_not_see() -> None:
    alice, charlie = factories.alice(), factories.charlie()
    deal = factories.deal("prospect")
    account = add_account(actor=alice, values={"name": "Secret client", "team": factories.team()}, now=timezone.now())
    with transaction.atomic():
        record(names.SETTINGS_CHANGED, actor=alice, about=account, now=timezone.now(), data={"what": "stages"})
        record(names.IMPORT_FINISHED, actor=None, about=deal, now=timezone.now(), data={"file": "secret.csv"})
    settle()
    assert Program(charlie).rows("events/") == []
    assert len(Program(factories.person("Eve", Role.EXECUTIVE)).rows("events/")) == 4
    assert {row["name"] for row in Program(alice).rows("events/")} == {
        names.OPPORTUNITY_CREATED, names.ACCOUNT_CHANGED, names.SETTINGS_CHANGED,
    }  # fmt: skip
    own = factories.deal(owner=charlie)
    settle()
    assert own.pk in [row["opportunity"] for row in Program(charlie).rows("events/")]


class Other:
    """Another process with a transaction of its own."""

    def __init__(self) -> None:
        parameters: dict[str, Any] = connection.get_connection_params()
        parameters.pop("cursor_factory", None)
        parameters.pop("context", None)
        self.connection = psycopg2.connect(**parameters)

    def take_transaction_id(self) -> None:
        """Write something, as a change does before its event."""
        with self.connection.cursor() as cursor:
            cursor.execute("select pg_current_xact_id()")

    def record(self) -> int:
        """Insert an event, uncommitted; its id."""
        with self.connection.cursor() as cursor:
            cursor.execute(
                "insert into events_event (name, at, subject_kind, subject_id, user_ids, data)"
                " values ('settings.changed', now(), 'stage', 1, '{}', '{}') returning id"
            )
            return int(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("order", ["late takes its transaction first", "late takes its transaction last"])
def test_feed_misses_no_event_that_commits_late(order: str) -> None:
    """A lower id that becomes visible after a higher one was read comes in the next answer, and each comes once."""
    factories.organisation()
    eve = Program(factories.person("Eve", Role.EXECUTIVE))
    late, quick = Other(), Other()
    if order == "late takes its transaction first":
        late.take_transaction_id()
        quick.take_transaction_id()
    else:
        quick.take_transaction_id()
        late.take_transaction_id()
    low, high = late.record(), quick.record()
    assert low < high
    seen = []

    def read() -> None:
        after = f"?after={seen[-1]}" if seen else ""
        seen.extend(row["id"] for row in eve.rows(f"events/{after}"))

    quick.connection.commit()
    if order == "late takes its transaction last":
        settle()
    read()
    if order == "late takes its transaction last":
        assert seen == [high], "nothing older can come before it"
    late.connection.commit()
    settle()
    read()
    third = Other()
    last = third.record()
    third.connection.commit()
    settle()
    read()
    assert sorted(seen) == [low, high, last]
    for other in (late, quick, third):
        other.connection.close()


@pytest.mark.django_db(transaction=True)
def test_feed_goes_on_after_a_restore_into_a_younger_server() -> None:
    """Events from before carry transaction ids that this server has not reached yet."""
    factories.organisation()
    eve = Program(factories.person("Eve", Role.EXECUTIVE))
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into events_event (name, at, subject_kind, subject_id, user_ids, data, transaction_id)"
            " values ('settings.changed', now(), 'stage', 1, '{}', '{}', 4000000000) returning id"
        )
        before = cursor.fetchone()[0]
    assert [row["id"] for row in eve.rows("events/")] == [before]
    deal = factories.deal("prospect")
    settle()
    assert [row["opportunity"] for row in eve.rows(f"events/?after={before}")] == [deal.pk]


@pytest.mark.django_db(transaction=True)
def test_feed_reads_by_its_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into events_event (name, at, subject_kind, subject_id, user_ids, data)"
            " select 'settings.changed', now(), 'stage', 1, '{}', '{}' from generate_series(1, 3000)"
        )
        cursor.execute("analyze events_event")
    after = Event.objects.order_by("pk")[0].pk
    assert "events_in_order_of_commit" in settled(Event.objects.all(), after=after)[:50].explain()
