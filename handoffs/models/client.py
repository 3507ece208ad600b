"""The client's voice: what was agreed in words, private links, confirmations and pulses."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from events.audience import Scope
from handoffs.models.ramp import RampPlan
from handoffs.models.risk import RiskProfile
from opportunities.models import Contact, Opportunity


class Subject(models.TextChoices):
    """What the client confirms."""

    SCOPE = "scope", _("Scope")
    SUCCESS_CRITERIA = "success_criteria", _("Success criteria")
    RISK_PROFILE = "risk_profile", _("Risk profile")


class StatementQuerySet(models.QuerySet["Statement"]):
    """Filters for statements."""

    def visible_to(self, user: User) -> StatementQuerySet:
        """Statements of deals that the person may see."""
        return self.filter(opportunity__in=Opportunity.objects.visible_to(user))


class Statement(models.Model):
    """Scope or success criteria in words: version 1, 2, 3 … of a deal, by one of ours or by the client's contact."""

    opportunity = models.ForeignKey(Opportunity, on_delete=models.PROTECT, related_name="statements")
    subject = models.CharField(
        max_length=20, choices=[(kind.value, kind.label) for kind in (Subject.SCOPE, Subject.SUCCESS_CRITERIA)]
    )  # fmt: skip
    number = models.PositiveSmallIntegerField()
    text = models.TextField(_("text"), max_length=10_000)
    reason = models.CharField(_("what changed"), max_length=500, blank=True)
    written_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    amended_by = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField()

    objects = StatementQuerySet.as_manager()

    class Meta:
        ordering = ["opportunity", "subject", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["opportunity", "subject", "number"], name="handoffs_statement_number_unique"
            ),
            models.CheckConstraint(
                condition=Q(subject__in=["scope", "success_criteria"]), name="handoffs_statement_subject_known"
            ),
            models.CheckConstraint(
                condition=Q(written_by__isnull=False, amended_by__isnull=True)
                | Q(written_by__isnull=True, amended_by__isnull=False),
                name="handoffs_statement_has_one_author",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.number}"

    def scope(self) -> Scope:
        """That of its deal."""
        return self.opportunity.scope()


class Language(models.TextChoices):
    """The languages of the client's pages and mails."""

    ENGLISH = "en", _("English")
    GERMAN = "de", _("German")


class ClientVoice(models.Model):
    """How we may write to a contact: in which language, and whether at all."""

    contact = models.OneToOneField(Contact, on_delete=models.CASCADE, related_name="+")
    language = models.CharField(_("language"), max_length=2, choices=Language.choices, default=Language.ENGLISH)
    opted_out_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(language__in=Language.values), name="handoffs_client_language_known"),
        ]

    def __str__(self) -> str:
        return f"{self.contact_id}: {self.language}"


class LinkPurpose(models.TextChoices):
    """What a private link is for."""

    CONFIRM = "confirm", _("Confirm what was agreed")
    PULSE = "pulse", _("Rate how it goes")


class ClientLinkQuerySet(models.QuerySet["ClientLink"]):
    """Filters for private links."""

    def visible_to(self, user: User) -> ClientLinkQuerySet:
        """Links on deals that the person may see."""
        return self.filter(opportunity__in=Opportunity.objects.visible_to(user))


class ClientLink(models.Model):
    """A private link for one contact. Only a hash of its token is kept; looking at it never uses it up."""

    opportunity = models.ForeignKey(Opportunity, on_delete=models.PROTECT, related_name="client_links")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=8, choices=LinkPurpose.choices)
    pulse = models.ForeignKey(
        "Pulse", null=True, blank=True, on_delete=models.PROTECT, related_name="links", verbose_name=_("pulse")
    )
    # SHA-256 of the token, hexadecimal.
    token_hash = models.CharField(max_length=64, unique=True)
    # None where the reminder of a pulse made it.
    created_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    objects = ClientLinkQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(purpose__in=LinkPurpose.values), name="handoffs_link_purpose_known"),
            models.CheckConstraint(
                condition=Q(purpose="confirm", pulse__isnull=True) | Q(purpose="pulse", pulse__isnull=False),
                name="handoffs_pulse_link_has_pulse",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.opportunity_id}: {self.contact_id}"

    def scope(self) -> Scope:
        """That of its deal."""
        return self.opportunity.scope()


