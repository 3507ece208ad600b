"""The pages of handoffs, as browsers of both sides meet them."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from handoffs.models import Handoff, HandoffState, RelationshipTransfer, Section, Task, TaskState
from handoffs.services.approvals import accept_handoff, submit_handoff
from handoffs.services.handoff import add_item, change_relationship, waive_item
from handoffs.services.tasks import complete_task
from opportunities.models import Attachment, Opportunity
from tests.cast import Browser
from tests.factories import deals
from tests.handoffs.approving import approve, chain, fresh, ready, submitted
from tests.handoffs.briefing import contact
from tests.handoffs.handing import handoff_of, won
from tests.handoffs.reactions import move

NOW = timezone.now()
pytestmark = pytest.mark.django_db
PAGE = {"HX-Target": "handoff-page"}
DIALOG = {"HX-Target": "dialog-body"}
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def deal(alice: User, dan: User, sam: User) -> Opportunity:
    """A deal of Alice's that was won just now, with Dan for delivery, and a chain that Sam and Dan are on."""
    chain()
    return won(now=NOW, owner=alice, delivery_owner=dan, name="Customer portal")


@pytest.fixture
def handoff(deal: Opportunity) -> Handoff:
    """Its handoff, being prepared."""
    return handoff_of(deal)


@pytest.fixture
def as_pia(pia: User) -> Browser:
    """Pia's browser."""
    return Browser(pia)


@pytest.fixture
def as_eve(eve: User) -> Browser:
    """Eve's browser."""
    return Browser(eve)


def url(name: str, thing: Any) -> str:
    """Address of something about a handoff, an item, a relationship or a deal."""
    return reverse(f"handoffs:{name}", args=[thing.pk])


def text(answer: Any) -> str:
    """The page with its spaces made one."""
    return " ".join(answer.content.decode().split())


def item_of(handoff: Handoff, *, side: str = "sales", wants: bool = False) -> Task:
    """An open item that is done by saying so, with or without evidence, and that waits for no other."""
    items = handoff.items.filter(side=side, state=TaskState.OPEN, action="", is_required=True, depends_on=None)
    items = items.exclude(evidence_wanted="") if wants else items.filter(evidence_wanted="")
    return items.order_by("position")[0]


def transfer_of(handoff: Handoff, name: str = "Ines Holm", **fields: Any) -> RelationshipTransfer:
    """Somebody at the client on the map."""
    person = contact(handoff.opportunity, name, "Head of Digital", "sponsor")
    known, _made = RelationshipTransfer.objects.get_or_create(handoff=handoff, contact=person)
    RelationshipTransfer.objects.filter(pk=known.pk).update(**{"owner_now": handoff.opportunity.owner, **fields})
    return RelationshipTransfer.objects.get(pk=known.pk)


def prepared(handoff: Handoff) -> Handoff:
    """Ready to be submitted."""
    return ready(handoff.opportunity, now=NOW)


def row(page: str, dom_id: str) -> str:
    """The part of a page from an element on."""
    return page.split(f'id="{dom_id}"', 1)[1][:4000]


# --- the list ---


def test_the_list_shows_what_the_person_may_see(as_alice: Browser, as_charlie: Browser, handoff: Handoff) -> None:
    page = text(as_alice.get(reverse("handoffs:handoffs")))
    assert "Customer portal" in page
    assert "Being prepared" in page
    assert re.search(r"\d+ of \d+", page)
    other = text(as_charlie.get(reverse("handoffs:handoffs")))
    assert "Customer portal" not in other
    assert "A handoff opens by itself when a deal is won" in other


@pytest.mark.parametrize(
    ("query", "shows"),
    [("", True), ("?state=preparing", True), ("?state=submitted", False), ("?state=approved", False),
     ("?state=all", True), ("?state=nonsense", True), ("?service_line=999999", True)],
)  # fmt: skip
def test_the_list_by_state(as_alice: Browser, handoff: Handoff, query: str, shows: bool) -> None:
    page = text(as_alice.get(reverse("handoffs:handoffs") + query))
    assert ("Customer portal" in page) == shows


