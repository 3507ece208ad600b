"""The page where administrators look after what was given up."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role, User
from events import names
from events.models import Delivery, DeliveryState, Event
from tests import factories
from tests.cast import Browser
from tests.events.conftest import OweEvent, Within

PAGE = "/settings/deliveries/"


@pytest.fixture
def given_up(owe: OweEvent) -> Delivery:
    """A delivery that failed eight times."""
    delivery = owe(within=Within(7))
    Delivery.objects.filter(pk=delivery.pk).update(
        state=DeliveryState.DEAD, attempts=8, last_error="There is no playbook. (LookupError)"
    )
    delivery.refresh_from_db()
    return delivery


def test_it_shows_what_was_given_up_with_its_error(ada: User, given_up: Delivery) -> None:
    page = Browser(ada).get(PAGE).content.decode()
    assert "There is no playbook. (LookupError)" in page
    assert "8 attempts" in page
    assert "Deal 7" in page


def test_it_shows_nothing_that_still_waits(ada: User, owe: OweEvent) -> None:
    owe()
    assert "Everything was done" in Browser(ada).get(PAGE).content.decode()


def test_try_again_starts_from_the_first_attempt(ada: User, given_up: Delivery) -> None:
    answer = Browser(ada).post(reverse("events:retry", args=[given_up.pk]))
    given_up.refresh_from_db()
    assert answer.headers["Location"] == PAGE
    assert (given_up.state, given_up.attempts) == (DeliveryState.PENDING, 0)
    assert Event.objects.get(name=names.DELIVERY_RETRIED).actor == ada


def test_trying_again_fifty_times_is_once(ada: User, given_up: Delivery) -> None:
    browser = Browser(ada)
    for _press in range(50):
        browser.post(reverse("events:retry", args=[given_up.pk]))
    assert Event.objects.filter(name=names.DELIVERY_RETRIED).count() == 1


def test_discard_keeps_the_reason_and_the_person(ada: User, given_up: Delivery) -> None:
    Browser(ada).post(reverse("events:discard", args=[given_up.pk]), {"reason": "Done by hand"})
    given_up.refresh_from_db()
    assert (given_up.state, given_up.discarded_by, given_up.discard_reason) == (
        DeliveryState.DISCARDED,
        ada,
        "Done by hand",
    )


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501, "a\x00b"])
def test_discard_without_a_usable_reason_says_so_beside_it(ada: User, given_up: Delivery, reason: str) -> None:
    answer = Browser(ada).post(reverse("events:discard", args=[given_up.pk]), {"reason": reason})
    given_up.refresh_from_db()
    assert answer.status_code == 422
    assert f'id="reason-error-{given_up.pk}"' in answer.content.decode()
    assert given_up.state == DeliveryState.DEAD


def test_what_was_discarded_is_not_tried_again(ada: User, given_up: Delivery) -> None:
    browser = Browser(ada)
    browser.post(reverse("events:discard", args=[given_up.pk]), {"reason": "Done by hand"})
    answer = browser.post(reverse("events:retry", args=[given_up.pk]), follow=True)
    given_up.refresh_from_db()
    assert given_up.state == DeliveryState.DISCARDED
    assert "already dealt with" in answer.content.decode()


def test_what_still_waits_can_not_be_discarded(ada: User, owe: OweEvent) -> None:
    delivery = owe()
    Browser(ada).post(reverse("events:discard", args=[delivery.pk]), {"reason": "impatience"})
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.PENDING


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMINISTRATOR])
def test_others_are_refused(given_up: Delivery, organisation: object, role: Role) -> None:
    browser = Browser(factories.person("Somebody", role))
    answers = [
        browser.get(PAGE),
        browser.post(reverse("events:retry", args=[given_up.pk])),
        browser.post(reverse("events:discard", args=[given_up.pk]), {"reason": "none of their business"}),
    ]
    given_up.refresh_from_db()
    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert given_up.state == DeliveryState.DEAD


def test_who_is_not_signed_in_is_asked_to(given_up: Delivery, organisation: object) -> None:
    answer = Client().get(PAGE)
    assert answer.status_code == 302
    assert PAGE in answer.headers["Location"]


def test_an_unknown_delivery_is_not_found(ada: User) -> None:
    assert Browser(ada).post(reverse("events:retry", args=[2**62])).status_code == 404


@pytest.mark.parametrize("name", ["events:retry", "events:discard"])
def test_looking_changes_nothing(ada: User, given_up: Delivery, name: str) -> None:
    assert Browser(ada).get(reverse(name, args=[given_up.pk])).status_code == 405


def test_queries_do_not_grow_with_the_rows(ada: User, owe: OweEvent, django_assert_max_num_queries: object) -> None:
    for _number in range(30):
        owe()
    Delivery.objects.update(state=DeliveryState.DEAD)
    browser = Browser(ada)
    browser.get(PAGE)
    with django_assert_max_num_queries(10):  # type: ignore[operator]
        browser.get(PAGE)
