"""Tasks through the API."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import User
from handoffs.models import Engagement, Task, TaskSide
from handoffs.services.handoff import add_item
from handoffs.services.tasks import complete_task
from opportunities.models import Attachment, Opportunity
from tests.api.conftest import Program, queries_of
from tests.handoffs.handing import handoff_of, won


@pytest.fixture
def first(engagement: Engagement) -> Task:
    """Alice's task that nothing stands before."""
    return engagement.tasks.get(template__key="brief-delivery")


@pytest.fixture
def shared(engagement: Engagement) -> Task:
    """A task of both sides that nothing stands before."""
    return engagement.tasks.get(template__key="first-risks")


def test_shows_a_task(alices: Program, alice: User, first: Task) -> None:
    answer = alices.get(f"tasks/{first.pk}/")
    assert answer.status == 200
    assert answer.headers["ETag"] == '"1"'
    assert (answer.json["side"], answer.json["state"]) == ("sales", "open")
    assert answer.json["assignee"] == {"id": alice.pk, "name": "Alice"}
    assert answer.json["playbook"]["name"] == "A deal turns warm"
    assert answer.json["due_on"] == first.due_on.isoformat()


def test_outsider_sees_no_tasks(charlies: Program, first: Task) -> None:
    assert charlies.rows("tasks/") == []
    foreign, missing = charlies.get(f"tasks/{first.pk}/"), charlies.get("tasks/999999/")
    assert foreign.status == missing.status == 404
    assert foreign.json == missing.json


def test_filters(alices: Program, alice: User, first: Task, shared: Task) -> None:
    everything = {row["id"] for row in alices.rows("tasks/?page_size=2")}
    assert everything == set(Task.objects.values_list("pk", flat=True))
    for query, wanted in (
        (f"opportunity={first.opportunity_id}", everything),
        ("opportunity=999999", set()),
        (f"engagement={first.engagement_id}", everything),
        (f"assignee={alice.pk}", set(Task.objects.filter(assignee=alice).values_list("pk", flat=True))),
        ("side=sales", set(Task.objects.filter(side="sales").values_list("pk", flat=True))),
        ("state=done", set()),
        ("state=open&side=shared", set(Task.objects.filter(side="shared").values_list("pk", flat=True))),
        (f"due_before={first.due_on}", set(Task.objects.filter(due_on__lt=first.due_on).values_list("pk", flat=True))),
        ("due_before=2099-01-01", everything),
    ):
        assert {row["id"] for row in alices.rows(f"tasks/?{query}")} == wanted, query


def test_changes_title_day_and_person(alices: Program, pia: User, first: Task) -> None:
    day = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=20)
    body = {"title": "Brief Pia", "due_on": day.isoformat(), "assignee": pia.pk}
    answer = alices.patch(f"tasks/{first.pk}/", body, If_Match='"1"')
    assert answer.status == 200, answer
    assert (answer.json["title"], answer.json["due_on"], answer.json["is_due_fixed"]) == (
        "Brief Pia",
        day.isoformat(),
        True,
    )
    assert answer.json["version"] == 2
    again = alices.patch(f"tasks/{first.pk}/", body, If_Match='"1"')
    assert (again.status, again.json["version"]) == (200, 2)


@pytest.mark.parametrize(
    "body",
    [{"title": ""}, {"due_on": None}, {"due_on": "2020-01-01"}, {"due_on": "2999-01-01"}, {"assignee": 999_999},
     {"state": "done"}, {"side": "sales"}, {"evidence": "x"}, {"nothing": 1}, {"title": 5}],
)  # fmt: skip
def test_refuses_values_with_a_sentence_at_the_field(alices: Program, first: Task, body: Any) -> None:
    answer = alices.patch(f"tasks/{first.pk}/", body, If_Match='"1"')
    assert answer.status == 400
    assert list(answer.json["fields"]) == list(body)


def test_completes_and_reopens(alices: Program, first: Task) -> None:
    done = alices.post(f"tasks/{first.pk}/complete/", {}, If_Match='"1"')
    assert done.status == 200, done
    assert (done.json["state"], done.json["sales_done_by"]["name"]) == ("done", "Alice")
    assert alices.post(f"tasks/{first.pk}/complete/", {}, If_Match='"1"').json["version"] == 2
    opened = alices.post(f"tasks/{first.pk}/reopen/", {}, If_Match='"2"')
    assert (opened.json["state"], opened.json["sales_done_at"]) == ("open", None)


