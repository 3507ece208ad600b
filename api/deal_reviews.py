"""Deal reviews: asking for one, and reading them. What moves them on is in ``deal_review_actions``."""

from __future__ import annotations

from typing import Any

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Side, User
from api.endpoints import Endpoint
from api.fields import Brief, Flag, Id, Input, Moment, Scoped, Url
from api.idempotency import idempotent
from api.lists import ListEndpoint, ListQuery, Ordering
from api.openapi import documented
from handoffs.access import readable_review
from handoffs.models import (
    AskedQuestion,
    ConditionState,
    DealReview,
    ReviewAnswer,
    ReviewAttendee,
    ReviewCondition,
    ReviewDecision,
    ReviewOverride,
    ReviewState,
    Trigger,
    Verdict,
)
from handoffs.services.reviews import request_review
from opportunities.models import Opportunity


class ConditionOut(serializers.ModelSerializer[ReviewCondition]):
    """Something that must come true for the verdict to hold."""

    owner = Brief()
    state = serializers.ChoiceField(ConditionState.choices)
    settled_at = Moment(allow_null=True)
    settled_by = Brief(allow_null=True)
    follows = serializers.IntegerField(
        source="follows_id", allow_null=True, help_text="The same condition in the version before."
    )

    class Meta:
        model = ReviewCondition
        fields = ("id", "text", "owner", "due_on", "state", "settled_at", "settled_by", "settled_note", "follows")


class DecisionOut(serializers.ModelSerializer[ReviewDecision]):
    """One version of the verdict, with the signatures of both sides."""

    verdict = serializers.ChoiceField(Verdict.choices)
    decided_by = Brief()
    decided_at = Moment()
    sales_signed_by = Brief(allow_null=True)
    sales_signed_at = Moment(allow_null=True)
    delivery_signed_by = Brief(allow_null=True)
    delivery_signed_at = Moment(allow_null=True)
    conditions = ConditionOut(many=True)

    class Meta:
        model = ReviewDecision
        fields = (
            "number", "verdict", "summary", "reason", "decided_by", "decided_at", "sales_signed_by", "sales_signed_at",
            "delivery_signed_by", "delivery_signed_at", "conditions",
        )  # fmt: skip


class AttendeeOut(serializers.ModelSerializer[ReviewAttendee]):
    """Somebody invited; whether they came is null until that was noted."""

    user = Brief()

    class Meta:
        model = ReviewAttendee
        fields = ("user", "was_there")


class OverrideOut(serializers.ModelSerializer[ReviewOverride]):
    """Somebody let the deal be won without the agreed review."""

    by = Brief()
    at = Moment()

    class Meta:
        model = ReviewOverride
        fields = ("by", "at", "reason")


class AskedOut(serializers.ModelSerializer[AskedQuestion]):
    """A question of this review."""

    class Meta:
        model = AskedQuestion
        fields = ("id", "text", "hint", "position")


class AnswerOut(serializers.Serializer[Any]):
    """What a side says to a question: 1 (bad) to 5 (good), null while a draft has none."""

    question = serializers.IntegerField()
    score = serializers.IntegerField(allow_null=True, min_value=1, max_value=5)
    note = serializers.CharField(allow_blank=True)


class SideOut(serializers.Serializer[Any]):
    """How a side stands. Its answers are null until both sides have handed in."""

    answered_at = Moment(allow_null=True)
    answered_by = Brief(allow_null=True)
    answers = AnswerOut(many=True, allow_null=True)


class SidesOut(serializers.Serializer[Any]):
    """Both sides."""

    sales = SideOut()
    delivery = SideOut()


class GapOut(serializers.Serializer[Any]):
    """By how many points the sides differ on a question."""

    question = serializers.IntegerField()
    sales = serializers.IntegerField()
    delivery = serializers.IntegerField()
    gap = serializers.IntegerField()


