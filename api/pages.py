"""The section of the profile page where people make and revoke tokens, also as a page of its own."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from api.models import Token
from api.services import TooManyTokens, make_token, revoke_token
from opportunities.forms.fields import TextField


class TokenForm(forms.Form):
    """What a token is for, and how long."""

    name = TextField(label=_("What it is for"), max_length=80)
    days = forms.TypedChoiceField(
        label=_("Works for"), coerce=int, initial=90,
        choices=[(30, _("30 days")), (90, _("90 days")), (365, _("a year"))],
    )  # fmt: skip


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("text")
def tokens(request: HttpRequest) -> HttpResponse:
    """One's tokens; a new one is shown once, in the answer to its making."""
    assert isinstance(request.user, User)
    if request.method != "POST":
        return _shown(request, TokenForm())
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _shown(request, form, status=422)
    lifetime = dt.timedelta(days=form.cleaned_data["days"])
    try:
        token, text = make_token(
            actor=request.user, name=form.cleaned_data["name"], now=timezone.now(), lifetime=lifetime
        )
    except TooManyTokens as error:
        form.add_error(None, str(error))
        return _shown(request, form, status=422)
    return _shown(request, TokenForm(), new=token, text=text)


@login_required
@require_POST
def revoke(request: HttpRequest, digest: str) -> HttpResponse:
    """End a token at once."""
    assert isinstance(request.user, User)
    revoke_token(actor=request.user, digest=digest)
    if request.headers.get("HX-Request"):
        return _shown(request, TokenForm())
    return redirect("api_tokens")


def _shown(request: HttpRequest, form: TokenForm, *, status: int = 200, **more: Any) -> HttpResponse:
    name = "api/_tokens.html" if request.headers.get("HX-Request") else "api/tokens.html"
    rows = Token.objects.filter(user=request.user.pk, expiry__gt=timezone.now())
    return render(request, name, {"form": form, "rows": rows, **more}, status=status)
