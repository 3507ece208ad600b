"""The checklist of a handoff: done with evidence, waived with a reason, and what stands in the way of handing it in."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from events import names
from events.models import Event
from handoffs.handoff_queries import HandoffFilter, blockers_of, checklist_of, handoff_list, snapshot_of
from handoffs.models import ApprovalRule, Handoff, HandoffState, Section, Task, TaskSide, TaskState
from handoffs.services.handoff import (
    HandoffFrozen,
    StaleHandoff,
    add_item,
    name_project_manager,
    waive_item,
)
from handoffs.services.tasks import StaleTask, change_task, complete_task, reopen_task
from handoffs.states import IllegalTransition
from opportunities.models import Attachment, Opportunity
from tests.handoffs.handing import handoff_of, item_of, named_on, transfer_of, won
from tests.handoffs.reactions import MONDAY, TUESDAY, move

pytestmark = pytest.mark.django_db


@pytest.fixture
def deal_won(alice: User, dan: User) -> Opportunity:
    """A deal that Alice won, for Dan to deliver; nobody runs it yet."""
    return won(owner=alice, delivery_owner=dan)


def sentences(deal: Opportunity) -> list[str]:
    """What stands in the way of handing the handoff in."""
    return [blocker.sentence for blocker in blockers_of(handoff_of(deal))]


def state(deal: Opportunity, to: HandoffState) -> Handoff:
    """The handoff in a state that approvals would bring it to."""
    Handoff.objects.filter(opportunity=deal).update(state=to, approved_at=MONDAY if to == "approved" else None)
    return handoff_of(deal)


def attached(deal: Opportunity, by: User) -> Attachment:
    """A file of the deal."""
    return Attachment.objects.create(
        opportunity=deal, file="attachments/ab/abc", name="contract.pdf", size=1, content_type="application/pdf",
        uploaded_by=by,
    )  # fmt: skip


def test_it_has_every_section_in_order(deal_won: Opportunity) -> None:
    checklist = checklist_of(handoff_of(deal_won))
    assert [section.section for section in checklist.sections] == list(Section.values)
    assert checklist.total == sum(section.total for section in checklist.sections) == 14
    assert checklist.done == 0


def test_an_item_for_large_deals_comes_with_a_large_deal(alice: User, dan: User) -> None:
    deal = won(owner=alice, delivery_owner=dan, amount=300_000)
    assert item_of(deal, "billing").section == Section.COMMERCIALS


def test_done_items_are_counted(alice: User, deal_won: Opportunity) -> None:
    complete_task(actor=alice, task=item_of(deal_won, "promises-noted"), now=MONDAY)
    checklist = checklist_of(handoff_of(deal_won))
    assert [s.done for s in checklist.sections if s.section == Section.COMMITMENTS] == [1]
    assert checklist.done == 1


def test_a_link_is_evidence(alice: User, deal_won: Opportunity) -> None:
    done = complete_task(actor=alice, task=item_of(deal_won, "contract"), link="https://files.test/sow", now=MONDAY)
    assert (done.state, done.evidence_link) == (TaskState.DONE, "https://files.test/sow")


def test_a_file_of_the_deal_is_evidence(alice: User, deal_won: Opportunity) -> None:
    file = attached(deal_won, alice)
    done = complete_task(actor=alice, task=item_of(deal_won, "contract"), attachment=file, now=MONDAY)
    assert done.evidence_file == file
    kept = {item["title"]: item for item in snapshot_of(handoff_of(deal_won))}
    assert (kept[done.title]["file"], kept[done.title]["state"]) == ("contract.pdf", "done")


@pytest.mark.parametrize("link", ["javascript:alert(1)", "ftp://files.test/sow", "files.test", "https://"])
def test_a_link_that_is_none_is_refused(alice: User, deal_won: Opportunity, link: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        complete_task(actor=alice, task=item_of(deal_won, "contract"), link=link, now=MONDAY)
    assert set(refusal.value.message_dict) <= {"link", "evidence_link"}
    assert item_of(deal_won, "contract").state == TaskState.OPEN


def test_a_file_of_another_deal_is_refused(alice: User, deal_won: Opportunity) -> None:
    elsewhere = attached(won(owner=alice), alice)
    with pytest.raises(ValidationError, match="file of this deal"):
        complete_task(actor=alice, task=item_of(deal_won, "contract"), attachment=elsewhere, now=MONDAY)


def test_a_shared_item_keeps_the_evidence_of_the_side_that_said_done_first(
    alice: User, dan: User, deal_won: Opportunity
) -> None:
    complete_task(actor=alice, task=item_of(deal_won, "scope-agreed"), evidence="Annex 2", now=MONDAY)
    done = complete_task(actor=dan, task=item_of(deal_won, "scope-agreed"), now=MONDAY)
    assert (done.state, done.evidence) == (TaskState.DONE, "Annex 2")


@pytest.mark.parametrize("frozen", [HandoffState.SUBMITTED, HandoffState.APPROVED, HandoffState.REJECTED])
def test_required_items_stand_as_they_were_handed_in(
    alice: User, sam: User, deal_won: Opportunity, frozen: HandoffState
) -> None:
    complete_task(actor=alice, task=item_of(deal_won, "promises-noted"), now=MONDAY)
    handoff = state(deal_won, frozen)
    with pytest.raises(HandoffFrozen):
        complete_task(actor=alice, task=item_of(deal_won, "contract"), evidence="filed", now=MONDAY)
    with pytest.raises(HandoffFrozen):
        reopen_task(actor=alice, task=item_of(deal_won, "promises-noted"), now=MONDAY)
    with pytest.raises(HandoffFrozen):
        waive_item(actor=sam, task=item_of(deal_won, "contract"), reason="None yet", now=MONDAY)
    with pytest.raises(HandoffFrozen):
        add_item(
            actor=alice, handoff=handoff, section=Section.SCOPE, title="More", side="sales", is_required=True,
            now=MONDAY,
        )  # fmt: skip


def test_the_title_of_a_required_item_stays_while_the_approvers_look(alice: User, deal_won: Opportunity) -> None:
    state(deal_won, HandoffState.SUBMITTED)
    item = item_of(deal_won, "contract")
    with pytest.raises(HandoffFrozen):
        change_task(actor=alice, task=item, changes={"title": "File it"}, expected_version=1, now=MONDAY)
    moved = change_task(
        actor=alice, task=item, changes={"due_on": dt.date(2027, 1, 4)}, expected_version=1, now=MONDAY
    )  # fmt: skip
    assert moved.due_on == dt.date(2027, 1, 4)


def test_a_milestone_of_a_resting_plan_is_not_ticked(alice: User, deal_won: Opportunity) -> None:
    move(deal_won, "negotiation", now=TUESDAY, reacts=False)
    with pytest.raises(HandoffFrozen, match="ramp rests"):
        complete_task(actor=alice, task=item_of(deal_won, "sponsor-call"), now=TUESDAY)


def test_what_is_not_required_can_be_done_while_it_waits(alice: User, deal_won: Opportunity) -> None:
    state(deal_won, HandoffState.SUBMITTED)
    done = complete_task(actor=alice, task=item_of(deal_won, "scope-questions"), now=MONDAY)
    assert done.state == TaskState.DONE


def test_changes_that_were_asked_for_can_be_made(alice: User, deal_won: Opportunity) -> None:
    state(deal_won, HandoffState.CHANGES_REQUESTED)
    assert complete_task(actor=alice, task=item_of(deal_won, "promises-noted"), now=MONDAY).state == TaskState.DONE


def test_waiving_says_who_and_why(sam: User, deal_won: Opportunity) -> None:
    waived = waive_item(actor=sam, task=item_of(deal_won, "estimate"), reason=" Fixed price list ", now=TUESDAY)
    assert (waived.state, waived.waived_reason, waived.waived_by, waived.waived_at) == (
        TaskState.WAIVED, "Fixed price list", sam, TUESDAY,
    )  # fmt: skip
    assert Event.objects.get(name=names.ITEM_WAIVED).data["reason"] == "Fixed price list"
    assert not any("estimate" in sentence for sentence in sentences(deal_won))


def test_waiving_twice_is_waiving_once(sam: User, deal_won: Opportunity) -> None:
    item = item_of(deal_won, "estimate")
    again = [waive_item(actor=sam, task=item, reason="Price list", now=MONDAY) for _ in range(50)]
    assert {each.version for each in again} == {2}
    assert Event.objects.filter(name=names.ITEM_WAIVED).count() == 1


def test_waiving_needs_a_reason(sam: User, deal_won: Opportunity) -> None:
    with pytest.raises(ValidationError) as refusal:
        waive_item(actor=sam, task=item_of(deal_won, "estimate"), reason="\u200b ", now=MONDAY)
    assert set(refusal.value.message_dict) == {"reason"}


def test_waiving_takes_the_right(alice: User, charlie: User, deal_won: Opportunity) -> None:
    for nobody in (alice, charlie):
        with pytest.raises(PermissionDenied):
            waive_item(actor=nobody, task=item_of(deal_won, "estimate"), reason="Because", now=MONDAY)


def test_the_project_manager_may_waive(dan: User, pia: User, deal_won: Opportunity) -> None:
    name(dan, deal_won, pia)
    assert (
        waive_item(actor=pia, task=item_of(deal_won, "day-one"), reason="They come to us", now=MONDAY).waived_by == pia
    )


def test_waiving_what_somebody_else_changed_is_a_conflict(sam: User, deal_won: Opportunity) -> None:
    item = item_of(deal_won, "estimate")
    with pytest.raises(StaleTask):
        waive_item(actor=sam, task=item, reason="Because", now=MONDAY, expected_version=item.version + 1)


def test_a_waiver_is_taken_back_by_those_who_may_waive(alice: User, sam: User, deal_won: Opportunity) -> None:
    waive_item(actor=sam, task=item_of(deal_won, "estimate"), reason="Because", now=MONDAY)
    with pytest.raises(PermissionDenied):
        reopen_task(actor=alice, task=item_of(deal_won, "estimate"), now=MONDAY)
    again = reopen_task(actor=sam, task=item_of(deal_won, "estimate"), now=MONDAY)
    assert (again.state, again.waived_reason, again.waived_by) == (TaskState.OPEN, "", None)


def test_exit_criteria_are_not_waived(sam: User, deal_won: Opportunity) -> None:
    with pytest.raises(IllegalTransition, match="exit criterion"):
        waive_item(actor=sam, task=item_of(deal_won, "on-its-own"), reason="Because", now=MONDAY)


def test_a_task_before_the_win_is_not_waived(sam: User, deal_won: Opportunity) -> None:
    task = Task.objects.filter(opportunity=deal_won, trigger="warm")[0]
    with pytest.raises(IllegalTransition):
        waive_item(actor=sam, task=task, reason="Because", now=MONDAY)


def test_a_milestone_may_be_waived_while_the_handoff_waits(sam: User, deal_won: Opportunity) -> None:
    state(deal_won, HandoffState.APPROVED)
    waived = waive_item(actor=sam, task=item_of(deal_won, "step-back"), reason="Sales stays on", now=MONDAY)
    assert waived.state == TaskState.WAIVED


def test_an_item_of_ones_own_stands_last_in_its_section(alice: User, dan: User, deal_won: Opportunity) -> None:
    item = add_item(
        actor=dan, handoff=handoff_of(deal_won), section=Section.RISKS, title="Ask about the works council",
        side=TaskSide.SALES, is_required=True, now=MONDAY,
    )  # fmt: skip
    assert (item.assignee, item.state, item.due_on.isoformat()) == (alice, TaskState.OPEN, "2026-11-30")
    risks = next(s for s in checklist_of(handoff_of(deal_won)).sections if s.section == Section.RISKS)
    assert risks.items[-1] == item


def test_the_same_item_twice_is_one(dan: User, deal_won: Opportunity) -> None:
    for _ in range(3):
        add_item(
            actor=dan, handoff=handoff_of(deal_won), section=Section.SCOPE, title="Name the sites", side="delivery",
            is_required=False, now=MONDAY,
        )  # fmt: skip
    assert Task.objects.filter(title="Name the sites").count() == 1
    assert Event.objects.filter(name=names.ITEM_ADDED).count() == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [({"title": " "}, "title"), ({"title": "x" * 201}, "title"), ({"title": "a\x00b"}, "title"),
     ({"section": "weather"}, "section"), ({"side": "legal"}, "side")],
)  # fmt: skip
def test_an_item_that_makes_no_sense_is_told_at_the_field(
    dan: User, deal_won: Opportunity, given: dict[str, str], field: str
) -> None:
    values = {"section": "scope", "title": "Name the sites", "side": "sales", **given}
    with pytest.raises(ValidationError) as refusal:
        add_item(actor=dan, handoff=handoff_of(deal_won), is_required=True, now=MONDAY, **values)
    assert set(refusal.value.message_dict) == {field}


def test_outsiders_add_nothing(charlie: User, deal_won: Opportunity) -> None:
    with pytest.raises(PermissionDenied):
        add_item(
            actor=charlie, handoff=handoff_of(deal_won), section="scope", title="Mine", side="sales", is_required=True,
            now=MONDAY,
        )  # fmt: skip


def test_everything_open_is_said_with_what_to_do(alice: User, deal_won: Opportunity) -> None:
    said = sentences(deal_won)
    assert said[0] == "Name the project manager."
    assert "Complete “File the signed contract or order”; it is with Alice." in said
    assert "Name the people at the client on the deal, so that they can be handed over." in said
    assert len(said) == 1 + 11  # the project manager, and every required item


def test_every_blocker_leads_to_what_it_is_about(alice: User, deal_won: Opportunity) -> None:
    named_on(deal_won, "Kari", by=alice)
    anchors = {blocker.anchor for blocker in blockers_of(handoff_of(deal_won))}
    assert {"project-manager", f"relationship-{transfer_of(deal_won, 'Kari').pk}"} <= anchors
    assert f"task-{item_of(deal_won, 'contract').pk}" in anchors
    assert f"task-{item_of(deal_won, 'hand-over-people').pk}" not in anchors


def test_what_waits_for_the_other_side_says_so(alice: User, deal_won: Opportunity) -> None:
    complete_task(actor=alice, task=item_of(deal_won, "success-criteria"), evidence="Annex", now=MONDAY)
    title = item_of(deal_won, "success-criteria").title
    assert f"“{title}” waits for Delivery to say done too." in sentences(deal_won)


def test_without_a_chain_that_is_said(deal_won: Opportunity) -> None:
    ApprovalRule.objects.update(archived_at=MONDAY)
    assert blockers_of(handoff_of(deal_won))[-1].anchor == "approvals"


def test_a_chain_for_larger_deals_alone_is_none_for_a_small_one(alice: User, dan: User) -> None:
    ApprovalRule.objects.filter(amount_from__isnull=True).update(archived_at=MONDAY)
    small, large = (won(owner=alice, delivery_owner=dan, amount=amount) for amount in (1_000, 250_000))
    assert [b.anchor for b in blockers_of(handoff_of(small))][-1] == "approvals"
    assert [b.anchor for b in blockers_of(handoff_of(large))][-1] != "approvals"


def test_a_resting_handoff_says_so_and_nothing_else(deal_won: Opportunity) -> None:
    reopened = move(deal_won, "negotiation", now=TUESDAY).opportunity
    assert sentences(reopened) == ["The deal is open again. Win it to go on with its handoff."]


def test_nothing_is_in_the_way_once_everything_is_done_or_waived(
    alice: User, sam: User, dan: User, pia: User, deal_won: Opportunity
) -> None:
    name(dan, deal_won, pia)
    for item in Task.objects.filter(handoff__opportunity=deal_won, is_required=True).order_by("pk"):
        waive_item(actor=sam, task=item, reason="For the test", now=MONDAY)
    assert checklist_of(handoff_of(deal_won)).is_ready


def test_the_cost_of_a_checklist_does_not_grow(alice: User, deal_won: Opportunity) -> None:
    named_on(deal_won, "Kari", by=alice)
    few = _cost(handoff_of(deal_won))
    named_on(deal_won, *(f"Person {n}" for n in range(20)), by=alice)
    for n in range(30):
        add_item(
            actor=alice, handoff=handoff_of(deal_won), section="scope", title=f"Item {n}", side="sales",
            is_required=True, now=MONDAY,
        )  # fmt: skip
    assert _cost(handoff_of(deal_won)) == few <= 6


def test_naming_the_project_manager_hands_people_and_tasks_on(
    alice: User, dan: User, pia: User, deal_won: Opportunity
) -> None:
    named_on(deal_won, "Kari", by=alice)
    named = name(dan, deal_won, pia)
    assert named.project_manager == pia
    assert transfer_of(deal_won, "Kari").owner_next == pia
    assert {item_of(deal_won, key).assignee for key in ("kickoff-set", "internal-kickoff")} == {pia}


def test_naming_the_same_person_again_changes_nothing(dan: User, pia: User, deal_won: Opportunity) -> None:
    first = name(dan, deal_won, pia)
    assert name(dan, deal_won, pia).version == first.version
    assert Event.objects.filter(name=names.HANDOFF_CHANGED).count() == 1


def test_somebody_who_does_not_run_projects_is_refused(
    dan: User, ruth: User, charlie: User, deal_won: Opportunity
) -> None:
    for person in (ruth, charlie):
        with pytest.raises(ValidationError) as refusal:
            name(dan, deal_won, person)
        assert set(refusal.value.message_dict) == {"person"}


def test_sales_reps_name_no_project_manager(alice: User, pia: User, deal_won: Opportunity) -> None:
    with pytest.raises(PermissionDenied):
        name(alice, deal_won, pia)


def test_naming_over_somebody_elses_change_is_a_conflict(dan: User, pia: User, deal_won: Opportunity) -> None:
    handoff = handoff_of(deal_won)
    with pytest.raises(StaleHandoff):
        name_project_manager(actor=dan, handoff=handoff, person=pia, now=MONDAY, expected_version=handoff.version - 1)


def test_the_list_shows_what_the_reader_may_see(alice: User, charlie: User, eve: User, deal_won: Opportunity) -> None:
    today = MONDAY.date()
    rows, after = handoff_list(alice, today=today)
    assert [(row.handoff.opportunity, row.done, row.total) for row in rows] == [(deal_won, 0, 14)]
    assert after is None
    assert handoff_list(charlie, today=today)[0] == []
    assert len(handoff_list(eve, today=today, wanted=HandoffFilter(states=("approved",)))[0]) == 0


def test_the_list_goes_on_by_cursor(alice: User, dan: User) -> None:
    for _ in range(3):
        won(owner=alice, delivery_owner=dan)
    rows, after = handoff_list(alice, today=MONDAY.date(), size=2)
    rest, end = handoff_list(alice, today=MONDAY.date(), size=2, after=after or "")
    assert len({row.handoff.pk for row in (*rows, *rest)}) == 3
    assert end is None


def name(actor: User, deal: Opportunity, person: User | None) -> Handoff:
    """Name the project manager."""
    return name_project_manager(actor=actor, handoff=handoff_of(deal), person=person, now=MONDAY, expected_version=None)


def _cost(handoff: Handoff) -> int:
    with CaptureQueriesContext(connection) as queries:
        checklist_of(handoff)
    return len(queries)
