"""Deal reviews: both sides answer the same questions apart, compare, decide and sign."""

from __future__ import annotations

import datetime as dt

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import ServiceLine, Side, User
from events.audience import Scope
from handoffs.models.engagement import Trigger
from opportunities.models import Opportunity

WORST, BEST = 1, 5


class QuestionSet(models.Model):
    """The questions of a deal review; for one service line, or for all that have none of their own."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    service_line = models.ForeignKey(
        ServiceLine, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("only for")
    )
    is_active = models.BooleanField(_("active"), default=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["service_line"],
                condition=Q(is_active=True),
                nulls_distinct=False,
                name="handoffs_one_question_set_per_line",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Question(models.Model):
    """One question of a set. A running review keeps the words with which it was asked."""

    question_set = models.ForeignKey(QuestionSet, on_delete=models.CASCADE, related_name="questions")
    text = models.CharField(_("question"), max_length=200)
    hint = models.CharField(_("what a five means"), max_length=500, blank=True)
    is_express = models.BooleanField(_("asked in express reviews too"), default=False)
    position = models.PositiveSmallIntegerField(default=0)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["question_set", "position", "id"]

    def __str__(self) -> str:
        return self.text


class ReviewState(models.TextChoices):
    """Where a deal review stands."""

    ANSWERING = "answering", _("Answering")
    COMPARING = "comparing", _("Comparing")
    DECIDED = "decided", _("To be signed")
    AGREED = "agreed", _("Agreed")
    CANCELLED = "cancelled", _("Cancelled")


RUNNING_REVIEWS = [ReviewState.ANSWERING, ReviewState.COMPARING, ReviewState.DECIDED]


class Verdict(models.TextChoices):
    """What a review came to."""

    GO = "go", _("Go")
    GO_IF = "go_if", _("Go, if")
    NO_GO = "no_go", _("No go")


class DealReviewQuerySet(models.QuerySet["DealReview"]):
    """Filters for deal reviews."""

    def visible_to(self, user: User) -> DealReviewQuerySet:
        """Reviews of deals that the person may see; what they may see of the answers, ``ReviewAnswer`` says."""
        return self.filter(opportunity__in=Opportunity.objects.visible_to(user))

    def running(self) -> DealReviewQuerySet:
        """Not signed by both yet."""
        return self.filter(state__in=RUNNING_REVIEWS)


class DealReview(models.Model):
    """One round of questions on a deal; at most one runs at a time."""

    opportunity = models.ForeignKey(Opportunity, on_delete=models.PROTECT, related_name="deal_reviews")
    question_set = models.ForeignKey(QuestionSet, on_delete=models.PROTECT, related_name="+")
    is_express = models.BooleanField(default=False)
    state = models.CharField(max_length=12, choices=ReviewState.choices, default=ReviewState.ANSWERING)
    trigger = models.CharField(max_length=16, choices=Trigger.choices)
    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    due_at = models.DateTimeField(_("due"))
    # What the clock counts from: the request, put off by what a pause cost.
    clock_from = models.DateTimeField(db_default=Now())
    # The meeting, once somebody scheduled it.
    starts_at = models.DateTimeField(_("starts"), null=True, blank=True)
    minutes = models.PositiveSmallIntegerField(_("minutes"), default=30)
    place = models.CharField(_("where"), max_length=300, blank=True)
    agenda = models.TextField(_("agenda"), max_length=4000, blank=True)
    # Counts up with each change of the meeting, for calendars that have it already.
    invitation_number = models.PositiveSmallIntegerField(default=0)
    sales_answered_at = models.DateTimeField(null=True, blank=True)
    sales_answered_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    delivery_answered_at = models.DateTimeField(null=True, blank=True)
    delivery_answered_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    # The deal cooled: the clock rests, and what is left of it is given back when the deal warms again.
    paused_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    # What to go back to when a closed deal is reopened.
    state_before_end = models.CharField(max_length=12, choices=ReviewState.choices, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    objects = DealReviewQuerySet.as_manager()

    class Meta:
        ordering = ["-requested_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["opportunity"],
                condition=Q(state__in=["answering", "comparing", "decided"]),
                name="handoffs_one_running_review",
            ),
            models.CheckConstraint(condition=Q(state__in=ReviewState.values), name="handoffs_review_state_known"),
            models.CheckConstraint(
                condition=Q(sales_answered_by__isnull=True)
                | Q(delivery_answered_by__isnull=True)
                | ~Q(sales_answered_by=F("delivery_answered_by")),
                name="handoffs_review_answered_by_two_people",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["answering", "cancelled"])
                | Q(sales_answered_at__isnull=False, delivery_answered_at__isnull=False),
                name="handoffs_review_compared_after_both",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at", "id"],
                condition=Q(state__in=["answering", "comparing", "decided"], paused_at__isnull=True),
                name="handoffs_reviews_running",
            ),
            models.Index(
                fields=["starts_at", "id"], condition=Q(starts_at__isnull=False), name="handoffs_reviews_scheduled"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.opportunity_id}: {self.state}"

    @property
    def is_running(self) -> bool:
        """Whether it waits for answers, a verdict or signatures."""
        return self.state in RUNNING_REVIEWS

    @property
    def are_both_in(self) -> bool:
        """Whether both sides have handed in, so that each sees the other's answers."""
        return self.sales_answered_at is not None and self.delivery_answered_at is not None

    def answered_at(self, side: Side) -> dt.datetime | None:
        """When the side handed in."""
        return self.sales_answered_at if side == Side.SALES else self.delivery_answered_at

    def scope(self) -> Scope:
        """That of its deal."""
        return self.opportunity.scope()


