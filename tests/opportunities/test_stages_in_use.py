"""A stage comes to mean something else, or goes out of use: what that does to its deals."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.models import User
from events import names
from events.models import Event
from opportunities import handlers
from opportunities.models import GateBypass, Opportunity, Stage, StageChange
from opportunities.models.history import Source
from opportunities.services import pipelines, redefinition, stages
from opportunities.services.criteria import Demanded
from opportunities.services.moves import CannotUndo, move_to_stage, set_temperature, undo_move
from opportunities.services.policies import IllegalMove
from tests import factories
from tests.opportunities.test_pipelines import DEFAULT, NOW, active, change


def run_following(stage: Stage) -> int:
    """Deliver what the newest redefinition of the stage owes, until nothing is left; gives the number of rounds."""
    rounds = 0
    done: set[int] = set()
    while True:
        waiting = Event.objects.filter(name=names.STAGE_REDEFINED, subject_id=stage.pk).exclude(pk__in=done).first()
        if waiting is None:
            return rounds
        handlers.follow_stage(event=waiting, now=NOW)
        done.add(waiting.pk)
        rounds += 1


def test_open_deals_follow_a_new_temperature(ada: User) -> None:
    follows, own = factories.deal("qualified"), factories.deal("qualified")
    set_temperature(actor=ada, opportunity=own, temperature="hot", reason="Knows us", expected_version=1, now=NOW)
    lost, elsewhere = factories.deal("lost"), factories.deal("prospect")
    change(ada, "qualified", temperature="warm")
    run_following(factories.stage("qualified"))
    found = dict(Opportunity.objects.values_list("pk", "temperature"))
    assert [found[deal.pk] for deal in (follows, own, lost, elsewhere)] == ["warm", "hot", "cold", "cold"]
    signals = Event.objects.filter(name=names.OPPORTUNITY_TURNED_WARM)
    assert [(event.opportunity_id, event.actor_id) for event in signals] == [(follows.pk, ada.pk)]


def test_a_new_meaning_surprises_nobody(ada: User) -> None:
    deal = factories.deal("qualified")
    change(ada, "qualified", temperature="hot")
    run_following(factories.stage("qualified"))
    deal.refresh_from_db()
    assert (deal.temperature, deal.is_unforecasted, deal.version) == ("hot", False, 2)


def test_deals_with_a_probability_of_their_own_keep_it(ada: User) -> None:
    usual, own = factories.deal("proposal", now=NOW), factories.deal("proposal", now=NOW, probability=75)
    change(ada, "proposal", probability=65, forecast_category="commit")
    run_following(factories.stage("proposal"))
    found = dict(Opportunity.objects.values_list("pk", "probability"))
    assert (found[usual.pk], found[own.pk]) == (65, 75)
    assert set(Opportunity.objects.values_list("forecast_category", flat=True)) == {"commit"}


def test_following_twice_or_out_of_order_ends_the_same(ada: User) -> None:
    deal = factories.deal("proposal", now=NOW)
    change(ada, "proposal", probability=65, temperature="hot")
    change(ada, "proposal", probability=70, temperature="warm")
    for event in [*Event.objects.filter(name=names.STAGE_REDEFINED).order_by("-pk")] * 2:
        handlers.follow_stage(event=event, now=NOW)
    deal.refresh_from_db()
    assert (deal.probability, deal.temperature, deal.version) == (70, "warm", 2)


def test_a_deal_that_came_later_keeps_what_its_owner_says(ada: User) -> None:
    change(ada, "proposal", probability=70, temperature="hot")
    later = factories.deal("proposal", probability=60, now=NOW + dt.timedelta(minutes=5))
    # As a move leaves it that read the stage just before it changed.
    Opportunity.objects.filter(pk=later.pk).update(temperature="warm")
    run_following(factories.stage("proposal"))
    later.refresh_from_db()
    assert (later.temperature, later.probability) == ("hot", 60)


def test_many_deals_follow_in_batches(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redefinition, "BATCH", 2)
    factories.deals(5, "qualified")
    change(ada, "qualified", temperature="warm")
    assert run_following(factories.stage("qualified")) == 3
    assert set(Opportunity.objects.values_list("temperature", "version")) == {("warm", 2)}


def test_the_effect_is_told_before(ada: User) -> None:
    own = factories.deals(3, "qualified")[0]
    set_temperature(actor=ada, opportunity=own, temperature="hot", reason="Knows us", expected_version=1, now=NOW)
    effect = redefinition.effect_of(factories.stage("qualified"), {"temperature": "warm", "probability": 25})
    assert (effect.followers, effect.own_temperature, effect.probability) == (2, 1, None)
    assert not redefinition.effect_of(factories.stage("qualified"), {"name": "Other"}).touches_deals


# --- archiving ------------------------------------------------------------------------------------------------------


def test_an_empty_stage_is_archived_and_brought_back(ada: User) -> None:
    stage = factories.stage("qualified")
    stages.archive_stage(actor=ada, stage=stage, move_to=None, now=NOW)
    assert active(factories.pipeline()) == ["prospect", *DEFAULT[2:]]
    stages.restore_stage(actor=ada, stage=stage, now=NOW)
    assert active(factories.pipeline()) == ["prospect", *DEFAULT[2:5], "qualified", "won", "lost"]


def test_deals_are_moved_along_through_the_usual_door(ada: User) -> None:
    deal = factories.deal("qualified", region=None)
    change(ada, "discovery", gate=frozenset({Demanded.of("field", {"field": "region"})}))
    moved = stages.archive_stage(
        actor=ada, stage=factories.stage("qualified"), move_to=factories.stage("discovery"), now=NOW
    )
    deal.refresh_from_db()
    newest = StageChange.objects.filter(opportunity=deal).latest("number")
    assert (moved, deal.stage.key, deal.temperature, newest.source) == (1, "discovery", "warm", Source.SYSTEM)
    assert GateBypass.objects.get().reason == "The stage “Qualified” was archived."
    assert Event.objects.filter(name=names.OPPORTUNITY_TURNED_WARM, opportunity_id=deal.pk).count() == 1


def test_deals_without_a_place_to_go_are_in_the_way(ada: User) -> None:
    factories.deals(2, "qualified")
    with pytest.raises(pipelines.DealsInTheWay, match="2 open deals"):
        stages.archive_stage(actor=ada, stage=factories.stage("qualified"), move_to=None, now=NOW)


def test_too_many_deals_are_not_moved_along(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "MAX_MOVED_ALONG", 2)
    factories.deals(3, "qualified")
    with pytest.raises(pipelines.DealsInTheWay, match="3 open deals"):
        stages.archive_stage(
            actor=ada, stage=factories.stage("qualified"), move_to=factories.stage("discovery"), now=NOW
        )
    assert factories.stage("qualified").archived_at is None


@pytest.mark.parametrize("key", ["qualified", "won", "prospect"])
def test_deals_go_only_where_the_pipeline_lets_them(ada: User, key: str) -> None:
    factories.deal("qualified")
    change_back = {"back_policy": "forbid"}
    pipelines.change_pipeline(actor=ada, pipeline=factories.pipeline(), wanted=change_back, base={}, now=NOW)
    with pytest.raises(IllegalMove):
        stages.archive_stage(actor=ada, stage=factories.stage("qualified"), move_to=factories.stage(key), now=NOW)
    assert factories.stage("qualified").archived_at is None


def test_closed_deals_stay_where_they_ended(ada: User) -> None:
    deal = factories.deal("lost")
    stages.add_stage(
        actor=ada, pipeline=factories.pipeline(), values={"name": "Gone", "kind": "lost"}, now=NOW
    )  # fmt: skip
    assert stages.archive_stage(actor=ada, stage=factories.stage("lost"), move_to=None, now=NOW) == 0
    deal.refresh_from_db()
    assert deal.stage.archived_at is not None


def test_a_move_cannot_be_undone_into_an_archived_stage(ada: User, alice: User) -> None:
    deal = factories.deal("prospect", now=NOW)
    move = move_to_stage(
        actor=alice, opportunity=deal, stage=factories.stage("qualified"), expected_version=1, now=NOW
    )  # fmt: skip
    stages.archive_stage(actor=ada, stage=factories.stage("prospect"), move_to=None, now=NOW)
    with pytest.raises(CannotUndo):
        undo_move(actor=alice, change=move.change, now=NOW)


def test_archiving_twice_does_nothing_more(ada: User) -> None:
    for _ in range(2):
        stages.archive_stage(actor=ada, stage=factories.stage("qualified"), move_to=None, now=NOW)
    assert Event.objects.filter(name=names.SETTINGS_CHANGED).count() == 1
