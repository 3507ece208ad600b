"""What an organisation starts with, and what one that was set up before handoffs gets."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps

from accounts.models import Organisation
from handoffs import defaults
from handoffs.models import ApprovalRule, Playbook, PlaybookTask, RampPhase, Section, TaskAction, Trigger
from tests.handoffs.reactions import MONDAY

pytestmark = pytest.mark.django_db
MIGRATION = "handoffs.migrations.0010_handoffs_for_those_set_up_before"
PHASED = ("handover-call", "introduce-pm", "internal-kickoff", "client-kickoff", "expectations")


@pytest.fixture
def set_up_before(organisation: Organisation) -> Playbook:
    """An organisation as it was before handoffs, with its ramp; a task of it was renamed."""
    PlaybookTask.objects.filter(playbook__trigger=Trigger.HANDOFF).delete()
    Playbook.objects.filter(trigger=Trigger.HANDOFF).delete()
    ApprovalRule.objects.all().delete()
    won = Playbook.objects.get(trigger=Trigger.WON)
    won.tasks.exclude(key__in=PHASED).delete()
    won.tasks.update(phase="")
    won.tasks.filter(key="handover-call").update(title="Hand over, our way")
    return won


def rows() -> set[tuple[str, str, str, str]]:
    """Every task of a playbook."""
    return set(PlaybookTask.objects.values_list("playbook__key", "key", "title", "section"))


def give() -> None:
    """What the migration does."""
    import_module(MIGRATION).give(apps, None)


def test_the_checklist_covers_every_section_and_the_ramp_every_phase(organisation: Organisation) -> None:
    tasks = PlaybookTask.objects.all()
    assert set(tasks.filter(playbook__key="handoff").values_list("section", flat=True)) == set(Section.values)
    assert set(tasks.filter(playbook__key="won").values_list("phase", flat=True)) == set(RampPhase.values)
    criteria = tasks.filter(phase=RampPhase.EXIT).values_list("action", flat=True)
    assert set(criteria) >= {
        TaskAction.CLIENT_SCOPE, TaskAction.CLIENT_CRITERIA, TaskAction.CLIENT_RISKS, TaskAction.PULSE,
    }  # fmt: skip


def test_making_them_again_changes_nothing(organisation: Organisation) -> None:
    before = rows(), ApprovalRule.objects.count()
    defaults.create(organisation=organisation, now=MONDAY)
    assert (rows(), ApprovalRule.objects.count()) == before


def test_what_is_missing_is_made_and_the_rest_stays(organisation: Organisation, set_up_before: Playbook) -> None:
    before = rows()
    defaults.create(organisation=organisation, now=MONDAY)
    assert before < rows()
    assert {key for key, *_rest in rows() - before} == {"handoff"}
    assert sorted(ApprovalRule.objects.values_list("position", "role")) == [
        (1, "delivery_manager"), (1, "sales_manager"), (2, "executive"),
    ]  # fmt: skip


def test_the_migration_gives_the_same_checklist_as_a_new_start(
    organisation: Organisation, set_up_before: Playbook
) -> None:
    give()
    given = {row for row in rows() if row[0] == "handoff"}
    chain = set(ApprovalRule.objects.values_list("name", "position", "role", "amount_from", "escalate_to"))
    PlaybookTask.objects.filter(playbook__key="handoff").delete()
    Playbook.objects.filter(key="handoff").delete()
    ApprovalRule.objects.all().delete()
    defaults.create(organisation=organisation, now=MONDAY)
    assert given == {row for row in rows() if row[0] == "handoff"}
    assert chain == set(ApprovalRule.objects.values_list("name", "position", "role", "amount_from", "escalate_to"))


def test_the_migration_gives_the_ramp_phases_and_criteria_and_keeps_its_words(set_up_before: Playbook) -> None:
    give()
    phases = dict(set_up_before.tasks.values_list("key", "phase"))
    assert {phases[key] for key in PHASED} == {"internal_kickoff", "client_kickoff", "mobilise"}
    assert list(phases.values()).count("exit") == 5
    assert set_up_before.tasks.get(key="handover-call").title == "Hand over, our way"


def test_the_migration_twice_is_the_migration_once(set_up_before: Playbook) -> None:
    give()
    before = rows(), ApprovalRule.objects.count()
    give()
    assert (rows(), ApprovalRule.objects.count()) == before


def test_a_ramp_with_phases_of_its_own_stays(set_up_before: Playbook) -> None:
    set_up_before.tasks.filter(key="handover-call").update(phase="mobilise")
    give()
    assert not set_up_before.tasks.filter(phase="exit").exists()
