"""Moving a deal: the door that drag, menu, keys and plain form share."""

from __future__ import annotations

import json
import uuid

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from events import names
from events.models import Event
from opportunities.models import GateBypass, Opportunity, Policy
from opportunities.services.moves import move_to_stage
from tests.cast import Browser
from tests.factories import deal, pipeline, stage

pytestmark = pytest.mark.django_db


def url(made: Opportunity) -> str:
    return reverse("opportunities:move", args=[made.pk])


def order(made: Opportunity, to: str, **more: object) -> dict[str, object]:
    return {
        "stage": stage(to).pk, "version": made.version, "seen": made.stage_id, "request_id": str(uuid.uuid4()), **more
    }  # fmt: skip


def toast(response: object) -> dict[str, object]:
    found: dict[str, object] = json.loads(response.headers["HX-Trigger"])["toast"]
    return found


def test_a_drop_moves_the_deal_and_answers_with_its_card_and_both_headers(as_alice: Browser) -> None:
    made = deal("prospect")
    response = as_alice.hx("post", url(made), order(made, "qualified"))
    made.refresh_from_db()
    assert (response.status_code, made.stage.key) == (200, "qualified")
    text = response.content.decode()
    assert f'id="deal-{made.pk}"' in text
    assert f'id="lane-head-{stage("prospect").pk}"' in text
    assert f'id="lane-head-{stage("qualified").pk}"' in text
    change = made.stage_changes.get(number=2)
    assert toast(response)["undo"] == {"url": reverse("opportunities:undo", args=[made.pk, change.pk])}


def test_without_script_the_move_ends_on_the_deal_with_a_message(as_alice: Browser) -> None:
    made = deal("prospect")
    response = as_alice.post(url(made), order(made, "qualified"))
    assert response.headers["Location"] == reverse("opportunities:detail", args=[made.pk])
    assert "Qualified" in str(next(iter(get_messages(response.wsgi_request))))


def test_the_menu_offers_the_legal_stages(as_alice: Browser) -> None:
    made = deal("qualified")
    text = as_alice.get(url(made)).content.decode()
    assert f'value="{stage("prospect").pk}"' in text
    assert f'name="stage" value="{stage("qualified").pk}"' not in text


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_refused(as_alice: Browser, method: str) -> None:
    assert getattr(as_alice, method)(url(deal())).status_code == 405


def test_an_outsider_finds_no_deal(as_charlie: Browser, alice: User) -> None:
    made = deal(owner=alice)
    assert as_charlie.hx("post", url(made), order(made, "qualified")).status_code == 404
    assert as_charlie.hx("post", url(made).replace(str(made.pk), str(2**63)), {}).status_code == 404


def test_a_reader_may_not_move(as_dan: Browser, alice: User) -> None:
    made = deal(owner=alice)
    assert as_dan.hx("post", url(made), order(made, "qualified")).status_code == 403
    made.refresh_from_db()
    assert made.stage.key == "prospect"


def test_a_page_without_a_board_gets_no_cards(as_alice: Browser) -> None:
    made = deal("prospect")
    page = "http://testserver" + reverse("opportunities:detail", args=[made.pk])
    response = as_alice.hx("post", url(made), order(made, "qualified"), **{"HX-Current-URL": page})
    assert (response.status_code, response.content) == (200, b"")
    assert "moved to Qualified" in str(toast(response)["text"])


def test_the_same_request_moves_once_and_answers_the_same(as_alice: Browser) -> None:
    made = deal("prospect")
    given = order(made, "qualified")
    answers = [as_alice.hx("post", url(made), given) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}
    assert made.stage_changes.count() == 2
    assert len({toast(answer)["undo"]["url"] for answer in answers}) == 1


def test_a_move_to_the_present_stage_changes_nothing(as_alice: Browser) -> None:
    made = deal("prospect")
    before = Event.objects.count()
    response = as_alice.hx("post", url(made), order(made, "prospect"))
    assert response.status_code == 200
    assert "undo" not in toast(response)
    assert (made.stage_changes.count(), Event.objects.count()) == (1, before)


def test_a_stale_move_names_who_moved_it_and_shows_the_card_where_it_is(as_alice: Browser, sam: User) -> None:
    made = deal("prospect")
    given = order(made, "discovery")
    move_to_stage(actor=sam, opportunity=made, stage=stage("qualified"), expected_version=None, now=timezone.now())
    response = as_alice.hx("post", url(made), given)
    assert response.status_code == 409
    assert "Sam moved this deal to Qualified" in str(toast(response)["text"])
    assert f'data-stage="{stage("qualified").pk}"' in response.content.decode()
    made.refresh_from_db()
    assert made.stage.key == "qualified"


def test_a_change_of_another_field_does_not_hinder_a_move(as_alice: Browser) -> None:
    made = deal("prospect")
    given = order(made, "qualified")
    Opportunity.objects.filter(pk=made.pk).update(version=7)
    assert as_alice.hx("post", url(made), given).status_code == 200


def test_an_illegal_stage_is_refused_with_the_legal_ones_named(as_alice: Browser) -> None:
    made = deal("won")
    response = as_alice.hx("post", url(made), order(made, "lost"))
    assert response.status_code == 409
    assert "Reopen the deal" in str(toast(response)["text"])
    assert "It can go to: Prospect, Qualified" in str(toast(response)["text"])


@pytest.mark.parametrize("wrong", ["999999", "abc", "", str(2**63), "-1"])
def test_a_stage_that_does_not_exist_is_refused(as_alice: Browser, wrong: str) -> None:
    made = deal("prospect")
    response = as_alice.hx("post", url(made), order(made, "qualified", stage=wrong))
    assert response.status_code == 409
    assert "does not exist any more" in str(toast(response)["text"])


