"""Deal reviews through the API."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from handoffs import defaults
from handoffs.models import DealReview, Engagement, ReviewAnswer, ReviewOverride, Trigger
from handoffs.services.reviews import request_review
from opportunities.models import Opportunity
from tests import factories
from tests.api.conftest import Program, engaged, queries_of

SECRET = "Between us: the date is a hope"
LATER = (timezone.now() + dt.timedelta(days=20)).date().isoformat()
MEETING = {"starts_at": (timezone.now() + dt.timedelta(days=2)).isoformat(), "place": "Room 1"}


@pytest.fixture
def review(alice: User, engagement: Engagement) -> DealReview:
    """The running review of Alice's warm deal, which surfaced un-forecasted; Dan is its delivery owner."""
    return request_review(
        actor=alice, opportunity=engagement.opportunity, is_express=False, trigger=Trigger.ASKED, now=timezone.now()
    )


def act(program: Program, review: DealReview, action: str, body: Any = None, **headers: str) -> Any:
    return program.post(f"deal-reviews/{review.pk}/{action}/", body, **{"If_Match": "*", **headers})


def answers(review: DealReview, score: int | None = 3, note: str = "") -> dict[str, Any]:
    keys = review.questions.values_list("pk", flat=True)
    return {"answers": [{"question": key, "score": score, "note": note} for key in keys], "hand_in": True}


def compared(review: DealReview, alices: Program, dans: Program) -> Any:
    """Both have handed in; fives against twos."""
    assert act(alices, review, "answer", answers(review, 5)).status == 200
    answer = act(dans, review, "answer", answers(review, 2, "Nobody is free"))
    assert answer.status == 200, answer
    return answer.json


def conditions(owner: User) -> list[dict[str, Any]]:
    return [{"text": text, "owner": owner.pk, "due_on": LATER} for text in ("Criteria are written", "Data is there")]


# --- asking and reading ---


def test_asks_for_a_review_and_a_running_one_is_the_answer(alices: Program) -> None:
    defaults.create(organisation=factories.organisation(), now=timezone.now())
    deal = factories.deal("qualified")
    first = alices.post("deal-reviews/", {"opportunity": deal.pk})
    assert first.status == 201, first
    assert first.headers["Location"] == first.json["url"]
    assert (first.json["state"], first.json["trigger"], first.json["requested_by"]["name"]) == (
        "answering", "asked", "Alice",
    )  # fmt: skip
    assert alices.post("deal-reviews/", {"opportunity": deal.pk}).json["id"] == first.json["id"]
    assert DealReview.objects.count() == 1


def test_an_outsider_finds_no_review_and_asks_for_none(charlies: Program, review: DealReview) -> None:
    assert charlies.rows("deal-reviews/") == []
    foreign, missing = charlies.get(f"deal-reviews/{review.pk}/"), charlies.get("deal-reviews/999999/")
    assert foreign.status == missing.status == 404
    assert foreign.json == missing.json
    assert charlies.post("deal-reviews/", {"opportunity": review.opportunity_id}).status == 400


@pytest.mark.parametrize(
    ("query", "is_found"),
    [("opportunity={deal}", True), ("opportunity=999999", False), ("state=answering", True), ("state=agreed", False),
     ("verdict=go", False), ("is_express=true", True), ("scheduled_from=2020-01-01T00:00:00Z", False)],
)  # fmt: skip
def test_filters(dans: Program, review: DealReview, query: str, is_found: bool) -> None:
    assert bool(dans.rows("deal-reviews/?" + query.format(deal=review.opportunity_id))) == is_found


# --- hidden until both are in ---


