"""People are added, changed and kept out; somebody can always administer."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import Role, Side, Team, User
from accounts.services import people
from accounts.services.people import PersonDetails
from events import names
from events.models import Event
from tests import factories
from tests.cast import Browser

NOW = timezone.now()
ADD = "/settings/people/add/"


def details(person: User, **changes: object) -> PersonDetails:
    """The person as they are, with changes."""
    known = {
        "name": person.name,
        "email": person.email,
        "roles": tuple(Role(role) for role in person.roles),
        "teams": tuple(person.teams.all()),
    }
    return PersonDetails(**known | changes)  # type: ignore[arg-type]


def test_an_added_person_gets_in_by_their_link(as_ada: Browser) -> None:
    team = factories.team()
    data = {"name": "Pia", "email": "pia@example.test", "roles": ["project_manager"], "teams": [team.pk]}
    page = as_ada.post(ADD, data, follow=True).content.decode()
    pia = User.objects.get(email="pia@example.test")
    assert pia.roles == [Role.PROJECT_MANAGER]
    assert list(pia.teams.all()) == [team]
    [link] = re.findall(r'value="http://testserver(/account/password/reset/key/[^"]+)"', page)
    client = Client()
    form = client.get(link, follow=True)
    chosen = {"password1": "a wholly new passphrase", "password2": "a wholly new passphrase"}
    assert client.post(form.redirect_chain[-1][0], chosen)["Location"] == "/"
    assert client.session["_auth_user_id"] == str(pia.pk)
    assert Event.objects.filter(name=names.SETTINGS_CHANGED, data__what="people: added Pia").exists()


def test_an_address_that_is_taken_gets_a_sentence_at_the_field(as_ada: Browser, alice: User) -> None:
    response = as_ada.post(ADD, {"name": "Another Alice", "email": "ALICE@example.test"})
    page = response.content.decode()
    assert response.status_code == 422
    assert re.search(r'id="id_email_error"[^>]*>\s*<p[^>]*><strong>Somebody with this address is already here', page)
    assert 'value="Another Alice"' in page
    assert User.objects.filter(email__iexact="alice@example.test").count() == 1


@pytest.mark.parametrize("name", ["", "\u200b\u200b", "A\x00lice", "x" * 121])
def test_a_name_that_can_not_be_shown_is_refused(as_ada: Browser, name: str) -> None:
    assert as_ada.post(ADD, {"name": name, "email": "new@example.test"}).status_code == 422
    assert not User.objects.filter(email="new@example.test").exists()


def test_changing_a_person(as_ada: Browser, alice: User) -> None:
    data = {"name": "Alice M.", "email": "a.m@example.test", "roles": ["sales_rep", "sales_manager"]}
    response = as_ada.post(f"/settings/people/{alice.pk}/", data)
    assert response["Location"] == "/settings/people/"
    alice.refresh_from_db()
    assert (alice.name, alice.email, alice.roles) == ("Alice M.", "a.m@example.test", ["sales_rep", "sales_manager"])
    assert not alice.teams.exists()


def test_saving_the_same_again_leaves_no_trace(ada: User, alice: User) -> None:
    people.change_person(actor=ada, person=alice, details=details(alice), now=NOW)
    assert not Event.objects.filter(name=names.SETTINGS_CHANGED).exists()


def test_a_former_address_opens_no_door(ada: User, alice: User) -> None:
    alice.set_password(factories.PASSWORD)
    alice.save()
    alice.emailaddress_set.create(email=alice.email, primary=True, verified=True)
    people.change_person(actor=ada, person=alice, details=details(alice, email="new@example.test"), now=NOW)
    client = Client()
    client.post("/account/login/", {"login": "alice@example.test", "password": factories.PASSWORD})
    assert "_auth_user_id" not in client.session


def test_the_only_administrator_can_not_lose_the_role(ada: User) -> None:
    with pytest.raises(ValidationError, match="only administrator"):
        people.change_person(actor=ada, person=ada, details=details(ada, roles=(Role.SALES_REP,)), now=NOW)
    ada.refresh_from_db()
    assert ada.is_administrator


def test_the_only_administrator_can_not_be_deactivated(as_ada: Browser, ada: User) -> None:
    page = as_ada.post(f"/settings/people/{ada.pk}/deactivate/", follow=True).content.decode()
    assert "is the only administrator" in page
    ada.refresh_from_db()
    assert ada.is_active


def test_a_deactivated_administrator_does_not_count(ada: User) -> None:
    other = factories.person("Ben", Role.ADMINISTRATOR)
    people.deactivate_person(actor=ada, person=other, now=NOW)
    with pytest.raises(ValidationError):
        people.deactivate_person(actor=ada, person=ada, now=NOW)


def test_with_a_second_administrator_the_first_may_go(ada: User) -> None:
    ben = factories.person("Ben", Role.ADMINISTRATOR)
    people.deactivate_person(actor=ben, person=ada, now=NOW)
    ada.refresh_from_db()
    assert not ada.is_active


@pytest.mark.django_db(transaction=True)
def test_two_administrators_can_not_remove_each_other_at_once() -> None:
    factories.organisation()
    ada, ben = factories.person("Ada", Role.ADMINISTRATOR), factories.person("Ben", Role.ADMINISTRATOR)
    start = threading.Barrier(2)

    def remove(pair: tuple[User, User]) -> bool:
        start.wait(10)
        try:
            people.deactivate_person(actor=pair[0], person=pair[1], now=NOW)
        except (ValidationError, PermissionDenied):
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(remove, [(ada, ben), (ben, ada)]))
    assert sorted(outcomes) == [False, True]
    assert User.objects.filter(is_active=True).count() == 1


def test_deactivating_takes_a_person_off_call_and_twice_is_once(ada: User, dan: User) -> None:
    team = Team.objects.get(name="Delivery", side=Side.DELIVERY)
    Team.objects.filter(pk=team.pk).update(on_call=dan)
    for _ in range(2):
        people.deactivate_person(actor=ada, person=dan, now=NOW)
    team.refresh_from_db()
    assert team.on_call is None
    assert Event.objects.filter(name=names.SETTINGS_CHANGED).count() == 1


def test_only_an_administrator_changes_people(alice: User, sam: User) -> None:
    for attempt in (
        lambda: people.add_person(actor=sam, details=details(alice, email="x@example.test"), now=NOW),
        lambda: people.change_person(actor=alice, person=alice, details=details(alice), now=NOW),
        lambda: people.deactivate_person(actor=sam, person=alice, now=NOW),
        lambda: people.reactivate_person(actor=sam, person=alice, now=NOW),
        lambda: people.make_password_link(actor=sam, person=alice, now=NOW),
    ):
        with pytest.raises(PermissionDenied):
            attempt()


def test_a_password_link_leaves_a_trace(as_ada: Browser, alice: User) -> None:
    alice.set_password(factories.PASSWORD)
    alice.save()
    assert "/account/password/reset/key/" not in as_ada.get(f"/settings/people/{alice.pk}/").content.decode()
    page = as_ada.post(f"/settings/people/{alice.pk}/link/").content.decode()
    assert "/account/password/reset/key/" in page
    assert Event.objects.filter(data__what="Alice’s access: made a password link").exists()


def test_no_link_for_the_deactivated(as_ada: Browser, ada: User, alice: User) -> None:
    people.deactivate_person(actor=ada, person=alice, now=NOW)
    assert as_ada.post(f"/settings/people/{alice.pk}/link/").status_code == 404


def test_people_are_found_by_a_part_of_name_or_address(as_ada: Browser, alice: User, sam: User) -> None:
    for wanted in ("ALI", "alice@", "%"):
        page = as_ada.get("/settings/people/", {"q": wanted}).content.decode()
        assert (">Alice</a>" in page) is (wanted != "%")
        assert ">Sam</a>" not in page
    assert "Nobody’s name or e-mail contains “%”" in page


def test_many_people_come_in_pages(as_ada: Browser) -> None:
    for number in range(60):
        factories.person(f"Person{number:02}")
    first = as_ada.get("/settings/people/?q=person").content.decode()
    assert "1–50 of 60" in first
    assert 'href="?q=person&amp;page=2"' in first
    assert "51–60 of 60" in as_ada.get("/settings/people/?q=person&page=2").content.decode()
    assert as_ada.get("/settings/people/?page=" + "9" * 400).status_code == 200
