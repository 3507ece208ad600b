"""From a win to a project that stands, in the browsers of everybody who has a part in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Organisation, User
from handoffs import defaults
from handoffs.models import Handoff, Pulse, RampPhase, RampPlan, Task, TaskAction, TaskState
from handoffs.services.client import send_pulse
from opportunities.models import Opportunity
from tests.factories import deal
from tests.handoffs.approving import ready, step_of
from tests.handoffs.asking import contact_of, profiled, written
from tests.handoffs.handing import handoff_of
from tests.journeys.test_review import settle
from tests.support.browser import PHONE

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NewPage = Callable[..., "Page"]


@pytest.fixture(autouse=True)
def _app(live_app: object, organisation: Organisation) -> None:
    """The running product with its playbooks and its chain of approvals."""
    defaults.create(organisation=organisation, now=timezone.now())
    cache.clear()


@pytest.fixture
def offered(alice: User, dan: User, sam: User, pia: User, eve: User, ada: User) -> Opportunity:
    """A deal of Alice's and Dan's before the win, with a sponsor, words for the client and a risk profile."""
    now = timezone.now()
    found = deal("negotiation", owner=alice, delivery_owner=dan, name="Customer portal", now=now)
    contact_of(found, "Nora Lund")
    written(found, alice, now=now)
    profiled(found, alice, now=now)
    settle()
    return found


def test_from_the_win_to_a_project_that_stands(
    new_page: NewPage, offered: Opportunity, alice: User, sam: User, dan: User, pia: User, eve: User
) -> None:
    win(new_page(alice), offered)
    handoff = handoff_of(offered)

    prepare_and_submit(new_page(alice), offered, handoff)
    stand_in(new_page(sam), eve)
    approve(new_page(dan))
    approve(new_page(eve, viewport=PHONE, has_touch=True))  # in the name of Sam
    submission = handoff.submissions.get()
    sales = step_of(submission, "Sales")
    assert (sales.decided_by, sales.on_behalf_of) == (eve, sam)
    assert step_of(submission, "Delivery").decided_by == dan

    take_on(new_page(pia), handoff)
    assert RampPlan.objects.get(handoff=handoff).state == "ramping"

    address = ask(new_page(alice), offered)
    client = new_page(viewport=PHONE, java_script_enabled=False)
    client.goto(address)
    for _subject in range(3):
        client.get_by_role("button", name="Yes, that’s right").first.click()
    expect(client.get_by_role("heading", level=1)).to_have_text("Thank you, Nora Lund")
    rate(client, offered, alice)

    end_the_ramp(new_page(pia), handoff)
    plan = RampPlan.objects.get(handoff=handoff)
    assert (plan.state, plan.exited_by, plan.exit_missing) == ("in_delivery", pia, [])
    assert not Task.objects.filter(ramp_plan=plan, phase=RampPhase.EXIT, evidence="").exists()


def win(page: Page, offered: Opportunity) -> None:
    """On the board; handoff and ramp plan are there at once."""
    page.goto("/board/")
    page.locator(".deal-card", has_text=offered.name).locator("[data-move]").click()
    page.get_by_role("menuitem", name="Won").click()
    expect(page.locator("#toasts")).to_contain_text("Won")
    settle()
    page.goto(f"/deals/{offered.pk}/")
    page.locator("#handoff-panel").get_by_role("link", name="handoff").first.click()
    expect(page.locator("#handoff-page")).to_contain_text("Before it can be submitted")


def prepare_and_submit(page: Page, offered: Opportunity, handoff: Handoff) -> None:
    """One item with its evidence by hand, one left out, the rest as others did it."""
    page.goto(f"/handoffs/{handoff.pk}/")
    item = handoff.items.filter(side="sales", state=TaskState.OPEN, action="").exclude(evidence_wanted="")[0]
    page.locator(f"#task-{item.pk}").get_by_role("link", name="Say done, with evidence").click()
    box = page.get_by_role("dialog")
    box.get_by_label("Note").fill("Told on the telephone, minutes in the folder")
    box.get_by_role("button", name="Done").click()
    expect(box).to_be_hidden()
    ready(Opportunity.objects.get(pk=offered.pk), now=timezone.now())
    page.goto(f"/handoffs/{handoff.pk}/")
    page.get_by_label("What the approvers should know").fill("Mind the date")
    page.get_by_role("button", name="Submit for approval").click()
    expect(page.locator("#handoff-page")).to_contain_text("As it was handed in.")


def stand_in(page: Page, delegate: User) -> None:
    """Away from today on."""
    today = timezone.now().date().isoformat()
    page.goto("/approvals/delegations/")
    page.get_by_label("Who decides for you").select_option(label=delegate.name)
    page.get_by_label("From").fill(today)
    page.get_by_label("Until, included").fill(today)
    page.get_by_role("button", name="Let them stand in").click()
    expect(page.get_by_role("main")).to_contain_text(delegate.name)


def approve(page: Page) -> None:
    """In the inbox, with one press."""
    page.goto("/approvals/")
    row = page.locator("#approvals li").filter(has_text="Customer portal")
    row.get_by_role("button", name="Approve").click()
    expect(row).to_have_count(0)


def take_on(page: Page, handoff: Handoff) -> None:
    """From home, where it waits."""
    page.goto("/")
    page.get_by_role("link", name="Take the project on").first.click()
    page.get_by_role("button", name="Take it on").click()
    expect(page.locator("#handoff-page")).to_contain_text("What is left goes on in the ramp plan.")


def ask(page: Page, offered: Opportunity) -> str:
    """The private link, shown once."""
    page.goto(f"/deals/{offered.pk}/")
    page.locator("#ask-client").click()
    box = page.get_by_role("dialog")
    box.get_by_label("Whom").select_option(str(offered.contacts.get().pk))
    box.locator('[name="how"]').last.check()
    box.get_by_role("button", name="Ask").click()
    address: str = box.locator("#client-link").input_value()
    return "/" + address.split("/", 3)[3]


def rate(page: Page, offered: Opportunity, actor: User) -> None:
    """How the client answers the question of the kick-off."""
    plan = RampPlan.objects.get(opportunity=offered)
    contact = offered.contacts.get()
    pulse = Pulse.objects.get(plan=plan, contact=contact, occasion="kickoff")
    Pulse.objects.filter(pk=pulse.pk).update(sent_at=timezone.now())
    _pulse, token = send_pulse(actor=actor, plan=plan, contact=contact, now=timezone.now(), send=False)
    page.goto(f"/c/{token}/")
    page.locator('input[name="csat"][value="4"]').check(force=True)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, Nora Lund")


def end_the_ramp(page: Page, handoff: Handoff) -> None:
    """Refused while something is not shown, possible after."""
    plan = RampPlan.objects.get(handoff=handoff)
    page.goto(f"/ramp/{plan.pk}/")
    page.get_by_role("link", name="End the ramp").click()
    box = page.get_by_role("dialog")
    expect(box).to_contain_text("The ramp can’t end by evidence yet")
    # What the client was asked for is shown by what the client said; the rest others do.
    following = [TaskAction.CLIENT_SCOPE, TaskAction.CLIENT_CRITERIA, TaskAction.CLIENT_RISKS]
    assert not Task.objects.filter(ramp_plan=plan, action__in=following).exclude(state=TaskState.DONE).exists()
    now = timezone.now()
    rest = Task.objects.filter(ramp_plan=plan).exclude(state__in=[TaskState.DONE, TaskState.WAIVED])
    rest.update(state=TaskState.DONE, done_at=now, sales_done_at=now, delivery_done_at=now, evidence="Seen by all")
    page.goto(f"/ramp/{plan.pk}/")
    page.get_by_role("link", name="End the ramp").click()
    box.get_by_role("button", name="End the ramp").click()
    expect(page.locator(".rp-exit")).to_contain_text("ended the ramp on")
