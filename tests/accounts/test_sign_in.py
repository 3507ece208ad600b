"""Who gets in, and how."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.test import Client

from accounts.models import Organisation, User
from accounts.services import people
from tests.cast import Browser
from tests.factories import PASSWORD

LOGIN = "/account/login/"


@pytest.fixture
def alice_with_password(alice: User) -> User:
    """Alice, who has chosen a password."""
    alice.set_password(PASSWORD)
    alice.save()
    return alice


def sign_in(email: str, password: str = PASSWORD) -> tuple[Client, str]:
    """A browser after its attempt, and where it was led; empty if nowhere."""
    client = Client()
    response = client.post(LOGIN, {"login": email, "password": password})
    return client, response.headers.get("Location", "")


def test_with_address_and_password(alice_with_password: User) -> None:
    client, where = sign_in("alice@example.test")
    assert where == "/"
    assert client.session["_auth_user_id"] == str(alice_with_password.pk)


def test_capitals_in_the_address_make_no_difference(alice_with_password: User) -> None:
    assert sign_in("Alice@Example.TEST")[1] == "/"


@pytest.mark.parametrize("email", ["alice@example.test", "nobody@example.test"])
def test_a_wrong_password_and_an_unknown_address_get_the_same_sentence(alice_with_password: User, email: str) -> None:
    response = Client().post(LOGIN, {"login": email, "password": "something else entirely"})
    page = response.content.decode()
    assert "The email address and/or password you specified are not correct." in page
    assert f'value="{email}"' in page


def test_it_says_nothing_when_it_worked(alice_with_password: User) -> None:
    client, _where = sign_in("alice@example.test")
    assert "uccessfully" not in client.get("/profile/").content.decode()


def test_a_deactivated_person_stays_out(alice_with_password: User, ada: User) -> None:
    people.deactivate_person(actor=ada, person=alice_with_password, now=alice_with_password.joined_at)
    client, _where = sign_in("alice@example.test")
    assert "_auth_user_id" not in client.session


def test_deactivating_ends_the_sessions_that_are_open(alice_with_password: User, ada: User) -> None:
    client, _where = sign_in("alice@example.test")
    assert client.get("/profile/").status_code == 200
    people.deactivate_person(actor=ada, person=alice_with_password, now=alice_with_password.joined_at)
    assert client.get("/profile/").status_code == 302
    people.reactivate_person(actor=ada, person=alice_with_password, now=alice_with_password.joined_at)
    assert client.get("/profile/").status_code == 302, "the old session must not come back to life"


def test_nobody_signs_up_alone(organisation: Organisation) -> None:
    page = Client().get("/account/signup/").content.decode()
    assert "By invitation" in page
    Client().post("/account/signup/", {"email": "mallory@example.test", "password1": PASSWORD})
    assert not User.objects.exists()


def test_a_page_leads_to_sign_in_and_back(alice_with_password: User) -> None:
    client = Client()
    asked = client.get("/profile/")
    assert asked["Location"] == "/account/login/?next=/profile/"
    response = client.post(
        asked["Location"], {"login": "alice@example.test", "password": PASSWORD, "next": "/profile/"}
    )
    assert response["Location"] == "/profile/"


def test_a_foreign_address_is_not_followed_after_sign_in(alice_with_password: User) -> None:
    data = {"login": "alice@example.test", "password": PASSWORD, "next": "https://evil.example/"}
    assert Client().post(LOGIN, data)["Location"] == "/"


def test_a_fragment_of_a_session_that_has_ended_gets_401_and_no_page(organisation: Organisation) -> None:
    response = Client().get("/profile/", headers={"HX-Request": "true"})
    assert response.status_code == 401
    assert response.content == b""


def test_signing_out_needs_a_post(as_alice: Browser) -> None:
    assert "Sign out?" in as_alice.get("/account/logout/").content.decode()
    assert "_auth_user_id" in as_alice.session
    as_alice.post("/account/logout/")
    assert "_auth_user_id" not in as_alice.session


def test_a_forgotten_password_is_chosen_anew_by_mail(alice_with_password: User) -> None:
    client = Client()
    client.post("/account/password/reset/", {"email": "alice@example.test"})
    [message] = mail.outbox
    assert message.to == ["alice@example.test"]
    [link] = re.findall(r"http://testserver(/\S+)", message.body)
    form = client.get(link, follow=True)
    new = {"password1": "a wholly new passphrase", "password2": "a wholly new passphrase"}
    response = client.post(form.redirect_chain[-1][0], new)
    assert response["Location"] == "/"
    assert sign_in("alice@example.test", "a wholly new passphrase")[1] == "/"
    assert "doesn’t work any more" in Client().get(link, follow=True).content.decode()


def test_an_unknown_address_gets_no_different_answer(organisation: Organisation) -> None:
    response = Client().post("/account/password/reset/", {"email": "nobody@example.test"}, follow=True)
    assert "Look into your mail" in response.content.decode()
