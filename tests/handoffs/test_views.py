"""The panel of a deal, answering in place, and the list of engagements."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from handoffs.models import Engagement, EngagementState, Task, TaskState
from handoffs.services.engagements import accept_engagement
from handoffs.services.tasks import complete_task
from opportunities.models import Opportunity
from tests import factories
from tests.cast import Browser
from tests.handoffs.reactions import MONDAY, deal, engagement_of, move, task_of

PANEL = {"HX-Target": "deal-panel"}


def panel_url(opportunity: Opportunity) -> str:
    return reverse("handoffs:deal_panel", args=[opportunity.pk])


def post(browser: Browser, name: str, pk: int, data: dict[str, Any] | None = None, **headers: str) -> Any:
    return browser.hx("post", reverse(f"handoffs:{name}", args=[pk]), data, **headers)


def html(response: Any) -> str:
    return str(response.content.decode())


def triggers(response: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(response.headers.get("HX-Trigger", "{}"))
    return found


# --- the panel ---


def test_the_panel_shows_tasks_by_side_with_dates_and_what_comes_first(warm_deal: Opportunity, as_dan: Browser) -> None:
    page = html(as_dan.hx("get", panel_url(warm_deal)))
    assert 'id="deal-panel"' in page
    assert "<html" not in page
    titles = [page.index(f'oh-task-title">{title}') for title in ("Brief delivery", "Talk scope", "Read the deal")]
    assert titles == sorted(titles)
    assert "First: “Brief delivery on client, need and timing” by Alice." in page
    assert 'datetime="2026-11-25"' in page


def test_the_panel_is_a_page_of_its_own_without_script(warm_deal: Opportunity, as_dan: Browser) -> None:
    page = html(as_dan.get(panel_url(warm_deal)))
    assert "<html" in page
    assert 'id="deal-panel"' in page


def test_a_cold_deal_offers_to_ask_delivery_in(as_alice: Browser, alice: User) -> None:
    page = html(as_alice.hx("get", panel_url(deal(owner=alice))))
    assert "Ask delivery in" in page


def test_the_panel_says_who_is_missing(warm_deal: Opportunity, as_alice: Browser, dan: User) -> None:
    url = panel_url(warm_deal)
    assert "delivery has not accepted" in html(as_alice.hx("get", url))
    accept_engagement(actor=dan, engagement=engagement_of(warm_deal), expected_version=None, now=MONDAY)
    assert "One side acts alone" not in html(as_alice.hx("get", url))


def test_resting_tasks_are_folded(warm_deal: Opportunity, as_alice: Browser) -> None:
    move(warm_deal, "qualified")
    page = html(as_alice.hx("get", panel_url(warm_deal)))
    assert "1 rests" in page
    assert "Say done" not in page


def test_a_shared_task_shows_who_has_said_done(warm_deal: Opportunity, alice: User, as_dan: Browser) -> None:
    complete_task(actor=alice, task=task_of(warm_deal, "first-risks"), now=MONDAY)
    assert "Sales: Alice" in html(as_dan.hx("get", panel_url(warm_deal)))


def test_an_outsider_finds_nothing(warm_deal: Opportunity, as_charlie: Browser) -> None:
    engagement, task = engagement_of(warm_deal), task_of(warm_deal, "brief-delivery")
    assert as_charlie.get(panel_url(warm_deal)).status_code == 404
    for name, pk in (
        ("ask_in", warm_deal.pk), ("accept", engagement.pk), ("decline", engagement.pk), ("reassign", engagement.pk),
        ("complete", engagement.pk), ("complete_task", task.pk), ("reopen_task", task.pk), ("change_task", task.pk),
    ):  # fmt: skip
        assert post(as_charlie, name, pk).status_code == 404, name


@pytest.mark.parametrize("name", ["accept", "complete_task", "reopen_task", "ask_in"])
def test_actions_are_posts(warm_deal: Opportunity, as_dan: Browser, name: str) -> None:
    assert as_dan.get(reverse(f"handoffs:{name}", args=[1])).status_code == 405


@pytest.mark.parametrize("pk", [0, 2**63 - 1])
def test_keys_that_nothing_has(as_dan: Browser, pk: int) -> None:
    assert post(as_dan, "accept", pk).status_code == 404
    assert post(as_dan, "complete_task", pk).status_code == 404


# --- engagements ---


def test_accepting_answers_with_the_fresh_panel(warm_deal: Opportunity, as_dan: Browser) -> None:
    response = post(as_dan, "accept", engagement_of(warm_deal).pk, {"version": 1}, **PANEL)
    assert response.status_code == 200
    assert 'id="deal-panel"' in html(response)
    assert "Accepted" in html(response)
    assert engagement_of(warm_deal).state == EngagementState.ACCEPTED


def test_accepting_from_a_list_answers_with_the_row(warm_deal: Opportunity, as_dan: Browser) -> None:
    engagement = engagement_of(warm_deal)
    response = post(as_dan, "accept", engagement.pk, {"version": 1}, **{"HX-Target": f"engagement-{engagement.pk}"})
    assert f'id="engagement-{engagement.pk}"' in html(response)
    assert 'id="deal-panel"' not in html(response)


def test_accepting_a_stale_request_is_a_conflict_with_the_fresh_panel(warm_deal: Opportunity, as_dan: Browser) -> None:
    engagement = engagement_of(warm_deal)
    Engagement.objects.filter(pk=engagement.pk).update(version=5)
    response = post(as_dan, "accept", engagement.pk, {"version": 1}, **PANEL)
    assert response.status_code == 409
    assert "Somebody changed this in the meantime" in html(response)
    assert 'name="version" value="5"' in html(response)


def test_accepting_what_was_closed_is_a_conflict(warm_deal: Opportunity, as_dan: Browser) -> None:
    move(warm_deal, "lost")
    response = post(as_dan, "accept", engagement_of(warm_deal).pk, {"version": 1}, **PANEL)
    assert response.status_code == 409
    assert "The engagement is done" in html(response)


def test_declining_without_a_reason_keeps_the_form_open(warm_deal: Opportunity, as_dan: Browser) -> None:
    response = post(as_dan, "decline", engagement_of(warm_deal).pk, {"version": 1, "reason": ""}, **PANEL)
    assert response.status_code == 422
    assert "Say why delivery can&#x27;t take part" in html(response)


def test_a_reason_that_can_not_be_kept_comes_back(warm_deal: Opportunity, as_dan: Browser) -> None:
    response = post(as_dan, "decline", engagement_of(warm_deal).pk, {"version": 1, "reason": "Busy\u202e"}, **PANEL)
    assert response.status_code == 422
    assert "Busy" in html(response)
    assert engagement_of(warm_deal).state == EngagementState.REQUESTED


def test_declining(warm_deal: Opportunity, as_dan: Browser) -> None:
    post(as_dan, "decline", engagement_of(warm_deal).pk, {"version": 1, "reason": "Nobody free"}, **PANEL)
    assert engagement_of(warm_deal).decline_reason == "Nobody free"


def test_sales_may_look_but_not_answer(warm_deal: Opportunity, as_alice: Browser) -> None:
    assert "Accept" not in html(as_alice.hx("get", panel_url(warm_deal))).replace("Accepted", "")
    assert post(as_alice, "accept", engagement_of(warm_deal).pk).status_code == 403


def test_reassigning(warm_deal: Opportunity, as_dan: Browser, pia: User) -> None:
    response = post(as_dan, "reassign", engagement_of(warm_deal).pk, {"version": 1, "delivery_owner": pia.pk}, **PANEL)
    assert response.status_code == 200
    assert Opportunity.objects.get(pk=warm_deal.pk).delivery_owner == pia


def test_reassigning_to_somebody_of_sales_is_refused(warm_deal: Opportunity, as_dan: Browser, alice: User) -> None:
    response = post(
        as_dan, "reassign", engagement_of(warm_deal).pk, {"version": 1, "delivery_owner": alice.pk}, **PANEL
    )
    assert response.status_code == 422


def test_completing_too_early_says_what_is_open(warm_deal: Opportunity, as_dan: Browser) -> None:
    post(as_dan, "accept", engagement_of(warm_deal).pk)
    response = post(as_dan, "complete", engagement_of(warm_deal).pk, **PANEL)
    assert response.status_code == 422
    assert "4 delivery or shared tasks are still open" in html(response)


def test_asking_in(as_alice: Browser, alice: User, dan: User) -> None:
    found = deal(owner=alice)
    response = post(as_alice, "ask_in", found.pk, **PANEL)
    assert "Requested" in html(response)
    assert engagement_of(found).trigger == "asked"


# --- tasks ---


def test_done_in_a_list_answers_with_the_row_and_an_undo(warm_deal: Opportunity, as_alice: Browser) -> None:
    task = task_of(warm_deal, "brief-delivery")
    response = post(as_alice, "complete_task", task.pk, {"version": 1}, **{"HX-Target": f"task-{task.pk}"})
    assert response.status_code == 200
    assert f'id="task-{task.pk}"' in html(response)
    assert triggers(response)["toast"]["undo"]["url"] == reverse("handoffs:reopen_task", args=[task.pk])
    assert task_of(warm_deal, "brief-delivery").state == TaskState.DONE


def test_the_undo_of_a_toast_reopens_and_tells_the_page(warm_deal: Opportunity, as_alice: Browser) -> None:
    task = task_of(warm_deal, "brief-delivery")
    post(as_alice, "complete_task", task.pk)
    response = post(as_alice, "reopen_task", task.pk, **{"HX-Target": "toasts"})
    assert response.status_code == 204
    assert "handoffs-changed" in triggers(response)
    assert task_of(warm_deal, "brief-delivery").state == TaskState.OPEN


def test_fifty_identical_dones_are_one(warm_deal: Opportunity, as_alice: Browser) -> None:
    task = task_of(warm_deal, "brief-delivery")
    answers = {post(as_alice, "complete_task", task.pk, {"version": 1}).status_code for _time in range(50)}
    assert answers == {204}
    assert task_of(warm_deal, "brief-delivery").version == 2


def wanting_evidence(deal: Opportunity) -> Task:
    """Alice's task, which wants evidence."""
    task = task_of(deal, "brief-delivery")
    task.evidence_wanted = "the notes"
    task.save()
    return task