def test_what_waits_for_a_person_follows_whose_turn_it_is(
    as_alice: Browser, as_sam: Browser, as_pia: Browser, handoff: Handoff, alice: User, sam: User, dan: User, pia: User
) -> None:
    def waits() -> list[bool]:
        address = reverse("handoffs:handoffs") + "?waits=me"
        return ["Customer portal" in text(browser.get(address)) for browser in (as_alice, as_sam, as_pia)]

    assert waits() == [True, False, False]
    submission = submitted(prepared(handoff), by=alice, now=NOW)
    assert waits() == [False, True, False]
    approve(submission, "Sales", sam, now=NOW)
    approve(submission, "Delivery", dan, now=NOW)
    assert waits() == [False, False, True]
    accept_handoff(actor=pia, handoff=fresh(handoff), now=NOW)
    assert waits() == [False, False, False]


def test_the_list_says_who_is_asked_now(as_alice: Browser, handoff: Handoff, alice: User) -> None:
    submitted(prepared(handoff), by=alice, now=NOW)
    assert "now: Sales, Delivery" in text(as_alice.get(reverse("handoffs:handoffs")))


def test_the_list_pages_by_cursor_and_refuses_a_made_up_one(as_alice: Browser, alice: User, dan: User) -> None:
    for each in deals(26, "negotiation", owner=alice, now=NOW, delivery_owner=dan):
        move(each, "won", now=NOW, reacts=False)
    page = text(as_alice.get(reverse("handoffs:handoffs")))
    assert page.count('class="oh-row ho-row"') == 25
    after = re.search(r'rel="next" href="([^"]+)"', page)
    assert after is not None
    second = text(as_alice.get(reverse("handoffs:handoffs") + after[1].replace("&amp;", "&")))
    assert second.count('class="oh-row ho-row"') == 1
    assert as_alice.get(reverse("handoffs:handoffs") + "?after=nonsense").status_code == 400


# --- the page ---


def test_what_blocks_is_said_before_a_button_is_there(as_alice: Browser, handoff: Handoff) -> None:
    page = text(as_alice.get(url("handoff", handoff)))
    assert "Before it can be submitted" in page
    assert "Submit for approval" not in page
    anchors = re.findall(r'<li><a href="#([\w-]+)"', page)
    assert "project-manager" in anchors
    assert all(f'id="{anchor}"' in page for anchor in anchors)


def test_everybody_who_sees_the_deal_reads_it_and_an_outsider_finds_nothing(
    as_eve: Browser, as_charlie: Browser, handoff: Handoff
) -> None:
    page = text(as_eve.get(url("handoff", handoff)))
    assert "Customer portal" in page
    assert "Add an item" not in page
    hidden, missing = (as_charlie.get(reverse("handoffs:handoff", args=[key])) for key in (handoff.pk, 2**31))
    assert hidden.status_code == missing.status_code == 404


def test_a_handoff_without_items_or_people_says_how_to_get_them(as_alice: Browser, handoff: Handoff) -> None:
    Task.objects.filter(handoff=handoff).update(state=TaskState.CANCELLED)
    page = text(as_alice.get(url("handoff", handoff)))
    assert "The checklist comes from the handoff’s playbook" in page
    assert "Add the people at the client to the deal" in page


def test_long_names_are_told_whole(as_alice: Browser, handoff: Handoff, alice: User) -> None:
    title = "Überlang " * 22
    made = add_item(
        actor=alice, handoff=handoff, section=Section.SCOPE, title=title, side="shared", is_required=True, now=NOW
    )
    assert made.title in text(as_alice.get(url("handoff", handoff)))


def test_the_page_costs_the_same_for_5_and_100_items(
    as_sam: Browser, handoff: Handoff, alice: User, django_assert_max_num_queries: Any
) -> None:
    transfer_of(handoff)
    address = url("handoff", handoff)
    as_sam.get(address)
    for count in (5, 100):
        for number in range(count):
            add_item(
                actor=alice, handoff=handoff, section=Section.SCOPE, title=f"Item {count}.{number}", side="sales",
                is_required=True, now=NOW,
            )  # fmt: skip
            if count == 100 and number % 10 == 0:
                transfer_of(handoff, f"Person {number}")
        with django_assert_max_num_queries(18):
            assert as_sam.get(address).status_code == 200


# --- items ---


def test_done_in_place_and_taken_back(as_alice: Browser, handoff: Handoff) -> None:
    item = item_of(handoff)
    answer = as_alice.hx("post", url("item", item), {"version": item.version}, **PAGE)
    assert answer.status_code == 200
    assert f'id="task-{item.pk}"' in text(answer)
    assert "Take back" in row(text(answer), f"task-{item.pk}")
    assert reverse("handoffs:reopen_task", args=[item.pk]) in answer.headers["HX-Trigger"]
    item.refresh_from_db()
    assert item.state == TaskState.DONE
    back = as_alice.hx("post", url("reopen_task", item), {"version": item.version}, **PAGE)
    assert back.status_code == 204
    item.refresh_from_db()
    assert item.state == TaskState.OPEN


