"""What every page's frame shows: where one can go, whose it is, and whether background work is late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from accounts.models import User
from events.deliveries import delay


@dataclass(frozen=True)
class Section:
    """One entry of the navigation. Daily ones stand in the phone's bottom bar."""

    label: str
    icon: str
    url: str
    is_current: bool
    is_daily: bool = False
    apart: bool = False


@dataclass(frozen=True)
class Theme:
    """One choice of appearance."""

    value: str
    label: str
    icon: str
    is_current: bool


def shell(request: HttpRequest) -> dict[str, Any]:
    """`shell` for templates; nothing is read until a page uses it."""
    return {"shell": SimpleLazyObject(lambda: _shell(request))}


def _shell(request: HttpRequest) -> dict[str, Any]:
    user = getattr(request, "user", None)
    signed_in = isinstance(user, User)
    theme = user.theme if isinstance(user, User) else "auto"
    return {
        "theme": theme,
        "themes": _themes(theme),
        "organisation": getattr(request, "organisation", None) if signed_in else None,
        "home_url": _url("dashboards:home") or "/",
        "sections": _sections(request.path, user) if isinstance(user, User) else [],
        "delay": delay(timezone.now()) if signed_in else None,
        "deliveries_url": _url("events:deliveries") if isinstance(user, User) and user.is_administrator else "",
    }


def _themes(current: str) -> list[Theme]:
    return [
        Theme(value, label, icon, value == current)
        for value, label, icon in (
            ("auto", _("As the device"), "monitor"),
            ("light", _("Light"), "sun"),
            ("dark", _("Dark"), "moon"),
        )
    ]


def _sections(path: str, user: User) -> list[Section]:
    # Label, icon, name of the URL, other addresses below it, in the bottom bar, apart from those above.
    wanted: list[tuple[str, str, str, tuple[str, ...], bool, bool]] = [
        (_("Home"), "house", "dashboards:home", (), True, False),
        (_("Board"), "square-kanban", "opportunities:board", (), True, False),
        (_("Deals"), "list", "opportunities:list", (), True, False),
        (_("Upcoming"), "telescope", "dashboards:upcoming", ("/engagements/",), False, False),
        (_("Reviews"), "scale", "handoffs:reviews", (), False, False),
        (_("Handoffs"), "handshake", "handoffs:handoffs", (), False, False),
        (_("Approvals"), "stamp", "handoffs:approvals", (), False, False),
        (_("Ramp plans"), "rocket", "handoffs:ramp_plans", (), False, False),
        (_("Accounts"), "building-2", "opportunities:accounts", ("/contacts/",), True, False),
    ]
    if user.has_perm("staffing.see"):
        wanted += [
            (_("Horizon"), "sunrise", "staffing:horizon", (), False, True),
            (_("People"), "users", "staffing:people", ("/staffing/settings/",), False, False),
            (_("Schedule"), "calendar-range", "staffing:schedule", ("/staffing/bookings/",), False, False),
        ]
    if user.has_perm("imports.use"):
        wanted.append((_("Import"), "file-up", "imports:list", (), False, True))
    if user.is_administrator:
        wanted.append((_("Settings"), "settings", "accounts:settings", (), False, False))
    return [
        Section(label, icon, url, _is_below(path, (url, *others)), daily, apart)
        for label, icon, name, others, daily, apart in wanted
        if (url := _url(name))
    ]


def _is_below(path: str, urls: tuple[str, ...]) -> bool:
    return any(path == url if url == "/" else path.startswith(url) for url in urls)


def _url(name: str) -> str:
    """The address, or an empty string while the page doesn't exist."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
