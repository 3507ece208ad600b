"""The first visitor sets up; nobody does so twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import Organisation, Role, User
from accounts.services.setup import AlreadySetUp, FirstAdministrator, set_up_organisation
from events import names
from events.models import Event
from handoffs.models import Playbook
from opportunities.models import Pipeline

ANSWERS = {
    "name": "Northwind Services",
    "base_currency": "chf",
    "country": "CH",
    "time_zone": "Europe/Zurich",
    "person_name": "Ada",
    "email": "ada@example.test",
    "password": "correct horse battery",
}


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/board/", "/settings/", "/account/login/", "/nowhere/"])
def test_before_set_up_every_page_leads_to_the_welcome_page(path: str) -> None:
    response = Client().get(path)
    assert response.status_code == 302
    assert response["Location"] == "/welcome/"


@pytest.mark.django_db
def test_health_answers_before_set_up() -> None:
    assert Client().get("/healthz").status_code == 200


@pytest.mark.django_db
def test_it_makes_everything_and_signs_the_administrator_in() -> None:
    client = Client()
    response = client.post("/welcome/", ANSWERS)
    assert (response.status_code, response["Location"]) == (302, "/")
    organisation = Organisation.objects.select_related("calendar").get()
    assert (organisation.name, organisation.base_currency) == ("Northwind Services", "CHF")
    assert (organisation.time_zone, organisation.calendar.country) == ("Europe/Zurich", "CH")
    ada = User.objects.get()
    assert ada.roles == [Role.ADMINISTRATOR]
    assert client.session["_auth_user_id"] == str(ada.pk)
    assert Pipeline.objects.exists()
    assert Playbook.objects.exists()
    assert Event.objects.get(name=names.SETTINGS_CHANGED).actor == ada


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", " \u200b ", "This field is required."),
        ("name", "North\u202ewind", "reading direction"),
        ("base_currency", "E1R", "three-letter currency code"),
        ("time_zone", "Mars/Base", "not one of the available choices"),
        ("country", "XX", "not one of the available choices"),
        ("email", "ada", "valid email"),
        ("password", "short", "at least 12 characters"),
        ("password", "ada@example.test", "too similar"),
    ],
)
def test_a_bad_answer_gets_a_sentence_and_the_rest_is_kept(field: str, value: str, sentence: str) -> None:
    response = Client().post("/welcome/", ANSWERS | {field: value})
    page = response.content.decode()
    assert response.status_code == 422
    assert sentence in page
    kept = "Zurich" if field != "time_zone" else "Northwind Services"
    assert kept in page
    assert not Organisation.objects.exists()
    assert not User.objects.exists()


@pytest.mark.django_db
def test_the_country_is_guessed_from_the_browser() -> None:
    page = Client(headers={"Accept-Language": "de-AT,de;q=0.8"}).get("/welcome/").content.decode()
    assert '<option value="AT" selected>' in page


def test_afterwards_the_welcome_page_leads_home(organisation: Organisation) -> None:
    response = Client().get("/welcome/")
    assert (response.status_code, response["Location"]) == (302, "/")
    assert Client().post("/welcome/", ANSWERS).status_code == 302
    assert not User.objects.exists()


def set_up(name: str) -> User:
    return set_up_organisation(
        name=name, base_currency="EUR", country="", time_zone="UTC",
        administrator=FirstAdministrator(name, f"{name.lower()}@example.test", "correct horse battery"),
        now=timezone.now(),
    )  # fmt: skip


@pytest.mark.django_db
def test_a_default_that_fails_leaves_nothing_behind(settings: Any) -> None:
    settings.ONETEAM_DEFAULTS = ["opportunities.defaults.create", "tests.accounts.test_first_run.broken"]
    with pytest.raises(ZeroDivisionError):
        set_up("Ada")
    assert not Organisation.objects.exists()
    assert not User.objects.exists()
    assert not Pipeline.objects.exists()


def broken(**_: object) -> None:
    raise ZeroDivisionError


@pytest.mark.django_db(transaction=True)
def test_two_first_runs_at_once_make_one_organisation() -> None:
    start = threading.Barrier(2)

    def run(name: str) -> User | AlreadySetUp:
        start.wait(10)
        try:
            return set_up(name)
        except AlreadySetUp as error:
            return error
        finally:
            connection.close()

    work: Callable[[str], User | AlreadySetUp] = run
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(work, ["Ada", "Eve"]))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AlreadySetUp", "User"]
    assert User.objects.count() == 1
    assert Organisation.objects.count() == 1