class AskedQuestion(models.Model):
    """A question as this review asks it."""

    review = models.ForeignKey(DealReview, on_delete=models.CASCADE, related_name="questions")
    text = models.CharField(max_length=200)
    hint = models.CharField(max_length=500, blank=True)
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["review", "position"]
        constraints = [
            models.UniqueConstraint(fields=["review", "position"], name="handoffs_asked_position_unique"),
        ]

    def __str__(self) -> str:
        return self.text


class ReviewAnswerQuerySet(models.QuerySet["ReviewAnswer"]):
    """Filters for answers."""

    def shown_to(self, side: Side | None) -> ReviewAnswerQuerySet:
        """What somebody of this side may read: their own side's answers, and the other's once both are in."""
        both_in = Q(
            question__review__sales_answered_at__isnull=False, question__review__delivery_answered_at__isnull=False
        )
        return self.filter(both_in | Q(side=side.value) if side else both_in)


class ReviewAnswer(models.Model):
    """One side's answer; the other side must not learn it before both have handed in."""

    question = models.ForeignKey(AskedQuestion, on_delete=models.CASCADE, related_name="answers")
    side = models.CharField(max_length=10, choices=Side.choices)
    score = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(WORST), MaxValueValidator(BEST)]
    )
    note = models.CharField(max_length=1000, blank=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    objects = ReviewAnswerQuerySet.as_manager()

    class Meta:
        ordering = ["question", "side"]
        constraints = [
            models.UniqueConstraint(fields=["question", "side"], name="handoffs_one_answer_per_side"),
            models.CheckConstraint(
                condition=Q(score__isnull=True) | Q(score__range=(WORST, BEST)), name="handoffs_score_in_range"
            ),
            models.CheckConstraint(condition=Q(side__in=Side.values), name="handoffs_answer_side_known"),
        ]

    def __str__(self) -> str:
        return f"{self.side}: {self.score}"


class ReviewDecision(models.Model):
    """A verdict with its conditions. A later change is a further version, to be signed by both again."""

    review = models.ForeignKey(DealReview, on_delete=models.PROTECT, related_name="decisions")
    number = models.PositiveSmallIntegerField()
    verdict = models.CharField(_("verdict"), max_length=8, choices=Verdict.choices)
    summary = models.CharField(_("in a sentence or two"), max_length=1000, blank=True)
    # Why a version after the first was needed.
    reason = models.CharField(_("what changed"), max_length=500, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()
    sales_signed_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    sales_signed_at = models.DateTimeField(null=True, blank=True)
    delivery_signed_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    delivery_signed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["review", "number"]
        constraints = [
            models.UniqueConstraint(fields=["review", "number"], name="handoffs_decision_number_unique"),
            models.CheckConstraint(condition=Q(verdict__in=Verdict.values), name="handoffs_verdict_known"),
            models.CheckConstraint(
                condition=Q(sales_signed_by__isnull=True)
                | Q(delivery_signed_by__isnull=True)
                | ~Q(sales_signed_by=F("delivery_signed_by")),
                name="handoffs_decision_signed_by_two_people",
            ),
            models.CheckConstraint(condition=Q(number=1) | ~Q(reason=""), name="handoffs_amendment_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.verdict}"

    @property
    def is_signed(self) -> bool:
        """Whether both sides signed."""
        return self.sales_signed_at is not None and self.delivery_signed_at is not None

    def signed_at(self, side: Side) -> dt.datetime | None:
        """When the side signed."""
        return self.sales_signed_at if side == Side.SALES else self.delivery_signed_at


class ConditionState(models.TextChoices):
    """Where a condition of a verdict stands."""

    OPEN = "open", _("Open")
    MET = "met", _("Met")
    DROPPED = "dropped", _("Dropped")


class ReviewCondition(models.Model):
    """Something that must come true for the verdict to hold."""

    decision = models.ForeignKey(ReviewDecision, on_delete=models.PROTECT, related_name="conditions")
    # The same condition in the version before.
    follows = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="followed_by")
    text = models.CharField(_("condition"), max_length=300)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("owner"))
    due_on = models.DateField(_("due"))
    state = models.CharField(max_length=8, choices=ConditionState.choices, default=ConditionState.OPEN)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    settled_note = models.CharField(max_length=500, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["decision", "position", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=ConditionState.values), name="handoffs_condition_state_known"),
            models.CheckConstraint(
                condition=Q(state="open") | Q(settled_at__isnull=False), name="handoffs_settled_condition_has_time"
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "due_on"], condition=Q(state="open"), name="handoffs_conditions_open"),
        ]

    def __str__(self) -> str:
        return self.text


class ReviewOverride(models.Model):
    """Somebody with the right let the deal be won without the agreed review, and said why. Rows are only added."""

    review = models.ForeignKey(DealReview, on_delete=models.PROTECT, related_name="overrides")
    # The verdict that stood then; a later one ends the override. None where nothing was decided.
    despite = models.ForeignKey(ReviewDecision, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    reason = models.CharField(max_length=500)

    class Meta:
        ordering = ["-at"]
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="handoffs_override_has_reason")]
        indexes = [models.Index(fields=["-at"], name="handoffs_overrides_recent")]

    def __str__(self) -> str:
        return self.reason


class ReviewAttendee(models.Model):
    """Somebody invited to the meeting of a review."""

    review = models.ForeignKey(DealReview, on_delete=models.CASCADE, related_name="attendees")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    # None until the meeting was held.
    was_there = models.BooleanField(null=True, blank=True)

    class Meta:
        ordering = ["review", "id"]
        constraints = [models.UniqueConstraint(fields=["review", "user"], name="handoffs_attendee_once")]

    def __str__(self) -> str:
        return f"{self.review_id}: {self.user_id}"