def test_done_twice_is_done_once(as_alice: Browser, handoff: Handoff) -> None:
    item = item_of(handoff)
    for _turn in range(2):
        assert as_alice.hx("post", url("item", item), {"version": item.version}, **PAGE).status_code == 200
    item.refresh_from_db()
    assert item.version == 2


def test_without_script_every_step_is_a_page_or_a_redirect(as_alice: Browser, handoff: Handoff) -> None:
    item = item_of(handoff, wants=True)
    form = as_alice.get(url("item", item))
    assert "<html" in text(form)
    assert item.evidence_wanted in text(form)
    refused = as_alice.post(url("item", item), {"version": item.version})
    assert refused.status_code == 422
    assert "<html" in text(refused)
    done = as_alice.post(url("item", item), {"version": item.version, "evidence": "They said so"})
    assert done.status_code == 302
    assert done.headers["Location"] == url("handoff", handoff)
    page = text(as_alice.get(url("handoff", handoff)))
    assert "They said so" in page
    back = as_alice.post(url("reopen_task", item), {"next": url("handoff", handoff)})
    assert back.headers["Location"] == url("handoff", handoff)


def test_note_link_and_file_are_kept_and_shown(as_alice: Browser, handoff: Handoff) -> None:
    item = item_of(handoff, wants=True)
    upload = SimpleUploadedFile("notes.txt", b"What was said", "text/plain")
    sent = {"version": item.version, "evidence": "See it", "link": "https://sharepoint.example/x", "file": upload}
    assert as_alice.hx("post", url("item", item), sent, **DIALOG).status_code == 204
    item.refresh_from_db()
    assert item.evidence_file is not None
    page = row(text(as_alice.get(url("handoff", handoff))), f"task-{item.pk}")
    assert "See it" in page
    assert 'href="https://sharepoint.example/x" rel="noopener noreferrer nofollow"' in page
    address = reverse("opportunities:file", args=[handoff.opportunity_id, item.evidence_file.pk])
    assert f'href="{address}" download>notes.txt' in page
    assert as_alice.get(address).headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("name", "content", "link"),
    [("page.html", b"<script>alert(1)</script>", ""), ("notes.txt", b"", ""), ("notes.txt", b"Fine", "javascript:x")],
)
def test_what_is_refused_keeps_the_note_and_leaves_no_file(
    as_alice: Browser, handoff: Handoff, name: str, content: bytes, link: str, tmp_path: Path
) -> None:
    item = item_of(handoff, wants=True)
    upload = SimpleUploadedFile(name, content, "text/plain")
    sent = {"version": item.version, "evidence": "A long note", "link": link, "file": upload}
    answer = as_alice.hx("post", url("item", item), sent, **DIALOG)
    assert answer.status_code == 422
    assert "A long note" in text(answer)
    assert "invalid-feedback" in text(answer)
    item.refresh_from_db()
    assert item.state == TaskState.OPEN
    assert not Attachment.objects.exists()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_file_sent_twice_is_kept_once(as_alice: Browser, handoff: Handoff, tmp_path: Path) -> None:
    item = item_of(handoff, wants=True)
    for _turn in range(2):
        upload = SimpleUploadedFile("notes.txt", b"What was said", "text/plain")
        as_alice.hx("post", url("item", item), {"version": item.version, "evidence": "x", "file": upload}, **DIALOG)
    assert Attachment.objects.count() == 1
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_a_stale_item_says_so_and_keeps_what_was_typed(as_alice: Browser, handoff: Handoff) -> None:
    item = item_of(handoff, wants=True)
    Task.objects.filter(pk=item.pk).update(version=7)
    sent = {"version": item.version, "evidence": "Mine"}
    answer = as_alice.hx("post", url("item", item), sent, **DIALOG)
    assert answer.status_code == 409
    assert "Somebody changed this task in the meantime" in text(answer)
    assert "Mine" in text(answer)
    assert 'name="version" value="7"' in text(answer)


