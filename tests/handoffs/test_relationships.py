"""The relationship map: introduced, taken over, and the item of the checklist that follows it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import User
from events import names
from events.models import Event
from handoffs.handoff_queries import blockers_of, relationships_of
from handoffs.models import Handoff, HandoffState, RelationshipTransfer, TaskState
from handoffs.services.handoff import (
    HandoffFrozen,
    StaleRelationship,
    accept_relationship,
    change_relationship,
    waive_item,
)
from handoffs.services.tasks import complete_task, reopen_task
from opportunities.models import Contact, Opportunity
from opportunities.services.clients import link_contact, unlink_contact
from tests.handoffs.handing import handoff_of, item_of, named_on, transfer_of, won
from tests.handoffs.reactions import MONDAY, TUESDAY, deal, move

pytestmark = pytest.mark.django_db
TODAY = MONDAY.date()


@pytest.fixture
def deal_won(alice: User, dan: User, pia: User) -> Opportunity:
    """A deal that Alice won, with Kari at the client."""
    offered = deal("proposal", owner=alice, delivery_owner=dan)
    named_on(offered, "Kari", by=alice)
    return move(offered, "won").opportunity


def change(actor: User, deal_: Opportunity, version: int | None = None, name: str = "Kari", **values: object) -> None:
    """Change the handing over of a person."""
    change_relationship(
        actor=actor, transfer=transfer_of(deal_, name), values=values, now=MONDAY, expected_version=version
    )


def introduced(actor: User, deal_: Opportunity, to: User, name: str = "Kari") -> RelationshipTransfer:
    """The person was introduced to whoever takes over."""
    change(actor, deal_, name=name, owner_next=to, introduced_on=TODAY, introduced_how="Lunch")
    return transfer_of(deal_, name)


def taken_over(actor: User, deal_: Opportunity, by: User, name: str = "Kari") -> RelationshipTransfer:
    """Introduced, and taken over."""
    return accept_relationship(actor=by, transfer=introduced(actor, deal_, by, name), now=MONDAY)


def people_item(deal_: Opportunity) -> str:
    """State of the item about the relationships."""
    return item_of(deal_, "hand-over-people").state


def test_everybody_on_the_deal_is_on_the_map_with_the_salesperson_as_owner(alice: User, deal_won: Opportunity) -> None:
    transfer = transfer_of(deal_won, "Kari")
    assert (transfer.owner_now, transfer.owner_next, transfer.is_cold) == (alice, None, True)


def test_the_item_is_done_when_everybody_was_taken_over(alice: User, pia: User, deal_won: Opportunity) -> None:
    named_on(deal_won, "Ole", by=alice)
    taken_over(alice, deal_won, pia)
    assert people_item(deal_won) == TaskState.OPEN
    taken_over(alice, deal_won, pia, "Ole")
    item = item_of(deal_won, "hand-over-people")
    assert (item.state, item.evidence) == (TaskState.DONE, "2 people taken over")
    assert (item.sales_done_by, item.delivery_done_by) == (alice, pia)


def test_a_map_without_people_is_not_done(alice: User, dan: User) -> None:
    assert people_item(won(owner=alice, delivery_owner=dan)) == TaskState.OPEN


def test_it_is_not_ticked_by_hand(alice: User, deal_won: Opportunity) -> None:
    with pytest.raises(ValidationError, match="relationship map"):
        complete_task(actor=alice, task=item_of(deal_won, "hand-over-people"), now=MONDAY)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [({}, "Say who takes over Kari, and introduce them."),
     ({"owner_next": "pia"}, "Introduce Pia to Kari and note when."),
     ({"owner_next": "pia", "introduced_on": TODAY}, "Pia was introduced to Kari and has to take them over.")],
)  # fmt: skip
def test_what_is_missing_is_said(
    alice: User, pia: User, deal_won: Opportunity, given: dict[str, Any], sentence: str
) -> None:
    change(alice, deal_won, **{name: pia if value == "pia" else value for name, value in given.items()})
    assert sentence in [blocker.sentence for blocker in blockers_of(handoff_of(deal_won))]


def test_only_the_next_owner_takes_over(alice: User, dan: User, pia: User, deal_won: Opportunity) -> None:
    transfer = introduced(alice, deal_won, pia)
    for other in (alice, dan):
        with pytest.raises(PermissionDenied):
            accept_relationship(actor=other, transfer=transfer, now=MONDAY)


def test_nobody_is_taken_over_without_an_introduction(alice: User, pia: User, deal_won: Opportunity) -> None:
    change(alice, deal_won, owner_next=pia)
    with pytest.raises(ValidationError, match="introduced"):
        accept_relationship(actor=pia, transfer=transfer_of(deal_won, "Kari"), now=MONDAY)


def test_taking_over_fifty_times_is_once(alice: User, pia: User, deal_won: Opportunity) -> None:
    transfer = introduced(alice, deal_won, pia)
    for _ in range(50):
        accept_relationship(actor=pia, transfer=transfer, now=MONDAY)
    assert Event.objects.filter(name=names.RELATIONSHIP_ACCEPTED).count() == 1
    assert Event.objects.filter(name=names.TASK_COMPLETED).count() == 1


@pytest.mark.parametrize("taking_back", [{"owner_next": "dan"}, {"introduced_on": None}])
def test_another_owner_or_no_introduction_takes_the_acceptance_back(
    alice: User, dan: User, pia: User, deal_won: Opportunity, taking_back: dict[str, Any]
) -> None:
    taken_over(alice, deal_won, pia)
    change(alice, deal_won, **{name: dan if value == "dan" else value for name, value in taking_back.items()})
    assert transfer_of(deal_won, "Kari").accepted_at is None
    assert people_item(deal_won) == TaskState.OPEN


def test_how_it_went_can_be_told_without_taking_anything_back(alice: User, pia: User, deal_won: Opportunity) -> None:
    taken_over(alice, deal_won, pia)
    change(alice, deal_won, introduced_how="Dinner")
    assert transfer_of(deal_won, "Kari").accepted_at is not None


def test_what_was_accepted_stays_while_the_approvers_look(
    alice: User, dan: User, pia: User, deal_won: Opportunity
) -> None:
    taken_over(alice, deal_won, pia)
    Handoff.objects.update(state=HandoffState.SUBMITTED)
    with pytest.raises(HandoffFrozen):
        change(alice, deal_won, owner_next=dan)
    change(alice, deal_won, introduced_how="Dinner")


@pytest.mark.parametrize(
    ("given", "field"),
    [({"introduced_on": TODAY + dt.timedelta(days=1)}, "introduced_on"),
     ({"introduced_on": dt.date(1999, 1, 1)}, "introduced_on"), ({"owner_next": "charlie"}, "owner_next"),
     ({"owner_next": "alice"}, "owner_next"), ({"owner_now": "charlie"}, "owner_now"),
     ({"introduced_how": "x" * 301}, "introduced_how"), ({"introduced_how": "a\x00"}, "introduced_how"),
     ({"accepted_at": MONDAY}, "accepted_at")],
)  # fmt: skip
def test_what_makes_no_sense_is_told_at_the_field(
    alice: User, charlie: User, deal_won: Opportunity, given: dict[str, Any], field: str
) -> None:
    cast = {"alice": alice, "charlie": charlie}
    with pytest.raises(ValidationError) as refusal:
        change(alice, deal_won, **{name: cast.get(str(value), value) for name, value in given.items()})
    assert set(refusal.value.message_dict) == {field}


def test_two_people_do_not_overwrite_each_other(alice: User, pia: User, deal_won: Opportunity) -> None:
    version = transfer_of(deal_won, "Kari").version
    change(alice, deal_won, version, owner_next=pia)
    with pytest.raises(StaleRelationship):
        change(alice, deal_won, version, introduced_on=TODAY)


def test_the_same_change_again_changes_nothing(alice: User, pia: User, deal_won: Opportunity) -> None:
    version = transfer_of(deal_won, "Kari").version
    for _ in range(3):
        change(alice, deal_won, version, owner_next=pia)
    assert Event.objects.filter(name=names.RELATIONSHIP_CHANGED).count() == 1


def test_outsiders_change_nothing(charlie: User, deal_won: Opportunity) -> None:
    with pytest.raises(PermissionDenied):
        change(charlie, deal_won, introduced_on=TODAY)


def test_somebody_named_after_the_win_is_on_the_map_at_once(alice: User, pia: User, deal_won: Opportunity) -> None:
    taken_over(alice, deal_won, pia)
    named_on(deal_won, "Ole", by=alice)
    assert transfer_of(deal_won, "Ole").is_cold
    assert people_item(deal_won) == TaskState.OPEN


def test_somebody_taken_off_the_deal_is_set_aside_and_comes_back(alice: User, pia: User, deal_won: Opportunity) -> None:
    [ole] = named_on(deal_won, "Ole", by=alice)
    taken_over(alice, deal_won, pia)
    unlink_contact(actor=alice, opportunity=deal_won, contact=ole, now=TUESDAY)
    assert transfer_of(deal_won, "Ole").dropped_at == TUESDAY
    assert [each.contact.name for each in relationships_of(handoff_of(deal_won))] == ["Kari"]
    assert people_item(deal_won) == TaskState.DONE
    with pytest.raises(HandoffFrozen, match="taken off"):
        change(alice, deal_won, name="Ole", owner_next=pia)
    link_contact(actor=alice, opportunity=deal_won, contact=ole, now=TUESDAY)
    assert transfer_of(deal_won, "Ole").dropped_at is None
    assert people_item(deal_won) == TaskState.OPEN


def test_naming_people_on_an_open_deal_makes_no_map(alice: User, dan: User) -> None:
    named_on(deal("proposal", owner=alice, delivery_owner=dan), "Kari", by=alice)
    assert not RelationshipTransfer.objects.exists()


def test_a_waiver_taken_back_looks_whether_it_was_done_meanwhile(
    alice: User, sam: User, pia: User, deal_won: Opportunity
) -> None:
    waive_item(actor=sam, task=item_of(deal_won, "hand-over-people"), reason="Later", now=MONDAY)
    taken_over(alice, deal_won, pia)
    assert people_item(deal_won) == TaskState.WAIVED
    assert reopen_task(actor=sam, task=item_of(deal_won, "hand-over-people"), now=MONDAY).state == TaskState.DONE


def test_a_resting_map_stands_still(alice: User, pia: User, deal_won: Opportunity) -> None:
    transfer = introduced(alice, deal_won, pia)
    move(deal_won, "negotiation", now=TUESDAY)
    with pytest.raises(HandoffFrozen, match="open again"):
        accept_relationship(actor=pia, transfer=transfer, now=TUESDAY)
    assert Contact.objects.filter(name="Kari").exists()
