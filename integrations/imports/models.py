"""Imports, their rows, and what is remembered from one to the next."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Role, User
from integrations.imports.states import RUNNING, State


class Kind(models.TextChoices):
    """What the rows of a file are."""

    DEALS = "deals", _("Deals")
    PEOPLE = "people", _("People")
    BOOKINGS = "bookings", _("Bookings")


class ImportQuerySet(models.QuerySet["Import"]):
    """Filters for imports."""

    def visible_to(self, user: User) -> ImportQuerySet:
        """One's own; administrators see all."""
        return self if user.has_role(Role.ADMINISTRATOR) else self.filter(created_by=user)

    def running(self) -> ImportQuerySet:
        """Those that background work carries on with."""
        return self.filter(state__in=RUNNING)


class Import(models.Model):
    """One file on its way in.

    The file is read once into a spool of one JSON row per line. Chunks go through the spool; ``offset`` (bytes) and
    ``row`` say how far, and are written together with the chunk's effect.
    """

    token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.DEALS)
    file_name = models.CharField(_("file"), max_length=200)
    size = models.PositiveBigIntegerField(default=0)
    checksum = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.READING)
    # What a person should know: why a file was refused, what interrupted the work.
    message = models.CharField(max_length=500, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    # The state to go on with after an interruption.
    resume_state = models.CharField(max_length=12, choices=State.choices, blank=True)
    header = models.JSONField(default=list)
    # Stands for the set of headings: the same export again gets the same mapping.
    signature = models.CharField(max_length=64, blank=True)
    profile = models.JSONField(default=dict)
    options = models.JSONField(default=dict)
    # The files beside the deals, read: accounts, teams, products.
    companions = models.JSONField(default=dict)
    # Of people and bookings: which row is about whom, found out once for the whole file before anything is written.
    plan = models.JSONField(default=dict)
    rows = models.PositiveIntegerField(default=0)
    offset = models.PositiveBigIntegerField(default=0)
    row = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(_("created"), default=0)
    changed = models.PositiveIntegerField(_("changed"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    refused = models.PositiveIntegerField(_("refused"), default=0)
    # Deals that a revert took to the archive.
    archived = models.PositiveIntegerField(default=0)
    accounts_created = models.PositiveIntegerField(default=0)
    people_created = models.PositiveIntegerField(default=0)
    teams_created = models.PositiveIntegerField(default=0)
    # Sentence to number of rows: worth knowing, not worth refusing.
    notices = models.JSONField(default=dict)
    by_stage = models.JSONField(default=dict)
    created_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ImportQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="imports_state_known"),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="imports_kind_known"),
            models.CheckConstraint(
                condition=Q(row=models.F("created") + models.F("changed") + models.F("unchanged") + models.F("refused"))
                | ~Q(state__in=["checking", "checked", "writing", "done"]),
                name="imports_every_row_counted",
            ),
        ]
        indexes = [models.Index(fields=["id"], condition=Q(state__in=RUNNING), name="imports_running")]

    def __str__(self) -> str:
        return self.file_name

    @property
    def is_running(self) -> bool:
        """Whether the background is at work on it."""
        return self.state in RUNNING

    @property
    def is_of_deals(self) -> bool:
        """Whether its rows are deals, rather than people or bookings."""
        return self.kind == Kind.DEALS

    @property
    def is_baseline(self) -> bool:
        """Whether it is the first load, after which nothing counts as un-forecasted."""
        return bool(self.options.get("baseline"))

    @property
    def percent(self) -> int:
        """How far the present pass is."""
        return min(100, self.row * 100 // self.rows) if self.rows else 0


class Outcome(models.TextChoices):
    """What became of a row."""

    CREATED = "created", _("created")
    CHANGED = "changed", _("changed")
    UNCHANGED = "unchanged", _("unchanged")
    REFUSED = "refused", _("refused")


class ImportedRow(models.Model):
    """One row of the present pass over a file; refused ones keep their cells for the error file."""

    imported = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="imported_rows", db_index=False)
    line = models.PositiveIntegerField()
    external_id = models.CharField(max_length=120, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    opportunity_id = models.BigIntegerField(null=True)
    # The deal's version after this row, so that a revert knows what was touched since.
    version = models.PositiveIntegerField(null=True)
    new_account = models.CharField(max_length=200, blank=True)
    problem = models.CharField(max_length=500, blank=True)
    cells = models.JSONField(null=True)

    class Meta:
        ordering = ["line"]
        constraints = [
            models.UniqueConstraint(fields=["imported", "line"], name="imports_row_once"),
            models.UniqueConstraint(
                fields=["imported", "external_id"], condition=~Q(outcome="refused"), name="imports_deal_once"
            ),
        ]
        indexes = [
            models.Index(fields=["imported", "line"], condition=Q(outcome="refused"), name="imports_refused"),
            models.Index(fields=["imported", "new_account"], condition=~Q(new_account=""), name="imports_new_accounts"),
        ]

    def __str__(self) -> str:
        return f"{self.line}: {self.outcome}"


class RememberedMapping(models.Model):
    """What people answered for files with these headings."""

    signature = models.CharField(max_length=64, unique=True)
    options = models.JSONField(default=dict)
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.signature


class KnownProduct(models.Model):
    """How a product is written, and its list price where one is known."""

    # Letters and digits only, case folded: "GTXPro" and "GTX Pro" are one product.
    key = models.CharField(max_length=120, unique=True)
    name = models.CharField(_("name"), max_length=120)
    price = models.DecimalField(_("list price"), max_digits=15, decimal_places=2, null=True, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