def test_a_shared_item_needs_both_and_shows_who_is_missing(
    as_alice: Browser, as_dan: Browser, handoff: Handoff
) -> None:
    item = item_of(handoff, side="shared", wants=True)
    as_alice.hx("post", url("item", item), {"version": item.version, "evidence": "Agreed"}, **DIALOG)
    page = row(text(as_dan.get(url("handoff", handoff))), f"task-{item.pk}")
    assert "Sales: Alice" in page
    assert "still to say done" in page
    item.refresh_from_db()
    as_dan.hx("post", url("item", item), {"version": item.version}, **DIALOG)
    item.refresh_from_db()
    assert item.state == TaskState.DONE


def test_an_item_that_follows_something_leads_there(as_alice: Browser, handoff: Handoff) -> None:
    item = handoff.items.get(action="relationships")
    page = row(text(as_alice.get(url("handoff", handoff))), f"task-{item.pk}")
    assert 'href="#relationships"' in page
    refused = as_alice.hx("post", url("item", item), {"version": item.version}, **PAGE)
    assert refused.status_code == 422
    assert "This follows the relationship map" in text(refused)


def test_only_managers_leave_an_item_out_and_they_say_why(as_alice: Browser, as_sam: Browser, handoff: Handoff) -> None:
    item = item_of(handoff)
    assert as_alice.hx("post", url("waive_item", item), {"reason": "No time"}, **DIALOG).status_code == 403
    empty = as_sam.hx("post", url("waive_item", item), {"reason": " "}, **DIALOG)
    assert empty.status_code == 422
    assert "Say why it can be left out" in text(empty)
    assert as_sam.hx("post", url("waive_item", item), {"reason": "Not in this deal"}, **DIALOG).status_code == 204
    page = row(text(as_alice.get(url("handoff", handoff))), f"task-{item.pk}")
    assert "Left out by Sam" in page
    assert "Not in this deal" in page
    assert 'action="' not in page.split("</li>")[0]


def test_an_item_of_one_s_own(as_alice: Browser, handoff: Handoff) -> None:
    sent = {"title": "Ask about parking", "section": "start_up", "side": "sales", "is_required": "on"}
    assert as_alice.hx("post", url("add_item", handoff), sent, **DIALOG).status_code == 204
    made = handoff.items.get(title="Ask about parking")
    assert (made.section, made.side, made.is_required) == ("start_up", "sales", True)
    empty = as_alice.hx("post", url("add_item", handoff), {**sent, "title": ""}, **DIALOG)
    assert empty.status_code == 422
    assert "Say what is to be done" in text(empty)


def test_a_task_that_is_no_item_has_no_dialog_here(as_alice: Browser, deal: Opportunity) -> None:
    task = Task.objects.filter(opportunity=deal, handoff__isnull=True, side="sales")[0]
    assert as_alice.get(url("item", task)).status_code == 404


# --- people ---


def test_the_project_manager_is_named_in_place(as_dan: Browser, as_alice: Browser, handoff: Handoff, pia: User) -> None:
    assert "name-manager" not in text(as_alice.get(url("handoff", handoff)))
    assert as_alice.get(url("project_manager", handoff)).status_code == 403
    form = as_dan.hx("get", url("project_manager", handoff))
    assert form.headers["HX-Retarget"] == "#project-manager"
    assert "data-live-hold" in text(form)
    answer = as_dan.hx("post", url("project_manager", handoff), {"person": pia.pk, "version": handoff.version}, **PAGE)
    assert answer.status_code == 200
    assert "Pia" in row(text(answer), "project-manager")
    stale = as_dan.hx("post", url("project_manager", handoff), {"person": "", "version": 1}, **PAGE)
    assert stale.status_code == 409
    assert "Now it is Pia" in text(stale)


def test_a_cold_relationship_is_said_in_words(as_alice: Browser, handoff: Handoff, pia: User) -> None:
    cold = transfer_of(handoff)
    nearly = transfer_of(handoff, "Jørgen Aas", owner_next=pia)
    page = text(as_alice.get(url("handoff", handoff)))
    assert "2 would be met cold" in page
    assert "Cold: nobody takes over yet" in row(page, f"relationship-{cold.pk}")
    assert "Cold: Pia was not introduced" in row(page, f"relationship-{nearly.pk}")