@pytest.fixture
def everywhere(review: DealReview) -> Any:
    """All that a program can read about the deal, as one text; other tests' transactions hold the feed back."""

    def read(program: Program, *, feed: bool = True) -> str:
        deal = review.opportunity_id
        paths = (
            f"deal-reviews/{review.pk}/", "deal-reviews/?page_size=200", f"deal-reviews/?opportunity={deal}", "events/",
            f"opportunities/{deal}/timeline/", f"opportunities/{deal}/", f"opportunities/{deal}/history/",
            f"tasks/?opportunity={deal}", "engagements/", "dashboard/",
        )  # fmt: skip
        found = [program.get(path) for path in paths if feed or path != "events/"]
        assert {answer.status for answer in found} == {200}
        stale = act(program, review, "decide", {"verdict": "go"}, If_Match='"99"')
        return "\n".join(str(answer.json) for answer in [*found, stale])

    return read


def test_the_other_sides_answers_are_nowhere_before_both_are_in(
    review: DealReview, alices: Program, dans: Program, eve: User, everywhere: Any
) -> None:
    eves = Program(eve)
    assert act(alices, review, "answer", answers(review, 4, SECRET)).status == 200
    for program in (dans, eves):
        assert SECRET not in everywhere(program)
        shown = program.get(f"deal-reviews/{review.pk}/").json
        assert (shown["sides"]["sales"]["answers"], shown["sides"]["delivery"]["answers"]) == (None, None)
        assert (shown["gaps"], shown["verdict"]) == ([], None)
        assert shown["sides"]["sales"]["answered_by"]["name"] == "Alice"
    own = dans.get(f"deal-reviews/{review.pk}/answer/")
    assert (own.json["side"], own.json["answers"]) == ("delivery", [])
    assert eves.get(f"deal-reviews/{review.pk}/answer/").status == 403
    # The same search finds it once both are in.
    assert act(dans, review, "answer", answers(review, 2)).status == 200
    assert SECRET in everywhere(dans)


def test_a_draft_changes_nothing_that_others_read(
    review: DealReview, alices: Program, dans: Program, everywhere: Any
) -> None:
    before = (everywhere(dans, feed=False), dans.get(f"deal-reviews/{review.pk}/").headers["ETag"])
    draft = {**answers(review, 1, SECRET), "hand_in": False}
    assert act(alices, review, "answer", draft).status == 200
    assert (everywhere(dans, feed=False), dans.get(f"deal-reviews/{review.pk}/").headers["ETag"]) == before
    own = alices.get(f"deal-reviews/{review.pk}/answer/").json["answers"]
    assert {each["note"] for each in own} == {SECRET}


def test_gaps_are_shown_largest_first_once_both_are_in(review: DealReview, alices: Program, dans: Program) -> None:
    shown = compared(review, alices, dans)
    assert {gap["gap"] for gap in shown["gaps"]} == {3}
    assert len(shown["gaps"]) == len(shown["questions"])
    assert {each["score"] for each in shown["sides"]["sales"]["answers"]} == {5}
    assert {each["note"] for each in shown["sides"]["delivery"]["answers"]} == {"Nobody is free"}


def test_faulty_answers_are_named_by_their_place(review: DealReview, alices: Program) -> None:
    body = answers(review, 4)
    body["answers"][2]["score"] = None
    refused = act(alices, review, "answer", body)
    assert (refused.status, list(refused.json["fields"])) == (400, ["answers.2.score"])
    del body["answers"][2]
    assert list(act(alices, review, "answer", body).json["fields"]) == ["answers"]
    doubled = {"answers": [body["answers"][0]] * 2}
    assert act(alices, review, "answer", doubled).status == 400
    assert not ReviewAnswer.objects.exists()


def test_answers_can_be_taken_back_until_the_other_side_is_in(
    review: DealReview, alices: Program, dans: Program
) -> None:
    act(alices, review, "answer", answers(review))
    assert act(alices, review, "take-back").json["sides"]["sales"]["answered_at"] is None
    compared(review, alices, dans)
    refused = act(alices, review, "take-back")
    assert (refused.status, refused.code) == (409, "illegal_transition")


# --- verdict, signatures, override ---


