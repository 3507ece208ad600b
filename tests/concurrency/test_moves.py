"""Many people at the same deal, and one person at many deals."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from events import names
from events.deliveries import claim, database_now, deliver
from events.models import Delivery, DeliveryState, Event
from handoffs.models import Engagement
from opportunities.models import Account, Opportunity, StageChange
from opportunities.services.bulk import bulk_edit
from opportunities.services.closing import snooze
from opportunities.services.conversation import add_comment
from opportunities.services.editing import EditConflict, create_opportunity, update_opportunity
from opportunities.services.moves import move_to_stage, undo_move
from opportunities.services.versions import Stale
from tests.cast import Browser
from tests.factories import deal, stage

pytestmark = pytest.mark.django_db(transaction=True)

T = TypeVar("T")
R = TypeVar("R")


WEB_THREADS = 10  # as many as one web process has


def at_once(work: Callable[[T], R], given: Sequence[T]) -> list[R]:
    """What the work answers for each, as many at the same moment as a web process takes, each on its own connection."""
    threads = min(len(given), WEB_THREADS)
    start = threading.Barrier(threads)
    begun = iter(range(len(given)))

    def run(one: T) -> R:
        if next(begun) < threads:
            start.wait(30)
        try:
            return work(one)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, given))


def settle() -> None:
    """Run what is owed, as relay and worker would."""
    while rings := claim(100, database_now() + dt.timedelta(hours=1)):
        for ring in rings:
            deliver(ring.delivery_id, attempt=ring.attempt, now=database_now() + dt.timedelta(hours=1))


def order(made: Opportunity, to: str) -> dict[str, Any]:
    return {
        "stage": stage(to).pk,
        "version": made.version,
        "seen": made.stage_id,
        "request_id": str(uuid.uuid4()),
    }


def is_sound(made: Opportunity) -> bool:
    """The stage is that of the newest change, and the changes are numbered without a gap."""
    made.refresh_from_db()
    numbers = list(made.stage_changes.order_by("number").values_list("number", flat=True))
    newest = made.stage_changes.order_by("-number").first()
    return numbers == list(range(1, len(numbers) + 1)) and newest is not None and newest.to_stage_id == made.stage_id


def test_fifty_identical_posts_are_one_move(alice: User) -> None:
    made = deal("prospect", owner=alice)
    given, address = order(made, "discovery"), reverse("opportunities:move", args=[made.pk])
    browsers = [Browser(alice) for _ in range(50)]

    def post(browser: Browser) -> tuple[int, str]:
        response = browser.hx("post", address, given)
        return response.status_code, response.headers.get("HX-Trigger", "")

    answers = at_once(post, browsers)
    assert {status for status, _toast in answers} == {200}
    assert len({toast for _status, toast in answers}) == 1
    assert made.stage_changes.count() == 2
    assert Event.objects.filter(opportunity_id=made.pk, name=names.OPPORTUNITY_TURNED_WARM).count() == 1
    assert is_sound(made)


def test_twenty_identical_creations_make_one_deal(alice: User) -> None:
    request_id, now = uuid.uuid4(), timezone.now()

    def create(_number: int) -> int:
        values = {"name": "Portal"}
        made = create_opportunity(actor=alice, stage=stage("prospect"), values=values, now=now, request_id=request_id)
        return made.pk

    stage("prospect")
    assert len(set(at_once(create, range(20)))) == 1
    assert Opportunity.objects.count() == 1
    assert StageChange.objects.count() == 1


def test_twenty_identical_forms_add_one_account(alice: User) -> None:
    given = {
        "request_id": str(uuid.uuid4()), "name": "Portal", "account": "Initech", "currency": "EUR",
        "stage": stage("prospect").pk,
    }  # fmt: skip

    def post(browser: Browser) -> str:
        return str(browser.post("/deals/new/", given).headers.get("Location"))

    answers = at_once(post, [Browser(alice) for _ in range(20)])
    assert answers == [reverse("opportunities:detail", args=[Opportunity.objects.get().pk])] * 20
    assert Account.objects.count() == 1


def test_twenty_identical_comments_are_one(alice: User) -> None:
    made, request_id = deal(owner=alice), uuid.uuid4()

    def say(_number: int) -> int:
        return add_comment(actor=alice, opportunity=made, body="Once", now=timezone.now(), request_id=request_id).pk

    assert len(set(at_once(say, range(20)))) == 1
    assert Event.objects.filter(name=names.OPPORTUNITY_COMMENTED).count() == 1


def test_undoing_twenty_times_at_once_is_undoing_once(alice: User) -> None:
    made = deal("prospect", owner=alice)
    now = timezone.now()
    change = move_to_stage(
        actor=alice, opportunity=made, stage=stage("discovery"), expected_version=None, now=now
    ).change
    assert change is not None
    at_once(lambda _number: undo_move(actor=alice, change=change, now=now), range(20))
    assert made.stage_changes.count() == 3
    assert is_sound(made)


def test_of_two_simultaneous_moves_one_wins_and_the_other_is_told(alice: User, sam: User) -> None:
    stage("prospect")
    for _ in range(10):
        made = deal("prospect", owner=alice)

        def move(given: tuple[User, str], made: Opportunity = made) -> str:
            actor, to = given
            try:
                move_to_stage(
                    actor=actor, opportunity=made, stage=stage(to), expected_version=made.version, now=timezone.now(),
                    seen_stage_id=made.stage_id,
                )  # fmt: skip
            except Stale:
                return "told"
            return to

        answers = at_once(move, [(alice, "qualified"), (sam, "discovery")])
        made.refresh_from_db()
        assert sorted(answers) == sorted(["told", made.stage.key])
        assert is_sound(made)


def test_a_deal_whose_stage_changes_while_it_is_waited_for_is_found(alice: User, sam: User) -> None:
    """A lock that also joins the stage would find no row once the stage has changed."""
    made = deal("prospect", owner=alice)
    stage("prospect")

    def write(number: int) -> None:
        now = timezone.now()
        if number % 2:
            to = stage("qualified" if number % 4 == 1 else "discovery")
            move_to_stage(actor=sam, opportunity=made, stage=to, expected_version=None, now=now, reason="To and fro")
        else:
            snooze_until = dt.date(2099, 1, 1) + dt.timedelta(days=number)
            with contextlib.suppress(Stale):
                snooze(
                    actor=alice, opportunity=made, until=snooze_until, reason="Wait", expected_version=1, now=now
                )  # fmt: skip

    at_once(write, range(40))
    assert is_sound(made)


def test_warm_hot_warm_hot_by_two_people_ends_with_one_engagement(alice: User, sam: User, dan: User) -> None:
    made = deal("prospect", owner=alice)
    way = ["discovery", "negotiation", "discovery", "negotiation"]
    for number, to in enumerate(way):
        move_to_stage(
            actor=(alice, sam)[number % 2], opportunity=made, stage=stage(to), expected_version=None,
            now=timezone.now(), reason="To and fro",
        )  # fmt: skip
    settle()
    assert is_sound(made)
    assert (made.stage.key, made.temperature) == ("negotiation", "hot")
    assert Engagement.objects.open().filter(opportunity=made).count() == 1
    assert Engagement.objects.filter(opportunity=made).count() == 1
    templates = list(made.tasks.values_list("template_id", flat=True))
    assert len(templates) == len(set(templates))
    assert not Delivery.objects.exclude(state=DeliveryState.DONE).exists()


def test_warm_and_hot_at_the_very_same_time_stay_sound(alice: User, sam: User, dan: User) -> None:
    made = deal("prospect", owner=alice)
    stage("prospect")

    def to_and_fro(actor: User) -> None:
        for to in ("discovery", "negotiation") * 2:
            move_to_stage(
                actor=actor, opportunity=made, stage=stage(to), expected_version=None, now=timezone.now(),
                reason="To and fro",
            )  # fmt: skip

    at_once(to_and_fro, [alice, sam])
    settle()
    assert is_sound(made)
    assert Engagement.objects.filter(opportunity=made).count() == 1


def test_no_edit_is_lost_in_a_hundred_pairs(alice: User, sam: User) -> None:
    made = deal("prospect", owner=alice)
    told = 0
    for number in range(100):
        made.refresh_from_db()
        base = {"amount": made.amount}

        def edit(given: tuple[User, Decimal], made: Opportunity = made, base: Any = base) -> bool:
            actor, amount = given
            try:
                update_opportunity(
                    actor=actor, opportunity=made, changes={"amount": amount}, base=base,
                    expected_version=made.version, now=timezone.now(),
                )  # fmt: skip
            except EditConflict:
                return False
            return True

        saved = at_once(edit, [(alice, Decimal(2 * number + 1)), (sam, Decimal(2 * number + 2))])
        assert sorted(saved) == [False, True]
        told += saved.count(False)
    assert told == 100
    changes = Event.objects.filter(opportunity_id=made.pk, name=names.OPPORTUNITY_CHANGED).order_by("pk")
    assert [change.data["fields"]["amount"][0] for change in changes[1:]] == [
        change.data["fields"]["amount"][1] for change in list(changes)[:-1]
    ]


@pytest.mark.slow
def test_five_thousand_deals_made_hot_at_once(alice: User, dan: User) -> None:
    count = 5_000
    first = deal("discovery", owner=alice)
    with connection.cursor() as cursor:
        cursor.execute("begin")
        columns = [f.column for f in Opportunity._meta.concrete_fields if f.column != "id"]
        joined = ", ".join(f'"{column}"' for column in columns)
        cursor.execute(
            f"insert into opportunities_opportunity ({joined}) select {joined} from opportunities_opportunity,"
            " generate_series(2, %s)",
            [count],
        )
        cursor.execute(
            "insert into opportunities_stagechange (opportunity_id, number, to_stage_id, at, recorded_at, source,"
            " reason, skipped, before) select id, 1, stage_id, now(), now(), 'import', '', 0, '{}' from"
            " opportunities_opportunity where id <> %s",
            [first.pk],
        )
        cursor.execute("commit")
    ids = list(Opportunity.objects.values_list("pk", flat=True))
    hot = stage("negotiation")

    def make_hot(part: list[int]) -> int:
        return bulk_edit(actor=alice, deal_ids=part, stage=hot, now=timezone.now()).changed

    with CaptureQueriesContext(connection) as few:
        assert make_hot(ids[:10]) == 10
    # The cost of a row is bounded, whatever the number of rows.
    assert len(few) <= 10 * 15 + 5
    assert sum(at_once(make_hot, [ids[at : at + 499] for at in range(10, count, 499)])) == count - 10
    assert Opportunity.objects.filter(temperature="hot").count() == count
    assert Event.objects.filter(name=names.OPPORTUNITY_TURNED_HOT).count() == count
    owed = Delivery.objects.filter(event__name=names.OPPORTUNITY_TURNED_HOT)
    assert owed.count() == count * len({delivery.handler for delivery in owed[:50]})
