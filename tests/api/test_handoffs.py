"""Handoffs and delegations through the API."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.utils import timezone

from accounts.models import User
from events import names
from events.models import Event
from handoffs import defaults
from handoffs.models import ApprovalRule, Delegation, Handoff, HandoffState, Submission, TaskState
from handoffs.services.handoff import add_item
from tests import factories
from tests.api.conftest import Program, queries_of
from tests.handoffs.approving import fresh, ready, submitted
from tests.handoffs.handing import won

pytestmark = pytest.mark.django_db
ANY = {"If_Match": "*"}


@pytest.fixture
def handoff(alice: User, sam: User, dan: User, ada: User) -> Handoff:
    """Ready to be submitted, with Pia as project manager."""
    defaults.create(organisation=factories.organisation(), now=timezone.now())
    return ready(won(owner=alice, delivery_owner=dan, now=timezone.now()), now=timezone.now())


@pytest.fixture
def submission(handoff: Handoff) -> Submission:
    """Handed in by Alice."""
    return submitted(handoff, now=timezone.now())


def test_a_handoff_with_its_items_approvals_and_relationships(alices: Program, submission: Submission) -> None:
    answer = alices.get(f"handoffs/{submission.handoff_id}/")
    handoff = fresh(submission.handoff)
    assert (answer.status, answer.headers["ETag"]) == (200, f'"{handoff.version}"')
    shown = answer.json
    assert (shown["state"], shown["project_manager"]["name"]) == ("submitted", "Pia")
    assert {item["state"] for item in shown["items"]} <= set(TaskState.values)
    assert shown["items"][0]["section"] == "relationship"
    [version] = shown["approvals"]
    assert [(step["name"], step["state"]) for step in version["steps"]] == [
        ("Sales", "pending"),
        ("Delivery", "pending"),
    ]
    assert shown["relationships"] == []


def test_lists_are_filtered(alices: Program, sams: Program, submission: Submission, sam: User, pia: User) -> None:
    deal = submission.handoff.opportunity_id
    assert len(alices.rows(f"handoffs/?opportunity={deal}&state=submitted")) == 1
    assert alices.rows("handoffs/?state=draft") == []
    assert [row["id"] for row in sams.rows("handoffs/?waits_for=me")] == [submission.handoff_id]
    assert [row["id"] for row in alices.rows(f"handoffs/?waits_for={sam.pk}")] == [submission.handoff_id]
    assert alices.rows("handoffs/?waits_for=me") == []
    assert alices.rows("handoffs/?waits_for=999999999999") == []
    assert alices.get("handoffs/?waits_for=sam").status == 400
    Handoff.objects.update(state=HandoffState.APPROVED, approved_at=timezone.now())
    assert [row["id"] for row in alices.rows(f"handoffs/?waits_for={pia.pk}")] == [submission.handoff_id]


def test_submitting(alices: Program, charlies: Program, handoff: Handoff) -> None:
    path = f"handoffs/{handoff.pk}/submit/"
    assert charlies.post(path, **ANY).status == 404
    assert alices.post(path).status == 428
    stale = alices.post(path, If_Match='"999"')
    assert (stale.status, stale.json["current"]["id"]) == (412, handoff.pk)
    answer = alices.post(path, {"note": "In a hurry"}, If_Match=f'"{handoff.version}"')
    assert (answer.status, answer.json["state"]) == (200, "submitted")
    assert answer.json["approvals"][0]["note"] == "In a hurry"


def test_what_is_missing_is_named(alices: Program, alice: User, handoff: Handoff) -> None:
    add_item(
        actor=alice, handoff=handoff, section="scope", title="Sign the order", side="sales", is_required=True,
        now=timezone.now(),
    )  # fmt: skip
    refused = alices.post(f"handoffs/{handoff.pk}/submit/", **ANY)
    assert (refused.status, refused.code) == (422, "gate_not_met")
    assert any("Sign the order" in sentence for sentence in refused.json["fields"]["missing"])
    ApprovalRule.objects.all().delete()
    assert alices.post(f"handoffs/{handoff.pk}/submit/", **ANY).code == "gate_not_met"


def test_approving_and_accepting(
    sams: Program, dans: Program, as_program: Callable[[User], Program], pia: User, submission: Submission
) -> None:
    path = f"handoffs/{submission.handoff_id}/"
    given = sams.post(f"{path}approve/", {"comment": "Good"}, Idempotency_Key="one", **ANY)
    assert given.json["approvals"][0]["steps"][0]["decided_by"]["name"] == "Sam"
    assert sams.post(f"{path}approve/", {"comment": "Good"}, Idempotency_Key="one", **ANY).json == given.json
    assert sams.post(f"{path}approve/", **ANY).status == 200
    assert Event.objects.filter(name=names.APPROVAL_GIVEN).count() == 1
    assert dans.post(f"{path}approve/", **ANY).json["state"] == "approved"
    assert dans.post(f"{path}accept/", **ANY).status == 403
    accepted = as_program(pia).post(f"{path}accept/", **ANY)
    assert (accepted.status, accepted.json["accepted_by"]["name"]) == (200, "Pia")


def test_refusals_say_why(alices: Program, sams: Program, dans: Program, submission: Submission) -> None:
    path = f"handoffs/{submission.handoff_id}/"
    mine = alices.post(f"{path}approve/", **ANY)
    assert (mine.status, mine.json["detail"]) == (403, "You submitted this handoff, so somebody else approves it.")
    assert sams.post(f"{path}request-changes/", {}, **ANY).status == 400
    assert sams.post(f"{path}request-changes/", {"comment": "The dates"}, **ANY).json["state"] == "changes_requested"
    late = dans.post(f"{path}approve/", **ANY)
    assert (late.status, late.json["legal"]) == (409, ["submitted"])


def test_recalling_rejecting_and_revising(alices: Program, sams: Program, submission: Submission) -> None:
    path = f"handoffs/{submission.handoff_id}/"
    assert alices.post(f"{path}recall/", {"reason": "A number"}, **ANY).json["state"] == "draft"
    refused = alices.post(f"{path}revise/", {"reason": "A number"}, **ANY)
    assert (refused.status, refused.json["legal"]) == (409, ["submitted"])
    assert alices.post(f"{path}submit/", **ANY).json["approvals"][0]["number"] == 2
    assert sams.post(f"{path}reject/", {"comment": "Never"}, **ANY).json["state"] == "rejected"
    assert alices.post(f"{path}revise/", {"reason": "Another try"}, **ANY).json["state"] == "draft"


def test_items_are_completed_and_waived(alices: Program, sams: Program, alice: User, handoff: Handoff) -> None:
    now = timezone.now()
    made = [
        add_item(
            actor=alice, handoff=fresh(handoff), section="scope", title=title, side="sales", is_required=True, now=now
        )
        for title in ("One", "Two")
    ]
    path = f"handoffs/{handoff.pk}/items/"
    done = alices.post(f"{path}{made[0].pk}/complete/", {"evidence": "In the folder"}, **ANY)
    assert (done.status, done.json["state"], done.json["evidence"]) == (200, "done", "In the folder")
    assert alices.post(f"{path}{made[1].pk}/waive/", {"reason": "No need"}, **ANY).status == 403
    assert sams.post(f"{path}{made[1].pk}/waive/", {"reason": "No need"}, **ANY).json["state"] == "waived"
    assert sams.post(f"handoffs/999999/items/{made[1].pk}/waive/", {"reason": "No need"}, **ANY).status == 404


def test_a_list_costs_the_same_for_more(alices: Program, submission: Submission, ada: User) -> None:
    few = queries_of(alices, "handoffs/")
    for _time in range(2):
        submitted(ready(won(owner=submission.submitted_by, now=timezone.now()), now=timezone.now()), now=timezone.now())
    assert queries_of(alices, "handoffs/") == few <= 15
    assert queries_of(alices, "handoffs/?waits_for=me") <= 20


# --- delegations ------------------------------------------------------------------------------------------------------


def days(ahead: int = 0, length: int = 3) -> dict[str, str]:
    since = timezone.now().date() + dt.timedelta(days=ahead)
    return {"starts_on": since.isoformat(), "ends_on": (since + dt.timedelta(days=length)).isoformat()}


def test_naming_somebody_and_ending_it(sams: Program, dans: Program, charlies: Program, sam: User, dan: User) -> None:
    made = sams.post("delegations/", {"delegate": dan.pk, "reason": "Away", **days()})
    assert (made.status, made.json["delegate"]["name"], made.json["delegator"]["name"]) == (201, "Dan", "Sam")
    path = f"delegations/{made.json['id']}/"
    assert [len(each.rows("delegations/")) for each in (sams, dans, charlies)] == [1, 1, 0]
    assert charlies.get(path).status == 404
    assert charlies.ask("DELETE", path).status == 404
    ended = sams.ask("DELETE", path)
    assert (ended.status, ended.json["revoked_at"] is not None) == (200, True)
    assert sams.ask("DELETE", path).json == ended.json


def test_what_is_refused(sams: Program, dans: Program, adas: Program, sam: User, dan: User, pia: User) -> None:
    assert sams.post("delegations/", {"delegate": sam.pk, **days()}).status == 400
    assert sams.post("delegations/", {"delegator": dan.pk, "delegate": pia.pk, **days()}).status == 403
    assert sams.post("delegations/", {"delegate": dan.pk, **days(length=400)}).status == 400
    assert adas.post("delegations/", {"delegator": sam.pk, "delegate": dan.pk, **days()}).status == 201
    circle = dans.post("delegations/", {"delegate": sam.pk, **days()})
    assert (circle.status, "circle: Dan → Sam → Dan" in circle.json["fields"]["delegate"][0]) == (400, True)
    assert Delegation.objects.count() == 1
