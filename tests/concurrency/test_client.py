"""A contact who presses twice, and colleagues who answer at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from accounts.models import User
from handoffs import defaults
from handoffs.client_limits import Limit, wait_for
from handoffs.models import ClientLink, Confirmation, Pulse, Statement, Subject
from handoffs.services.client import AnsweredAlready, StaleVersion, amend, answer_pulse, confirm, link_of, opt_out
from handoffs.services.client.links import make_link
from handoffs.services.client.pulses import send_due_pulses
from opportunities.models import Contact, Opportunity
from tests.concurrency.test_moves import at_once
from tests.factories import organisation
from tests.handoffs.asking import contact_of, pulsed, ready
from tests.handoffs.handing import won

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _playbooks(db: None) -> None:
    defaults.create(organisation=organisation(), now=timezone.now())


@pytest.fixture
def theirs(alice: User, dan: User) -> tuple[Opportunity, Contact]:
    """A won deal with something to confirm."""
    return ready(alice, dan)


def told(change: Callable[[], Any]) -> str:
    """What came of it."""
    try:
        change()
    except (AnsweredAlready, StaleVersion) as error:
        return type(error).__name__
    return "kept"


def test_two_different_ratings_at_once_keep_one(alice: User, dan: User) -> None:
    deal = won(owner=alice, delivery_owner=dan)
    _, token = pulsed(deal, contact_of(deal), now=timezone.now())

    def rate(csat: int) -> str:
        link = link_of(token)
        assert link is not None
        return told(lambda: answer_pulse(link=link, csat=csat, now=timezone.now()))

    assert sorted(at_once(rate, [1, 5])) == ["AnsweredAlready", "kept"]
    assert Pulse.objects.answered().count() == 1


def test_twenty_times_yes_at_once_is_one(theirs: tuple[Opportunity, Contact], alice: User) -> None:
    deal, nora = theirs
    links = [make_link(deal, nora, actor=alice, now=timezone.now())[0] for _ in range(2)]

    def agree(number: int) -> int:
        link = ClientLink.objects.select_related("opportunity", "contact").get(pk=links[number % 2].pk)
        return confirm(link=link, subject=Subject.SCOPE, number=1, now=timezone.now()).pk

    assert len(set(at_once(agree, range(20)))) == 1
    assert Confirmation.objects.count() == 1


def test_two_amendments_at_once_make_one_version(theirs: tuple[Opportunity, Contact], alice: User) -> None:
    deal, nora = theirs
    links = [make_link(deal, who, actor=alice, now=timezone.now())[0] for who in (nora, contact_of(deal, "Olga"))]

    def change(number: int) -> str:
        link = ClientLink.objects.select_related("opportunity", "contact").get(pk=links[number].pk)
        return told(lambda: amend(link=link, subject=Subject.SCOPE, number=1, text=f"{number}", now=timezone.now()))

    assert sorted(at_once(change, range(2))) == ["StaleVersion", "kept"]
    assert Statement.objects.filter(subject=Subject.SCOPE).count() == 2


def test_many_beats_at_once_ask_once(alice: User, dan: User) -> None:
    deal = won(owner=alice, delivery_owner=dan)
    pulse, _ = pulsed(deal, contact_of(deal), now=timezone.now())
    Pulse.objects.filter(pk=pulse.pk).update(sent_at=None, due_on=timezone.now().date())
    assert sum(at_once(lambda _n: send_due_pulses(timezone.now()), range(5))) == 1


def test_opting_out_at_once_is_opting_out_once(theirs: tuple[Opportunity, Contact], alice: User) -> None:
    deal, nora = theirs
    link, _ = make_link(deal, nora, actor=alice, now=timezone.now())

    def leave(_number: int) -> object:
        found = ClientLink.objects.select_related("opportunity", "contact").get(pk=link.pk)
        return opt_out(link=found, now=timezone.now()).opted_out_at

    assert len(set(at_once(leave, range(8)))) == 1


def test_processes_do_not_count_past_one_another() -> None:
    cache.clear()
    limit = Limit("test", 10, 3600)
    waits = at_once(lambda _n: wait_for(limit, "192.0.2.1"), range(25))
    assert sum(wait == 0 for wait in waits) == 10
