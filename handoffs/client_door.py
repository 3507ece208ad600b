"""The door to the client's own pages: who has the token is in; nothing is told to anybody else.

No session and no cookie: the token in the address is all the authority there is, so a forged request from another site
could do nothing that its author, knowing the token, couldn't do anyhow. That is why these views need no CSRF token.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.csrf import csrf_exempt

from accounts.models import Organisation
from accounts.queries import organisation
from handoffs.client_limits import BY_ADDRESS, BY_TOKEN, WRONG_TOKENS, address_of, wait_for
from handoffs.models import ClientLink, Language
from handoffs.services.client.links import digest, is_good, language_of, link_of

LONGEST_TOKEN = 100
_HEADERS = {
    # Neither a click from the page nor an index may carry the token on.
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Cache-Control": "no-store, private",
}


@dataclass(frozen=True)
class Visit:
    """A contact on their page."""

    request: HttpRequest
    token: str
    link: ClientLink
    home: Organisation
    language: str
    is_chosen: bool
    now: dt.datetime

    @property
    def suffix(self) -> str:
        """What keeps the chosen language in an address."""
        return f"?lang={self.language}" if self.is_chosen else ""

    @property
    def other(self) -> str:
        """The other language."""
        return next(language for language in Language.values if language != self.language)

    @property
    def asker(self) -> str:
        """Who asks: the person who made the link, else who owns the deal, else the house."""
        return str(self.link.created_by or self.link.opportunity.owner or self.home.name)


View = Callable[..., HttpResponse]


def private(*methods: str, opens: Callable[[ClientLink, dt.datetime], bool] = is_good) -> Callable[[View], Any]:
    """Open a page to whoever has a token for it; ``opens`` says whether a link that exists still does."""

    def decorate(view: View) -> Any:
        @csrf_exempt
        @wraps(view)
        def guarded(request: HttpRequest, token: str, **more: str) -> HttpResponseBase:
            response = _let_in(request, token, view, opens, methods, more)
            for name, value in _HEADERS.items():
                response.headers[name] = value
            return response

        return guarded

    return decorate


def shown(visit: Visit, name: str, context: dict[str, Any] | None = None, *, status: int = 200) -> HttpResponse:
    """A page of theirs. Rendered without the request, so that nothing of the staff's pages can get into it."""
    return HttpResponse(
        render_to_string(f"handoffs/client/pages/{name}.html", {**(context or {}), "visit": visit}), status=status
    )


def gone(language: str, *, why: str = "", status: int = 404) -> HttpResponse:
    """One plain page for everything that isn't there; ``why`` only where the token itself was right."""
    with translation.override(language):
        html = render_to_string("handoffs/client/pages/gone.html", {"why": why, "language": language})
    return HttpResponse(html, status=status, headers={"Content-Language": language})


def _let_in(
    request: HttpRequest,
    token: str,
    view: View,
    opens: Callable[[ClientLink, dt.datetime], bool],
    methods: tuple[str, ...],
    more: dict[str, str],
) -> HttpResponseBase:
    guessed = _accepted(request)
    address = address_of(request)
    wait = wait_for(BY_ADDRESS, address) or wait_for(WRONG_TOKENS, address, counts=False)
    if wait:
        return _busy(guessed, wait)
    if request.method not in methods:
        return HttpResponseNotAllowed(methods)
    link = link_of(token) if len(token) <= LONGEST_TOKEN and token.isascii() else None
    if link is None:
        wait_for(WRONG_TOKENS, address)
        return gone(guessed)
    # By its hash: the token itself is written nowhere.
    wait = wait_for(BY_TOKEN, digest(token))
    if wait:
        return _busy(guessed, wait)
    now = timezone.now()
    chosen = request.GET.get("lang", "")
    language = chosen if chosen in Language.values else language_of(link.contact)
    if not opens(link, now):
        return gone(language, why="revoked" if link.revoked_at else "expired" if now >= link.expires_at else "rests")
    home = organisation()
    visit = Visit(request, token, link, home, language, chosen == language, now)
    with translation.override(language), timezone.override(zoneinfo.ZoneInfo(home.time_zone)):
        response = view(visit, **more)
    response.headers["Content-Language"] = language
    return response


def _busy(language: str, seconds: int) -> HttpResponse:
    response = gone(language, why="busy", status=429)
    response.headers["Retry-After"] = str(seconds)
    return response


def _accepted(request: HttpRequest) -> str:
    """English or German, as the browser asks; for pages that know nobody."""
    wanted = parse_accept_lang_header(request.headers.get("Accept-Language", ""))
    known = (language.split("-")[0] for language, _weight in wanted)
    return next((language for language in known if language in Language.values), Language.ENGLISH.value)