class DealReviewOut(serializers.ModelSerializer[DealReview]):
    """Both sides answer the same questions apart, compare, decide and sign."""

    url = Url("api:deal_review")
    created_at = Moment()
    updated_at = Moment()
    opportunity = Brief()
    state = serializers.ChoiceField(ReviewState.choices)
    trigger = serializers.ChoiceField(Trigger.choices)
    requested_at = Moment()
    requested_by = Brief(allow_null=True)
    due_at = Moment()
    paused_at = Moment(allow_null=True)
    ended_at = Moment(allow_null=True)
    starts_at = Moment(allow_null=True)
    attendees = AttendeeOut(many=True)
    questions = AskedOut(many=True)
    sides = serializers.SerializerMethodField()
    gaps = serializers.SerializerMethodField()
    verdict = serializers.SerializerMethodField()
    decision = serializers.SerializerMethodField()
    versions = serializers.SerializerMethodField()
    overrides = OverrideOut(many=True)

    class Meta:
        model = DealReview
        fields = (
            "id", "version", "created_at", "updated_at", "url", "opportunity", "state", "is_express", "trigger",
            "requested_at", "requested_by", "due_at", "paused_at", "ended_at", "starts_at", "minutes", "place",
            "agenda", "attendees", "questions", "sides", "gaps", "verdict", "decision", "versions", "overrides",
        )  # fmt: skip

    @extend_schema_field(SidesOut)
    def get_sides(self, review: DealReview) -> dict[str, Any]:
        """Who handed in when, and what, once both have."""
        return {side.value: self._side(review, side) for side in Side}

    def _side(self, review: DealReview, side: Side) -> dict[str, Any]:
        answers = None
        if review.are_both_in:
            answers = [
                {"question": question.pk, "score": answer.score, "note": answer.note}
                for question in review.questions.all()
                for answer in question.shown  # type: ignore[attr-defined]
                if answer.side == side.value
            ]
        shown = SideOut(
            {
                "answered_at": review.answered_at(side), "answered_by": getattr(review, f"{side.value}_answered_by"),
                "answers": answers,
            },
            context=self.context,
        )  # fmt: skip
        return dict(shown.data)

    @extend_schema_field(GapOut(many=True))
    def get_gaps(self, review: DealReview) -> list[dict[str, int]]:
        """The largest first, then the lowest score; empty until both sides have handed in."""
        found = []
        for question in review.questions.all() if review.are_both_in else []:
            scores = {answer.side: answer.score for answer in question.shown}  # type: ignore[attr-defined]
            sales, delivery = scores.get(Side.SALES.value), scores.get(Side.DELIVERY.value)
            if sales and delivery:
                gap = abs(sales - delivery)
                found.append({"question": question.pk, "sales": sales, "delivery": delivery, "gap": gap})
        return sorted(found, key=lambda each: (-each["gap"], min(each["sales"], each["delivery"]), each["question"]))

    @extend_schema_field(serializers.ChoiceField(Verdict.choices, allow_null=True))
    def get_verdict(self, review: DealReview) -> str | None:
        """That of the newest version, signed or not."""
        newest = _newest(review)
        return newest.verdict if newest is not None else None

    @extend_schema_field(DecisionOut(allow_null=True))
    def get_decision(self, review: DealReview) -> Any:
        """The newest version of the verdict."""
        newest = _newest(review)
        return DecisionOut(newest, context=self.context).data if newest is not None else None

    @extend_schema_field(DecisionOut(many=True))
    def get_versions(self, review: DealReview) -> Any:
        """All versions of the verdict, the first one first."""
        return DecisionOut(review.decisions.all(), many=True, context=self.context).data


def _newest(review: DealReview) -> ReviewDecision | None:
    versions = list(review.decisions.all())
    return versions[-1] if versions else None


