"""What everybody changes about themselves."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.middleware import PersonMiddleware
from accounts.models import Organisation, User
from events import names
from events.models import Event
from tests.cast import Browser
from tests.factories import PASSWORD


def test_name_and_time_zone(as_alice: Browser, alice: User) -> None:
    assert as_alice.post("/profile/", {"name": "Alice M.", "time_zone": "Asia/Tokyo"})["Location"] == "/profile/"
    alice.refresh_from_db()
    assert (alice.name, alice.time_zone) == ("Alice M.", "Asia/Tokyo")
    assert Event.objects.get(name=names.SETTINGS_CHANGED).actor == alice


def test_a_bad_time_zone_is_refused_and_the_name_kept(as_alice: Browser, alice: User) -> None:
    response = as_alice.post("/profile/", {"name": "Alice M.", "time_zone": "Mars/Base"})
    assert response.status_code == 422
    assert 'value="Alice M."' in response.content.decode()
    alice.refresh_from_db()
    assert alice.name == "Alice"


@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
def test_appearance(as_alice: Browser, alice: User, theme: str) -> None:
    as_alice.post("/profile/appearance/", {"theme": theme})
    alice.refresh_from_db()
    assert alice.theme == theme
    assert f'data-theme="{theme}"' in as_alice.get("/profile/").content.decode()


def test_appearance_switches_an_open_page_by_an_event(as_alice: Browser) -> None:
    response = as_alice.hx("post", "/profile/appearance/", {"theme": "dark"})
    assert response.status_code == 204  # type: ignore[attr-defined]
    assert response["HX-Trigger"] == '{"theme": {"theme": "dark"}}'  # type: ignore[index]


def test_an_unknown_appearance_changes_nothing(as_alice: Browser, alice: User) -> None:
    assert as_alice.post("/profile/appearance/", {"theme": "neon"}).status_code == 422
    alice.refresh_from_db()
    assert alice.theme == "auto"


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ("/board/", "/board/"),
        ("https://evil.example/", "/profile/"),
        ("//evil.example", "/profile/"),
        ("", "/profile/"),
    ],
)
def test_appearance_leads_back_but_never_away(as_alice: Browser, given: str, where: str) -> None:
    assert as_alice.post("/profile/appearance/", {"theme": "dark", "next": given})["Location"] == where


def test_another_session_can_be_ended(alice: User) -> None:
    alice.set_password(PASSWORD)
    alice.save()
    here, there = Client(headers={"User-Agent": "Mozilla Firefox/140 (Windows NT)"}), Client()
    for client in (here, there):
        client.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    other = alice.usersession_set.exclude(session_key=here.session.session_key).get()
    page = here.get("/profile/").content.decode()
    assert "Firefox, Windows" in page
    assert "This device" in page
    here.post(f"/profile/sessions/{other.pk}/end/")
    assert there.get("/profile/").status_code == 302
    assert here.get("/profile/").status_code == 200


def test_a_foreign_session_is_not_found(alice: User, as_charlie: Browser) -> None:
    alice.set_password(PASSWORD)
    alice.save()
    client = Client()
    client.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    assert as_charlie.post(f"/profile/sessions/{alice.usersession_set.get().pk}/end/").status_code == 404
    assert client.get("/profile/").status_code == 200


@pytest.mark.parametrize(("own", "shown"), [("", "America/Lima"), ("Asia/Tokyo", "Asia/Tokyo")])
def test_times_are_shown_in_the_persons_zone_else_the_organisations(alice: User, own: str, shown: str) -> None:
    Organisation.objects.update(time_zone="America/Lima")
    alice.time_zone = own
    request = RequestFactory().get("/")
    request.user = alice
    before = timezone.get_current_timezone_name()
    response = PersonMiddleware(lambda _request: HttpResponse(timezone.get_current_timezone_name()))(request)
    assert response.content.decode() == shown  # type: ignore[attr-defined]
    assert timezone.get_current_timezone_name() == before, "it must not leak into the next request"
