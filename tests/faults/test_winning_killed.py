"""A win whose process is killed at any statement: nothing of it is there, or all of it, and again makes it once."""

from __future__ import annotations

import os
import random
import signal
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count

from accounts.models import Organisation, User
from events import names
from events.invariants import all_invariants, verify
from events.models import Event
from handoffs import defaults
from handoffs.models import Handoff, RampPlan, RelationshipTransfer, Task
from handoffs.services.commitments import add_commitment
from opportunities.models import Opportunity, StageChange, StageKind
from opportunities.services.moves import move_to_stage
from tests import factories
from tests.handoffs.handing import named_on
from tests.handoffs.reactions import MONDAY, deal, fresh, react

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
# Statements at which it is killed, besides the first and the last; how often it is repeated afterwards.
KILLED, REPEATED = 30, 6
BEFORE_COMMIT, AFTER_COMMIT = "before the commit", "after the commit"


@pytest.fixture
def offered(organisation: Organisation, alice: User, dan: User) -> Callable[[], Opportunity]:
    """Makes deals at the offer, with a promise and a person at the client."""
    defaults.create(organisation=organisation, now=MONDAY)

    def make() -> Opportunity:
        made = deal("proposal", owner=alice, delivery_owner=dan)
        values = {"text": "Go live in March", "kind": "date", "source": "call"}
        add_commitment(actor=alice, opportunity=made, values=values, now=MONDAY)
        named_on(made, "Kari", by=alice)
        return fresh(made)

    return make


def win(deal_: Opportunity, request: uuid.UUID) -> None:
    """The win, as the page asks for it."""
    move_to_stage(
        actor=factories.alice(), opportunity=deal_, stage=factories.stage("won"), expected_version=deal_.version,
        now=MONDAY, request_id=request,
    )  # fmt: skip


def win_and_die(deal_: Opportunity, request: uuid.UUID, at: int | str) -> bool:
    """Win in a process of its own that kills itself there; whether it did."""
    connection.close()
    child = os.fork()
    if child == 0:
        _die(deal_, request, at)
    _pid, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "the win failed in its process"
    return False


def _die(deal_: Opportunity, request: uuid.UUID, at: int | str) -> None:
    """In the child: win, and be killed before the statement of that number, or beside the commit. Never returns."""
    seen = 0
    wrapper: Any = connection
    commit = wrapper._commit

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal seen
        seen += 1
        if seen == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, params, many, context)

    def die_committing() -> None:
        if at == AFTER_COMMIT:
            commit()
        os.kill(os.getpid(), signal.SIGKILL)

    code = 1
    try:
        if isinstance(at, str):
            wrapper._commit = die_committing
        with connection.execute_wrapper(count):
            win(deal_, request)
        code = 0
    finally:
        # Nothing of pytest may be tidied up here.
        os._exit(code)


def cost_of(deal_: Opportunity) -> int:
    """How many statements a win takes."""
    seen: list[str] = []

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        win(deal_, uuid.uuid4())
    return len(seen)


def seen_of(deal_: Opportunity) -> dict[str, int]:
    """What there is of a win."""
    won = Opportunity.objects.filter(pk=deal_.pk, kind=StageKind.WON)
    return {
        "won": won.count(),
        "changes": StageChange.objects.filter(opportunity=deal_, to_stage__kind=StageKind.WON).count(),
        "events": Event.objects.filter(opportunity_id=deal_.pk, name=names.OPPORTUNITY_WON).count(),
        "handoffs": Handoff.objects.filter(opportunity=deal_).count(),
        "plans": RampPlan.objects.filter(opportunity=deal_).count(),
        "people": RelationshipTransfer.objects.filter(handoff__opportunity=deal_).count(),
        "items": Task.objects.filter(opportunity=deal_, handoff__isnull=False).count(),
        "milestones": Task.objects.filter(opportunity=deal_, ramp_plan__isnull=False).count(),
    }


WHOLE = {
    "won": 1, "changes": 1, "events": 1, "handoffs": 1, "plans": 1, "people": 1, "items": 15, "milestones": 18,
}  # fmt: skip
NOTHING = dict.fromkeys(WHOLE, 0)


def chosen(total: int) -> list[int | str]:
    """The first and the last statement, some between them, and the moments around the commit."""
    between = range(2, total)
    picked = random.Random(20261123).sample(between, min(KILLED, len(between)))
    return [1, *sorted(picked), total, BEFORE_COMMIT]


def test_a_killed_win_leaves_nothing(offered: Callable[[], Opportunity]) -> None:
    total = cost_of(offered())
    offer, request = offered(), uuid.uuid4()
    for at in chosen(total):
        assert win_and_die(offer, request, at), f"not killed at {at} of {total}"
        assert seen_of(offer) == NOTHING, f"killed at {at} of {total}"
    win(offer, request)
    assert seen_of(offer) == WHOLE


def test_the_same_request_again_makes_it_once(offered: Callable[[], Opportunity]) -> None:
    moments = chosen(cost_of(offered()))
    for at in [*moments[:: len(moments) // REPEATED], AFTER_COMMIT]:
        offer, request = offered(), uuid.uuid4()
        assert win_and_die(offer, request, at)
        assert seen_of(offer) == (WHOLE if at == AFTER_COMMIT else NOTHING), f"killed at {at}"
        for _ in range(2):
            win(offer, request)
            assert seen_of(offer) == WHOLE, f"killed at {at}"
    react()
    assert set(Task.objects.values_list("opportunity", "template").annotate(n=Count("pk")).values_list("n")) == {(1,)}
    assert [finding for finding in verify(all_invariants()) if finding.count] == []


def test_it_would_be_noticed_if_it_were_not_killed(offered: Callable[[], Opportunity]) -> None:
    offer = offered()
    assert not win_and_die(offer, uuid.uuid4(), at=10_000)
    assert seen_of(offer) == WHOLE
