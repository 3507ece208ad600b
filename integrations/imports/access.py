"""Who may import, and whose imports they see."""

from __future__ import annotations

import rules
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _

from accounts.access import is_administrator, is_sales_manager
from accounts.models import User
from integrations.imports.models import Import

rules.add_perm("imports.use", is_sales_manager | is_administrator)


def require_importer(user: User) -> None:
    """Raise PermissionDenied for those who may not import."""
    if not user.has_perm("imports.use"):
        raise PermissionDenied(_("Sales managers and administrators import deals. Ask one of them."))


def own_import(user: User, pk: int) -> Import:
    """An import of one's own, or any for administrators; else 404. 403 for those who may not import."""
    require_importer(user)
    found = Import.objects.visible_to(user).filter(pk=pk).first() if 0 < pk < 2**63 else None
    if found is None:
        raise Http404(_("There is no such import."))
    return found