def test_a_shared_task_needs_both(alices: Program, dans: Program, shared: Task) -> None:
    half = alices.post(f"tasks/{shared.pk}/complete/", {"evidence": "Call on Monday"}, If_Match='"1"')
    assert (half.status, half.json["state"], half.json["delivery_done_at"]) == (200, "open", None)
    whole = dans.post(f"tasks/{shared.pk}/complete/", {}, If_Match='"2"')
    assert (whole.json["state"], whole.json["evidence"]) == ("done", "Call on Monday")


def test_names_what_comes_first(dans: Program, engagement: Engagement) -> None:
    later = engagement.tasks.get(template__key="read-the-deal")
    answer = dans.post(f"tasks/{later.pk}/complete/", {}, If_Match="*")
    assert answer.status == 400
    assert "Brief delivery" in answer.json["detail"]


def test_evidence_is_asked_for(dans: Program, engagement: Engagement) -> None:
    wanting = engagement.tasks.get(template__key="rough-team")
    wanting.depends_on.clear()
    answer = dans.post(f"tasks/{wanting.pk}/complete/", {}, If_Match="*")
    assert answer.status == 400
    assert list(answer.json["fields"]) == ["evidence"]
    assert dans.post(f"tasks/{wanting.pk}/complete/", {"evidence": "Wiki"}, If_Match="*").status == 200


def test_paused_task_names_what_is_legal(alices: Program, first: Task) -> None:
    Task.objects.update(state="paused")
    answer = alices.post(f"tasks/{first.pk}/complete/", {}, If_Match="*")
    assert answer.status == 409
    assert answer.code == "illegal_transition"
    assert answer.json["legal"] == ["cancelled", "open"]


@pytest.mark.parametrize("action", ["complete", "reopen"])
def test_every_action_keeps_the_rules_of_the_house(
    alices: Program, dans: Program, charlies: Program, first: Task, action: str
) -> None:
    """Wrong method, no If-Match, stale, outsider, other side, unknown field, repeated with a key."""
    if action == "reopen":
        alices.post(f"tasks/{first.pk}/complete/", {}, If_Match="*")
    path = f"tasks/{first.pk}/{action}/"
    assert first.side == TaskSide.SALES
    assert alices.get(path).status == 405
    assert alices.post(path, {}).status == 428
    stale = alices.post(path, {}, If_Match='"99"')
    assert stale.code == "stale"
    assert stale.json["current"]["id"] == first.pk
    assert charlies.post(path, {}, If_Match="*").status == 404
    assert dans.post(path, {}, If_Match="*").status == 403
    assert alices.post(path, {"colour": "red"}, If_Match="*").json["fields"].keys() == {"colour"}
    done = alices.post(path, {}, If_Match="*", Idempotency_Key="key-1")
    assert done.status == 200
    assert alices.post(path, {}, If_Match="*", Idempotency_Key="key-1").json == done.json


def test_a_change_keeps_the_rules_of_the_house(alices: Program, dans: Program, charlies: Program, first: Task) -> None:
    path, body = f"tasks/{first.pk}/", {"title": "Another"}
    assert alices.patch(path, body).status == 428
    assert alices.patch(path, body, If_Match='"99"').code == "stale"
    assert charlies.patch(path, body, If_Match="*").status == 404
    assert dans.patch(path, body, If_Match="*").status == 403
    assert alices.ask("DELETE", path).status == 405


@pytest.fixture
def pias(pia: User) -> Program:
    """Pia's program."""
    return Program(pia)


@pytest.fixture
def deal_won(engagement: Engagement, alice: User, pia: User) -> Opportunity:
    """Alice's deal, won."""
    return won(owner=alice, delivery_owner=pia)


def item(deal_won: Opportunity, key: str = "contract") -> Task:
    """An item or milestone of the won deal."""
    return Task.objects.get(opportunity=deal_won, template__key=key)


def test_filters_by_handoff_and_ramp_plan(alices: Program, deal_won: Opportunity) -> None:
    handoff = handoff_of(deal_won)
    items = {row["id"] for row in alices.rows(f"tasks/?handoff={handoff.pk}")}
    assert items == set(handoff.items.values_list("pk", flat=True))
    milestones = {row["id"] for row in alices.rows(f"tasks/?ramp_plan={handoff.ramp_plan.pk}")}
    assert milestones == set(handoff.ramp_plan.tasks.values_list("pk", flat=True))
    assert not items & milestones
    assert alices.rows("tasks/?handoff=999999") == []


