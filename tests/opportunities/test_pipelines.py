"""Pipelines, stages and gates as an administrator changes them."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from accounts.models import User
from events import names
from events.models import Event
from opportunities.models import Criterion, Opportunity, Pipeline, Stage
from opportunities.services import pipelines, stages
from opportunities.services.criteria import Demanded, demanded_of, offers_for
from opportunities.services.merging import Collision
from opportunities.services.moves import GateNotMet, move_to_stage
from tests import factories

NOW = timezone.now()


def change(actor: User, key: str, **wanted: object) -> Stage:
    """Change a stage of the default pipeline as the only administrator at work."""
    stage = factories.stage(key)
    gate = wanted.pop("gate", demanded_of(stage))
    base = {name: getattr(stage, name) for name in wanted}
    return stages.change_stage(
        actor=actor, stage=stage, wanted=wanted, base=base, demanded=gate, demanded_base=demanded_of(stage), now=NOW
    )


def active(pipeline: Pipeline) -> list[str]:
    """Keys in order."""
    return list(pipeline.stages.active().order_by("position").values_list("key", flat=True))


DEFAULT = ["prospect", "qualified", "discovery", "proposal", "negotiation", "won", "lost"]
SOUTH = {"kind": "open", "temperature": "warm", "probability": 50}

# --- who may --------------------------------------------------------------------------------------------------------


def test_only_administrators_change_anything(sam: User) -> None:
    pipeline, stage = factories.pipeline(), factories.stage("proposal")
    attempts = [
        lambda: pipelines.create_pipeline(actor=sam, name="Renewals", like=None, now=NOW),
        lambda: pipelines.change_pipeline(actor=sam, pipeline=pipeline, wanted={"name": "X"}, base={}, now=NOW),
        lambda: pipelines.shift_pipeline(actor=sam, pipeline=pipeline, by=1, now=NOW),
        lambda: pipelines.set_pipeline_active(actor=sam, pipeline=pipeline, is_active=False, now=NOW),
        lambda: stages.add_stage(actor=sam, pipeline=pipeline, values={"name": "Trial", **SOUTH}, now=NOW),
        lambda: change(sam, "proposal", probability=1),
        lambda: stages.shift_stage(actor=sam, stage=stage, by=1, now=NOW),
        lambda: stages.order_stages(actor=sam, pipeline=pipeline, order=[], seen=[], now=NOW),
        lambda: stages.archive_stage(actor=sam, stage=stage, move_to=None, now=NOW),
        lambda: stages.restore_stage(actor=sam, stage=stage, now=NOW),
    ]
    for attempt in attempts:
        with pytest.raises(PermissionDenied):
            attempt()
    assert not Event.objects.filter(name=names.SETTINGS_CHANGED).exists()


# --- pipelines ------------------------------------------------------------------------------------------------------


def test_new_pipeline_has_one_stage_of_each_kind(ada: User) -> None:
    made = pipelines.create_pipeline(actor=ada, name="Renewals", like=None, now=NOW)
    assert (made.key, active(made)) == ("renewals", ["open", "won", "lost"])


def test_new_pipeline_takes_over_stages_gates_and_policies(ada: User) -> None:
    made = pipelines.create_pipeline(actor=ada, name="Renewals", like=factories.pipeline(), now=NOW)
    assert active(made) == DEFAULT
    assert made.back_policy == factories.pipeline().back_policy
    copied = demanded_of(made.stages.get(key="proposal"))
    assert copied == demanded_of(factories.stage("proposal")) != frozenset()


def test_name_of_a_pipeline_is_taken_however_it_is_capitalised(ada: User) -> None:
    with pytest.raises(ValidationError, match="already a pipeline"):
        pipelines.create_pipeline(actor=ada, name="SALES", like=None, now=NOW)


def test_a_name_without_latin_letters_gets_a_key_all_the_same(ada: User) -> None:
    keys = [pipelines.create_pipeline(actor=ada, name=name, like=None, now=NOW).key for name in ("更新", "案件")]
    assert keys == ["pipeline", "pipeline-2"]


def test_renaming_keeps_the_key(ada: User) -> None:
    pipeline = factories.pipeline()
    pipelines.change_pipeline(actor=ada, pipeline=pipeline, wanted={"name": "New business"}, base={}, now=NOW)
    pipeline.refresh_from_db()
    assert (pipeline.key, pipeline.name) == ("sales", "New business")


def test_two_administrators_who_change_different_things_lose_nothing(ada: User) -> None:
    pipeline = factories.pipeline()
    base = {"name": "Sales", "skip_policy": "allow", "back_policy": "reason"}
    pipelines.change_pipeline(actor=ada, pipeline=pipeline, wanted={**base, "name": "New"}, base=base, now=NOW)
    pipelines.change_pipeline(
        actor=ada, pipeline=pipeline, wanted={**base, "skip_policy": "forbid"}, base=base, now=NOW
    )
    pipeline.refresh_from_db()
    assert (pipeline.name, pipeline.skip_policy) == ("New", "forbid")


def test_two_administrators_who_change_the_same_are_asked(ada: User) -> None:
    pipeline = factories.pipeline()
    pipelines.change_pipeline(actor=ada, pipeline=pipeline, wanted={"name": "One"}, base={"name": "Sales"}, now=NOW)
    with pytest.raises(Collision) as caught:
        pipelines.change_pipeline(actor=ada, pipeline=pipeline, wanted={"name": "Two"}, base={"name": "Sales"}, now=NOW)
    assert caught.value.fields == {"name": ("Sales", "One", "Two")}
    pipeline.refresh_from_db()
    assert pipeline.name == "One"


def test_saving_the_same_again_records_nothing(ada: User) -> None:
    pipeline = factories.pipeline()
    same = {"name": pipeline.name, "skip_policy": pipeline.skip_policy}
    pipelines.change_pipeline(actor=ada, pipeline=pipeline, wanted=same, base=same, now=NOW)
    change(ada, "proposal", probability=60)
    stages.shift_stage(actor=ada, stage=factories.stage("prospect"), by=-1, now=NOW)
    assert not Event.objects.filter(name__in=[names.SETTINGS_CHANGED, names.STAGE_REDEFINED]).exists()


def test_order_of_pipelines_stops_at_its_ends(ada: User) -> None:
    second = pipelines.create_pipeline(actor=ada, name="Renewals", like=None, now=NOW)
    for by in (1, -1, -1):
        pipelines.shift_pipeline(actor=ada, pipeline=second, by=by, now=NOW)
    assert [each.key for each in Pipeline.objects.all()] == ["renewals", "sales"]


def test_the_last_pipeline_stays_in_use(ada: User) -> None:
    with pytest.raises(ValidationError, match="only pipeline in use"):
        pipelines.set_pipeline_active(actor=ada, pipeline=factories.pipeline(), is_active=False, now=NOW)


def test_a_pipeline_with_open_deals_stays_in_use(ada: User) -> None:
    pipelines.create_pipeline(actor=ada, name="Renewals", like=None, now=NOW)
    factories.deal("prospect")
    factories.deal("lost")
    with pytest.raises(pipelines.DealsInTheWay) as caught:
        pipelines.set_pipeline_active(actor=ada, pipeline=factories.pipeline(), is_active=False, now=NOW)
    assert caught.value.count == 1


def test_a_retired_pipeline_comes_back(ada: User) -> None:
    made = pipelines.create_pipeline(actor=ada, name="Renewals", like=None, now=NOW)
    for is_active in (False, True):
        pipelines.set_pipeline_active(actor=ada, pipeline=made, is_active=is_active, now=NOW)
        made.refresh_from_db()
        assert made.is_active is is_active


# --- stages ---------------------------------------------------------------------------------------------------------


def test_new_open_stage_comes_before_won_and_lost(ada: User) -> None:
    stages.add_stage(actor=ada, pipeline=factories.pipeline(), values={"name": "Legal check", **SOUTH}, now=NOW)
    assert active(factories.pipeline()) == [*DEFAULT[:5], "legal-check", "won", "lost"]


def test_new_won_stage_means_won(ada: User) -> None:
    values = {"name": "Renewed", "kind": "won", "temperature": "cold", "probability": 5}
    made = stages.add_stage(actor=ada, pipeline=factories.pipeline(), values=values, now=NOW)
    assert (made.probability, made.temperature, made.forecast_category) == (100, "hot", "closed")


def test_a_stage_name_is_there_once(ada: User) -> None:
    with pytest.raises(ValidationError, match="already a stage"):
        stages.add_stage(actor=ada, pipeline=factories.pipeline(), values={"name": "proposal", **SOUTH}, now=NOW)
    with pytest.raises(ValidationError, match="already a stage"):
        change(ada, "discovery", name="Proposal")


def test_a_pipeline_has_an_end(ada: User) -> None:
    for number in range(stages.MAX_STAGES - len(DEFAULT)):
        stages.add_stage(actor=ada, pipeline=factories.pipeline(), values={"name": f"S{number}", **SOUTH}, now=NOW)
    with pytest.raises(ValidationError, match="at most 20"):
        stages.add_stage(actor=ada, pipeline=factories.pipeline(), values={"name": "One more", **SOUTH}, now=NOW)


@pytest.mark.parametrize(("key", "by", "expected"), [("proposal", -1, 2), ("proposal", 1, 4), ("negotiation", 1, 4)])
def test_a_stage_moves_among_those_of_its_kind(ada: User, key: str, by: int, expected: int) -> None:
    stages.shift_stage(actor=ada, stage=factories.stage(key), by=by, now=NOW)
    assert active(factories.pipeline()).index(key) == expected


def test_stages_take_the_order_of_the_drag(ada: User) -> None:
    pipeline = factories.pipeline()
    seen = list(pipeline.stages.active().order_by("position").values_list("pk", flat=True))
    order = [seen[2], seen[0], seen[1], *seen[3:]]
    stages.order_stages(actor=ada, pipeline=pipeline, order=order, seen=seen, now=NOW)
    assert active(pipeline)[:3] == ["discovery", "prospect", "qualified"]
    with pytest.raises(Collision):
        stages.order_stages(actor=ada, pipeline=pipeline, order=seen, seen=seen, now=NOW)


def test_a_drag_over_a_stage_that_was_archived_meanwhile_is_refused(ada: User) -> None:
    pipeline = factories.pipeline()
    seen = list(pipeline.stages.active().order_by("position").values_list("pk", flat=True))
    stages.archive_stage(actor=ada, stage=factories.stage("qualified"), move_to=None, now=NOW)
    with pytest.raises(Collision):
        stages.order_stages(actor=ada, pipeline=pipeline, order=seen[::-1], seen=seen, now=NOW)


def test_the_kind_is_fixed_once_a_deal_was_there(ada: User) -> None:
    change(ada, "qualified", kind="lost")
    assert active(factories.pipeline()) == [
        "prospect",
        "discovery",
        "proposal",
        "negotiation",
        "won",
        "qualified",
        "lost",
    ]
    factories.deal("proposal")
    with pytest.raises(ValidationError, match="stays what it was"):
        change(ada, "proposal", kind="won")


def test_the_last_stage_of_a_kind_keeps_it(ada: User) -> None:
    with pytest.raises(ValidationError, match="at least one stage"):
        change(ada, "won", kind="open")
    with pytest.raises(ValidationError, match="at least one stage"):
        stages.archive_stage(actor=ada, stage=factories.stage("lost"), move_to=None, now=NOW)


# --- gates ----------------------------------------------------------------------------------------------------------


def test_a_new_criterion_is_asked_at_the_next_move(ada: User, alice: User) -> None:
    deal = factories.deal("prospect", description="")
    change(ada, "qualified", gate=frozenset({Demanded.of("field", {"field": "description"})}))
    with pytest.raises(GateNotMet, match="what it is about"):
        move_to_stage(actor=alice, opportunity=deal, stage=factories.stage("qualified"), expected_version=1, now=NOW)


def test_criteria_that_two_administrators_pick_apart_are_both_kept(ada: User) -> None:
    stage = factories.stage("qualified")
    base = demanded_of(stage)
    for name in ("amount", "region"):
        stages.change_stage(
            actor=ada, stage=stage, wanted={}, base={}, demanded=base | {Demanded.of("field", {"field": name})},
            demanded_base=base, now=NOW,
        )  # fmt: skip
    fields = Criterion.objects.filter(stage=stage).values_list("params__field", flat=True)
    assert list(fields) == ["account", "amount", "region"]


def test_what_upper_apps_register_is_on_offer(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    class Reviewed:
        key, label = "reviewed", "An approved review"

        def missing(self, opportunity: Opportunity, params: dict[str, object]) -> list[object]:
            return []

    monkeypatch.setitem(__import__("opportunities.gates", fromlist=["KINDS"]).KINDS, "reviewed", Reviewed())
    change(ada, "won", gate=frozenset({Demanded("reviewed")}))
    assert demanded_of(factories.stage("won")) == {Demanded("reviewed")}
    assert "An approved review" in [offer.label for offer in offers_for(factories.stage("won"))]


def test_a_criterion_that_nothing_knows_any_more_can_be_taken_away(ada: User) -> None:
    stage = factories.stage("prospect")
    Criterion.objects.create(stage=stage, kind="gone")
    assert [offer.is_known for offer in offers_for(stage)][-1] is False
    change(ada, "prospect", gate=frozenset())
    assert not stage.criteria.exists()
