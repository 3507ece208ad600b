"""What moves a deal review on: answers, meeting, verdict, signatures, override. Each calls the pages' service."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from api.deal_reviews import AnswerOut, AskedOut, DealReviewOut, ReviewEndpoint
from api.engagements import NoInput
from api.errors import invalid
from api.fields import Choice, Day, Flag, Input, Moment, Scoped, Text, Whole
from api.idempotency import idempotent
from api.openapi import documented
from api.versions import expected_version
from handoffs.access import (
    answerable_review,
    overridable_review,
    readable_review,
    schedulable_review,
    side_in,
)
from handoffs.models import ConditionState, DealReview, ReviewAnswer, Verdict
from handoffs.services import reviews
from handoffs.services.reviews import ConditionDraft, Meeting, StaleReview

_KEYED = re.compile(r"(score|note)_(\d+)")


@extend_schema_field({"type": "string", "format": "date-time", "example": "2026-11-30T09:00:00Z"})
class When(serializers.Field[dt.datetime, str, str, Any]):
    """A time with its zone, such as 2026-11-30T09:00:00Z."""

    def to_internal_value(self, data: Any) -> dt.datetime:
        """The moment."""
        sentence = _("Write the time with its zone, such as 2026-11-30T09:00:00Z.")
        if not isinstance(data, str) or not data.isascii() or "T" not in data:
            raise serializers.ValidationError(sentence)
        try:
            moment = dt.datetime.fromisoformat(data)
            if moment.tzinfo is None:
                raise ValueError(data)
            return moment.astimezone(dt.UTC)
        except (ValueError, OverflowError):
            raise serializers.ValidationError(sentence)

    def to_representation(self, value: dt.datetime) -> str:
        """In UTC, with Z."""
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def people(_user: User) -> Any:
    """Those who may be named; whether they may see the deal, the service says."""
    return User.objects.filter(is_active=True)


class AnswerInput(Input):
    """A side's answer to one question."""

    question = Whole(min_value=1, max_value=2**63 - 1)
    score = Whole(min_value=1, max_value=5, allow_null=True, required=False)
    note = Text(required=False, allow_blank=True, max_length=1000, is_multiline=True)


class AnswersInput(Input):
    """A side's answers: a draft, or all of them to be handed in. Questions left out stay as they are."""

    answers = AnswerInput(many=True, required=False)
    hand_in = Flag(
        required=False, help_text="Once every question has a score; the other side sees them when it has too."
    )


class MeetingInput(Input):
    """When and where both sides talk."""

    starts_at = When()
    minutes = Whole(required=False, min_value=5, max_value=480)
    place = Text(required=False, allow_blank=True, max_length=300)
    agenda = Text(required=False, allow_blank=True, max_length=4000, is_multiline=True)
    attendees = serializers.ListField(child=Scoped(people), required=False, max_length=50)


class AttendanceInput(Input):
    """Who of those invited came; the others did not."""

    present = serializers.ListField(child=Scoped(people), max_length=50)


class ConditionInput(Input):
    """Something that must come true. ``follows`` carries over a condition of the version before."""

    text = Text(max_length=300)
    owner = Scoped(people)
    due_on = Day()
    follows = Whole(required=False, allow_null=True, min_value=1, max_value=2**63 - 1)


class DecideInput(Input):
    """A verdict, or with a reason a further version of it."""

    verdict = Choice(Verdict.choices)
    summary = Text(required=False, allow_blank=True, max_length=1000, is_multiline=True)
    conditions = ConditionInput(many=True, required=False)
    reason = Text(required=False, allow_blank=True, max_length=500, help_text="What changed since the version before.")


class SignInput(Input):
    """The version of the verdict that is signed; the newest if left out."""

    number = Whole(required=False, min_value=1, max_value=32767)


class ConditionSettleInput(Input):
    """What has become of a condition of the newest verdict."""

    condition = Whole(min_value=1, max_value=2**63 - 1)
    state = Choice(ConditionState.choices)
    note = Text(required=False, allow_blank=True, max_length=500)


class OverrideInput(Input):
    """Why the deal can't wait for its review."""

    reason = Text(max_length=500)


class OwnAnswersOut(serializers.Serializer[Any]):
    """The questions with the answers of the caller's own side."""

    side = serializers.CharField()
    handed_in_at = Moment(allow_null=True)
    questions = AskedOut(many=True)
    answers = AnswerOut(many=True)


def require_seen(request: Request, review: DealReview) -> int:
    """The version that If-Match names. Raises StaleReview where the review stands at another one."""
    version = expected_version(request, review)
    if version != review.version:
        raise StaleReview(review)
    return version