def test_missing_evidence_keeps_the_form_open(warm_deal: Opportunity, as_alice: Browser) -> None:
    task = wanting_evidence(warm_deal)
    response = post(as_alice, "complete_task", task.pk, {"version": task.version, "evidence": " "}, **PANEL)
    assert response.status_code == 422
    assert "Evidence is wanted" in html(response)
    assert "<details" in html(response)


def test_evidence_that_is_too_long_comes_back(warm_deal: Opportunity, as_alice: Browser) -> None:
    task = wanting_evidence(warm_deal)
    response = post(as_alice, "complete_task", task.pk, {"version": task.version, "evidence": "x" * 1001}, **PANEL)
    assert response.status_code == 422
    assert "x" * 1001 in html(response)


def test_a_stale_done_is_a_conflict_with_the_fresh_row(warm_deal: Opportunity, as_alice: Browser) -> None:
    task = task_of(warm_deal, "brief-delivery")
    Task.objects.filter(pk=task.pk).update(version=7, title="Brief them well")
    response = post(as_alice, "complete_task", task.pk, {"version": 1}, **{"HX-Target": f"task-{task.pk}"})
    assert response.status_code == 409
    assert "Brief them well" in html(response)
    assert "Somebody changed this task" in html(response)


def test_the_other_sides_task_is_forbidden(warm_deal: Opportunity, as_alice: Browser) -> None:
    assert post(as_alice, "complete_task", task_of(warm_deal, "read-the-deal").pk).status_code == 403


