"""Who is behind a live stream."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from onetteam.live_reader import reader_of

BACKEND = "django.contrib.auth.backends.ModelBackend"


def session_of(user: User) -> str:
    """The key of a fresh session in which this person is signed in."""
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def test_a_session_gives_what_its_person_may_see(alice: User) -> None:
    reader = reader_of(session_of(alice))
    assert reader is not None
    assert (reader.user_id, reader.sees_all) == (alice.pk, False)


def test_an_administrator_sees_all(ada: User) -> None:
    reader = reader_of(session_of(ada))
    assert reader is not None
    assert reader.sees_all


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "nonsense", "x" * 400, "a\x00b"])
def test_a_made_up_session_is_nobody(key: str) -> None:
    assert reader_of(key) is None


def test_a_session_that_was_ended_is_nobody(alice: User) -> None:
    client = Client()
    client.force_login(alice, backend=BACKEND)
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    client.logout()
    assert reader_of(key) is None


def test_a_disabled_person_is_nobody(alice: User) -> None:
    key = session_of(alice)
    alice.is_active = False
    alice.save()
    assert reader_of(key) is None


def test_a_new_password_ends_older_sessions(alice: User) -> None:
    key = session_of(alice)
    alice.set_password("another long password")
    alice.save()
    assert reader_of(key) is None
