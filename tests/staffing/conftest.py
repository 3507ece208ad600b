"""A small delivery: roles, people, and a deal of Alice's."""

from __future__ import annotations

import pytest

from accounts.models import User
from opportunities.models import Opportunity
from staffing.models import Person, WorkRole
from tests.handoffs.reactions import MONDAY
from tests.handoffs.reactions import deal as made
from tests.staffing import staffed


@pytest.fixture
def architect() -> WorkRole:
    """The role."""
    return staffed.role("Architect")


@pytest.fixture
def nils(architect: WorkRole) -> Person:
    """An architect, 40 hours a week."""
    return staffed.worker("Nils", architect)


@pytest.fixture
def nora(architect: WorkRole) -> Person:
    """Another architect."""
    return staffed.worker("Nora", architect)


@pytest.fixture
def deal(alice: User) -> Opportunity:
    """Alice's, open and cold; it closes on 15 March 2027 and starts on Thursday 1 April."""
    return made("qualified", owner=alice, now=MONDAY)
