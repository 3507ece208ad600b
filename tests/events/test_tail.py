"""Following the table: each event once, also when ids become visible out of order."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from events import names, recording
from events.models import Event
from events.tail import GRACE_SECONDS, MOST_GAPS, Follower, News, Position, Tail
from tests.events.conftest import NOW, happen


def seen(*ids: int) -> list[Event]:
    """Events with these ids."""
    return [Event(id=pk) for pk in ids]


def take(follower: Follower, *ids: int, oldest: int = 100, following: int = 100, at: float = 0.0) -> list[int]:
    """The ids that the follower hands out."""
    return [e.id for e in follower.take(seen(*ids), oldest_running=oldest, next_one=following, at=at)]


def test_new_events_are_handed_out_once() -> None:
    follower = Follower()
    assert take(follower, 1, 2) == [1, 2]
    assert take(follower) == []


def test_an_id_that_becomes_visible_late_is_handed_out() -> None:
    follower = Follower(last_id=4)
    assert take(follower, 5, 7) == [5, 7]
    assert list(follower.gaps) == [6]
    assert take(follower, 6) == [6]
    assert follower.gaps == {}


def test_a_gap_is_kept_as_long_as_a_transaction_of_then_runs() -> None:
    follower = Follower()
    take(follower, 2, oldest=90, following=100)
    take(follower, oldest=99, following=200, at=10_000)
    assert list(follower.gaps) == [1]


def test_a_gap_is_forgotten_when_nobody_can_fill_it_any_more() -> None:
    follower = Follower()
    take(follower, 2, oldest=90, following=100)
    take(follower, oldest=100, following=200, at=GRACE_SECONDS - 1)
    assert list(follower.gaps) == [1]
    take(follower, oldest=100, following=200, at=GRACE_SECONDS + 1)
    assert follower.gaps == {}


def test_a_large_gap_costs_a_bounded_amount_of_memory() -> None:
    follower = Follower()
    take(follower, 10_000_000)
    assert len(follower.gaps) == MOST_GAPS


@given(st.permutations(range(1, 30)), st.lists(st.integers(1, 6)))
@settings(max_examples=200)
def test_in_whatever_order_ids_appear_each_is_handed_out_once(order: list[int], looks: list[int]) -> None:
    follower, handed = Follower(), []
    sizes = iter([*looks, *([1] * len(order))])
    while order:
        size = next(sizes)
        appeared, order = sorted(order[:size]), order[size:]
        handed += take(follower, *appeared)
    assert sorted(handed) == list(range(1, 30))


@pytest.mark.parametrize("text", ["", "7", "-", "7-", "-7", "a-b", "7-8-9", "²-1", "1" * 30 + "-" + "1" * 30, "7-8\n"])
def test_a_position_that_is_not_ours_is_none(text: str) -> None:
    assert Position.parse(text) is None


def test_a_position_survives_its_text() -> None:
    assert Position.parse(str(Position(7, 12))) == Position(7, 12)


def test_a_position_tells_what_its_reader_may_have_missed() -> None:
    position = Position(last_id=7, oldest_running=50)
    assert position.is_before(Event(id=8, transaction_id=40))
    assert position.is_before(Event(id=6, transaction_id=50))
    assert not position.is_before(Event(id=6, transaction_id=49))


@pytest.fixture
def heard(transactional_db: None) -> Iterator[list[News]]:
    """What a tail tells, as it comes."""
    news: list[News] = []
    tail = Tail(news.append)
    tail.start()
    wait_for(lambda: bool(news))
    yield news
    tail.stop()


def wait_for(condition: object, seconds: float = 10) -> None:
    """Until it holds."""
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)


def ids(news: list[News]) -> list[int]:
    """The ids of all events told."""
    return [event.id for one in news for event in one.events]


def test_the_tail_begins_with_what_comes(transactional_db: None) -> None:
    happen()
    news: list[News] = []
    tail = Tail(news.append)
    tail.start()
    wait_for(lambda: bool(news))
    event = happen()
    wait_for(lambda: len(news) > 1)
    tail.stop()
    assert ids(news) == [event.id]


def test_a_transaction_that_commits_late_is_told_late_but_told(heard: list[News]) -> None:
    recorded, may_commit = threading.Event(), threading.Event()
    slow: list[int] = []

    def write_slowly() -> None:
        with transaction.atomic():
            slow.append(recording.record(names.IMPORT_FINISHED, actor=None, about=Event(pk=0), now=NOW).id)
            recorded.set()
            may_commit.wait(10)
        connection.close()

    writer = threading.Thread(target=write_slowly)
    writer.start()
    recorded.wait(10)
    quick = happen().id
    wait_for(lambda: quick in ids(heard))
    before = list(ids(heard))
    may_commit.set()
    writer.join()
    wait_for(lambda: slow[0] in ids(heard))
    assert slow[0] < quick
    assert before == [quick]
    assert ids(heard) == [quick, slow[0]]


def test_the_position_reaches_back_to_what_had_not_committed(heard: list[News]) -> None:
    """A browser that comes back with the position gets the slow transaction's event, though its id is lower."""
    recorded, may_commit = threading.Event(), threading.Event()
    slow: list[int] = []

    def write_slowly() -> None:
        with transaction.atomic():
            slow.append(recording.record(names.IMPORT_FINISHED, actor=None, about=Event(pk=0), now=NOW).id)
            recorded.set()
            may_commit.wait(10)
        connection.close()

    writer = threading.Thread(target=write_slowly)
    writer.start()
    recorded.wait(10)
    quick = happen()
    wait_for(lambda: quick.id in ids(heard))
    position = heard[-1].position
    may_commit.set()
    writer.join()
    assert position.is_before(Event.objects.get(pk=slow[0]))


def test_the_tail_goes_on_after_losing_the_database(heard: list[News]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )
    event = happen()
    wait_for(lambda: event.id in ids(heard))


def test_many_at_once_are_all_told(heard: list[News]) -> None:
    with transaction.atomic():
        some = [recording.Occurrence(names.IMPORT_FINISHED, Event(pk=0)) for _number in range(2_500)]
        written = recording.record_many(some, actor=None, now=NOW)
    wait_for(lambda: len(ids(heard)) == len(written))
    assert ids(heard) == [event.id for event in written]
