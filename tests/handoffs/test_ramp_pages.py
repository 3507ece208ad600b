"""The pages of ramp plans, with and without script."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from handoffs.models import Lesson, LessonProposal, Playbook, Rag, RampPhase, RampPlan, Task, TaskSide, Touchpoint
from handoffs.services import ramp
from tests.cast import Browser
from tests.handoffs.handing import won
from tests.handoffs.ramping import milestone, ramping, settle, stands
from tests.handoffs.reactions import deal

NOW = timezone.now()
LATER = dt.date(NOW.year + 2, 3, 1)


@pytest.fixture
def plan(alice: User, dan: User) -> RampPlan:
    return ramping(owner=alice, delivery_owner=dan)


def url(name: str, thing: Any) -> str:
    return reverse(f"handoffs:{name}", args=[thing.pk])


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def told(answer: Any) -> dict[str, Any]:
    """What the answer has the page do."""
    return dict(json.loads(answer.headers.get("HX-Trigger", "{}")))


# --- reading ---


def test_the_page_shows_phases_duties_and_timeline(plan: RampPlan, as_dan: Browser) -> None:
    milestone(plan, "Introduce the project manager", side=TaskSide.SALES)
    milestone(plan, "Access for the team")
    milestone(plan, "Scope confirmed", phase=RampPhase.EXIT)
    shown = text(as_dan.get(url("ramp", plan)))
    for wanted in ("Introduce the project manager", "Sales still owes 1", "Exit criteria", "Mobilise", "<svg"):
        assert wanted in shown


def test_late_duties_are_counted(plan: RampPlan, as_dan: Browser) -> None:
    late = milestone(plan, "Introduce the project manager", side=TaskSide.SALES)
    milestone(plan, "Hand over", side=TaskSide.SALES, on=LATER)
    milestone(plan, "For both", side=TaskSide.SHARED)
    Task.objects.filter(pk=late.pk).update(due_on=NOW.date() - dt.timedelta(days=3))
    assert re.search(r"Sales still owes 2 <span[^>]*><svg.*?1 late", text(as_dan.get(url("ramp", plan))))


def test_an_empty_plan_says_what_would_be_here(plan: RampPlan, as_dan: Browser) -> None:
    shown = text(as_dan.get(url("ramp", plan)))
    assert "no milestones yet" in shown
    assert "Sales owes nothing." in shown


def test_the_picture_leads_to_every_milestone_and_holds_no_style(plan: RampPlan, as_dan: Browser) -> None:
    tasks = [milestone(plan, f"Step {number} <b>", days=number) for number in range(12)]
    shown = as_dan.get(url("ramp", plan)).content.decode()
    picture = shown[shown.index('<svg class="rp-svg"') : shown.index('<ol class="rp-vertical"')]
    for task in tasks:
        assert f'href="#task-{task.pk}"' in picture
        assert f'id="task-{task.pk}"' in shown
    assert "style=" not in picture
    assert "Step 1 &lt;b&gt;" in picture


def test_the_same_is_there_as_a_table(plan: RampPlan, as_dan: Browser) -> None:
    milestone(plan, "Access for the team")
    shown = text(as_dan.get(url("ramp", plan)))
    table = shown[shown.index("<table") : shown.index("</table>")]
    assert "<td>Access for the team</td><td>Mobilise</td><td>Delivery</td><td>Open</td>" in table


def test_outsiders_find_nothing(plan: RampPlan, as_charlie: Browser) -> None:
    assert as_charlie.get(url("ramp", plan)).status_code == 404
    assert plan.opportunity.name not in text(as_charlie.get(reverse("handoffs:ramp_plans") + "?whose=all"))


def test_a_deal_without_a_plan_shows_no_panel(as_dan: Browser, alice: User) -> None:
    open_deal = deal(owner=alice)
    answer = as_dan.hx("get", url("ramp_panel", open_deal))
    assert answer.status_code == 200
    assert "Ramp plan" not in text(answer)


def test_the_panel_of_a_deal_says_what_is_owed(plan: RampPlan, as_alice: Browser) -> None:
    milestone(plan, "Introduce the project manager", side=TaskSide.SALES)
    shown = text(as_alice.hx("get", url("ramp_panel", plan.opportunity)))
    assert "Sales still owes 1" in shown
    assert url("ramp", plan) in shown


def queries(browser: Browser, path: str) -> int:
    browser.get(path)
    with CaptureQueriesContext(connection) as captured:
        assert browser.get(path).status_code == 200
    return len(captured)


def test_two_hundred_milestones_cost_no_more_queries_than_five(plan: RampPlan, as_dan: Browser) -> None:
    made = [
        milestone(plan, f"Step {number}", days=number % 40, phase=list(RampPhase)[number % 6]) for number in range(5)
    ]
    for task in made:
        settle(task, evidence="Seen")
    few = queries(as_dan, url("ramp", plan))
    copies = []
    for number in range(195):
        copy = Task.objects.get(pk=made[number % 5].pk)
        copy.pk, copy.title = None, f"More {number}"
        copies.append(copy)
    Task.objects.bulk_create(copies)
    assert queries(as_dan, url("ramp", plan)) <= few


def test_twenty_five_plans_cost_no_more_queries_than_five(alice: User, dan: User, as_dan: Browser) -> None:
    for _number in range(5):
        won(owner=alice, delivery_owner=dan)
    path = reverse("handoffs:ramp_plans")
    few = queries(as_dan, path)
    for _number in range(21):
        won(owner=alice, delivery_owner=dan)
    assert queries(as_dan, path) <= few


# --- the list ---


def test_the_list_shows_what_comes_next_and_pages_on(alice: User, dan: User, as_dan: Browser) -> None:
    plans = [ramping(owner=alice, delivery_owner=dan, name=f"Deal {number:02}") for number in range(26)]
    milestone(plans[0], "Access for the team")
    first = as_dan.get(reverse("handoffs:ramp_plans"))
    shown = text(first)
    assert shown.count('class="rp-row"') == 25
    assert "Access for the team" in shown
    following = re.search(r'rel="next" href="([^"]+)"', shown)
    assert following
    second = text(as_dan.get(reverse("handoffs:ramp_plans") + following[1].replace("&amp;", "&")))
    assert second.count('class="rp-row"') == 1
    assert "Deal 25" in second


@pytest.mark.parametrize("after", ["nonsense", "2026-01-01", "2026-13-01~1", "2026-01-01~-1"])
def test_a_made_up_page_is_no_page(as_dan: Browser, after: str) -> None:
    assert as_dan.get(reverse("handoffs:ramp_plans"), {"after": after}).status_code == 400


def test_the_list_is_filtered(plan: RampPlan, as_dan: Browser, as_sam: Browser, dan: User) -> None:
    name, path = plan.opportunity.name, reverse("handoffs:ramp_plans")
    assert name in text(as_dan.get(path))
    assert name not in text(as_dan.get(path, {"rag": "red"}))
    assert name not in text(as_dan.get(path, {"state": "closed"}))
    assert name not in text(as_sam.get(path))
    assert name in text(as_sam.get(path, {"whose": "all"}))


# --- moving the kick-off ---


def kickoff(browser: Browser, plan: RampPlan, day: dt.date, **more: Any) -> Any:
    data = {"kickoff_on": day.isoformat(), "version": stands(plan).version, "do": "move", **more}
    return browser.hx("post", url("ramp_kickoff", plan), data)


def test_nothing_is_moved_before_it_was_shown(plan: RampPlan, as_dan: Browser) -> None:
    milestone(plan, "Access for the team", days=2)
    shown = kickoff(as_dan, plan, LATER)
    assert "1 task moves" in text(shown)
    assert stands(plan).kickoff_on == plan.kickoff_on
    moved = kickoff(as_dan, plan, LATER, previewed=LATER.isoformat())
    assert moved.status_code == 204
    assert told(moved)["toast"]["undo"]["url"] == url("ramp_kickoff_undo", plan)
    assert stands(plan).kickoff_on == LATER


def test_another_day_than_the_one_shown_is_shown_first(plan: RampPlan, as_dan: Browser) -> None:
    answer = kickoff(as_dan, plan, LATER, previewed="2028-01-03")
    assert answer.status_code == 200
    assert stands(plan).kickoff_on == plan.kickoff_on


def test_without_script_the_preview_is_a_page(plan: RampPlan, as_dan: Browser) -> None:
    saturday = LATER + dt.timedelta(days=(5 - LATER.weekday()) % 7)
    data = {"kickoff_on": saturday.isoformat(), "version": plan.version, "do": "preview", "reason": "They asked"}
    shown = text(as_dan.post(url("ramp_kickoff", plan), data))
    assert "Nobody works on" in shown
    assert 'value="They asked"' in shown
    moved = as_dan.post(url("ramp_kickoff", plan), {**data, "do": "move", "previewed": saturday.isoformat()})
    assert moved.headers["Location"] == url("ramp", plan)


def test_a_day_that_has_passed_is_refused_with_what_was_typed(plan: RampPlan, as_dan: Browser) -> None:
    answer = kickoff(as_dan, plan, dt.date(2020, 1, 1), reason="They asked")
    assert answer.status_code == 422
    assert "That day has passed" in text(answer)
    assert "They asked" in text(answer)


def test_a_stale_move_shows_what_is_now_and_keeps_what_was_typed(
    plan: RampPlan, as_dan: Browser, alice: User
) -> None:  # fmt: skip
    ramp.report_health(actor=alice, plan=plan, rag=Rag.RED, reason="Sponsor left", now=NOW)
    stale = kickoff(
        as_dan, plan, LATER, previewed=LATER.isoformat(), version=plan.version, reason="They asked"
    )  # fmt: skip
    assert stale.status_code == 409
    assert "its health Red" in text(stale)
    assert "They asked" in text(stale)
    again = re.search(r'name="version" value="(\d+)"', text(stale))
    assert again
    kickoff(as_dan, plan, LATER, previewed=LATER.isoformat(), version=again[1])
    assert stands(plan).kickoff_on == LATER


def test_undo_puts_it_back_once(plan: RampPlan, as_dan: Browser) -> None:
    kickoff(as_dan, plan, LATER, previewed=LATER.isoformat())
    assert "is back on" in told(as_dan.hx("post", url("ramp_kickoff_undo", plan)))["toast"]["text"]
    assert stands(plan).kickoff_on == plan.kickoff_on


# --- health, contacts, milestones ---


def test_health_is_reported_with_its_reason(plan: RampPlan, as_dan: Browser) -> None:
    data = {"rag": "amber", "reason": "No access yet", "version": stands(plan).version}
    assert as_dan.hx("post", url("ramp_health", plan), data).status_code == 204
    shown = text(as_dan.get(url("ramp", plan)))
    assert "No access yet" in shown
    assert "ot-rag-amber" in shown


def test_health_without_a_reason_is_refused(plan: RampPlan, as_dan: Browser) -> None:
    refused = as_dan.hx("post", url("ramp_health", plan), {"rag": "red", "version": plan.version})
    assert refused.status_code == 422
    assert "Say why" in text(refused)
    assert 'value="red"' in text(refused)


def test_a_contact_is_logged_removed_and_brought_back(plan: RampPlan, as_dan: Browser) -> None:
    today = timezone.localdate().isoformat()
    data = {"kind": "call", "on": today, "note": "Access comes on Wednesday", "request_id": uuid.uuid4()}
    for _again in range(2):
        as_dan.hx("post", url("ramp_touchpoint", plan), data)
    entry = Touchpoint.objects.get()
    assert "Access comes on Wednesday" in text(as_dan.get(url("ramp", plan)))
    removed = told(as_dan.hx("post", url("remove_touchpoint", entry)))
    assert "Access comes on Wednesday" not in text(as_dan.get(url("ramp", plan)))
    as_dan.hx("post", removed["toast"]["undo"]["url"])
    assert "Access comes on Wednesday" in text(as_dan.get(url("ramp", plan)))


def test_a_milestone_is_added(plan: RampPlan, as_dan: Browser) -> None:
    data = {"title": "Access for the team", "phase": "mobilise", "side": "delivery", "offset_days": "3"}
    assert as_dan.hx("post", url("ramp_milestone", plan), data).status_code == 204
    assert Task.objects.get(ramp_plan=plan).offset_days == 3


def test_a_milestone_has_one_date(plan: RampPlan, as_dan: Browser) -> None:
    data = {
        "title": "Access", "phase": "mobilise", "side": "delivery", "offset_days": "3", "due_on": LATER.isoformat(),
    }  # fmt: skip
    assert "either the business days or the day" in text(as_dan.hx("post", url("ramp_milestone", plan), data))


def test_a_task_is_done_in_place(plan: RampPlan, as_dan: Browser) -> None:
    task = milestone(plan, "Access for the team")
    answer = as_dan.hx("post", url("complete_task", task), {"version": task.version}, **{"HX-Target": "ramp"})
    assert "handoffs-changed" in told(answer)
    task.refresh_from_db()
    assert task.state == "done"


def test_without_script_it_comes_back_to_the_plan(plan: RampPlan, as_dan: Browser) -> None:
    task = milestone(plan, "Access for the team")
    answer = as_dan.post(url("complete_task", task), {"version": task.version, "next": url("ramp", plan)})
    assert answer.headers["Location"] == url("ramp", plan)


# --- the end ---


def test_ending_names_what_is_missing(plan: RampPlan, as_dan: Browser, as_ada: Browser) -> None:
    milestone(plan, "Scope confirmed", phase=RampPhase.EXIT)
    shown = text(as_dan.hx("get", url("ramp_exit", plan)))
    assert "Open: “Scope confirmed”." in shown
    refused = as_dan.hx("post", url("ramp_exit", plan), {"do": "end", "version": stands(plan).version})
    assert refused.status_code == 422
    assert stands(plan).state == "ramping"


def test_a_delivery_manager_ends_it_early_with_a_reason(plan: RampPlan, as_dan: Browser, as_sam: Browser) -> None:
    milestone(plan, "Scope confirmed", phase=RampPhase.EXIT)
    version = stands(plan).version
    assert as_dan.hx("post", url("ramp_exit", plan), {"do": "early", "version": version}).status_code == 422
    data = {"do": "early", "version": version, "reason": "The client is on leave"}
    ended = told(as_dan.hx("post", url("ramp_exit", plan), data))
    assert ended["toast"]["undo"]["url"] == url("ramp_resume", plan)
    assert "The client is on leave" in text(as_dan.get(url("ramp", plan)))
    assert "The client is on leave" in text(as_sam.get(reverse("dashboards:hygiene")))


def test_undo_of_the_end_lets_the_ramp_go_on(plan: RampPlan, as_dan: Browser) -> None:
    as_dan.hx("post", url("ramp_exit", plan), {"do": "end", "version": stands(plan).version})
    assert stands(plan).state == "in_delivery"
    as_dan.hx("post", url("ramp_resume", plan))
    assert stands(plan).is_ramping


def test_closing_shows_what_sales_owes_first(plan: RampPlan, as_dan: Browser, dan: User) -> None:
    milestone(plan, "Introduce the project manager", side=TaskSide.SALES)
    ramp.exit_ramp(actor=dan, plan=plan, now=NOW)
    assert "Introduce the project manager" in text(as_dan.hx("get", url("ramp_close", plan)))
    version = stands(plan).version
    assert as_dan.hx("post", url("ramp_close", plan), {"do": "close", "version": version}).status_code == 422
    assert as_dan.hx("post", url("ramp_close", plan), {"do": "despite", "version": version}).status_code == 204
    as_dan.hx("post", url("ramp_reopen", plan))
    assert stands(plan).state == "in_delivery"


# --- lessons ---


def test_a_lesson_travels_to_the_playbook(plan: RampPlan, as_dan: Browser, as_ada: Browser) -> None:
    playbook = Playbook.objects.get(trigger="won")
    data = {
        "text": "Access took three weeks", "proposal": "add", "playbook": playbook.pk,
        "title": "Ask for access at once", "request_id": uuid.uuid4(),
    }  # fmt: skip
    assert as_dan.hx("post", url("ramp_lesson", plan), data).status_code == 204
    lesson = Lesson.objects.get()
    path = reverse("playbooks:detail", args=[playbook.pk])
    assert "Access took three weeks" in text(as_ada.get(path))
    assert "Access took three weeks" in text(as_ada.get(reverse("playbooks:list")))
    assert as_ada.post(url("adopt_lesson", lesson)).headers["Location"] == path
    shown = text(as_ada.get(path))
    assert "Ask for access at once" in shown
    assert "Access took three weeks" not in shown
    assert "adopted by Ada" in text(as_dan.get(url("ramp", plan)))


def test_a_lesson_is_left_aside_with_a_reason(plan: RampPlan, as_dan: Browser, as_ada: Browser, dan: User) -> None:
    lesson = ramp.add_lesson(
        actor=dan, plan=plan, text="Skip it", proposal=LessonProposal.LEAVE_OUT,
        playbook_task=Playbook.objects.get(trigger="won").tasks.all()[0], request_id=uuid.uuid4(), now=NOW,
    )  # fmt: skip
    assert as_ada.hx("post", url("dismiss_lesson", lesson), {"reason": ""}).status_code == 422
    assert as_dan.post(url("dismiss_lesson", lesson), {"reason": "No"}).status_code == 403
    as_ada.post(url("dismiss_lesson", lesson), {"reason": "That client was special"})
    assert "That client was special" in text(as_dan.get(url("ramp", plan)))
