"""Standing in for each other: what is refused, and the page."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from events import names
from events.models import Event
from handoffs.models import Delegation
from handoffs.services.approvals import delegate, end_delegation
from tests.cast import Browser
from tests.handoffs.reactions import MONDAY

pytestmark = pytest.mark.django_db
TODAY = MONDAY.date()


def day(ahead: int) -> dt.date:
    return TODAY + dt.timedelta(days=ahead)


def name(delegator: User, person: User, since: int = 0, until: int = 4, *, by: User | None = None) -> Delegation:
    return delegate(
        actor=by or delegator, delegator=delegator, delegate=person, starts_on=day(since), ends_on=day(until),
        reason="Holiday", now=MONDAY,
    )  # fmt: skip


def refused(delegator: User, person: User, since: int = 0, until: int = 4) -> str:
    with pytest.raises(ValidationError) as caught:
        name(delegator, person, since, until)
    return " ".join(caught.value.messages)


def html(response: Any) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def test_it_is_kept_and_told(sam: User, dan: User) -> None:
    made = name(sam, dan)
    assert (made.delegator, made.delegate, made.created_by) == (sam, dan, sam)
    event = Event.objects.get(name=names.DELEGATION_ADDED)
    assert event.text == "Dan stands in for Sam from 23 Nov 2026 to 27 Nov 2026"


def test_naming_the_same_again_changes_nothing(sam: User, dan: User) -> None:
    assert name(sam, dan).pk == name(sam, dan).pk
    assert Event.objects.filter(name=names.DELEGATION_ADDED).count() == 1


def test_administrators_do_it_for_others_and_nobody_else(sam: User, dan: User, ada: User, alice: User) -> None:
    with pytest.raises(PermissionDenied):
        name(sam, dan, by=alice)
    assert name(sam, dan, by=ada).created_by == ada


def test_days_and_people_that_make_no_sense_are_refused(sam: User, dan: User, ruth: User) -> None:
    assert "nobody stands in for themselves" in refused(sam, sam)
    assert "comes before the first" in refused(sam, dan, 4, 1)
    assert "over already" in refused(sam, dan, -9, -1)
    assert "a year at most" in refused(sam, dan, 0, 366)
    assert name(sam, dan, 0, 365)
    ruth.is_active = False
    ruth.save()
    assert "Ruth can't sign in any more" in refused(dan, ruth)


def test_one_at_a_time(sam: User, dan: User, ruth: User) -> None:
    name(sam, dan, 0, 4)
    assert "Dan stands in from" in refused(sam, ruth, 4, 9)
    assert name(sam, ruth, 5, 9)


def test_circles_of_any_length_are_refused_while_days_overlap(sam: User, dan: User, ruth: User, eve: User) -> None:
    name(sam, dan, 0, 9)
    assert "Dan → Sam → Dan" in refused(dan, sam, 5, 12)
    name(dan, ruth, 0, 5)
    name(ruth, eve, 4, 9)
    assert "Eve → Sam → Dan → Ruth → Eve" in refused(eve, sam, 5, 6)
    # On the sixth day Dan names nobody, so the way ends with him.
    assert name(eve, sam, 6, 9)


def test_either_of_the_two_ends_it_once(sam: User, dan: User, alice: User) -> None:
    made = name(sam, dan)
    with pytest.raises(PermissionDenied):
        end_delegation(actor=alice, delegation=made, now=MONDAY)
    end_delegation(actor=dan, delegation=made, now=MONDAY)
    end_delegation(actor=sam, delegation=made, now=MONDAY + dt.timedelta(hours=1))
    made.refresh_from_db()
    assert made.revoked_at == MONDAY
    assert Event.objects.filter(name=names.DELEGATION_ENDED).count() == 1
    assert name(sam, dan)


def test_what_is_over_cannot_be_ended(sam: User, dan: User) -> None:
    made = name(sam, dan)
    with pytest.raises(ValidationError, match="last day has passed"):
        end_delegation(actor=sam, delegation=made, now=MONDAY + dt.timedelta(days=5))


# --- the page ---------------------------------------------------------------------------------------------------------

PAGE = "/approvals/delegations/"


def test_going_away(as_sam: Browser, dan: User) -> None:
    page = html(as_sam.get(PAGE))
    assert "I’m away" in page
    assert "Who is away" not in page
    today = timezone.now().date()
    given = {"delegate": dan.pk, "starts_on": today, "ends_on": today + dt.timedelta(days=3), "reason": "Holiday"}
    assert as_sam.post(PAGE, given).status_code == 302
    page = html(as_sam.get(PAGE))
    assert "Dan for Sam" in page
    assert "Holiday" in page
    made = Delegation.objects.get()
    as_sam.post(reverse("handoffs:end_delegation", args=[made.pk]))
    assert "1 that is over" in html(as_sam.get(PAGE))


def test_what_is_wrong_is_said_at_the_field(as_sam: Browser, dan: User) -> None:
    today = timezone.now().date()
    given = {"delegate": dan.pk, "starts_on": today, "ends_on": today - dt.timedelta(days=3), "reason": "Holiday"}
    response = as_sam.post(PAGE, given)
    assert response.status_code == 422
    assert "The last day comes before the first." in html(response)
    assert 'value="Holiday"' in html(response)


def test_administrators_see_all_and_choose_who_is_away(
    as_ada: Browser, as_charlie: Browser, sam: User, dan: User
) -> None:
    today = timezone.now().date()
    given = {"delegator": sam.pk, "delegate": dan.pk, "starts_on": today, "ends_on": today}
    assert as_ada.post(PAGE, given).status_code == 302
    page = html(as_ada.get(PAGE))
    assert "Dan for Sam" in page
    assert "set by Ada" in page
    assert "Dan for Sam" not in html(as_charlie.get(PAGE))
    made = Delegation.objects.get()
    assert as_charlie.post(reverse("handoffs:end_delegation", args=[made.pk])).status_code == 404


def test_a_stand_in_who_left_is_pointed_out(as_sam: Browser, sam: User, dan: User) -> None:
    today = timezone.now()
    delegate(actor=sam, delegator=sam, delegate=dan, starts_on=today.date(), ends_on=today.date(), reason="", now=today)
    dan.is_active = False
    dan.save()
    assert "Dan can’t sign in any more, so this has no effect." in html(as_sam.get(PAGE))
