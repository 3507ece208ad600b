"""Who may import, and whose imports they see."""

from __future__ import annotations

import rules
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _

from accounts.access import is_administrator, is_sales_manager
from accounts.models import User
from integrations.imports.models import Import, Kind

rules.add_perm("imports.use", is_sales_manager | is_administrator)


def may_import(user: User, kind: str) -> bool:
    """Whether the person may import files of this kind: whoever plans people imports people and bookings."""
    return user.has_perm("imports.use" if kind == Kind.DEALS else "staffing.plan")


def require_importer(user: User, kind: str = Kind.DEALS) -> None:
    """Raise PermissionDenied for those who may not import files of this kind."""
    if not may_import(user, kind):
        if kind == Kind.DEALS:
            raise PermissionDenied(_("Sales managers and administrators import deals. Ask one of them."))
        raise PermissionDenied(_("Resource and delivery managers and administrators import people and bookings."))


def own_import(user: User, pk: int) -> Import:
    """An import of one's own, or any for administrators; else 404. 403 for those who may not import."""
    found = Import.objects.visible_to(user).filter(pk=pk).first() if 0 < pk < 2**63 else None
    if found is None or not may_import(user, found.kind):
        require_importer(user)
        raise Http404(_("There is no such import."))
    return found
