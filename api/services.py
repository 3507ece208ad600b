"""Making and revoking tokens."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from api.models import Token

MOST_TOKENS = 20
DEFAULT_LIFETIME = dt.timedelta(days=30)


class TooManyTokens(Exception):
    """The person has as many tokens as anybody may have."""


def make_token(
    *, actor: User, name: str, now: dt.datetime, lifetime: dt.timedelta = DEFAULT_LIFETIME
) -> tuple[Token, str]:
    """A new token of the actor's, and its text, which is kept nowhere. Expired ones go. Raises TooManyTokens."""
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=actor.pk)
        mine = Token.objects.filter(user=actor)
        mine.filter(expiry__lte=now).delete()
        if mine.count() >= MOST_TOKENS:
            sentence = _("You have %(count)d tokens. Revoke one on your profile page first.")
            raise TooManyTokens(sentence % {"count": MOST_TOKENS})
        token, text = Token.objects.create(actor, expiry=lifetime, name=name)
    return token, text


def revoke_token(*, actor: User, digest: str) -> None:
    """End one of the actor's tokens at once; one that is gone already stays gone."""
    Token.objects.filter(user=actor, digest=digest).delete()