def test_done_without_script_goes_back_to_where_it_came_from(warm_deal: Opportunity, as_alice: Browser) -> None:
    task = task_of(warm_deal, "brief-delivery")
    url = reverse("handoffs:complete_task", args=[task.pk])
    assert as_alice.post(url, {"next": "/"}).headers["Location"] == "/"
    assert as_alice.post(url, {"next": "https://elsewhere.test/"}).headers["Location"] == panel_url(warm_deal)


def test_a_refusal_without_script_is_a_page_with_the_panel(warm_deal: Opportunity, as_dan: Browser) -> None:
    task = task_of(warm_deal, "read-the-deal")
    response = as_dan.post(reverse("handoffs:complete_task", args=[task.pk]))
    assert response.status_code == 422
    assert "<html" in html(response)
    assert "First complete" in html(response)


# --- changing a task ---


def _tomorrow() -> dt.date:
    return timezone.now().date() + dt.timedelta(days=1)


def test_changing_a_task_closes_the_dialog(warm_deal: Opportunity, as_alice: Browser, sam: User) -> None:
    task = task_of(warm_deal, "brief-delivery")
    given = {"version": 1, "title": "Brief them", "due_on": _tomorrow().isoformat(), "assignee": sam.pk}
    response = post(as_alice, "change_task", task.pk, given)
    assert response.status_code == 204
    assert {"dialog:close", "handoffs-changed"} <= set(triggers(response))
    changed = task_of(warm_deal, "brief-delivery")
    assert (changed.title, changed.due_on, changed.assignee) == ("Brief them", _tomorrow(), sam)


def test_a_task_is_only_given_to_its_side(warm_deal: Opportunity, as_alice: Browser, dan: User) -> None:
    task = task_of(warm_deal, "brief-delivery")
    given = {"version": 1, "title": "Brief them", "due_on": _tomorrow().isoformat(), "assignee": dan.pk}
    assert post(as_alice, "change_task", task.pk, given).status_code == 422


