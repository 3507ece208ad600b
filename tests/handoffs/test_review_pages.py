"""The pages of deal reviews, as browsers of both sides meet them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from handoffs.models import DealReview, ReviewAnswer, ReviewDecision, ReviewOverride
from handoffs.services.reviews import ConditionDraft, Meeting, schedule_review
from opportunities.models import Opportunity
from tests.cast import Browser
from tests.factories import deal
from tests.handoffs.reactions import move
from tests.handoffs.reviewing import SECRET, agreed, answer, compared, decide, fresh, requested

NOW = timezone.now()
SOON = NOW.date() + dt.timedelta(days=14)


@pytest.fixture
def offered(alice: User, dan: User) -> Opportunity:
    """A deal of Alice's, with Dan for delivery."""
    return deal("proposal", owner=alice, delivery_owner=dan, name="Customer portal")


@pytest.fixture
def review(offered: Opportunity, alice: User) -> DealReview:
    """Its review, asked for just now."""
    return requested(offered, alice, now=NOW)


@pytest.fixture
def as_pia(pia: User) -> Browser:
    """Pia's browser."""
    return Browser(pia)


@pytest.fixture
def as_eve(eve: User) -> Browser:
    """Eve's browser."""
    return Browser(eve)


def url(name: str, thing: Any) -> str:
    """Address of something about a review, a deal or a condition."""
    return reverse(f"handoffs:{name}", args=[thing.pk])


def text(answer: Any) -> str:
    """The page."""
    return str(answer.content.decode())


def given(review: DealReview, score: int | str = 4, note: str = "", **more: str) -> dict[str, str]:
    """What the form sends when every question gets the same."""
    sent: dict[str, str] = {}
    for question in review.questions.all():
        sent |= {f"score_{question.pk}": str(score), f"note_{question.pk}": note}
    return {**sent, **more}


