"""The frame around every page, and the answers when something is refused or broken."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.models import Organisation, Side, User
from events import names
from events.models import Delivery, Event
from onetteam import errors
from tests import factories
from tests.cast import Browser


@pytest.mark.parametrize(("who", "sees"), [("as_ada", True), ("as_alice", False)])
def test_settings_are_in_the_navigation_of_administrators(who: str, sees: bool, request: Any) -> None:
    page = request.getfixturevalue(who).get("/profile/").content.decode()
    assert ('href="/settings/"' in page) is sees


@pytest.mark.parametrize(("who", "sees"), [("as_ada", True), ("as_sam", True), ("as_alice", False), ("as_dan", False)])
def test_import_is_in_the_navigation_of_those_who_may(who: str, sees: bool, request: Any) -> None:
    browser = request.getfixturevalue(who)
    assert ('href="/import/"' in browser.get("/profile/").content.decode()) is sees
    assert (browser.get("/import/").status_code == 200) is sees


@pytest.mark.parametrize(
    ("path", "current"), [("/settings/people/", "/settings/"), ("/settings/", "/settings/"), ("/profile/", None)]
)
def test_the_current_section_is_marked(as_ada: Browser, path: str, current: str | None) -> None:
    page = as_ada.get(path).content.decode()
    marked = [line for line in page.splitlines() if 'class="ot-nav-link"' in line and "aria-current" in line]
    assert [f'href="{current}"' in line for line in marked] == ([True] if current else [])


def test_late_background_work_is_told(as_alice: Browser, alice: User) -> None:
    assert "Background work is delayed" not in as_alice.get("/profile/").content.decode()
    event = Event.objects.create(
        name=names.SETTINGS_CHANGED, at=timezone.now(), recorded_at=timezone.now() - dt.timedelta(minutes=4, seconds=5),
        subject_kind="user", subject_id=alice.pk,
    )  # fmt: skip
    Delivery.objects.create(event=event, handler="nowhere.nothing")
    assert "Background work is delayed (oldest 4 min)" in as_alice.get("/profile/").content.decode()


def test_a_missing_page_and_a_foreign_one_have_the_same_body(as_charlie: Browser, alice: User) -> None:
    foreign = factories.deal(owner=alice)
    bodies = {as_charlie.get(f"/deals/{pk}/").content for pk in (foreign.pk, 987_654_321)}
    assert len(bodies) == 1
    assert "There is nothing here" in bodies.pop().decode()


def test_a_fragment_that_is_refused_changes_nothing_on_the_page(as_alice: Browser) -> None:
    response: Any = as_alice.hx("get", "/settings/")
    assert response.status_code == 403
    assert response["HX-Reswap"] == "none"
    assert json.loads(response["HX-Trigger"])["toast"]["kind"] == "error"


def test_a_form_from_before_the_sign_in_is_refused_in_words(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    response = client.post("/profile/", {"name": "Mallory"})
    assert response.status_code == 403
    assert "the page was too old" in response.content.decode()
    alice.refresh_from_db()
    assert alice.name == "Alice"


def failing(error: Exception, **headers: str) -> Any:
    """The answer while this error is on its way."""
    request = RequestFactory().get(headers.pop("path", "/"), headers=headers)
    try:
        raise error
    except type(error):
        return errors.server_error(request)


def test_our_mistake() -> None:
    response = failing(ZeroDivisionError("secret detail"))
    assert response.status_code == 500
    assert "secret" not in response.content.decode()


def test_without_the_database_people_are_asked_to_wait(django_db_blocker: Any) -> None:
    response = failing(OperationalError("could not connect to server at 10.0.0.1"))
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert "10.0.0.1" not in response.content.decode()


def test_the_api_gets_json(organisation: Organisation) -> None:
    response = Client().get("/api/nowhere/")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert json.loads(failing(ZeroDivisionError(), path="/api/v1/x/").content)["code"] == "error"


PAGES = [
    "/settings/", "/settings/organisation/", "/settings/calendar/", "/settings/rates/", "/settings/lines/",
    "/settings/people/", "/settings/people/add/", "/settings/teams/", "/settings/teams/add/", "/profile/",
]  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_queries_do_not_grow_with_people_and_teams(
    as_ada: Browser, path: str, django_assert_max_num_queries: Any
) -> None:
    factories.team("Team")
    with django_assert_max_num_queries(15) as few:
        as_ada.get(path)
    for number in range(20):
        team = factories.team(f"Team {number}", side=Side.SALES)
        factories.person(f"Person {number}", teams=(team,))
    with django_assert_max_num_queries(len(few)):
        as_ada.get(path)