class DealReviewAnswer(ReviewEndpoint):
    """The answers of the caller's side."""

    @documented("Show one's own side's answers", gives=OwnAnswersOut, refuses=(403,))
    def get(self, request: Request, pk: int) -> Response:
        """Drafts too. Those of the other side are in the review, once both have handed in."""
        review = answerable_review(self.user, pk)
        side = side_in(self.user, review.opportunity)
        assert side is not None
        own = ReviewAnswer.objects.shown_to(side).filter(question__review=review, side=side.value)
        answers = [{"question": each.question_id, "score": each.score, "note": each.note} for each in own]
        body = {
            "side": side.value, "handed_in_at": review.answered_at(side), "questions": list(review.questions.all()),
            "answers": answers,
        }  # fmt: skip
        return Response(OwnAnswersOut(body, context=self.context()).data)

    @documented("Answer for one's side", takes=AnswersInput, gives=DealReviewOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Keep a draft, or hand in. A draft leaves no trace that the other side could notice."""
        review = answerable_review(self.user, pk)
        given = self.read(AnswersInput)
        require_seen(request, review)
        listed = given.get("answers", [])
        answers = {each["question"]: (each.get("score"), each.get("note", "")) for each in listed}
        if len(answers) < len(listed):
            raise invalid({"answers": [_("Answer each question once.")]})
        try:
            reviews.save_answers(
                actor=self.user, review=review, answers=answers, hand_in=given.get("hand_in", False), now=self.now
            )
        except ValidationError as error:
            raise _located(error, [each["question"] for each in listed])
        return self.answer_with(pk)


class DealReviewTakeBack(ReviewEndpoint):
    """Making one's side's answers a draft again."""

    @documented("Take back one's side's answers", takes=NoInput, gives=DealReviewOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """While the other side has not handed in."""
        review = answerable_review(self.user, pk)
        self.read(NoInput)
        require_seen(request, review)
        reviews.take_back_answers(actor=self.user, review=review, now=self.now)
        return self.answer_with(pk)


class DealReviewSchedule(ReviewEndpoint):
    """The meeting."""

    @documented("Schedule a deal review", takes=MeetingInput, gives=DealReviewOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Set or move the meeting; everybody invited must see the deal."""
        review = schedulable_review(self.user, pk)
        version = expected_version(request, review)
        meeting = Meeting(**self.read(MeetingInput))
        reviews.schedule_review(
            actor=self.user, review=review, meeting=meeting, expected_version=version, now=self.now
        )  # fmt: skip
        return self.answer_with(pk)


class DealReviewUnschedule(ReviewEndpoint):
    """No meeting."""

    @documented("Call the meeting of a deal review off", takes=NoInput, gives=DealReviewOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Call it off."""
        review = schedulable_review(self.user, pk)
        version = expected_version(request, review)
        self.read(NoInput)
        reviews.unschedule_review(actor=self.user, review=review, expected_version=version, now=self.now)
        return self.answer_with(pk)


class DealReviewAttendance(ReviewEndpoint):
    """Who came."""

    @documented("Note who was at a deal review", takes=AttendanceInput, gives=DealReviewOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Once the meeting has begun."""
        review = schedulable_review(self.user, pk)
        present: Sequence[User] = self.read(AttendanceInput)["present"]
        require_seen(request, review)
        reviews.note_attendance(
            actor=self.user, review=review, present={user.pk for user in present}, now=self.now
        )  # fmt: skip
        return self.answer_with(pk)


class DealReviewDecide(ReviewEndpoint):
    """The verdict."""

    @documented("Propose the verdict", takes=DecideInput, gives=DealReviewOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Go, go if (with conditions), or no go; then both sides sign. A further version needs a reason."""
        review = answerable_review(self.user, pk)
        version = expected_version(request, review)
        given = self.read(DecideInput)
        reviews.decide_review(
            actor=self.user, review=review, verdict=given["verdict"], summary=given.get("summary", ""),
            conditions=[ConditionDraft(**each) for each in given.get("conditions", [])],
            reason=given.get("reason", ""), expected_version=version, now=self.now,
        )  # fmt: skip
        return self.answer_with(pk)


class DealReviewSign(ReviewEndpoint):
    """The signature of the caller's side."""

    @documented("Sign the verdict", takes=SignInput, gives=DealReviewOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Sign a version for one's side. With both signatures of the newest one the review is agreed."""
        review = answerable_review(self.user, pk)
        version = expected_version(request, review)
        number = self.read(SignInput).get("number")
        if number is None and version != review.version:
            raise StaleReview(review)
        newest = review.decisions.order_by("-number").values_list("number", flat=True).first()
        reviews.sign_decision(actor=self.user, review=review, number=number or newest or 1, now=self.now)
        return self.answer_with(pk)


class DealReviewSettle(ReviewEndpoint):
    """What has become of a condition."""

    @documented("Settle a condition of the verdict", takes=ConditionSettleInput, gives=DealReviewOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Met, dropped (say why), or open again; also after the win."""
        review = readable_review(self.user, pk)
        given = self.read(ConditionSettleInput)
        require_seen(request, review)
        newest = review.decisions.order_by("-number").first()
        known = newest.conditions.filter(pk=given["condition"]).first() if newest is not None else None
        if newest is None or known is None:
            raise invalid({"condition": [_("The newest verdict has no such condition.")]})
        newest.review = review
        known.decision = newest
        reviews.settle_condition(
            actor=self.user, condition=known, state=given["state"], note=given.get("note", ""), now=self.now
        )
        return self.answer_with(pk)


class DealReviewOverride(ReviewEndpoint):
    """Going past the review."""

    @documented("Let the deal be won without its review", takes=OverrideInput, gives=DealReviewOut, versioned=True)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Needs the right, costs a reason, leaves a row, and holds until there is a newer verdict."""
        review = overridable_review(self.user, pk)
        reason = self.read(OverrideInput)["reason"]
        require_seen(request, review)
        reviews.override_review(actor=self.user, opportunity=review.opportunity, reason=reason, now=self.now)
        return self.answer_with(pk)


def _located(error: ValidationError, questions: Sequence[int]) -> ValidationError:
    """The service's problems by the place in the list that was sent, such as ``answers.3.score``."""
    if not hasattr(error, "error_dict"):
        return error
    found: dict[str, list[str]] = {}
    for name, sentences in error.message_dict.items():
        match = _KEYED.fullmatch(name)
        key = int(match[2]) if match else 0
        place = f"answers.{questions.index(key)}.{match[1]}" if match and key in questions else "answers"
        found.setdefault(place, [])
        found[place] += [sentence for sentence in sentences if sentence not in found[place]]
    return ValidationError(found)