def test_says_where_an_item_stands(alices: Program, deal_won: Opportunity) -> None:
    contract = alices.get(f"tasks/{item(deal_won).pk}/").json
    assert (contract["handoff"], contract["section"], contract["is_required"], contract["ramp_plan"]) == (
        handoff_of(deal_won).pk, "commercials", True, None,
    )  # fmt: skip
    milestone = alices.get(f"tasks/{item(deal_won, 'client-scope').pk}/").json
    assert (milestone["phase"], milestone["action"], milestone["handoff"]) == ("exit", "client_scope", None)


def test_an_item_of_no_playbook_has_none(alices: Program, alice: User, deal_won: Opportunity) -> None:
    made = add_item(
        actor=alice, handoff=handoff_of(deal_won), section="scope", title="Name the sites", side="sales",
        is_required=True, now=dt.datetime.now(dt.UTC),
    )  # fmt: skip
    assert alices.get(f"tasks/{made.pk}/").json["playbook"] is None


def test_completes_with_a_link(alices: Program, deal_won: Opportunity) -> None:
    path = f"tasks/{item(deal_won).pk}/complete/"
    wrong = alices.post(path, {"link": "javascript:alert(1)"}, If_Match="*")
    assert (wrong.status, set(wrong.json["fields"])) == (400, {"link"})
    done = alices.post(path, {"link": "https://files.test/sow"}, If_Match="*")
    assert (done.status, done.json["state"], done.json["evidence_link"]) == (200, "done", "https://files.test/sow")


def test_names_the_file_that_shows_it(alices: Program, alice: User, deal_won: Opportunity) -> None:
    file = Attachment.objects.create(
        opportunity=deal_won, file="attachments/ab/abc", name="contract.pdf", size=1, content_type="application/pdf",
        uploaded_by=alice,
    )  # fmt: skip
    complete_task(actor=alice, task=item(deal_won), attachment=file, now=dt.datetime.now(dt.UTC))
    shown = alices.get(f"tasks/{item(deal_won).pk}/").json["evidence_file"]
    assert (shown["id"], shown["name"]) == (file.pk, "contract.pdf")
    assert shown["url"].endswith(reverse("opportunities:file", args=[deal_won.pk, file.pk]))


def test_waives_with_a_reason_and_takes_it_back(pias: Program, deal_won: Opportunity) -> None:
    task = item(deal_won, "day-one")
    assert pias.post(f"tasks/{task.pk}/waive/", {}, If_Match="*").status == 400
    waived = pias.post(f"tasks/{task.pk}/waive/", {"reason": "They come to us"}, If_Match='"1"')
    assert (waived.status, waived.json["state"], waived.json["waived_reason"]) == (200, "waived", "They come to us")
    assert waived.json["waived_by"]["name"] == "Pia"
    stale = pias.post(f"tasks/{item(deal_won, 'kickoff-set').pk}/waive/", {"reason": "No"}, If_Match='"7"')
    assert stale.status == 412
    again = pias.post(f"tasks/{task.pk}/reopen/", {}, If_Match="*")
    assert (again.json["state"], again.json["waived_reason"]) == ("open", "")


def test_waiving_takes_the_right(alices: Program, charlies: Program, deal_won: Opportunity) -> None:
    path = f"tasks/{item(deal_won).pk}/waive/"
    assert alices.post(path, {"reason": "Because"}, If_Match="*").status == 403
    assert charlies.post(path, {"reason": "Because"}, If_Match="*").status == 404


def test_an_exit_criterion_is_not_waived(pias: Program, deal_won: Opportunity) -> None:
    answer = pias.post(f"tasks/{item(deal_won, 'on-its-own').pk}/waive/", {"reason": "Because"}, If_Match="*")
    assert (answer.status, answer.json["code"]) == (409, "illegal_transition")


def test_the_cost_of_a_list_does_not_grow(alices: Program, deal_won: Opportunity, alice: User, dan: User) -> None:
    few = queries_of(alices, "tasks/?page_size=2")
    won(owner=alice, delivery_owner=dan)
    assert queries_of(alices, "tasks/?page_size=200") == few <= 15