def with_details(reviews: QuerySet[DealReview]) -> QuerySet[DealReview]:
    """All that is shown of reviews, whoever reads: answers only where both sides have handed in."""
    shown = Prefetch("answers", ReviewAnswer.objects.shown_to(None), to_attr="shown")
    signers = ("decided_by", "sales_signed_by", "delivery_signed_by")
    conditions = Prefetch("conditions", ReviewCondition.objects.select_related("owner", "settled_by"))
    return reviews.select_related(
        "opportunity", "requested_by", "sales_answered_by", "delivery_answered_by"
    ).prefetch_related(
        Prefetch("questions", AskedQuestion.objects.prefetch_related(shown)),
        Prefetch("decisions", ReviewDecision.objects.select_related(*signers).prefetch_related(conditions)),
        Prefetch("attendees", ReviewAttendee.objects.select_related("user")),
        Prefetch("overrides", ReviewOverride.objects.select_related("by")),
    )


class ReviewEndpoint(Endpoint):
    """An address that shows a review."""

    output = DealReviewOut

    def shown(self, thing: Any) -> Any:
        """The review as it stands, with all that belongs to it."""
        return super().shown(with_details(DealReview.objects.filter(pk=thing.pk)).get())

    def answer_with(self, pk: int, code: int = status.HTTP_200_OK) -> Response:
        """The review as it stands after a change."""
        return self.answer(DealReview.objects.get(pk=pk), code)


class DealReviewQuery(ListQuery):
    """Filters of the list of reviews."""

    ordering = Ordering("id", "due_at", "starts_at", "requested_at", "updated_at")
    opportunity = Id()
    state = serializers.ChoiceField(ReviewState.choices, required=False)
    verdict = serializers.ChoiceField(
        Verdict.choices, required=False, help_text="Of the newest version, signed or not."
    )
    is_express = serializers.BooleanField(required=False)
    scheduled_from = serializers.DateTimeField(required=False, help_text="Meetings that begin then or later.")


class DealReviewNew(Input):
    """A deal to be reviewed."""

    opportunity = Scoped(lambda user: Opportunity.objects.current().visible_to(user))
    is_express = Flag(required=False, help_text="Few questions, and a clock in hours.")


class DealReviews(ListEndpoint, ReviewEndpoint):
    """Reviews of the deals that the caller may see."""

    query = DealReviewQuery

    @documented("List deal reviews", gives=DealReviewOut, query=DealReviewQuery)
    def get(self, request: Request) -> Response:
        """A page of them."""
        given = self.parameters()
        names = ("opportunity", "state", "is_express")
        reviews = DealReview.objects.visible_to(self.user).filter(**{n: given[n] for n in names if n in given})
        if "verdict" in given:
            newest = ReviewDecision.objects.filter(review=OuterRef("pk")).order_by("-number").values("verdict")[:1]
            reviews = reviews.annotate(newest_verdict=Subquery(newest)).filter(newest_verdict=given["verdict"])
        if "scheduled_from" in given:
            reviews = reviews.filter(starts_at__gte=given["scheduled_from"])
        return self.page(with_details(reviews), given)

    @documented("Ask for a deal review", takes=DealReviewNew, gives=DealReviewOut, status=201)
    @idempotent
    def post(self, request: Request) -> Response:
        """Ask both sides to answer; while a review of the deal runs, that one is the answer."""
        given = self.read(DealReviewNew)
        user: User = self.user
        review = request_review(
            actor=user, opportunity=given["opportunity"], is_express=given.get("is_express", False),
            trigger=Trigger.ASKED, now=self.now,
        )  # fmt: skip
        return self.answer_with(review.pk, status.HTTP_201_CREATED)


class DealReviewDetail(ReviewEndpoint):
    """One review."""

    @documented("Show a deal review", gives=DealReviewOut)
    def get(self, request: Request, pk: int) -> Response:
        """The review with its ETag. One's own side's answers are at ``answer/`` until both sides are in."""
        return self.answer(readable_review(self.user, pk))
