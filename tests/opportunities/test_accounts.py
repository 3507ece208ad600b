"""Accounts and contacts."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from events import names
from events.models import Event
from opportunities.models import Account, Contact, Opportunity
from opportunities.services.clients import update_account
from tests.cast import Browser
from tests.factories import AccountFactory, ContactFactory, deal, team
from tests.opportunities.test_edit import inputs

pytestmark = pytest.mark.django_db


@pytest.fixture
def globex(alice: User) -> Account:
    return AccountFactory.make(name="Globex", team=team())


def url(name: str, row: Any) -> str:
    return reverse(f"opportunities:{name}", args=[row.pk])


def text_of(response: Any) -> str:
    found: str = response.content.decode()
    return found


def test_accounts_stand_by_name_with_their_open_deals(as_alice: Browser, globex: Account) -> None:
    AccountFactory.make(name="Acme", team=team())
    deal(account=globex)
    deal("lost", account=globex)
    text = text_of(as_alice.get("/accounts/"))
    assert text.index("Acme") < text.index("Globex")
    assert "1 open deal" in text


def test_accounts_are_searched_by_beginnings_of_words(as_alice: Browser, globex: Account) -> None:
    AccountFactory.make(name="Big Umbrella", team=team())
    assert "Umbrella" in text_of(as_alice.get("/accounts/", {"q": "umb"}))
    assert "Globex" not in text_of(as_alice.get("/accounts/", {"q": "umb"}))
    assert "No account matches" in text_of(as_alice.get("/accounts/", {"q": "lobex"}))
    assert as_alice.get("/accounts/", {"q": "a\0b' | !"}).status_code == 200


def test_accounts_page_in_both_directions(as_alice: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opportunities.queries.accounts.PAGE", 2)
    for name in "ABCDE":
        AccountFactory.make(name=f"Account {name}", team=team())
    first = text_of(as_alice.get("/accounts/"))
    second = text_of(as_alice.get("/accounts/", {"after": "Account B"}))
    back = text_of(as_alice.get("/accounts/", {"before": "Account C"}))
    assert "Account B" in first
    assert "Account C" not in first
    assert "Account D" in second
    assert "Account A" in back
    assert "Account C" not in back


def test_an_account_shows_family_people_and_deals(as_alice: Browser, globex: Account) -> None:
    child = AccountFactory.make(name="Globex Iberia", parent=globex, team=team())
    ContactFactory.make(account=globex, name="Mia Mann", email="mia@globex.test")
    deal(account=globex, name="Portal")
    text = text_of(as_alice.get(url("account", globex)))
    for part in ("Globex Iberia", "Mia Mann", "mia@globex.test", "Portal"):
        assert part in text
    assert "Globex" in text_of(as_alice.get(url("account", child)))


def test_an_outsider_finds_no_account_and_no_contact(as_charlie: Browser, globex: Account) -> None:
    contact = ContactFactory.make(account=globex)
    assert "Globex" not in text_of(as_charlie.get("/accounts/"))
    assert "Globex" not in text_of(as_charlie.get("/accounts/names/", {"q": "glo"}))
    for address in (
        url("account", globex),
        url("account_edit", globex),
        url("contact_new", globex),
        url("contact", contact),
    ):
        assert as_charlie.get(address).status_code == 404
        assert as_charlie.post(address, {"name": "Mine"}).status_code in (404, 405)


def test_a_family_member_that_one_may_not_see_is_not_named(as_charlie: Browser, charlie: User, globex: Account) -> None:
    child = AccountFactory.make(name="Iberia", parent=globex, team=team("Sales South"))
    assert "Globex" not in text_of(as_charlie.get(url("account", child)))


def test_adding_an_account(as_alice: Browser, alice: User) -> None:
    given = inputs(text_of(as_alice.get("/accounts/new/")))
    response = as_alice.post(
        "/accounts/new/", {**given, "name": "Initech", "website": "initech.test", "country": "Spain"}
    )
    made = Account.objects.get(name="Initech")
    assert response.headers["Location"] == url("account", made)
    assert (made.team, made.website, made.created_by) == (team(), "https://initech.test", alice)
    assert Event.objects.get(name=names.ACCOUNT_CHANGED).data["name"] == "Initech"


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("name", "", "This field is required"),
        ("name", "globex", "called “globex” already"),
        ("name", "a\u202eb", "reading direction"),
        ("website", "javascript:alert(1)", "valid URL"),
        ("parent", "Nobody Ltd", "no account called"),
        ("team", "999", "Choose one from the list"),
    ],
)
def test_what_does_not_do_is_explained(
    as_alice: Browser, globex: Account, field: str, typed: str, sentence: str
) -> None:
    response = as_alice.post("/accounts/new/", {"name": "Initech", field: typed})
    assert response.status_code == 422
    assert sentence in text_of(response)
    assert Account.objects.count() == 1


def test_an_account_is_not_part_of_itself(alice: User, globex: Account) -> None:
    child = AccountFactory.make(name="Child", parent=globex)
    grandchild = AccountFactory.make(name="Grandchild", parent=child)
    for parent in (globex, grandchild):
        with pytest.raises(ValidationError, match="part of itself"):
            update_account(
                actor=alice, account=globex, changes={"parent": parent}, expected_version=1, now=timezone.now()
            )


def test_editing_an_account(as_alice: Browser, globex: Account) -> None:
    given = inputs(text_of(as_alice.get(url("account_edit", globex))))
    assert as_alice.post(url("account_edit", globex), {**given, "industry": "Energy"}).status_code == 302
    globex.refresh_from_db()
    assert (globex.industry, globex.version) == ("Energy", 2)
    before = Event.objects.count()
    given = inputs(text_of(as_alice.get(url("account_edit", globex))))
    as_alice.post(url("account_edit", globex), given)
    assert Event.objects.count() == before


def test_a_stale_account_shows_theirs_keeps_mine_and_can_be_sent_again(
    as_alice: Browser, sam: User, globex: Account
) -> None:
    given = {**inputs(text_of(as_alice.get(url("account_edit", globex)))), "industry": "Mine"}
    update_account(actor=sam, account=globex, changes={"industry": "Theirs"}, expected_version=1, now=timezone.now())
    response = as_alice.post(url("account_edit", globex), given)
    assert response.status_code == 409
    assert "It says “Theirs” now" in text_of(response)
    again = inputs(text_of(response))
    assert again["industry"] == "Mine"
    assert as_alice.post(url("account_edit", globex), again).status_code == 302
    globex.refresh_from_db()
    assert globex.industry == "Mine"


def test_delivery_reads_accounts_and_leaves_them(as_dan: Browser, alice: User, globex: Account) -> None:
    deal(owner=alice, account=globex)
    assert as_dan.get(url("account", globex)).status_code == 200
    assert as_dan.get(url("account_edit", globex)).status_code == 403
    assert as_dan.get("/accounts/new/").status_code == 403


# --- Contacts ---


def test_adding_and_changing_a_contact(as_alice: Browser, globex: Account) -> None:
    as_alice.post(
        url("contact_new", globex), {"name": "Mia", "email": "mia@globex.test", "stakeholder_role": "sponsor"}
    )
    mia = Contact.objects.get()
    given = inputs(text_of(as_alice.get(url("contact", mia))))
    as_alice.post(url("contact", mia), {**given, "title": "CIO"})
    mia.refresh_from_db()
    assert (mia.title, mia.stakeholder_role, mia.version) == ("CIO", "sponsor", 2)
    assert Event.objects.filter(name=names.CONTACT_CHANGED).count() == 2


def test_an_address_is_one_persons(as_alice: Browser, globex: Account) -> None:
    ContactFactory.make(account=globex, email="mia@globex.test")
    response = as_alice.hx("post", url("contact_new", globex), {"name": "Other", "email": "MIA@globex.test"})
    assert "has this address already" in text_of(response)
    assert Contact.objects.count() == 1


def test_a_stale_contact_shows_theirs_and_keeps_mine(as_alice: Browser, globex: Account) -> None:
    mia = ContactFactory.make(account=globex, name="Mia")
    given = {**inputs(text_of(as_alice.get(url("contact", mia)))), "title": "Mine"}
    Contact.objects.filter(pk=mia.pk).update(title="Theirs", version=2)
    response = as_alice.hx("post", url("contact", mia), given)
    assert response.status_code == 409
    assert "It says “Theirs” now" in text_of(response)
    as_alice.hx("post", url("contact", mia), inputs(text_of(response)))
    mia.refresh_from_db()
    assert mia.title == "Mine"


def linked(made: Opportunity) -> list[str]:
    return list(made.contacts.values_list("name", flat=True))


def test_a_contact_gets_a_part_in_a_deal_once(as_alice: Browser, globex: Account) -> None:
    made, mia = deal(account=globex), ContactFactory.make(account=globex, name="Mia")
    for _ in range(3):
        as_alice.hx("post", url("contact_link", made), {"contact": mia.pk})
    assert linked(made) == ["Mia"]
    assert Event.objects.filter(name=names.OPPORTUNITY_CONTACT_LINKED).count() == 1
    response = as_alice.hx("post", reverse("opportunities:contact_unlink", args=[made.pk, mia.pk]))
    assert linked(made) == []
    assert "/relink/" in response.headers["HX-Trigger"]
    as_alice.hx("post", reverse("opportunities:contact_relink", args=[made.pk, mia.pk]))
    assert linked(made) == ["Mia"]


def test_a_new_contact_is_added_and_linked_from_the_deal(as_alice: Browser, globex: Account) -> None:
    made = deal(account=globex)
    as_alice.hx("post", url("contact_new_on_deal", made), {"name": "Noor"})
    assert linked(made) == ["Noor"]
    assert Contact.objects.get().account == globex


def test_a_contact_that_one_may_not_see_is_not_found(as_alice: Browser, alice: User, charlie: User) -> None:
    theirs = ContactFactory.make(account=AccountFactory.make(team=team("Sales South")))
    made = deal(owner=alice)
    for key in (theirs.pk, 10**17):
        assert as_alice.hx("post", url("contact_link", made), {"contact": key}).status_code == 404
    for key in ("", "x", str(2**63)):
        assert as_alice.hx("post", url("contact_link", made), {"contact": key}).status_code == 422
    assert linked(made) == []


def test_a_deal_without_account_has_no_contacts_to_add(as_alice: Browser) -> None:
    made = deal(account=None)
    Opportunity.objects.filter(pk=made.pk).update(account=None)
    assert as_alice.get(url("contact_new_on_deal", made)).status_code == 404


def test_outsiders_and_readers_link_nobody(as_charlie: Browser, as_dan: Browser, alice: User, globex: Account) -> None:
    made, mia = deal(owner=alice, account=globex), ContactFactory.make(account=globex)
    for browser, status in ((as_charlie, 404), (as_dan, 403)):
        assert browser.hx("post", url("contact_link", made), {"contact": mia.pk}).status_code == status
        unlink = reverse("opportunities:contact_unlink", args=[made.pk, mia.pk])
        assert browser.hx("post", unlink).status_code == status