def verdict(review: DealReview, verdict: str = "go_if", *rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What the form of a verdict sends."""
    sent = {
        "verdict": verdict,
        "summary": "",
        "version": fresh(review).version,
        "conditions": len(rows),
        "do": "decide",
    }
    for number, row in enumerate(rows):
        sent |= {f"condition-{number}-{name}": value for name, value in row.items()}
    return {**sent, **more}


def row(text: str, owner: User, due_on: dt.date = SOON, follows: int | str = "") -> dict[str, Any]:
    """A condition as typed."""
    return {"text": text, "owner": owner.pk, "due_on": due_on.isoformat(), "follows": follows}


# --- answering apart ---


def test_a_draft_is_kept_and_shown_to_ones_own_side_only(
    as_alice: Browser, as_sam: Browser, as_dan: Browser, review: DealReview
) -> None:
    question = review.questions.all()[0]
    sent = {f"score_{question.pk}": "2", f"note_{question.pk}": SECRET, "do": "draft"}
    assert as_alice.post(url("review_answer", review), sent).status_code == 302
    mine = ReviewAnswer.objects.get(question=question)
    assert (mine.score, mine.note, mine.side) == (2, SECRET, "sales")
    assert SECRET in text(as_sam.get(url("review", review)))
    assert SECRET not in text(as_dan.get(url("review", review)))


@pytest.mark.parametrize("hand_in", [False, True])
def test_the_other_side_s_answers_are_nowhere_before_both_are_in(
    as_alice: Browser, as_dan: Browser, as_pia: Browser, as_eve: Browser, as_ada: Browser, review: DealReview,
    alice: User, hand_in: bool,
) -> None:  # fmt: skip
    answer(review, alice, 2, note=SECRET, hand_in=hand_in, now=NOW)
    places = [url("review", review), url("review_panel", review.opportunity), url("review_answer", review),
              reverse("handoffs:reviews") + "?who=all", reverse("opportunities:detail", args=[review.opportunity_id]),
              reverse("opportunities:section", args=[review.opportunity_id, "timeline"]), "/"]  # fmt: skip
    for browser in (as_dan, as_pia, as_eve, as_ada):
        for place in places:
            for page in (browser.get(place), browser.hx("get", place)):
                assert SECRET not in text(page), place
                assert "checked" not in text(page), place
                assert "rv-gap" not in text(page), place
    handed = "Sales has handed in." if hand_in else "Sales has not handed in yet."
    assert handed in text(as_dan.get(url("review", review)))
    assert SECRET in text(as_alice.get(url("review", review)))


def test_handing_in_says_what_is_missing_and_keeps_the_rest(as_alice: Browser, review: DealReview) -> None:
    first, second = review.questions.all()[:2]
    sent = {f"score_{first.pk}": "5", f"note_{second.pk}": "Not sure", "do": "hand_in"}
    page = as_alice.post(url("review_answer", review), sent)
    assert page.status_code == 422
    assert text(page).count("Give this one a score too") == review.questions.count() - 1
    assert f"{review.questions.count() - 1} answers need a look" in text(page)
    assert "Not sure" in text(page)
    assert ReviewAnswer.objects.get(question=first).score == 5
    assert fresh(review).sales_answered_at is None


def test_both_hand_in_and_the_gaps_open_largest_first(as_alice: Browser, as_dan: Browser, review: DealReview) -> None:
    questions = list(review.questions.all())
    sales = given(review, 4, do="hand_in") | {f"score_{questions[2].pk}": "5"}
    as_alice.post(url("review_answer", review), sales)
    delivery = given(review, 4, do="hand_in") | {f"score_{questions[2].pk}": "1", f"note_{questions[2].pk}": "A hope"}
    as_dan.post(url("review_answer", review), delivery)
    page = as_alice.get(url("review", review))
    assert fresh(review).state == "comparing"
    assert page.context["page"].gaps[0].question == questions[2]
    assert "4 apart" in text(page)
    assert "A hope" in text(page)
    assert text(page).index(questions[2].text) < text(page).index(questions[0].text)


def test_answers_are_taken_back_until_the_other_side_is_in(
    as_alice: Browser, review: DealReview, alice: User, dan: User
) -> None:
    answer(review, alice, 4, now=NOW)
    assert "Take back" in text(as_alice.get(url("review", review)))
    as_alice.post(url("review_take_back", review))
    assert fresh(review).sales_answered_at is None
    answer(review, alice, 4, now=NOW)
    answer(review, dan, 4, now=NOW)
    refused = as_alice.post(url("review_take_back", review))
    assert refused.status_code == 409
    assert "the answers are fixed" in text(refused)


def test_a_colleague_s_answer_is_not_overwritten_unseen(as_alice: Browser, as_sam: Browser, review: DealReview) -> None:
    question = review.questions.all()[0]
    seen = dict(pair for line in as_alice.get(url("review", review)).context["answers"].rows for pair in line["seen"])
    as_sam.post(url("review_answer", review), {**seen, f"score_{question.pk}": "2", "do": "draft"})
    clash = as_alice.post(url("review_answer", review), {**seen, f"score_{question.pk}": "5", "do": "draft"})
    assert clash.status_code == 422
    assert "Sam has given this 2 in the meantime" in text(clash)
    assert ReviewAnswer.objects.get(question=question).score == 2
    seen = dict(pair for line in clash.context["answers"].rows for pair in line["seen"])
    as_alice.post(url("review_answer", review), {**seen, f"score_{question.pk}": "5", "do": "draft"})
    assert ReviewAnswer.objects.get(question=question).score == 5


def test_what_a_colleague_answered_elsewhere_stays(as_alice: Browser, as_sam: Browser, review: DealReview) -> None:
    first, second = review.questions.all()[:2]
    seen = dict(pair for line in as_alice.get(url("review", review)).context["answers"].rows for pair in line["seen"])
    as_sam.post(url("review_answer", review), {**seen, f"score_{first.pk}": "2", "do": "draft"})
    as_alice.post(url("review_answer", review), {**seen, f"score_{second.pk}": "5", "do": "draft"})
    assert ReviewAnswer.objects.get(question=first).score == 2
    assert ReviewAnswer.objects.get(question=second).score == 5


@pytest.mark.parametrize("score", ["0", "6", "-1", "1e9", "٣", "4.5", "x"])
def test_scores_that_are_none_are_refused(as_alice: Browser, review: DealReview, score: str) -> None:
    assert as_alice.post(url("review_answer", review), given(review, score, do="draft")).status_code == 422
    assert not ReviewAnswer.objects.exists()


def test_who_stands_beside_both_sides_reads_and_does_not_answer(as_eve: Browser, review: DealReview) -> None:
    page = as_eve.get(url("review", review))
    assert page.status_code == 200
    assert "What both sides are asked" in text(page)
    assert as_eve.post(url("review_answer", review), given(review)).status_code == 403


def test_strangers_find_nothing(as_charlie: Browser, review: DealReview, alice: User, dan: User) -> None:
    compared(review, alice, dan)
    for name in ("review", "review_invitation"):
        assert as_charlie.get(url(name, review)).status_code == 404
    for name in ("review_answer", "review_take_back", "review_schedule", "review_unschedule", "review_attendance",
                 "review_decide", "review_sign"):  # fmt: skip
        assert as_charlie.post(url(name, review), {}).status_code == 404, name
    for name in ("review_panel", "review_request", "review_override"):
        method = as_charlie.get if name == "review_panel" else as_charlie.post
        assert method(url(name, review.opportunity), {"reason": "x"}).status_code == 404, name
    assert review.opportunity.name not in text(as_charlie.get(reverse("handoffs:reviews") + "?who=all"))


# --- the verdict ---


def test_a_verdict_with_conditions_is_proposed_and_signed_by_both(
    as_alice: Browser, as_dan: Browser, review: DealReview, alice: User, dan: User
) -> None:
    compared(review, alice, dan)
    sent = verdict(review, "go_if", row("Scope is written down", alice), row("", alice) | {"owner": "", "due_on": ""},
                   row("An architect is named", dan))  # fmt: skip
    assert as_dan.post(url("review_decide", review), sent).status_code == 302
    decision = ReviewDecision.objects.get()
    assert [each.text for each in decision.conditions.all()] == ["Scope is written down", "An architect is named"]
    page = as_alice.get(url("review", review))
    assert "Dan proposed a verdict" in text(page)
    assert "Sign for your side" in text(page)
    for browser in (as_alice, as_dan):
        assert browser.post(url("review_sign", review), {"number": 1}).status_code == 302
    assert fresh(review).state == "agreed"
    assert "Agreed: go, if" in text(as_alice.get(url("review", review)))


def test_rows_come_and_go_without_losing_text(as_dan: Browser, review: DealReview, alice: User, dan: User) -> None:
    compared(review, alice, dan)
    rows = (row("First", alice), row("Second", dan))
    added = as_dan.post(url("review_decide", review), verdict(review, "go_if", *rows, summary="Nearly", do="add"))
    assert added.status_code == 200
    assert len(added.context["verdict"].rows) == 3
    assert "Nearly" in text(added)
    removed = as_dan.hx("post", url("review_decide", review), verdict(review, "go_if", *rows, do="remove-0"))
    assert [each["text"].value() for each in removed.context["form"].rows] == ["Second"]
    assert not ReviewDecision.objects.exists()


def test_a_condition_that_lacks_something_says_so_at_its_place(
    as_dan: Browser, review: DealReview, alice: User, dan: User, charlie: User
) -> None:
    compared(review, alice, dan)
    sent = verdict(review, "go_if", {"text": "Scope is written down", "owner": "", "due_on": "2026-02-30"})
    page = as_dan.hx("post", url("review_decide", review), sent)
    assert page.status_code == 422
    assert "Say who sees to it." in text(page)
    assert "There is no such day" in text(page)
    assert "Scope is written down" in text(page)
    stranger = as_dan.hx("post", url("review_decide", review), verdict(review, "go_if", row("Scope", charlie)))
    assert stranger.status_code == 422
    assert "Choose one from the list." in text(stranger)
    past = verdict(review, "go_if", row("Scope", alice, dt.date(2020, 1, 1)))
    assert "Choose today or a later day" in text(as_dan.hx("post", url("review_decide", review), past))


def test_go_if_needs_a_condition(as_dan: Browser, review: DealReview, alice: User, dan: User) -> None:
    compared(review, alice, dan)
    page = as_dan.hx("post", url("review_decide", review), verdict(review, "go_if"))
    assert page.status_code == 422
    assert "needs at least one condition" in text(page)
    assert "Choose go, go if, or no go." in text(as_dan.hx("post", url("review_decide", review), verdict(review, "")))


def test_two_people_decide_at_once_one_wins_and_nothing_typed_is_lost(
    as_alice: Browser, as_dan: Browser, review: DealReview, alice: User, dan: User
) -> None:
    compared(review, alice, dan)
    mine = verdict(review, "go", summary="It will do")
    theirs = verdict(review, "go_if", row("Scope is written down", alice))
    assert as_dan.post(url("review_decide", review), theirs).status_code == 302
    page = as_alice.hx("post", url("review_decide", review), mine)
    assert page.status_code == 409
    assert "Dan decided in the meantime: Go, if." in text(page)
    assert "Scope is written down" in text(page)
    assert "It will do" in text(page)
    assert ReviewDecision.objects.count() == 1
    again = mine | {"version": page.context["form"]["version"].value(), "reason": "The scope is written down by now"}
    as_alice.post(url("review_decide", review), again)
    assert ReviewDecision.objects.get(number=2).verdict == "go"


def test_a_later_version_shows_what_it_changed(
    as_alice: Browser, review: DealReview, alice: User, sam: User, dan: User
) -> None:
    conditions = [ConditionDraft("Scope is written down", alice, SOON), ConditionDraft("Dates hold", dan, SOON)]
    agreed(review, alice, dan, "go_if", conditions=conditions, now=NOW)
    kept = ReviewDecision.objects.get().conditions.all()[0]
    form = as_alice.hx("get", url("review_decide", review))
    assert "Scope is written down" in text(form)
    later = SOON + dt.timedelta(days=7)
    sent = verdict(review, "go_if", row("Scope is written down", sam, later, kept.pk), row("A tester is named", dan),
                   reason="They want it tested", summary="")  # fmt: skip
    assert as_alice.post(url("review_decide", review), sent).status_code == 302
    page = text(as_alice.get(url("review", review)))
    assert "They want it tested" in page
    for words in ("<del>Alice</del> <ins>Sam</ins>", "<ins>A tester is named</ins>", "<del>Dates hold</del>"):
        assert words in page
    assert f"<ins>{later:%-d %b}</ins>" in page
    assert fresh(review).state == "decided"


def test_signing_an_old_version_shows_the_new_one(
    as_alice: Browser, review: DealReview, alice: User, dan: User
) -> None:
    compared(review, alice, dan)
    decide(review, dan, "go", now=NOW)
    decide(review, dan, "no_go", reason="Nobody is free", now=NOW)
    page = as_alice.post(url("review_sign", review), {"number": 1})
    assert page.status_code == 409
    assert "Somebody changed this deal review" in text(page)
    assert ReviewDecision.objects.filter(sales_signed_at__isnull=False).count() == 0


def test_nobody_signs_for_both(as_dan: Browser, review: DealReview, alice: User, dan: User) -> None:
    compared(review, alice, dan)
    decide(review, dan, "go", now=NOW)
    for _time in range(2):
        as_dan.post(url("review_sign", review), {"number": 1})
    decision = ReviewDecision.objects.get()
    assert (decision.delivery_signed_by, decision.sales_signed_by) == (dan, None)
    assert "Sign for your side" not in text(as_dan.get(url("review", review)))


def test_a_condition_is_settled_in_the_dialog(as_dan: Browser, review: DealReview, alice: User, dan: User) -> None:
    agreed(review, alice, dan, "go_if", conditions=[ConditionDraft("Dates hold", dan, SOON)], now=NOW)
    condition = ReviewDecision.objects.get().conditions.get()
    form = as_dan.hx("get", url("condition_settle", condition))
    assert form.headers["HX-Retarget"] == "#dialog-body"
    refused = as_dan.hx("post", url("condition_settle", condition), {"state": "dropped", "note": ""})
    assert refused.status_code == 422
    assert "Say why the condition no longer matters." in text(refused)
    done = as_dan.hx(
        "post", url("condition_settle", condition), {"state": "met", "note": "Mail of Tuesday"},
        **{"HX-Target": "dialog-body"},
    )  # fmt: skip
    assert done.status_code == 204
    assert "met, says Dan" in text(as_dan.get(url("review", review)))


# --- going past it ---


def test_a_sales_manager_goes_past_the_review_for_a_reason(
    as_sam: Browser, as_alice: Browser, review: DealReview
) -> None:
    assert as_alice.get(url("review_override", review.opportunity)).status_code == 403
    assert "Go past the review" not in text(as_alice.get(url("review_panel", review.opportunity)))
    assert as_sam.hx("post", url("review_override", review.opportunity), {"reason": " "}).status_code == 422
    as_sam.post(url("review_override", review.opportunity), {"reason": "They sign today"})
    assert ReviewOverride.objects.get().reason == "They sign today"
    assert "Sam let the deal be won without its review" in text(as_alice.get(url("review", review)))
    assert "They sign today" in text(as_alice.get(url("review_panel", review.opportunity)))


# --- the panel ---


def test_the_panel_leads_from_nothing_to_a_review(as_alice: Browser, offered: Opportunity) -> None:
    assert "Ask for the review" in text(as_alice.get(url("review_panel", offered)))
    as_alice.post(url("review_request", offered), {})
    panel = text(as_alice.get(url("review_panel", offered)))
    assert "Answer for your side" in panel
    assert "Delivery has not handed in yet." in panel


def test_the_panel_signs_in_place(as_alice: Browser, review: DealReview, alice: User, dan: User) -> None:
    compared(review, alice, dan)
    decide(review, dan, "go", summary="It holds", now=NOW)
    panel = as_alice.hx("post", url("review_sign", review), {"number": 1}, **{"HX-Target": "review-panel"})
    assert panel.status_code == 200
    assert 'id="review-panel"' in text(panel)
    assert "signed by Alice" in text(panel)


def test_without_questions_asking_says_what_to_do(as_alice: Browser, offered: Opportunity) -> None:
    from handoffs.models import QuestionSet

    QuestionSet.objects.update(is_active=False)
    answer = as_alice.hx("post", url("review_request", offered), {}, **{"HX-Target": "review-panel"})
    assert answer.status_code == 422
    assert "An administrator can add them" in text(answer)


# --- the meeting ---


def meeting(review: DealReview, *people: User, **more: Any) -> dict[str, Any]:
    """What the form of a meeting sends."""
    return {
        "version": fresh(review).version, "day": SOON.isoformat(), "time": "09:30", "minutes": "45",
        "place": "Room Utsikten", "agenda": "The gaps", "attendees": [person.pk for person in people], **more,
    }  # fmt: skip


def test_a_meeting_is_set_in_the_reader_s_time_zone(
    as_dan: Browser, review: DealReview, alice: User, dan: User, pia: User
) -> None:
    User.objects.filter(pk=dan.pk).update(time_zone="Asia/Tokyo")
    form = as_dan.hx("get", url("review_schedule", review))
    chosen = {box.data["value"] for box in form.context["form"]["attendees"] if box.data["selected"]}
    assert chosen == {str(alice.pk), str(dan.pk)}
    as_dan.post(url("review_schedule", review), meeting(review, alice, dan, pia))
    kept = fresh(review)
    assert kept.starts_at == dt.datetime.combine(SOON, dt.time(0, 30), dt.UTC)
    assert {each.user for each in kept.attendees.all()} == {alice, dan, pia}
    assert "09:30" in text(as_dan.get(url("review", review)))


def test_a_time_that_the_clocks_skip_is_refused(as_dan: Browser, review: DealReview, alice: User, dan: User) -> None:
    User.objects.filter(pk=dan.pk).update(time_zone="Europe/Berlin")
    sent = meeting(review, alice, dan, day="2027-03-28", time="02:30")
    page = as_dan.hx("post", url("review_schedule", review), sent)
    assert page.status_code == 422
    assert "there is no such time that day" in text(page)


def test_a_meeting_moved_meanwhile_keeps_what_was_typed(
    as_dan: Browser, as_alice: Browser, review: DealReview, alice: User, dan: User
) -> None:
    mine = meeting(review, alice, dan, agenda="Only the dates")
    as_alice.post(url("review_schedule", review), meeting(review, alice, dan, time="11:00"))
    page = as_dan.hx("post", url("review_schedule", review), mine)
    assert page.status_code == 409
    assert "Somebody changed the review in the meantime" in text(page)
    assert "Only the dates" in text(page)
    again = {**mine, "version": page.context["form"]["version"].value()}
    as_dan.post(url("review_schedule", review), again)
    assert fresh(review).agenda == "Only the dates"


def test_who_was_there_is_noted_once_it_began(as_dan: Browser, review: DealReview, alice: User, dan: User) -> None:
    asked_at = NOW - dt.timedelta(days=2)
    plan = Meeting(NOW - dt.timedelta(days=1), 30, "", "", (alice, dan))
    schedule_review(actor=dan, review=review, meeting=plan, expected_version=None, now=asked_at)
    assert "Who was there?" in text(as_dan.get(url("review", review)))
    as_dan.post(url("review_attendance", review), {"present": [alice.pk]})
    there = {each.user: each.was_there for each in review.attendees.all()}
    assert there == {alice: True, dan: False}


# --- the calendar ---


def test_the_calendar_has_days_and_what_is_late(as_dan: Browser, review: DealReview, alice: User, dan: User) -> None:
    late = requested(deal("proposal", owner=alice, delivery_owner=dan, name="Late one"), alice,
                     now=NOW - dt.timedelta(days=60))  # fmt: skip
    plan = Meeting(NOW + dt.timedelta(days=2), 30, "Room Utsikten", "", (alice, dan))
    schedule_review(actor=dan, review=review, meeting=plan, expected_version=None, now=NOW)
    page = as_dan.get(reverse("handoffs:reviews"))
    agenda = page.context["agenda"]
    assert [entry.review.pk for entry in agenda.late] == [late.pk]
    assert [[entry.review.pk for entry in entries] for _day, entries in agenda.days] == [[review.pk]]
    assert text(page).index("Late one") < text(page).index("Customer portal")
    assert "Room Utsikten" in text(page)


def test_mine_my_team_s_and_all(
    as_alice: Browser, as_pia: Browser, as_charlie: Browser, as_eve: Browser, review: DealReview, sam: User
) -> None:
    other = requested(deal("proposal", owner=sam, name="Sam's own"), sam, now=NOW)

    def shown(browser: Browser, who: str) -> set[int]:
        agenda = browser.get(f"{reverse('handoffs:reviews')}?who={who}").context["agenda"]
        return {entry.review.pk for entry in agenda.unscheduled}

    assert shown(as_alice, "mine") == {review.pk}
    assert shown(as_alice, "team") == {review.pk, other.pk}
    assert shown(as_pia, "mine") == set()
    assert shown(as_pia, "team") == {review.pk}  # Dan is of her team
    assert shown(as_pia, "all") == {review.pk, other.pk}
    assert shown(as_eve, "") == {review.pk, other.pk}
    assert shown(as_charlie, "all") == set()


# --- cost ---


def test_queries_stay_the_same_for_one_and_for_fifty(
    as_dan: Browser, alice: User, dan: User, review: DealReview, django_assert_max_num_queries: Any
) -> None:
    def queries(address: str) -> int:
        with django_assert_max_num_queries(15) as seen:
            assert as_dan.get(address).status_code == 200
        return len(seen)

    calendar = reverse("handoffs:reviews") + "?who=team"
    as_dan.get(calendar)  # the first request of a process asks once more
    few = queries(calendar)
    for number in range(50):
        found = requested(deal("proposal", owner=alice, delivery_owner=dan, name=f"Deal {number}"), alice, now=NOW)
        if number % 2:
            plan = Meeting(NOW + dt.timedelta(days=number), 30, "", "", (alice, dan))
            schedule_review(actor=dan, review=found, meeting=plan, expected_version=None, now=NOW)
    assert queries(calendar) == few


def test_a_page_costs_the_same_with_many_versions_and_conditions(
    as_dan: Browser, alice: User, dan: User, review: DealReview, django_assert_max_num_queries: Any
) -> None:
    compared(review, alice, dan)

    def queries(name: str, thing: Any) -> int:
        with django_assert_max_num_queries(18) as seen:
            assert as_dan.get(url(name, thing)).status_code == 200
        return len(seen)

    decide(review, dan, "go_if", conditions=[ConditionDraft("Condition 0", alice, SOON)], now=NOW)
    as_dan.get(url("review", review))  # the first request of a process asks once more
    few = (queries("review", review), queries("review_panel", review.opportunity))
    for version in range(6):
        drafts = [ConditionDraft(f"Condition {number}", alice, SOON) for number in range(2 + version)]
        decide(review, dan, "go_if", conditions=drafts, reason="More of them", now=NOW)
    assert (queries("review", review), queries("review_panel", review.opportunity)) == few


def test_a_hot_deal_asks_for_its_review_by_itself(as_alice: Browser, alice: User, dan: User) -> None:
    found = deal("proposal", owner=alice, delivery_owner=dan, name="Customer portal")
    move(found, "negotiation")
    assert "Deal review" in text(as_alice.get(url("review_panel", found)))
    assert DealReview.objects.filter(opportunity=found).exists()
