"""People: users, their roles and teams."""

from __future__ import annotations

from typing import Any, ClassVar

import rules
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.models.organisation import Region, ServiceLine, validate_time_zone


class Side(models.TextChoices):
    """The two circles."""

    SALES = "sales", _("Sales")
    DELIVERY = "delivery", _("Delivery")


class Role(models.TextChoices):
    """What a person does here; several may fit one person."""

    SALES_REP = "sales_rep", _("Sales rep")
    SALES_MANAGER = "sales_manager", _("Sales manager")
    PROJECT_MANAGER = "project_manager", _("Project manager")
    DELIVERY_MANAGER = "delivery_manager", _("Delivery manager")
    RESOURCE_MANAGER = "resource_manager", _("Resource manager")
    EXECUTIVE = "executive", _("Executive")
    ADMINISTRATOR = "administrator", _("Administrator")


SALES_ROLES = frozenset({Role.SALES_REP, Role.SALES_MANAGER})
DELIVERY_ROLES = frozenset({Role.PROJECT_MANAGER, Role.DELIVERY_MANAGER, Role.RESOURCE_MANAGER})
ALL_SEEING_ROLES = frozenset({Role.EXECUTIVE, Role.ADMINISTRATOR})


class UserManager(BaseUserManager["User"]):
    """Makes users from an e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A person who signs in with this address; without a password they can't yet."""
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """An administrator."""
        return self.create_user(email, password, **{"roles": [Role.ADMINISTRATOR], **fields})

    def get_by_natural_key(self, username: str | None) -> User:
        """The person with this address, however it is capitalised."""
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in."""

    email = models.EmailField(_("e-mail"), max_length=254)
    name = models.CharField(_("name"), max_length=120)
    roles = ArrayField(models.CharField(max_length=32, choices=Role.choices), default=list, verbose_name=_("roles"))
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, validators=[validate_time_zone])
    theme = models.CharField(
        _("appearance"),
        max_length=8,
        default="auto",
        choices=[("auto", _("As the device")), ("light", _("Light")), ("dark", _("Dark"))],
    )
    is_active = models.BooleanField(_("may sign in"), default=True)
    # The address of this person in a CRM export or sync, where it is not the e-mail.
    external_id = models.CharField(_("external id"), max_length=120, blank=True)
    joined_at = models.DateTimeField(db_default=models.functions.Now())

    objects: ClassVar[UserManager] = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(Lower("email"), name="accounts_email_unique"),
            models.CheckConstraint(condition=Q(roles__contained_by=Role.values), name="accounts_roles_known"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def has_role(self, *roles: Role) -> bool:
        """Whether any of these roles is theirs."""
        return any(role in self.roles for role in roles)

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Whether a rule (`rules.add_perm`) gives them the right.

        Asks no other backend: Django's own would answer each “no” with two queries to its permission tables, which
        nothing here fills.
        """
        return self.is_active and rules.has_perm(perm, self, obj)

    @property
    def is_administrator(self) -> bool:
        """Whether they may change settings."""
        return Role.ADMINISTRATOR in self.roles

    @property
    def side(self) -> Side | None:
        """The circle they stand in; None for those above or beside both. Sales wins where both fit."""
        if SALES_ROLES.intersection(self.roles):
            return Side.SALES
        return Side.DELIVERY if DELIVERY_ROLES.intersection(self.roles) else None

    @property
    def initials(self) -> str:
        """Up to two letters for an avatar."""
        words = self.name.split() or [self.email]
        return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()

    @property
    def role_names(self) -> str:
        """Their roles in words."""
        return ", ".join(str(Role(role).label) for role in self.roles)


class Team(models.Model):
    """People who share deals. A sales team sees its own and those of the teams below it.

    A delivery team sees the deals of its service lines; without any it serves all of them.
    """

    name = models.CharField(_("name"), max_length=80, unique=True)
    side = models.CharField(_("side"), max_length=16, choices=Side.choices)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children",
        verbose_name=_("part of"),
    )  # fmt: skip
    region = models.ForeignKey(
        Region, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("region")
    )
    service_lines = models.ManyToManyField(ServiceLine, blank=True, verbose_name=_("service lines"))
    members = models.ManyToManyField(User, blank=True, related_name="teams", verbose_name=_("members"))
    on_call = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+",
        verbose_name=_("on call for un-forecasted deals"),
    )  # fmt: skip

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(side__in=Side.values), name="accounts_team_side_known"),
            models.CheckConstraint(
                condition=Q(parent__isnull=True) | ~Q(parent=F("id")), name="accounts_team_not_own_parent"
            ),
        ]

    def __str__(self) -> str:
        return self.name
