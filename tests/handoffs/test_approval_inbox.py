"""The inbox of approvals, and deciding from it."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role, User
from handoffs.approval_queries import inbox_of, inbox_rows
from handoffs.models import ApprovalStep, Handoff, HandoffState, StepState, Submission
from handoffs.services.approvals import decide_step, delegate
from handoffs.services.handoff import add_item, waive_item
from opportunities.models import Opportunity, StageChange
from tests import factories
from tests.cast import Browser
from tests.handoffs.approving import approve, chain, fresh, ready, step_of, submitted
from tests.handoffs.handing import won
from tests.handoffs.reactions import MONDAY

pytestmark = pytest.mark.django_db
NOW = timezone.now


@pytest.fixture(autouse=True)
def _chain(sam: User, dan: User, eve: User, ada: User) -> None:
    chain()


@pytest.fixture
def submission(alice: User) -> Submission:
    """A handoff of Alice's with both managers' steps waiting."""
    deal = won(owner=alice, name="Harbour portal", amount=Decimal(120_000))
    return submitted(ready(deal), note="The client is in a hurry", now=NOW())


def answers(step: ApprovalStep, how: str) -> str:
    return reverse(f"handoffs:approval_{how}", args=[step.pk])


def html(response: Any) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def test_each_manager_sees_what_waits_for_them(as_sam: Browser, as_dan: Browser, submission: Submission) -> None:
    page = html(as_sam.get(reverse("handoffs:approvals")))
    assert "Harbour portal" in page
    assert "The client is in a hurry" in page
    assert "Alice submitted it" in page
    assert f'id="approval-{step_of(submission, "Sales").pk}"' in page
    assert f'id="approval-{step_of(submission, "Delivery").pk}"' not in page
    assert f'id="approval-{step_of(submission, "Delivery").pk}"' in html(as_dan.get(reverse("handoffs:approvals")))


def test_it_waits_for_nobody_else(
    as_alice: Browser, as_charlie: Browser, as_ada: Browser, submission: Submission
) -> None:
    for browser in (as_alice, as_charlie, as_ada):
        assert "Nothing waits for you" in html(browser.get(reverse("handoffs:approvals")))


def test_one_tap_approves_and_the_row_leaves(as_sam: Browser, sam: User, submission: Submission) -> None:
    step = step_of(submission, "Sales")
    response = as_sam.hx("post", answers(step, "approve"), **{"HX-Target": f"approval-{step.pk}"})
    assert response.headers["HX-Reswap"] == "delete"
    assert "approval-decided" in response.headers["HX-Trigger"]
    step.refresh_from_db()
    assert (step.state, step.decided_by, step.comment) == (StepState.APPROVED, sam, "")
    assert "Nothing waits for you" in html(as_sam.get(reverse("handoffs:approvals")))


def test_without_script_it_goes_back_to_the_list(as_sam: Browser, submission: Submission) -> None:
    step = step_of(submission, "Sales")
    response = as_sam.post(answers(step, "approve"), {"comment": "Fine"})
    assert response.url == reverse("handoffs:approvals")  # type: ignore[attr-defined]
    step.refresh_from_db()
    assert step.comment == "Fine"


def test_the_comment_opens_in_place_and_is_needed(as_dan: Browser, submission: Submission) -> None:
    step = step_of(submission, "Delivery")
    target = {"HX-Target": f"approval-{step.pk}-act"}
    form = html(as_dan.hx("get", answers(step, "request_changes"), **target))
    assert "What has to change?" in form
    assert "<html" not in form
    empty = as_dan.hx("post", answers(step, "request_changes"), {"comment": " "}, **target)
    assert empty.status_code == 422
    assert "Say what has to change" in html(empty)
    done = as_dan.hx("post", answers(step, "request_changes"), {"comment": "No plan"}, **target)
    assert done.headers["HX-Retarget"] == f"#approval-{step.pk}"
    assert fresh(submission.handoff).state == HandoffState.CHANGES_REQUESTED


def test_the_forms_are_pages_without_script(as_dan: Browser, submission: Submission) -> None:
    step = step_of(submission, "Delivery")
    for how, words in (("approve", "be taken back"), ("request_changes", "What has to change?"), ("reject", "Why?")):
        page = as_dan.get(answers(step, how))
        assert "<html" in html(page)
        assert words in html(page)
    as_dan.post(answers(step, "reject"), {"comment": "Not like this", "next": "/handoffs/"})
    assert fresh(submission.handoff).state == HandoffState.REJECTED


def test_who_was_later_is_told_who_was_first(as_sam: Browser, submission: Submission) -> None:
    second = factories.person("Sally", Role.SALES_MANAGER, teams=(factories.team(),))
    approve(submission, "Sales", second)
    step = step_of(submission, "Sales")
    response = as_sam.hx("post", answers(step, "approve"), **{"HX-Target": f"approval-{step.pk}"})
    assert response.status_code == 409
    assert "Sally has approved this already." in html(response)


def test_the_submitter_and_others_are_told_why(as_alice: Browser, as_charlie: Browser, submission: Submission) -> None:
    step = step_of(submission, "Sales")
    mine = as_alice.hx("post", answers(step, "approve"), **{"HX-Target": f"approval-{step.pk}"})
    assert (mine.status_code, "You submitted this handoff" in html(mine)) == (403, True)
    assert as_charlie.hx("post", answers(step, "approve")).status_code == 404
    assert as_charlie.get(reverse("handoffs:approval", args=[step.pk])).status_code == 404


def test_a_mail_leads_to_the_row_alone_or_to_the_handoff(
    as_sam: Browser, as_dan: Browser, submission: Submission
) -> None:
    step = step_of(submission, "Sales")
    address = reverse("handoffs:approval", args=[step.pk])
    page = html(as_sam.get(address))
    assert "Harbour portal" in page
    assert '<details class="ap-fold" open>' in page
    elsewhere = as_dan.get(address)
    assert elsewhere.url == reverse("handoffs:handoff", args=[submission.handoff_id])  # type: ignore[attr-defined]


def test_signed_out_people_come_back_after_signing_in(client: Any, submission: Submission) -> None:
    address = reverse("handoffs:approval", args=[step_of(submission, "Sales").pk])
    assert f"next={address}" in client.get(address).url


def test_in_whose_name_is_said(as_sam: Browser, sam: User, ruth: User, submission: Submission) -> None:
    today = NOW().date()
    delegate(
        actor=sam, delegator=sam, delegate=ruth, starts_on=today, ends_on=today + dt.timedelta(days=3), reason="",
        now=NOW(),
    )  # fmt: skip
    assert "in the name of Sam" in html(Browser(ruth).get(reverse("handoffs:approvals")))
    assert "Harbour portal" in html(as_sam.get(reverse("handoffs:approvals")))


def test_administrators_are_told_when_nobody_else_can_decide(
    as_ada: Browser, sam: User, submission: Submission
) -> None:
    sam.is_active = False
    sam.save()
    page = html(as_ada.get(reverse("handoffs:approvals")))
    assert "Harbour portal" in page
    assert "nobody else can decide" in page


def test_what_changed_and_what_was_waived_is_told(as_dan: Browser, alice: User, ada: User, dan: User) -> None:
    first = submitted(ready(won(owner=alice)), now=NOW())
    decide_step(
        actor=dan, step=step_of(first, "Delivery"), decision=StepState.CHANGES_REQUESTED, comment="Why?", now=NOW()
    )
    item = add_item(
        actor=alice, handoff=fresh(first.handoff), section="scope", title="Data protection", side="sales",
        is_required=True, now=NOW(),
    )  # fmt: skip
    waive_item(actor=ada, task=item, reason="Not for this client", now=NOW())
    submitted(fresh(first.handoff), now=NOW())
    page = html(as_dan.get(reverse("handoffs:approvals")))
    assert "version 2" in page
    assert "1 item changed since the last version" in page
    assert "Not for this client" in page


def test_decided_ones_are_in_the_second_tab(as_sam: Browser, sam: User, submission: Submission) -> None:
    address = reverse("handoffs:approvals_decided")
    assert "Nothing decided yet" in html(as_sam.get(address))
    approve(submission, "Sales", sam, comment="Good work")
    page = html(as_sam.get(address))
    assert "Harbour portal" in page
    assert "Good work" in page


def _many(count: int, submission: Submission) -> None:
    """As many waiting handoffs more, copied from one."""
    deal, handoff = submission.handoff.opportunity, submission.handoff
    steps = list(submission.steps.all())
    changes = list(StageChange.objects.filter(opportunity=deal).order_by("pk"))
    for number in range(count):
        Opportunity.objects.bulk_create([_copy(deal, name=f"Copy {number}", external_id="")])
        other = Opportunity.objects.latest("pk")
        StageChange.objects.bulk_create(_copy(change, opportunity=other) for change in changes)
        Handoff.objects.bulk_create([_copy(handoff, opportunity=other)])
        made = _copy(submission, handoff=Handoff.objects.latest("pk"))
        Submission.objects.bulk_create([made])
        ApprovalStep.objects.bulk_create(_copy(step, submission=made) for step in steps)


def _copy(row: Any, **changes: Any) -> Any:
    values = {
        field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if not field.primary_key
    }
    copy = type(row)(**values)
    for name, value in changes.items():
        setattr(copy, name, value)
    return copy


def test_the_inbox_costs_the_same_for_ten_and_for_many(
    as_sam: Browser, submission: Submission, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    as_sam.get(reverse("handoffs:approvals"))
    counts = []
    for more in (9, 60):
        _many(more, submission)
        with django_assert_max_num_queries(20) as queries:
            page = html(as_sam.get(reverse("handoffs:approvals")))
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 18
    assert page.count("data-approval>") == 20
    assert "50 more come up" in page


def test_a_page_of_rows_costs_the_same(
    sam: User, submission: Submission, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    _many(15, submission)
    waiting = inbox_of(sam, MONDAY)
    with django_assert_max_num_queries(4):
        assert len(inbox_rows(waiting)) == 16
