"""Signing a program in: a token for an e-mail address and a password."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from api.endpoints import Endpoint
from api.errors import Problem
from api.fields import Input, Moment, Text
from api.openapi import documented
from api.services import TooManyTokens, make_token

TOO_OFTEN_SECONDS = "300"


class Credentials(Input):
    """Who wants a token."""

    email = Text(max_length=254)
    password = serializers.RegexField(r"^[^\u0000]+$", max_length=1000, trim_whitespace=False)


class TokenOut(serializers.Serializer[Any]):
    """A new token. It is shown this once."""

    token = serializers.CharField()
    expires_at = Moment()


class TokenNew(Endpoint):
    """Tokens for programs of people with a password alone."""

    authentication_classes = ()
    permission_classes = ()
    output = TokenOut

    @documented("Make a token", takes=Credentials, gives=TokenOut, status=201, refuses=(429,))
    def post(self, request: Request) -> Response:
        """A new token. An Idempotency-Key has no effect here, because keeping the answer would keep the token."""
        given = self.read(Credentials)
        user = _authenticated(request, given["email"], given["password"])
        try:
            token, text = make_token(actor=user, name=_("Signed in with a password"), now=self.now)
        except TooManyTokens as error:
            raise Problem(status.HTTP_409_CONFLICT, "too_many_tokens", str(error))
        return Response(self.shown({"token": text, "expires_at": token.expiry}), status=status.HTTP_201_CREATED)


def _authenticated(request: Request, email: str, password: str) -> User:
    """The person, counted against the same limit as the sign-in page. Raises Problem."""
    try:
        user = get_adapter().authenticate(request._request, email=email, password=password)
    except ValidationError:
        sentence = _("Too many attempts. Wait five minutes and try again.")
        headers = {"Retry-After": TOO_OFTEN_SECONDS}
        raise Problem(status.HTTP_429_TOO_MANY_REQUESTS, "throttled", sentence, headers=headers)
    if not isinstance(user, User):
        sentence = _("E-mail address and password don't go together.")
        raise Problem(status.HTTP_401_UNAUTHORIZED, "authentication_failed", sentence)
    if not user.is_active:
        raise Problem(status.HTTP_403_FORBIDDEN, "disabled", _("This account can't be used. Ask an administrator."))
    if get_mfa_adapter().is_mfa_enabled(user):
        sentence = _("You sign in with a second factor, so make a token on your profile page.")
        raise Problem(status.HTTP_403_FORBIDDEN, "mfa_needed", sentence)
    return user
