"""Saved views of the list."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from accounts.models import User
from opportunities.models import SavedView
from tests.cast import Browser
from tests.factories import deal
from tests.opportunities.test_list import names

pytestmark = pytest.mark.django_db

NEW = "/deals/views/new/"


def view(owner: User, name: str = "Hot ones", query: str = "temperature=hot", **more: Any) -> SavedView:
    return SavedView.objects.create(owner=owner, name=name, query=query, **more)


def test_a_list_is_kept_without_the_place_in_its_pages(as_alice: Browser, alice: User) -> None:
    response = as_alice.post(NEW, {"name": "Hot ones", "query": "temperature=hot&after=abc&view=3"})
    made = SavedView.objects.get()
    assert (made.owner, made.name, made.query, made.is_shared) == (alice, "Hot ones", "temperature=hot", False)
    assert response.headers["Location"] == f"/deals/?view={made.pk}"


def test_a_view_shows_its_deals(as_alice: Browser, alice: User) -> None:
    deal("prospect", name="Cold")
    deal("negotiation", name="Hot")
    made = view(alice)
    assert names(as_alice.get("/deals/", {"view": made.pk})) == ["Hot"]
    assert names(as_alice.get("/deals/", {"view": made.pk, "temperature": "cold"})) == ["Cold"]


def test_a_changed_view_can_be_kept(as_alice: Browser, alice: User) -> None:
    made = view(alice)
    text = as_alice.get("/deals/", {"view": made.pk, "temperature": "cold"}).content.decode()
    assert "Keep the changes in" in text
    assert "Keep the changes in" not in as_alice.get("/deals/", {"view": made.pk}).content.decode()
    as_alice.post(
        reverse("opportunities:view_change", args=[made.pk]), {"name": made.name, "query": "temperature=cold"}
    )
    made.refresh_from_db()
    assert made.query == "temperature=cold"


def test_a_shared_view_is_everybodys_to_use_and_its_owners_to_change(
    as_alice: Browser, as_sam: Browser, alice: User
) -> None:
    made = view(alice, is_shared=True)
    deal("negotiation", name="Hot")
    assert names(as_sam.get("/deals/", {"view": made.pk})) == ["Hot"]
    for address in ("opportunities:view_change", "opportunities:view_delete"):
        assert as_sam.post(reverse(address, args=[made.pk]), {"name": "Mine"}).status_code == 404
    made.refresh_from_db()
    assert made.name == "Hot ones"


def test_a_shared_view_shows_an_outsider_none_of_the_deals(as_charlie: Browser, alice: User) -> None:
    made = view(alice, is_shared=True)
    deal("negotiation", owner=alice)
    assert names(as_charlie.get("/deals/", {"view": made.pk})) == []


def test_a_private_view_is_nobody_elses(as_sam: Browser, alice: User) -> None:
    made = view(alice, name="Private thoughts")
    text = as_sam.get("/deals/", {"view": made.pk}).content.decode()
    assert "Private thoughts" not in text


def test_renaming_and_sharing(as_alice: Browser, alice: User) -> None:
    made = view(alice)
    as_alice.post(reverse("opportunities:view_change", args=[made.pk]), {"name": "Hotter", "is_shared": "on"})
    made.refresh_from_db()
    assert (made.name, made.is_shared, made.query) == ("Hotter", True, "temperature=hot")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "This field is required"),
        ("x" * 81, "at most 80"),
        ("a\u202eb", "reading direction"),
        ("Taken", "of this name already"),
    ],
)
def test_a_name_that_does_not_do_is_explained(as_alice: Browser, alice: User, name: str, sentence: str) -> None:
    view(alice, name="Taken")
    response = as_alice.hx("post", NEW, {"name": name, "query": ""})
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert SavedView.objects.count() == 1


def test_deleting(as_alice: Browser, alice: User) -> None:
    made = view(alice)
    address = reverse("opportunities:view_delete", args=[made.pk])
    assert as_alice.get(address).status_code == 405
    assert as_alice.post(address).status_code == 302
    assert as_alice.post(address).status_code == 404
    assert not SavedView.objects.exists()


def test_a_view_with_a_stale_filter_still_opens(as_alice: Browser, alice: User) -> None:
    deal("prospect", name="Cold")
    made = view(alice, query="stage=999999&owner=77&sort=gone&columns=gone&close_from=never")
    assert names(as_alice.get("/deals/", {"view": made.pk})) == ["Cold"]
