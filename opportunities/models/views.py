"""Saved filters of the deal list."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    """Filters for saved views."""

    def visible_to(self, user: User) -> SavedViewQuerySet:
        """One's own and the shared ones."""
        return self.filter(Q(owner=user) | Q(is_shared=True))


class SavedView(models.Model):
    """A named filter, order and set of columns. Only its owner changes it; others may copy a shared one."""

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=80)
    # The query string of the list, such as ``temperature=hot&sort=-amount``.
    query = models.CharField(max_length=2000, blank=True)
    is_shared = models.BooleanField(_("everyone may use it"), default=False)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="opportunities_view_name_unique")]

    def __str__(self) -> str:
        return self.name