class ClientAnswer(models.TextChoices):
    """What the client said to what was shown."""

    CONFIRMED = "confirmed", _("Confirmed")
    AMENDED = "amended", _("Amended")


class Confirmation(models.Model):
    """What a contact said to one version of a statement or risk profile. Rows are only added."""

    link = models.ForeignKey(ClientLink, on_delete=models.PROTECT, related_name="confirmations")
    opportunity = models.ForeignKey(Opportunity, on_delete=models.PROTECT, related_name="confirmations")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    subject = models.CharField(max_length=20, choices=Subject.choices)
    # The version that was shown, and for an amendment the one that came of it.
    statement = models.ForeignKey(Statement, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    risk_profile = models.ForeignKey(RiskProfile, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    new_statement = models.ForeignKey(Statement, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    new_risk_profile = models.ForeignKey(RiskProfile, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    answer = models.CharField(max_length=10, choices=ClientAnswer.choices)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(subject__in=Subject.values), name="handoffs_confirmed_subject_known"),
            models.CheckConstraint(condition=Q(answer__in=ClientAnswer.values), name="handoffs_client_answer_known"),
            models.CheckConstraint(
                condition=Q(subject="risk_profile", risk_profile__isnull=False, statement__isnull=True)
                | (~Q(subject="risk_profile") & Q(risk_profile__isnull=True, statement__isnull=False)),
                name="handoffs_confirmation_names_version",
            ),
            models.UniqueConstraint(
                fields=["contact", "statement"], condition=Q(statement__isnull=False),
                name="handoffs_one_answer_per_statement",
            ),
            models.UniqueConstraint(
                fields=["contact", "risk_profile"], condition=Q(risk_profile__isnull=False),
                name="handoffs_one_answer_per_profile",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.subject}: {self.answer}"


class PulseOccasion(models.TextChoices):
    """When the client is asked how it goes."""

    KICKOFF = "kickoff", _("Kick-off")
    DAY_30 = "day_30", _("30 days in")
    DAY_90 = "day_90", _("90 days in")
    ASKED = "asked", _("Asked by hand")


class PulseQuerySet(models.QuerySet["Pulse"]):
    """Filters for pulses."""

    def visible_to(self, user: User) -> PulseQuerySet:
        """Pulses of deals that the person may see."""
        return self.filter(plan__opportunity__in=Opportunity.objects.visible_to(user))

    def answered(self) -> PulseQuerySet:
        """Those with a rating."""
        return self.filter(answered_at__isnull=False)


class Pulse(models.Model):
    """One question to one contact: how satisfied (CSAT 1–5), would recommend (0–10), in their words.

    Once answered it can't be altered or removed; the database refuses it.
    """

    plan = models.ForeignKey(RampPlan, on_delete=models.PROTECT, related_name="pulses")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    occasion = models.CharField(max_length=8, choices=PulseOccasion.choices)
    due_on = models.DateField()
    asked_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    sent_at = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)
    reminders = models.PositiveSmallIntegerField(default=0)
    # Not asked any more: opted out, the plan rests or has closed, somebody called it off.
    cancelled_at = models.DateTimeField(null=True, blank=True)
    csat = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    recommend = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(10)])
    comment = models.CharField(max_length=2000, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = PulseQuerySet.as_manager()

    class Meta:
        ordering = ["due_on", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(occasion__in=PulseOccasion.values), name="handoffs_occasion_known"),
            models.UniqueConstraint(
                fields=["plan", "contact", "occasion"],
                condition=~Q(occasion="asked"),
                name="handoffs_one_pulse_per_occasion",
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, csat__isnull=True)
                | Q(answered_at__isnull=False, csat__range=(1, 5)),
                name="handoffs_answered_pulse_has_rating",
            ),
            models.CheckConstraint(
                condition=Q(recommend__isnull=True) | Q(recommend__range=(0, 10)), name="handoffs_recommend_in_range"
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_on", "id"],
                condition=Q(answered_at__isnull=True, cancelled_at__isnull=True),
                name="handoffs_pulses_due",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.plan_id}: {self.occasion}"

    def scope(self) -> Scope:
        """That of its deal."""
        return self.plan.opportunity.scope()