def test_introduced_and_taken_over(as_alice: Browser, as_pia: Browser, handoff: Handoff, pia: User) -> None:
    transfer = transfer_of(handoff)
    sent = {
        "owner_now": handoff.opportunity.owner_id, "owner_next": pia.pk, "introduced_on": NOW.date().isoformat(),
        "introduced_how": "Lunch", "version": transfer.version,
    }  # fmt: skip
    answer = as_alice.hx("post", url("relationship", transfer), sent, **PAGE)
    assert answer.status_code == 200
    assert "Lunch" in row(text(answer), f"relationship-{transfer.pk}")
    assert as_alice.hx("post", url("accept_relationship", transfer), **PAGE).status_code == 403
    for _turn in range(2):
        taken = as_pia.hx("post", url("accept_relationship", transfer), **PAGE)
        assert taken.status_code == 200
    assert "Pia took over" in row(text(taken), f"relationship-{transfer.pk}")
    transfer.refresh_from_db()
    assert transfer.version == 3


def test_a_relationship_that_somebody_else_changed(as_alice: Browser, handoff: Handoff, alice: User, pia: User) -> None:
    transfer = transfer_of(handoff)
    change_relationship(actor=alice, transfer=transfer, values={"owner_next": pia}, now=NOW, expected_version=None)
    sent = {"owner_now": "", "owner_next": "", "introduced_how": "By phone", "version": transfer.version}
    answer = as_alice.hx("post", url("relationship", transfer), sent, **PAGE)
    assert answer.status_code == 409
    assert answer.headers["HX-Retarget"] == f"#relationship-{transfer.pk}"
    assert "Takes over is now: Pia" in text(answer)
    assert "By phone" in text(answer)


def test_a_day_ahead_is_no_introduction(as_alice: Browser, handoff: Handoff, pia: User) -> None:
    transfer = transfer_of(handoff, owner_next=pia)
    tomorrow = (NOW + dt.timedelta(days=2)).date().isoformat()
    sent = {"owner_next": pia.pk, "introduced_on": tomorrow, "version": transfer.version}
    answer = as_alice.hx("post", url("relationship", transfer), sent, **PAGE)
    assert answer.status_code == 422
    assert "Choose today or an earlier day." in text(answer)


# --- the way through ---


def test_from_ready_to_taken_on(
    as_alice: Browser, as_pia: Browser, handoff: Handoff, sam: User, dan: User
) -> None:  # fmt: skip
    now_ready = prepared(handoff)
    page = text(as_alice.get(url("handoff", handoff)))
    assert "Submit for approval" in page
    assert "stand in the way" not in page
    sent = {"note": "Mind the date", "version": now_ready.version}
    answer = as_alice.hx("post", url("submit_handoff", handoff), sent, **PAGE)
    assert answer.status_code == 200
    assert "With approvers" in text(answer)
    assert "Recall it…" in text(answer)
    submission = handoff.submissions.get()
    assert submission.note == "Mind the date"
    approve(submission, "Sales", sam, now=NOW)
    approve(submission, "Delivery", dan, now=NOW)
    assert "accept-handoff" not in text(as_alice.get(url("handoff", handoff)))
    assert "accept-handoff" in text(as_pia.get(url("handoff", handoff)))
    taken = as_pia.post(url("accept_handoff", handoff), follow=True)
    assert "Taken on" in text(taken)
    assert fresh(handoff).accepted_at is not None
    again = as_pia.post(url("accept_handoff", handoff), follow=True)
    assert again.status_code == 200


def test_submitting_too_early_says_what_is_missing_and_keeps_the_note(as_alice: Browser, handoff: Handoff) -> None:
    sent = {"note": "Please be quick", "version": handoff.version}
    answer = as_alice.hx("post", url("submit_handoff", handoff), sent, **PAGE)
    assert answer.status_code == 409
    assert "Name the project manager." in text(answer)
    assert not handoff.submissions.exists()


def test_submitting_a_stale_page_keeps_the_note(as_alice: Browser, handoff: Handoff) -> None:
    prepared(handoff)
    sent = {"note": "Please be quick", "version": 1}
    answer = as_alice.hx("post", url("submit_handoff", handoff), sent, **PAGE)
    assert answer.status_code == 409
    assert "Somebody changed this handoff in the meantime" in text(answer)
    assert "Please be quick" in text(answer)


