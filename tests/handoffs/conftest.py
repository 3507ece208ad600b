"""The default playbooks, and engaged deals."""

from __future__ import annotations

import pytest

from accounts.models import Organisation, User
from handoffs import defaults
from opportunities.models import Opportunity
from tests.handoffs.reactions import MONDAY, deal, move


@pytest.fixture(autouse=True)
def _playbooks(organisation: Organisation) -> None:
    defaults.create(organisation=organisation, now=MONDAY)


@pytest.fixture
def warm_deal(alice: User, dan: User) -> Opportunity:
    """A deal of Alice's that turned warm on Monday; Dan is asked."""
    return move(deal(owner=alice), "discovery").opportunity
