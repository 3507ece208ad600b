"""What deals need, stated by people and by templates."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import User
from events import names
from events.models import Event
from opportunities.models import Opportunity
from staffing.models import NeedState, NeedTemplate, Person, Skill, StaffingNeed, WorkRole
from staffing.services.bookings import book, release_booking
from staffing.services.lists import archive_role, archive_template
from staffing.services.needs import (
    StaleNeed,
    add_need,
    apply_templates,
    cancel_need,
    change_need,
    restore_need,
)
from staffing.states import IllegalTransition
from tests import factories
from tests.handoffs.reactions import MONDAY, fresh, move, undo

pytestmark = pytest.mark.django_db


def asked(actor: User, deal: Opportunity, in_role: WorkRole, **values: Any) -> StaffingNeed:
    given = {"role": in_role, "hours_per_week": "20", "weeks": 4, **values}
    return add_need(actor=actor, opportunity=deal, values=given, now=MONDAY)


def template(role: WorkRole, hours: int = 16, *, line: str | None = "Cloud") -> NeedTemplate:
    return NeedTemplate.objects.create(
        role=role, hours_per_week=hours, weeks=6, service_line=factories.service_line(line) if line else None
    )


def told(name: str) -> list[dict[str, Any]]:
    return [event.data for event in Event.objects.filter(name=name).order_by("pk")]


def test_a_need_is_asked_for_with_its_skills(alice: User, deal: Opportunity, architect: WorkRole) -> None:
    skill = Skill.objects.create(name="Kafka")
    need = asked(alice, deal, architect, skills={skill.pk: 4}, offset_weeks=2, note=" Early ")
    assert (need.state, need.note, need.total_hours) == (NeedState.OPEN, "Early", Decimal(80))
    assert list(need.skills.values_list("skill", "proficiency")) == [(skill.pk, 4)]
    assert told(names.NEED_ADDED) == [{"role": "Architect", "hours": "20", "weeks": 4, "state": "Open"}]
    assert Event.objects.get(name=names.NEED_ADDED).opportunity_id == deal.pk


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"role": None}, "role"),
        ({"hours_per_week": "0.4"}, "hours_per_week"),
        ({"hours_per_week": "400.5"}, "hours_per_week"),
        ({"hours_per_week": "NaN"}, "hours_per_week"),
        ({"weeks": 0}, "weeks"),
        ({"weeks": 105}, "weeks"),
        ({"offset_weeks": 105}, "offset_weeks"),
        ({"note": "x" * 301}, "note"),
        ({"skills": {2**31: 3}}, "skills"),
        ({"state": "filled"}, "state"),
    ],
)
def test_needs_are_refused_with_a_sentence_for_the_field(
    alice: User, deal: Opportunity, architect: WorkRole, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        asked(alice, deal, architect, **values)
    assert list(refused.value.message_dict) == [field]
    assert not StaffingNeed.objects.exists()


def test_a_role_out_of_use_is_not_asked_for(alice: User, ruth: User, deal: Opportunity, architect: WorkRole) -> None:
    need = asked(alice, deal, architect)
    architect = archive_role(actor=ruth, role=architect, now=MONDAY)
    with pytest.raises(ValidationError):
        asked(alice, deal, architect)
    assert change_need(actor=alice, need=need, changes={"weeks": 5}, expected_version=1, now=MONDAY).weeks == 5


def test_outsiders_state_no_needs(
    alice: User, charlie: User, eve: User, deal: Opportunity, architect: WorkRole
) -> None:
    need = asked(alice, deal, architect)
    for outsider in (charlie, eve):
        with pytest.raises(PermissionDenied):
            asked(outsider, deal, architect)
        with pytest.raises(PermissionDenied):
            change_need(actor=outsider, need=need, changes={"weeks": 2}, expected_version=1, now=MONDAY)
        with pytest.raises(PermissionDenied):
            cancel_need(actor=outsider, need=need, expected_version=1, now=MONDAY)
        with pytest.raises(PermissionDenied):
            apply_templates(actor=outsider, opportunity=deal, now=MONDAY)


def test_changes_name_the_version_they_were_made_from(alice: User, deal: Opportunity, architect: WorkRole) -> None:
    need = asked(alice, deal, architect)
    assert change_need(actor=alice, need=need, changes={"weeks": 5}, expected_version=1, now=MONDAY).version == 2
    with pytest.raises(StaleNeed) as stale:
        change_need(actor=alice, need=need, changes={"weeks": 6}, expected_version=1, now=MONDAY)
    assert stale.value.current.weeks == 5  # type: ignore[attr-defined]
    with pytest.raises(StaleNeed):
        cancel_need(actor=alice, need=need, expected_version=1, now=MONDAY)
    assert told(names.NEED_CHANGED)[0]["fields"] == {"weeks": [4, 5]}
    same = change_need(actor=alice, need=need, changes={"weeks": 5}, expected_version=1, now=MONDAY)
    assert same.version == 2


def test_a_need_is_cancelled_and_asked_for_again(alice: User, deal: Opportunity, architect: WorkRole) -> None:
    need = asked(alice, deal, architect)
    assert cancel_need(actor=alice, need=need, expected_version=1, now=MONDAY).state == NeedState.CANCELLED
    assert cancel_need(actor=alice, need=need, expected_version=1, now=MONDAY).version == 2
    with pytest.raises(IllegalTransition) as refused:
        change_need(actor=alice, need=need, changes={"weeks": 5}, expected_version=None, now=MONDAY)
    assert refused.value.legal == ["open"]
    assert restore_need(actor=alice, need=need, now=MONDAY).state == NeedState.OPEN


@pytest.mark.parametrize("hours", ["20", "5"])
def test_a_need_with_bookings_is_not_cancelled(
    alice: User, ruth: User, deal: Opportunity, architect: WorkRole, nils: Person, hours: str
) -> None:
    need = asked(alice, deal, architect)
    booking = book(actor=ruth, values={"need": need, "person": nils, "hours_per_week": hours}, now=MONDAY)
    with pytest.raises(IllegalTransition):
        cancel_need(actor=alice, need=need, expected_version=None, now=MONDAY)
    release_booking(actor=ruth, booking=booking, expected_version=1, now=MONDAY)
    assert cancel_need(actor=alice, need=need, expected_version=None, now=MONDAY).state == NeedState.CANCELLED


def test_lost_deals_need_nothing(alice: User, deal: Opportunity, architect: WorkRole) -> None:
    need = asked(alice, deal, architect)
    lost = move(deal, "lost").opportunity
    for attempt in (
        lambda: asked(alice, lost, architect),
        lambda: change_need(actor=alice, need=need, changes={"weeks": 5}, expected_version=1, now=MONDAY),
        lambda: apply_templates(actor=alice, opportunity=lost, now=MONDAY),
    ):
        with pytest.raises(IllegalTransition):
            attempt()


def test_templates_of_the_line_come_once(alice: User, ruth: User, deal: Opportunity, architect: WorkRole) -> None:
    template(architect)
    archive_template(actor=ruth, template=template(architect, 8), now=MONDAY)
    template(architect, 12, line="Data")
    template(architect, 10, line=None)
    first = apply_templates(actor=alice, opportunity=deal, now=MONDAY)
    assert [need.hours_per_week for need in first] == [16]
    assert apply_templates(actor=alice, opportunity=deal, now=MONDAY) == []
    cancel_need(actor=alice, need=first[0], expected_version=None, now=MONDAY)
    assert len(apply_templates(actor=alice, opportunity=deal, now=MONDAY)) == 1
    # The one that came again has the template now, and both may stand side by side.
    assert restore_need(actor=alice, need=first[0], now=MONDAY).template is None


def test_a_line_without_templates_uses_those_of_all(alice: User, deal: Opportunity, architect: WorkRole) -> None:
    template(architect, 12, line="Data")
    template(architect, 10, line=None)
    assert [need.hours_per_week for need in apply_templates(actor=alice, opportunity=deal, now=MONDAY)] == [10]


def test_a_warm_deal_gets_its_usual_needs(deal: Opportunity, architect: WorkRole) -> None:
    template(architect)
    move(deal, "discovery")
    need = StaffingNeed.objects.get(opportunity=deal)
    assert (need.added_by, need.hours_per_week) == (None, 16)
    move(fresh(deal), "negotiation")
    assert StaffingNeed.objects.count() == 1


def test_whoever_said_what_a_deal_needs_is_not_overruled(alice: User, deal: Opportunity, architect: WorkRole) -> None:
    template(architect)
    cancel_need(actor=alice, need=asked(alice, deal, architect), expected_version=None, now=MONDAY)
    move(deal, "discovery")
    assert StaffingNeed.objects.get().state == NeedState.CANCELLED


def test_an_undone_move_takes_back_what_it_brought(deal: Opportunity, architect: WorkRole) -> None:
    template(architect)
    undo(move(deal, "discovery").change)
    assert not StaffingNeed.objects.exists()
    move(fresh(deal), "discovery")
    assert StaffingNeed.objects.count() == 1


def test_an_undone_move_leaves_what_somebody_touched(alice: User, deal: Opportunity, architect: WorkRole) -> None:
    template(architect)
    moved = move(deal, "discovery")
    need = StaffingNeed.objects.get()
    change_need(actor=alice, need=need, changes={"weeks": 9}, expected_version=1, now=MONDAY)
    undo(moved.change)
    assert StaffingNeed.objects.get().weeks == 9
