"""The cast as fixtures; each person exists from the moment a test names them."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Organisation, User
from tests import factories


@pytest.fixture
def organisation(db: None) -> Organisation:
    """The organisation with its default pipeline."""
    return factories.organisation()


@pytest.fixture
def alice(organisation: Organisation) -> User:
    """Sales rep in Sales North."""
    return factories.alice()


@pytest.fixture
def sam(organisation: Organisation) -> User:
    """Sales manager of Sales North."""
    return factories.sam()


@pytest.fixture
def pia(organisation: Organisation) -> User:
    """Project manager in a delivery team that serves every line."""
    return factories.pia()


@pytest.fixture
def dan(organisation: Organisation) -> User:
    """Delivery manager in a delivery team that serves every line."""
    return factories.dan()


@pytest.fixture
def ruth(organisation: Organisation) -> User:
    """Resource manager."""
    return factories.ruth()


@pytest.fixture
def eve(organisation: Organisation) -> User:
    """Executive; sees everything."""
    return factories.eve()


@pytest.fixture
def ada(organisation: Organisation) -> User:
    """Administrator."""
    return factories.ada()


@pytest.fixture
def charlie(organisation: Organisation) -> User:
    """Sales rep of another team."""
    return factories.charlie()


class Browser(Client):
    """A test client that is signed in, and can speak like htmx."""

    def __init__(self, user: User) -> None:
        super().__init__()
        self.force_login(user, backend="django.contrib.auth.backends.ModelBackend")

    def hx(self, method: str, path: str, data: Any = None, **headers: str) -> Any:
        """A request as htmx makes it."""
        return getattr(self, method)(path, data or {}, headers={"HX-Request": "true", **headers})


@pytest.fixture
def as_alice(alice: User) -> Browser:
    """Alice's browser."""
    return Browser(alice)


@pytest.fixture
def as_sam(sam: User) -> Browser:
    """Sam's browser."""
    return Browser(sam)


@pytest.fixture
def as_dan(dan: User) -> Browser:
    """Dan's browser."""
    return Browser(dan)


@pytest.fixture
def as_ada(ada: User) -> Browser:
    """Ada's browser."""
    return Browser(ada)


@pytest.fixture
def as_charlie(charlie: User) -> Browser:
    """Charlie's browser."""
    return Browser(charlie)