def test_a_verdict_with_conditions_is_agreed_by_both(
    review: DealReview, alices: Program, dans: Program, alice: User
) -> None:
    compared(review, alices, dans)
    decided = act(dans, review, "decide", {"verdict": "go_if", "conditions": conditions(alice)})
    assert decided.status == 200, decided
    assert (decided.json["state"], decided.json["verdict"]) == ("decided", "go_if")
    assert act(dans, review, "sign", {"number": 1}).json["decision"]["delivery_signed_by"]["name"] == "Dan"
    agreed = act(alices, review, "sign")
    assert (agreed.status, agreed.json["state"]) == (200, "agreed")
    assert dans.rows("deal-reviews/?verdict=go_if") == [agreed.json]
    first = agreed.json["decision"]["conditions"][0]
    settled = act(alices, review, "settle", {"condition": first["id"], "state": "met"})
    assert settled.json["decision"]["conditions"][0]["state"] == "met"
    carried = {"text": first["text"], "owner": alice.pk, "due_on": LATER, "follows": first["id"]}
    given = {"verdict": "go_if", "conditions": [carried], "reason": "More scope"}
    later = act(dans, review, "decide", given)
    assert (later.json["state"], [each["number"] for each in later.json["versions"]]) == ("decided", [1, 2])
    assert later.json["decision"]["conditions"][0]["state"] == "met"
    assert act(alices, review, "sign", {"number": 1}).code == "stale"


def test_of_two_verdicts_the_later_is_told_what_stands(review: DealReview, alices: Program, dans: Program) -> None:
    seen = f'"{compared(review, alices, dans)["version"]}"'
    assert act(dans, review, "decide", {"verdict": "go"}, If_Match=seen).status == 200
    told = act(alices, review, "decide", {"verdict": "no_go"}, If_Match=seen)
    assert (told.status, told.code, told.json["current"]["verdict"]) == (412, "stale", "go")


def test_faulty_conditions_are_named_by_their_place(
    review: DealReview, alices: Program, dans: Program, alice: User, charlie: User
) -> None:
    compared(review, alices, dans)
    faulty = [*conditions(alice), {"text": "Whose?", "owner": charlie.pk, "due_on": LATER}]
    refused = act(dans, review, "decide", {"verdict": "go_if", "conditions": faulty})
    assert (refused.status, list(refused.json["fields"])) == (400, ["conditions.2.owner"])


def test_the_win_is_refused_with_a_link_until_an_override(
    review: DealReview, alices: Program, sams: Program, sam: User
) -> None:
    defaults.demand_reviews(organisation=factories.organisation(), now=timezone.now())
    path, body = f"opportunities/{review.opportunity_id}/move/", {"stage": "won", "reason": "Signed"}
    refused = alices.post(path, body, If_Match="*")
    assert (refused.status, refused.code) == (422, "gate_not_met")
    assert list(refused.json["fields"]) == ["agreed_review"]
    assert f"/deals/{review.opportunity_id}/" in refused.json["links"]["agreed_review"]
    assert act(alices, review, "override", {"reason": "Please"}).status == 403
    assert act(sams, review, "override", {"reason": " "}).status == 400
    passed = act(sams, review, "override", {"reason": "The client can't wait"})
    assert [each["by"]["name"] for each in passed.json["overrides"]] == ["Sam"]
    assert alices.post(path, body, If_Match="*").status == 200


# --- the meeting ---


def test_schedules_notes_who_came_and_calls_off(
    review: DealReview, alices: Program, dans: Program, alice: User, dan: User, charlie: User
) -> None:
    scheduled = act(alices, review, "schedule", {**MEETING, "attendees": [alice.pk, dan.pk]})
    assert scheduled.status == 200, scheduled
    assert [each["user"]["name"] for each in scheduled.json["attendees"]] == ["Alice", "Dan"]
    assert dans.rows("deal-reviews/?scheduled_from=2020-01-01T00:00:00Z") == [scheduled.json]
    stranger = act(alices, review, "schedule", {**MEETING, "attendees": [charlie.pk]})
    assert list(stranger.json["fields"]) == ["attendees"]
    assert act(dans, review, "attendance", {"present": [dan.pk]}).status == 400
    DealReview.objects.filter(pk=review.pk).update(starts_at=timezone.now() - dt.timedelta(hours=1))
    noted = act(dans, review, "attendance", {"present": [dan.pk]})
    assert [each["was_there"] for each in noted.json["attendees"]] == [False, True]
    assert act(dans, review, "unschedule").json["starts_at"] is None