def test_while_submitted_it_stands_as_it_was_handed_in(
    as_alice: Browser, as_sam: Browser, handoff: Handoff, alice: User
) -> None:
    item = item_of(handoff)
    complete_task(actor=alice, task=item, now=NOW)
    submitted(prepared(handoff), by=alice, now=NOW)
    page = text(as_alice.get(url("handoff", handoff)))
    assert "As it was handed in." in page
    assert "Take back" not in row(page, f"task-{item.pk}").split("</li>")[0]
    assert "Add an item" not in page
    refused = as_sam.hx("post", url("waive_item", item), {"reason": "Late"}, **DIALOG)
    assert refused.status_code == 409
    assert refused.headers["HX-Retarget"] == "#handoff-page"


def test_recalled_with_a_reason_and_submitted_again(as_alice: Browser, handoff: Handoff, alice: User) -> None:
    submitted(prepared(handoff), by=alice, now=NOW)
    empty = as_alice.hx("post", url("recall_handoff", handoff), {"reason": ""}, **PAGE)
    assert empty.status_code == 422
    assert "Say why you take it back" in text(empty)
    back = as_alice.hx("post", url("recall_handoff", handoff), {"reason": "One more promise"}, **PAGE)
    assert "Submit for approval" in text(back)
    again = fresh(handoff)
    assert again.state == HandoffState.DRAFT
    submit_handoff(actor=alice, handoff=again, note="", now=NOW, expected_version=again.version)
    assert handoff.submissions.count() == 2


def test_an_approved_one_is_opened_again(
    as_alice: Browser, as_eve: Browser, handoff: Handoff, alice: User, sam: User, dan: User
) -> None:
    submission = submitted(prepared(handoff), by=alice, now=NOW)
    approve(submission, "Sales", sam, now=NOW)
    approve(submission, "Delivery", dan, now=NOW)
    assert as_eve.post(url("revise_handoff", handoff), {"reason": "x"}).status_code == 403
    answer = as_alice.hx("post", url("revise_handoff", handoff), {"reason": "The date moved"}, **PAGE)
    assert answer.status_code == 200
    assert fresh(handoff).state == HandoffState.DRAFT


def test_while_the_deal_is_open_again_it_rests(as_alice: Browser, deal: Opportunity, handoff: Handoff) -> None:
    move(deal, "negotiation", now=NOW)
    page = text(as_alice.get(url("handoff", handoff)))
    assert "It rests" in page
    assert "<form" not in page.split('id="handoff-page"')[1].split("</main>")[0]
    assert "Customer portal" not in text(as_alice.get(reverse("handoffs:handoffs")))


@pytest.mark.parametrize(
    "name", ["submit_handoff", "recall_handoff", "revise_handoff", "accept_handoff", "accept_relationship"]
)
def test_steps_are_posted_only(as_alice: Browser, handoff: Handoff, name: str) -> None:
    thing = transfer_of(handoff) if name == "accept_relationship" else handoff
    assert as_alice.get(url(name, thing)).status_code == 405
    assert as_alice.put(url(name, thing)).status_code == 405


# --- the panel of a deal ---


def test_the_deal_shows_its_handoff_once_it_is_won(as_alice: Browser, handoff: Handoff, alice: User) -> None:
    panel = as_alice.hx("get", url("handoff_panel", handoff.opportunity))
    assert "stand in the way" in text(panel)
    for name in ("handoff", "brief"):
        assert url(name, handoff) in text(panel)
    unwon = deals(1, "negotiation", owner=alice)[0]
    assert as_alice.hx("get", url("handoff_panel", unwon)).content == b""
    assert "No handoff yet" in text(as_alice.get(url("handoff_panel", unwon)))
    page = text(as_alice.get(reverse("opportunities:detail", args=[unwon.pk])))
    waiting = page.split(url("handoff_panel", unwon))[0].rsplit("<div", 1)[1]
    assert "deal-panel-awaited" in waiting
    full = text(as_alice.get(reverse("opportunities:detail", args=[handoff.opportunity_id])))
    assert f'hx-get="{url("handoff_panel", handoff.opportunity)}" hx-trigger="load"' in full


def test_a_waived_item_counts_as_done_in_the_progress(as_sam: Browser, handoff: Handoff, sam: User) -> None:
    before = text(as_sam.get(url("handoff", handoff)))
    waive_item(actor=sam, task=item_of(handoff), reason="Not here", now=NOW)
    counts = [
        int(found[1])
        for page in (before, text(as_sam.get(url("handoff", handoff))))
        if (found := re.search(r'<progress value="(\d+)"', page))
    ]
    assert counts[1] == counts[0] + 1
