"""Comments and mentions."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import Role, Side, User
from events import names
from events.models import Event
from opportunities.models import Comment, Opportunity
from opportunities.queries.people import people_who_see
from opportunities.services.conversation import mentioned_in
from tests.cast import Browser
from tests.factories import deal, person, service_line, team

pytestmark = pytest.mark.django_db


def say(browser: Browser, made: Opportunity, body: str, request_id: str = "") -> Any:
    given = {"body": body, "request_id": request_id or str(uuid.uuid4())}
    return browser.hx("post", reverse("opportunities:comment", args=[made.pk]), given)


def page(browser: Browser, made: Opportunity) -> str:
    return browser.get(reverse("opportunities:detail", args=[made.pk])).content.decode()


def test_what_is_said_stands_on_the_timeline(as_alice: Browser) -> None:
    made = deal()
    response = say(as_alice, made, "They like it\nvery much")
    assert response.status_code == 200
    assert "deal-changed" in response.headers["HX-Trigger"]
    assert "They like it<br>very much" in page(as_alice, made)


def test_who_may_read_may_comment(as_dan: Browser, alice: User) -> None:
    made = deal(owner=alice)
    assert say(as_dan, made, "We could start in May").status_code == 200


def test_an_outsider_finds_no_deal(as_charlie: Browser, alice: User) -> None:
    made = deal(owner=alice)
    assert say(as_charlie, made, "Hello").status_code == 404
    assert as_charlie.get(reverse("opportunities:people", args=[made.pk])).status_code == 404


def test_the_same_request_comments_once(as_alice: Browser) -> None:
    made, request_id = deal(), str(uuid.uuid4())
    for _ in range(5):
        assert say(as_alice, made, "Once", request_id).status_code == 200
    assert Comment.objects.count() == 1
    assert Event.objects.filter(name=names.OPPORTUNITY_COMMENTED).count() == 1


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("", "Write something first"),
        (" \u200b\n ", "Write something first"),
        ("x" * 10_001, "at most 10000"),
        ("a\0b", "control character"),
        ("a\u202eb", "reading direction"),
    ],
)
def test_what_can_not_be_kept_is_explained_and_stays_in_the_box(as_alice: Browser, body: str, sentence: str) -> None:
    response = say(as_alice, deal(), body)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not Comment.objects.exists()


def test_markup_is_text(as_alice: Browser) -> None:
    made = deal()
    say(as_alice, made, "<script>alert(1)</script> https://example.test/x {{7*7}} javascript:alert(1)")
    text = page(as_alice, made)
    assert "<script>alert" not in text
    assert 'href="https://example.test/x" rel="nofollow"' in text
    assert "{{7*7}}" in text
    assert 'href="javascript' not in text


def test_people_named_with_at_are_mentioned(alice: User, sam: User, dan: User) -> None:
    made = deal(owner=alice)
    longer = person("Sam Long", Role.SALES_REP, teams=(team(),))
    text = "@sam and @Dan, not @dante; sam@example.test is an address, @Sam Long is somebody else"
    assert set(mentioned_in(text, made)) == {sam, dan, longer}
    assert mentioned_in("@Sam Long", made) == [longer]


def test_nobody_is_mentioned_who_may_not_see_the_deal(alice: User, charlie: User) -> None:
    assert mentioned_in("@Charlie", deal(owner=alice)) == []


def test_mentions_are_told_with_the_event(as_alice: Browser, sam: User) -> None:
    say(as_alice, deal(), "@Sam please look")
    event = Event.objects.get(name=names.OPPORTUNITY_COMMENTED)
    assert event.data["mentions"] == [sam.pk]
    assert "please look" not in str(event.data)


def test_people_are_suggested_by_the_beginning_of_a_name(as_alice: Browser, sam: User, charlie: User) -> None:
    text = as_alice.get(reverse("opportunities:people", args=[deal().pk]), {"q": "s"}).content.decode()
    assert 'data-name="Sam"' in text
    assert "Charlie" not in text


def test_whose_name_begins_so_is_suggested_first(as_alice: Browser, ada: User, dan: User) -> None:
    assert (ada.name, dan.name) == ("Ada", "Dan")
    made = deal(delivery_owner=dan)
    text = as_alice.get(reverse("opportunities:people", args=[made.pk]), {"q": "da"}).content.decode()
    assert text.index('data-name="Dan"') < text.index('data-name="Ada"')


def written(by: Browser, made: Opportunity) -> Comment:
    say(by, made, "First words")
    return Comment.objects.latest("pk")


def test_ones_own_words_can_be_changed_and_taken_back(as_alice: Browser) -> None:
    made = deal()
    said = written(as_alice, made)
    edit = reverse("opportunities:comment_edit", args=[made.pk, said.pk])
    assert "First words" in as_alice.hx("get", edit).content.decode()
    as_alice.hx("post", edit, {"body": "Better words"})
    assert "Better words" in page(as_alice, made)
    assert "edited" in page(as_alice, made)
    remove = reverse("opportunities:comment_remove", args=[made.pk, said.pk])
    response = as_alice.hx("post", remove)
    assert "Better words" not in page(as_alice, made)
    assert "This comment was removed." in page(as_alice, made)
    assert "/restore/" in response.headers["HX-Trigger"]
    as_alice.hx("post", reverse("opportunities:comment_restore", args=[made.pk, said.pk]))
    assert "Better words" in page(as_alice, made)


@pytest.mark.parametrize("name", ["comment_edit", "comment_remove", "comment_restore"])
def test_the_words_of_others_stay(as_alice: Browser, as_sam: Browser, as_charlie: Browser, name: str) -> None:
    made = deal()
    said = written(as_alice, made)
    address = reverse(f"opportunities:{name}", args=[made.pk, said.pk])
    assert as_sam.hx("post", address, {"body": "Put into the mouth"}).status_code == 404
    assert as_charlie.hx("post", address, {"body": "x"}).status_code == 404
    said.refresh_from_db()
    assert (said.body, said.removed_at) == ("First words", None)


def test_an_administrator_may_take_words_away(as_alice: Browser, as_ada: Browser) -> None:
    made = deal()
    said = written(as_alice, made)
    as_ada.hx("post", reverse("opportunities:comment_remove", args=[made.pk, said.pk]))
    assert "This comment was removed." in page(as_alice, made)


def test_a_comment_of_another_deal_is_not_found(as_alice: Browser) -> None:
    said = written(as_alice, deal())
    address = reverse("opportunities:comment_edit", args=[deal().pk, said.pk])
    assert as_alice.get(address).status_code == 404


# --- Who may see a deal, asked the other way round ---


def test_people_who_see_a_deal_are_those_to_whom_it_is_visible(
    alice: User, sam: User, pia: User, dan: User, eve: User, ada: User, charlie: User
) -> None:
    above = team("Sales Europe")
    team().parent_id or type(team()).objects.filter(pk=team().pk).update(parent=above)
    person("Una", Role.SALES_MANAGER, teams=(above,))
    cloud, data = service_line("Cloud"), service_line("Data")
    of_cloud, of_data = team("Cloud people", side=Side.DELIVERY), team("Data people", side=Side.DELIVERY)
    of_cloud.service_lines.add(cloud)
    of_data.service_lines.add(data)
    over = team("All of delivery", side=Side.DELIVERY)
    over.service_lines.add(service_line("Nothing"))
    type(over).objects.filter(pk=of_cloud.pk).update(parent=over)
    for name, joins in (("Cleo", of_cloud), ("Dora", of_data), ("Olga", over)):
        person(name, Role.PROJECT_MANAGER, teams=(joins,))
    person("Rita", Role.SALES_REP, teams=(of_cloud,))
    gone = person("Gone", Role.SALES_REP, teams=(team(),))
    User.objects.filter(pk=gone.pk).update(is_active=False)
    made = [
        deal(owner=alice, service_line=cloud),
        deal(owner=charlie, service_line=data, delivery_owner=pia),
        deal(owner=charlie, service_line=None),
        deal(owner=charlie, service_line=cloud, team=None),
    ]
    for each in made:
        expected = {
            person.name for person in User.objects.filter(is_active=True)
            if Opportunity.objects.visible_to(person).filter(pk=each.pk).exists()
        }  # fmt: skip
        assert {person.name for person in people_who_see(each)} == expected