@pytest.mark.parametrize("due_on", ["2027-02-29", "9999-01-01", "2020-01-01", "soon"])
def test_dates_that_make_no_sense_are_said_at_the_field(warm_deal: Opportunity, as_alice: Browser, due_on: str) -> None:
    given = {"version": 1, "title": "Brief them", "due_on": due_on}
    response = post(as_alice, "change_task", task_of(warm_deal, "brief-delivery").pk, given)
    assert response.status_code == 422
    assert "Brief them" in html(response)


def test_a_colliding_change_shows_theirs_and_keeps_yours(warm_deal: Opportunity, as_alice: Browser) -> None:
    task = task_of(warm_deal, "brief-delivery")
    Task.objects.filter(pk=task.pk).update(title="Theirs", version=2)
    given = {"version": 1, "title": "Yours", "due_on": task.due_on.isoformat(), "assignee": task.assignee_id}
    response = post(as_alice, "change_task", task.pk, given)
    assert response.status_code == 409
    assert "Title is now: Theirs" in html(response)
    assert 'value="Yours"' in html(response)
    assert task_of(warm_deal, "brief-delivery").title == "Theirs"
    assert post(as_alice, "change_task", task.pk, {**given, "version": 2}).status_code == 204


# --- what new dates would move ---


def test_the_preview_shows_what_moves_and_saves_nothing(warm_deal: Opportunity, as_alice: Browser) -> None:
    hot = move(move(warm_deal, "proposal").opportunity, "negotiation").opportunity
    url = reverse("handoffs:reschedule_preview", args=[hot.pk])
    page = html(as_alice.hx("get", url, {"close_date": "2027-03-22"}))
    assert "Name the project manager" in page
    assert "8 Mar" in page
    assert "15 Mar" in page
    assert task_of(hot, "name-pm").due_on == dt.date(2027, 3, 8)
    assert Opportunity.objects.get(pk=hot.pk).close_date == dt.date(2027, 3, 15)


def test_the_preview_of_a_day_that_does_not_exist_says_so(warm_deal: Opportunity, as_alice: Browser) -> None:
    url = reverse("handoffs:reschedule_preview", args=[warm_deal.pk])
    assert "no such day" in html(as_alice.hx("get", url, {"close_date": "2027-02-29"}))


# --- the list ---


def test_the_list_filters_by_state_owner_and_line(
    warm_deal: Opportunity, alice: User, as_dan: Browser, pia: User
) -> None:
    other = move(deal(owner=alice, delivery_owner=pia, service_line=factories.service_line("Data")), "discovery")
    accept_engagement(actor=pia, engagement=engagement_of(other.opportunity), expected_version=None, now=MONDAY)
    url = reverse("handoffs:engagements")

    def shown(**query: object) -> set[str]:
        page = html(as_dan.get(url, query))
        return {found.name for found in (warm_deal, other.opportunity) if found.name in page}

    both = {warm_deal.name, other.opportunity.name}
    assert shown() == both
    assert shown(state="requested") == {warm_deal.name}
    assert shown(state="accepted") == {other.opportunity.name}
    assert shown(owner="me") == {warm_deal.name}
    assert shown(service_line=factories.service_line("Data").pk) == {other.opportunity.name}
    assert shown(state="nonsense") == both


def test_the_list_shows_what_the_reader_may_see(warm_deal: Opportunity, as_charlie: Browser) -> None:
    assert warm_deal.name not in html(as_charlie.get(reverse("handoffs:engagements")))


def test_the_list_goes_on_by_cursor(as_dan: Browser, alice: User, dan: User) -> None:
    deals = [move(deal(owner=alice), "discovery").opportunity for _deal in range(27)]
    first = html(as_dan.get(reverse("handoffs:engagements")))
    after = first.split('rel="next" href="?')[1].split('"')[0].replace("&amp;", "&")
    second = html(as_dan.get(f"{reverse('handoffs:engagements')}?{after}"))
    assert sum(found.name in first for found in deals) == 25
    assert sum(found.name in second for found in deals) == 2


@pytest.mark.parametrize("after", ["x", "2026-01-01~1", f"2026-01-01T00:00:00+00:00~{2**63}"])
def test_a_made_up_cursor_is_a_bad_request(as_dan: Browser, after: str) -> None:
    assert as_dan.get(reverse("handoffs:engagements"), {"after": after}).status_code == 400


def test_items_and_milestones_have_panels_of_their_own(warm_deal: Opportunity, as_alice: Browser) -> None:
    deal = move(warm_deal, "won").opportunity
    page = html(as_alice.get(reverse("handoffs:deal_panel", args=[deal.pk])))
    assert task_of(deal, "brief-delivery").title in page
    for key in ("contract", "introduce-pm"):
        assert task_of(deal, key).title not in page
