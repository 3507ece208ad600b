"""Administrators and reps at the same pipeline at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import User
from opportunities.models import Opportunity, Stage
from opportunities.services import stages
from opportunities.services.moves import move_to_stage
from opportunities.services.policies import IllegalMove
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
NOW = timezone.now()


def at_once(*works: Callable[[], object]) -> list[object]:
    """Run all at the same moment; results or the exceptions, in order."""
    start = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        start.wait(10)
        try:
            return work()
        except (ValidationError, IllegalMove) as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result() for future in [pool.submit(run, work) for work in works]]


def test_a_stage_that_many_add_is_there_once(ada: User) -> None:
    pipeline = factories.pipeline()
    values = {"name": "Legal check", "kind": "open", "temperature": "warm", "probability": 50}
    answers = at_once(
        *[lambda: stages.add_stage(actor=ada, pipeline=pipeline, values=values, now=NOW) for _ in range(6)]
    )
    assert sum(isinstance(answer, Stage) for answer in answers) == 1
    assert pipeline.stages.filter(name="Legal check").count() == 1


def test_shifts_at_once_leave_an_order(ada: User) -> None:
    pipeline = factories.pipeline()
    open_stages = list(pipeline.stages.filter(kind="open"))
    at_once(
        *[
            lambda stage=stage, by=by: stages.shift_stage(actor=ada, stage=stage, by=by, now=NOW)
            for stage in open_stages
            for by in (1, -1)
        ]
    )
    assert sorted(pipeline.stages.values_list("position", flat=True)) == list(range(7))
    assert [stage.kind for stage in pipeline.stages.order_by("position")][-2:] == ["won", "lost"]


def test_the_last_two_open_stages_are_not_both_archived(ada: User) -> None:
    for key in ("prospect", "qualified", "discovery"):
        stages.archive_stage(actor=ada, stage=factories.stage(key), move_to=None, now=NOW)
    last = [factories.stage(key) for key in ("proposal", "negotiation")]
    answers = at_once(
        *[lambda stage=stage: stages.archive_stage(actor=ada, stage=stage, move_to=None, now=NOW) for stage in last]
    )
    assert sum(isinstance(answer, ValidationError) for answer in answers) == 1
    assert Stage.objects.active().filter(kind="open").count() == 1


@pytest.mark.parametrize("_round", range(5))
def test_no_deal_slips_into_a_stage_that_is_being_archived(ada: User, alice: User, _round: int) -> None:
    deals = factories.deals(4, "prospect")
    stage, target = factories.stage("qualified"), factories.stage("discovery")
    at_once(
        lambda: stages.archive_stage(actor=ada, stage=stage, move_to=target, now=NOW),
        *[
            lambda deal=deal: move_to_stage(
                actor=alice, opportunity=deal, stage=stage, expected_version=1, now=NOW, reason="Next"
            )
            for deal in deals
        ],
    )
    assert not Opportunity.objects.filter(stage=stage).exists()
    assert Opportunity.objects.filter(stage__key__in=["prospect", "discovery"]).count() == 4


def test_the_database_refuses_what_slips_past_the_services(ada: User) -> None:
    stage = factories.stage("qualified")
    deal = factories.deal("qualified")
    stages.archive_stage(actor=ada, stage=stage, move_to=factories.stage("discovery"), now=NOW)

    def slip() -> None:
        with transaction.atomic():
            Opportunity.objects.filter(pk=deal.pk).update(stage=stage)
            deal.stage_changes.create(number=9, to_stage=stage, at=NOW, source="system")

    with pytest.raises(IntegrityError, match="is archived"):
        slip()