def test_the_drop_asks_for_just_what_is_missing_and_saves_it_with_the_move(as_alice: Browser) -> None:
    made = deal("prospect", amount=None, next_step="", next_step_on=None)
    given = order(made, "proposal")
    asked = as_alice.hx("post", url(made), given)
    assert asked.status_code == 422
    assert asked.headers["HX-Retarget"] == "#dialog-body"
    text = asked.content.decode()
    assert 'name="amount"' in text
    assert 'name="next_step"' in text
    assert 'name="close_date"' not in text
    answer = {**given, "answered": "1", "amount": "1.234,56", "next_step": "Call the CIO"}
    assert as_alice.hx("post", url(made), answer).status_code == 200
    made.refresh_from_db()
    assert (made.stage.key, str(made.amount), made.next_step) == ("proposal", "1234.56", "Call the CIO")


def test_an_answer_that_can_not_be_read_is_explained_at_its_field_and_kept(as_alice: Browser) -> None:
    made = deal("prospect", amount=None)
    answer = order(made, "proposal", answered="1", amount="a lot", next_step="Call")
    response = as_alice.hx("post", url(made), answer)
    text = response.content.decode()
    assert response.status_code == 422
    assert "Write the amount in figures" in text
    assert 'value="a lot"' in text
    made.refresh_from_db()
    assert made.stage.key == "prospect"


def test_an_answer_that_leaves_the_field_empty_is_asked_again(as_alice: Browser) -> None:
    made = deal("prospect", amount=None)
    response = as_alice.hx("post", url(made), order(made, "proposal", answered="1", amount=""))
    assert response.status_code == 422
    assert "is-invalid" in response.content.decode()


def test_losing_asks_for_its_reason(as_alice: Browser) -> None:
    made = deal("proposal")
    given = order(made, "lost")
    assert 'name="loss_reason"' in as_alice.hx("post", url(made), given).content.decode()
    answer = {**given, "answered": "1", "loss_reason": "no_decision", "loss_note": "Budget frozen"}
    assert as_alice.hx("post", url(made), answer).status_code == 200
    made.refresh_from_db()
    assert (made.kind, made.loss_reason) == ("lost", "no_decision")


def test_a_policy_asks_for_a_reason_and_keeps_it(as_alice: Browser) -> None:
    made = deal("proposal")
    given = order(made, "qualified")  # the default pipeline asks why a deal moves back
    assert 'name="reason"' in as_alice.hx("post", url(made), given).content.decode()
    empty = as_alice.hx("post", url(made), {**given, "answered": "1", "reason": " "})
    assert "Say why the deal takes this step" in empty.content.decode()
    as_alice.hx("post", url(made), {**given, "answered": "1", "reason": "They start over"})
    assert made.stage_changes.get(number=2).reason == "They start over"


def test_a_policy_forbids(as_alice: Browser) -> None:
    type(pipeline()).objects.update(skip_policy=Policy.FORBID)
    made = deal("prospect")
    response = as_alice.hx("post", url(made), order(made, "negotiation"))
    assert response.status_code == 409
    assert "does not allow that step" in str(toast(response)["text"])
    assert "It can go to: Qualified, Lost" in str(toast(response)["text"])


def test_a_rep_can_not_pass_a_gate(as_alice: Browser) -> None:
    made = deal("prospect", amount=None)
    given = order(made, "proposal", answered="1", bypass="on", reason="Trust me")
    text = as_alice.hx("post", url(made), given).content.decode()
    assert 'name="bypass"' not in text
    made.refresh_from_db()
    assert made.stage.key == "prospect"


def test_a_manager_passes_a_gate_at_the_cost_of_a_reason_and_a_row(as_sam: Browser, sam: User) -> None:
    made = deal("prospect", amount=None)
    given = order(made, "proposal")
    assert 'name="bypass"' in as_sam.hx("post", url(made), given).content.decode()
    bypass = {**given, "answered": "1", "bypass": "on"}
    assert "Say why the deal goes past its gate" in as_sam.hx("post", url(made), bypass).content.decode()
    assert as_sam.hx("post", url(made), {**bypass, "reason": "Tender deadline"}).status_code == 200
    row = GateBypass.objects.get(opportunity=made)
    assert (row.by, row.reason, row.missing[0]["field"]) == (sam, "Tender deadline", "amount")
    assert Event.objects.filter(name=names.OPPORTUNITY_GATE_BYPASSED, opportunity_id=made.pk).exists()


def test_the_headers_after_a_move_count_what_the_filtered_board_shows(as_alice: Browser, sam: User) -> None:
    made = deal("prospect", amount="1000")
    deal("qualified", owner=sam, amount="5000")
    board = f"http://testserver{reverse('opportunities:board')}?owner=me"
    response = as_alice.hx("post", url(made), order(made, "qualified"), **{"HX-Current-URL": board})
    head = response.content.decode().split(f'id="lane-head-{stage("qualified").pk}"')[1].split("</header>")[0]
    assert "€1\N{NO-BREAK SPACE}K" in head
    assert "€6\N{NO-BREAK SPACE}K" not in head


def test_a_move_costs_the_same_whatever_the_size_of_the_pipeline(
    as_alice: Browser, django_assert_max_num_queries: object
) -> None:
    made = deal("prospect")
    for _ in range(5):
        deal("prospect")
    as_alice.hx("post", url(made), order(made, "qualified"))
    made.refresh_from_db()
    with django_assert_max_num_queries(40):
        as_alice.hx("post", url(made), order(made, "discovery"))
