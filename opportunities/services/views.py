"""Saved views of the deal list."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.text import fault_in, trimmed
from opportunities.models import SavedView


def save_view(*, actor: User, name: str, query: str, is_shared: bool = False) -> SavedView:
    """Keep a filter, order and set of columns under a name of one's own. Raises ValidationError."""
    view = SavedView(owner=actor, name=_checked_name(name), query=_checked_query(query), is_shared=is_shared)
    return _saved(view)


def change_view(*, actor: User, view: SavedView, name: str, query: str | None = None, is_shared: bool) -> SavedView:
    """Rename or share one's own view, or give it another filter. Raises ValidationError."""
    view.name = _checked_name(name)
    view.is_shared = is_shared
    if query is not None:
        view.query = _checked_query(query)
    return _saved(view)


def delete_view(*, actor: User, view: SavedView) -> None:
    """Forget one's own view."""
    SavedView.objects.filter(pk=view.pk, owner=actor).delete()


def _saved(view: SavedView) -> SavedView:
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError as error:
        raise ValidationError({"name": _("You have a view of this name already.")}) from error
    return view


def _checked_name(name: str) -> str:
    text = trimmed(name)
    if not text:
        raise ValidationError({"name": _("Give the view a name.")})
    if len(text) > 80:
        raise ValidationError({"name": _("Use at most 80 characters.")})
    fault = fault_in(text)
    if fault:
        raise ValidationError({"name": fault})
    return text


def _checked_query(query: str) -> str:
    if len(query) > 2000:
        raise ValidationError({"name": _("This filter is too long to be kept. Choose fewer things.")})
    return query
