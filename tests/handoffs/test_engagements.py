"""Answering requests, through the services, and who sees what."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import Role, Side, User
from events import names
from events.models import Event
from handoffs.models import Engagement, EngagementState, Outcome, Task
from handoffs.services.engagements import (
    StaleEngagement,
    accept_engagement,
    ask_in,
    complete_engagement,
    decline_engagement,
    reassign_engagement,
)
from handoffs.states import IllegalTransition
from opportunities.models import Opportunity
from tests import factories
from tests.handoffs.reactions import MONDAY, TUESDAY, deal, engagement_of, fresh, move, react, task_of


def accept(actor: User, opportunity: Opportunity, version: int | None = None) -> Engagement:
    return accept_engagement(actor=actor, engagement=engagement_of(opportunity), expected_version=version, now=TUESDAY)


# --- accept ---


def test_the_delivery_owner_accepts(warm_deal: Opportunity, dan: User) -> None:
    engagement = accept(dan, warm_deal)
    assert (engagement.state, engagement.accepted_by, engagement.accepted_at) == ("accepted", dan, TUESDAY)


def test_accepting_twice_changes_nothing(warm_deal: Opportunity, dan: User) -> None:
    first = accept(dan, warm_deal)
    assert accept(dan, warm_deal).version == first.version
    assert Event.objects.filter(name=names.ENGAGEMENT_ACCEPTED).count() == 1


def test_who_accepts_an_unowned_request_becomes_the_owner(alice: User) -> None:
    found = move(deal(owner=alice), "discovery").opportunity
    dora = factories.person("Dora", Role.DELIVERY_MANAGER, teams=(factories.team("Later", side=Side.DELIVERY),))
    accept(dora, found)
    react(TUESDAY)
    assert fresh(found).delivery_owner == dora
    assert task_of(found, "read-the-deal").assignee == dora


def test_a_stale_version_is_told(warm_deal: Opportunity, dan: User, pia: User) -> None:
    reassign_engagement(
        actor=dan, engagement=engagement_of(warm_deal), delivery_owner=pia, expected_version=1, now=MONDAY
    )
    with pytest.raises(StaleEngagement):
        accept(dan, warm_deal, version=1)


@pytest.mark.parametrize(
    ("who", "allowed"),
    [("dan", True), ("ada", True), ("pia", False), ("ruth", False), ("alice", False), ("sam", False), ("eve", False)],
)
def test_who_may_answer(warm_deal: Opportunity, request: pytest.FixtureRequest, who: str, allowed: bool) -> None:
    actor = request.getfixturevalue(who)
    if allowed:
        assert accept(actor, warm_deal).accepted_by == actor
    else:
        with pytest.raises(PermissionDenied):
            accept(actor, warm_deal)


def test_a_closed_deal_is_not_accepted(warm_deal: Opportunity, dan: User) -> None:
    move(warm_deal, "lost")
    with pytest.raises(IllegalTransition):
        accept(dan, warm_deal)


# --- decline ---


def test_declining_costs_a_reason(warm_deal: Opportunity, dan: User) -> None:
    with pytest.raises(ValidationError):
        decline_engagement(
            actor=dan, engagement=engagement_of(warm_deal), reason=" ", expected_version=None, now=TUESDAY
        )
    assert engagement_of(warm_deal).state == EngagementState.REQUESTED


def test_the_reason_is_kept_and_told(warm_deal: Opportunity, dan: User) -> None:
    declined = decline_engagement(
        actor=dan, engagement=engagement_of(warm_deal), reason="No architect until May", expected_version=1,
        now=TUESDAY,
    )  # fmt: skip
    assert (declined.state, declined.decline_reason) == ("declined", "No architect until May")
    assert "No architect" in Event.objects.get(name=names.ENGAGEMENT_DECLINED).text


def test_what_was_accepted_can_not_be_declined(warm_deal: Opportunity, dan: User) -> None:
    accept(dan, warm_deal)
    with pytest.raises(IllegalTransition) as raised:
        decline_engagement(
            actor=dan, engagement=engagement_of(warm_deal), reason="Late", expected_version=None, now=TUESDAY
        )
    assert raised.value.legal == ["active", "done"]


# --- reassign ---


def test_reassigning_names_the_owner_and_hands_over_the_tasks(warm_deal: Opportunity, dan: User, pia: User) -> None:
    reassign_engagement(
        actor=dan, engagement=engagement_of(warm_deal), delivery_owner=pia, expected_version=1, now=MONDAY
    )
    react()
    assert fresh(warm_deal).delivery_owner == pia
    assert task_of(warm_deal, "read-the-deal").assignee == pia


def test_only_delivery_can_be_named(warm_deal: Opportunity, dan: User, alice: User) -> None:
    with pytest.raises(ValidationError):
        reassign_engagement(
            actor=dan, engagement=engagement_of(warm_deal), delivery_owner=alice, expected_version=1, now=MONDAY
        )


# --- complete ---


def test_open_delivery_tasks_come_before_completing(warm_deal: Opportunity, dan: User) -> None:
    accept(dan, warm_deal)
    with pytest.raises(ValidationError, match="4 delivery or shared tasks are still open"):
        complete_engagement(actor=dan, engagement=engagement_of(warm_deal), expected_version=None, now=TUESDAY)


def test_completing(warm_deal: Opportunity, dan: User) -> None:
    accept(dan, warm_deal)
    Task.objects.filter(opportunity=warm_deal).exclude(side="sales").delete()
    done = complete_engagement(actor=dan, engagement=engagement_of(warm_deal), expected_version=None, now=TUESDAY)
    assert (done.state, done.outcome) == (EngagementState.DONE, Outcome.COMPLETED)


def test_a_request_is_accepted_before_it_is_completed(warm_deal: Opportunity, dan: User) -> None:
    with pytest.raises(IllegalTransition, match="Accept the engagement"):
        complete_engagement(actor=dan, engagement=engagement_of(warm_deal), expected_version=None, now=TUESDAY)


# --- ask in ---


@pytest.mark.parametrize(("who", "allowed"), [("alice", True), ("sam", True), ("dan", True), ("pia", False)])
def test_who_may_ask(request: pytest.FixtureRequest, alice: User, who: str, allowed: bool) -> None:
    found, actor = deal(owner=alice), request.getfixturevalue(who)
    if allowed:
        assert ask_in(actor=actor, opportunity=found, now=MONDAY).trigger == "asked"
    else:
        with pytest.raises(PermissionDenied):
            ask_in(actor=actor, opportunity=found, now=MONDAY)


def test_a_closed_deal_is_reopened_before_delivery_is_asked(alice: User, dan: User) -> None:
    with pytest.raises(ValidationError):
        ask_in(actor=alice, opportunity=deal("lost", owner=alice), now=MONDAY)


# --- visibility ---


@pytest.mark.parametrize(
    ("who", "sees"),
    [
        ("alice", True), ("sam", True), ("dan", True), ("pia", True), ("ruth", True), ("eve", True), ("ada", True),
        ("charlie", False),
    ],
)  # fmt: skip
def test_who_sees_engagement_and_tasks(
    warm_deal: Opportunity, request: pytest.FixtureRequest, who: str, sees: bool
) -> None:
    person = request.getfixturevalue(who)
    assert Engagement.objects.visible_to(person).filter(opportunity=warm_deal).exists() is sees
    assert Task.objects.visible_to(person).filter(opportunity=warm_deal).exists() is sees


def test_a_delivery_team_of_other_lines_sees_nothing(warm_deal: Opportunity) -> None:
    team = factories.team("Data delivery", side=Side.DELIVERY)
    team.service_lines.add(factories.service_line("Data"))
    dora = factories.person("Dora", Role.DELIVERY_MANAGER, teams=(team,))
    assert not Task.objects.visible_to(dora).exists()
