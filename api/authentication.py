"""Who asks: a token in the Authorization header, compared by its hash."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _
from knox import auth, crypto
from rest_framework.exceptions import AuthenticationFailed

from accounts.models import User
from api.models import Token


class TokenAuthentication(auth.TokenAuthentication):
    """Knox tokens, found by their hash: one query, whatever the number of tokens."""

    def authenticate_credentials(self, token: bytes) -> tuple[User, Token]:
        """The person and the token. Raises AuthenticationFailed."""
        now = timezone.now()
        found = Token.objects.select_related("user").filter(digest=_digest(token)).first()
        if found is None or (found.expiry is not None and found.expiry <= now):
            raise AuthenticationFailed(_("This token is not valid any more. Make a new one."))
        if not found.user.is_active:
            raise AuthenticationFailed(_("This account can't be used. Ask an administrator."))
        if found.last_used_on != now.date():
            Token.objects.filter(pk=found.pk).update(last_used_on=now.date())
        return found.user, found


def _digest(token: bytes) -> str:
    try:
        return crypto.hash_token(token.decode("ascii"))
    except UnicodeDecodeError:
        raise AuthenticationFailed(_("A token has only letters, digits and underscores."))
