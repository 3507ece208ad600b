"""Client organisations and the people there."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from accounts.access import audience_of
from accounts.models import Region, Team, User


class AccountQuerySet(models.QuerySet["Account"]):
    """Filters for client organisations."""

    def visible_to(self, user: User) -> AccountQuerySet:
        """Accounts of the person's teams, of their own making, or with a deal that they may see."""
        from opportunities.models.opportunity import Opportunity

        audience = audience_of(user)
        if audience.sees_all:
            return self
        deals = Opportunity.objects.filter(account=OuterRef("pk")).visible_to(user)
        own = Q(team_id__in=audience.team_ids) | Q(created_by=user) | Q(Exists(deals))
        return self.filter(own)


class Account(models.Model):
    """A client organisation."""

    name = models.CharField(_("name"), max_length=200)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children",
        verbose_name=_("part of"),
    )  # fmt: skip
    team = models.ForeignKey(
        Team, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("team")
    )
    region = models.ForeignKey(
        Region, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("region")
    )
    industry = models.CharField(_("industry"), max_length=120, blank=True)
    country = models.CharField(_("country"), max_length=80, blank=True)
    website = models.URLField(_("website"), blank=True)
    external_id = models.CharField(_("external id"), max_length=120, blank=True)
    created_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    objects = AccountQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(Lower("name"), name="opportunities_account_name_unique"),
            models.UniqueConstraint(
                fields=["external_id"], condition=~Q(external_id=""), name="opportunities_account_external_id_unique"
            ),
            models.CheckConstraint(
                condition=Q(parent__isnull=True) | ~Q(parent=F("id")), name="opportunities_account_not_own_parent"
            ),
        ]
        indexes = [GinIndex(SearchVector("name", config="simple"), name="opportunities_account_search")]

    def __str__(self) -> str:
        return self.name


class StakeholderRole(models.TextChoices):
    """The part a person plays in the decision."""

    SPONSOR = "sponsor", _("Sponsor")
    DECISION_MAKER = "decision_maker", _("Decision maker")
    USER = "user", _("User")
    BLOCKER = "blocker", _("Blocker")


class ContactQuerySet(models.QuerySet["Contact"]):
    """Filters for people at clients."""

    def visible_to(self, user: User) -> ContactQuerySet:
        """People at accounts that the person may see."""
        return self.filter(account__in=Account.objects.visible_to(user))


class Contact(models.Model):
    """A person at a client."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="contacts", verbose_name=_("account"))
    name = models.CharField(_("name"), max_length=160)
    title = models.CharField(_("job title"), max_length=160, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    stakeholder_role = models.CharField(
        _("part in the decision"), max_length=24, choices=StakeholderRole.choices, blank=True
    )
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    objects = ContactQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                "account", Lower("email"), condition=~Q(email=""), name="opportunities_contact_email_unique"
            ),
        ]

    def __str__(self) -> str:
        return self.name