NO_TIMES = ("2026-11-30", "2026-11-30T09:00", "tomorrow", 5, "9999-12-31T23:59:59-23:00", "2020-01-01T09:00Z")


@pytest.mark.parametrize("when", NO_TIMES)
def test_a_meeting_has_a_time_with_its_zone_ahead_of_us(review: DealReview, alices: Program, when: Any) -> None:
    refused = act(alices, review, "schedule", {"starts_at": when})
    assert (refused.status, list(refused.json["fields"])) == (400, ["starts_at"])


# --- the rules of the house ---

ACTIONS: dict[str, Any] = {
    "answer": {"hand_in": False},
    "take-back": {},
    "schedule": MEETING,
    "unschedule": {},
    "attendance": {"present": []},
    "decide": {"verdict": "go"},
    "sign": {},
    "override": {"reason": "The client can't wait"},
}


@pytest.fixture
def ready(review: DealReview) -> DealReview:
    """A review whose meeting has begun."""
    DealReview.objects.filter(pk=review.pk).update(starts_at=timezone.now())
    return DealReview.objects.get(pk=review.pk)


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_keeps_the_rules_of_the_house(
    ready: DealReview, alices: Program, dans: Program, sams: Program, charlies: Program, eve: User, action: str
) -> None:
    """Wrong method, no If-Match, stale, outsider, somebody above both, unknown field, repeated with a key."""
    if action in ("decide", "sign"):
        compared(ready, alices, dans)
    if action == "sign":
        act(dans, ready, "decide", {"verdict": "go"})
    program, body = sams if action == "override" else alices, ACTIONS[action]
    path = f"deal-reviews/{ready.pk}/{action}/"
    assert program.ask("PUT", path, body).status == 405
    assert program.post(path, body).status == 428
    stale = program.post(path, body, If_Match='"99"')
    assert stale.code == "stale"
    assert stale.json["current"]["id"] == ready.pk
    assert charlies.post(path, body, If_Match="*").status == 404
    assert Program(eve).post(path, body, If_Match="*").status == 403
    assert program.post(path, {**body, "colour": "red"}, If_Match="*").json["fields"].keys() == {"colour"}
    done = program.post(path, body, If_Match="*", Idempotency_Key="key-1")
    assert done.status == 200, done
    again = program.post(path, body, If_Match="*", Idempotency_Key="key-1")
    assert (again.json, again.headers["Idempotency-Replayed"]) == (done.json, "true")


def test_an_override_repeated_is_one_row(review: DealReview, sams: Program) -> None:
    for _time in range(3):
        assert act(sams, review, "override", {"reason": "The client can't wait"}).status == 200
    assert ReviewOverride.objects.count() == 1


def test_queries_do_not_grow_with_rows(
    review: DealReview, alices: Program, dans: Program, alice: User, dan: User
) -> None:
    path = "deal-reviews/?page_size=200"
    compared(review, alices, dans)
    act(dans, review, "decide", {"verdict": "go_if", "conditions": conditions(alice)})
    act(dans, review, "schedule", {**MEETING, "attendees": [alice.pk, dan.pk]})
    few = [queries_of(program, path) for program in (alices, dans)]
    for _ in range(3):
        deal = Opportunity.objects.get(pk=engaged().opportunity_id)
        other = request_review(
            actor=alice, opportunity=deal, is_express=True, trigger=Trigger.ASKED, now=timezone.now()
        )
        compared(other, alices, dans)
        act(dans, other, "decide", {"verdict": "go_if", "conditions": conditions(alice)})
        act(dans, other, "schedule", {**MEETING, "attendees": [alice.pk, dan.pk]})
    assert len(dans.rows(path)) == 4
    assert [queries_of(program, path) for program in (alices, dans)] == few
    assert max(few) <= 12
