"""Who is behind a live stream: the session decides, as for any page."""

from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.utils.module_loading import import_string

from accounts.access import audience_of
from events.audience import Audience
from events.live import LiveStream


def reader_of(session_key: str) -> Audience | None:
    """What the person signed in with this session may see; None when nobody is, or not any more."""
    store = import_string(f"{settings.SESSION_ENGINE}.SessionStore")
    request: Any = SimpleNamespace(session=store(session_key))
    user = get_user(request)
    return audience_of(user) if user.is_authenticated else None


application = LiveStream(reader_of)
