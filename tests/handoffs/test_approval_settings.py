"""The settings of the approval chain."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import Role, User
from events import names
from events.models import Event
from handoffs.models import ApprovalRule
from handoffs.services.approvals import StaleRule, save_rule
from tests import factories
from tests.cast import Browser
from tests.handoffs.approving import rule
from tests.handoffs.reactions import MONDAY

pytestmark = pytest.mark.django_db
HOME = "/settings/approvals/"
FORM = {
    "name": "Finance", "position": "2", "role": "", "service_line": "", "amount_from": "250.000,00",
    "remind_after_hours": "4", "escalate_after_hours": "8", "escalate_to": "executive",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _empty(organisation: Any) -> None:
    """Whatever the organisation began with, each test makes its own chain."""
    ApprovalRule.objects.all().delete()


def html(response: Any) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def test_an_empty_chain_says_what_to_do_and_offers_the_usual_one(as_ada: Browser) -> None:
    assert "Without a step no handoff can be submitted." in html(as_ada.get(HOME))
    for _time in range(2):
        as_ada.post(f"{HOME}default/")
    assert [each.name for each in ApprovalRule.objects.all()] == ["Sales", "Delivery", "Large deal"]
    page = html(as_ada.get(HOME))
    assert "Turn 1, together" in page
    assert "from 250,000 EUR" in page


def test_a_step_is_added_with_named_people(as_ada: Browser, eve: User) -> None:
    assert as_ada.post(f"{HOME}add/", {**FORM, "people": [eve.pk]}).status_code == 302
    made = ApprovalRule.objects.get()
    assert (made.name, made.position, made.amount_from) == ("Finance", 2, Decimal(250_000))
    assert list(made.people.all()) == [eve]
    assert Event.objects.filter(name=names.SETTINGS_CHANGED, subject_id=made.pk).exists()


def test_what_is_wrong_is_said(as_ada: Browser) -> None:
    page = html(as_ada.post(f"{HOME}add/", FORM))
    assert "Choose a role, or name people." in page
    page = html(as_ada.post(f"{HOME}add/", {**FORM, "role": "executive", "escalate_after_hours": "2"}))
    assert "Escalate later than you remind." in page
    page = html(as_ada.post(f"{HOME}add/", {**FORM, "role": "executive", "position": "99", "amount_from": "-1"}))
    assert "An amount can&#x27;t be negative." in page
    assert not ApprovalRule.objects.exists()


def test_a_step_changes_and_a_stale_form_is_told(as_ada: Browser, ada: User) -> None:
    made = rule("Finance", Role.EXECUTIVE)
    address = f"{HOME}{made.pk}/"
    assert 'value="Finance"' in html(as_ada.get(address))
    given = {**FORM, "role": "executive", "name": "Controlling", "version": "1"}
    assert as_ada.post(address, given).status_code == 302
    stale = as_ada.post(address, {**given, "name": "Books"})
    assert stale.status_code == 409
    assert "Somebody changed this step in the meantime." in html(stale)
    assert as_ada.post(address, {**given, "name": "Books", "version": "2"}).status_code == 302
    made.refresh_from_db()
    assert made.name == "Books"


def test_steps_are_ordered_archived_and_brought_back(as_ada: Browser) -> None:
    made = rule("Finance", Role.EXECUTIVE)
    as_ada.post(f"{HOME}{made.pk}/shift/", {"earlier": "1"})
    made.refresh_from_db()
    assert made.position == 1
    as_ada.post(f"{HOME}{made.pk}/shift/", {"later": "1"})
    made.refresh_from_db()
    assert made.position == 2
    as_ada.post(f"{HOME}{made.pk}/archive/")
    assert "Every step is archived" in html(as_ada.get(HOME))
    as_ada.post(f"{HOME}{made.pk}/restore/")
    made.refresh_from_db()
    assert made.archived_at is None


def test_the_preview_says_which_steps_a_deal_needs(as_ada: Browser) -> None:
    line = factories.service_line("Security")
    rule("Always", Role.SALES_MANAGER)
    rule("Large", Role.EXECUTIVE, amount_from=Decimal(100_000))
    rule("Secure", Role.DELIVERY_MANAGER, service_line=line)

    def shown(amount: str, service_line: str = "") -> list[str]:
        page = html(as_ada.hx("get", HOME, {"amount": amount, "service_line": service_line}))
        return re.findall(r'<span class="ot-rows-title">(\w+)</span>', page)

    assert shown("1000") == ["Always"]
    assert shown("100000") == ["Always", "Large"]
    assert shown("1000", str(line.pk)) == ["Always", "Secure"]
    assert shown("") == ["Always", "Large"]
    assert as_ada.get(HOME, {"amount": "many"}).status_code == 422


def test_only_administrators(as_sam: Browser, sam: User) -> None:
    assert as_sam.get(HOME).status_code == 403
    with pytest.raises(PermissionDenied):
        save_rule(actor=sam, rule=None, values={}, people=[], expected_version=None, now=MONDAY)


def test_the_service_refuses_a_stale_version_and_people_who_left(ada: User, eve: User) -> None:
    made = rule("Finance", Role.EXECUTIVE)
    with pytest.raises(StaleRule):
        save_rule(actor=ada, rule=made, values={}, people=[], expected_version=9, now=MONDAY)
    eve.is_active = False
    eve.save()
    with pytest.raises(ValidationError, match="Eve can't sign in any more"):
        save_rule(actor=ada, rule=made, values={}, people=[eve], expected_version=1, now=MONDAY)


def test_the_settings_lead_here(as_ada: Browser) -> None:
    assert f'href="{HOME}"' in html(as_ada.get("/settings/"))
