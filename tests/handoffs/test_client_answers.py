"""What the client says to scope, success criteria and risk profile."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import translation

from accounts.models import User
from events.models import Event
from handoffs.models import (
    ClientAnswer,
    ClientLink,
    ClientVoice,
    Confirmation,
    Playbook,
    PlaybookTask,
    RiskProfile,
    Statement,
    Subject,
    Task,
    TaskState,
)
from handoffs.services.client import (
    FurtherRisk,
    LinkGone,
    OptedOut,
    Resting,
    RiskWord,
    StaleStatement,
    StaleVersion,
    amend,
    ask_client,
    confirm,
    follow_client,
    link_of,
    revoke_link,
    write_statement,
)
from handoffs.services.client.links import digest
from handoffs.services.risk_profiles import agree_profile, propose_profile
from handoffs.services.risks import add_raid_item
from opportunities.models import Opportunity
from tests.handoffs.asking import SCOPE, asked, contact_of, profiled, ready, written
from tests.handoffs.reactions import MONDAY, TUESDAY, deal, fresh, move


def test_statement_gets_next_number(alice: User, dan: User) -> None:
    hot = deal("proposal", owner=alice, delivery_owner=dan)
    written(hot, alice)
    second = write_statement(
        actor=dan, opportunity=hot, subject=Subject.SCOPE, text="More", reason="They asked", now=TUESDAY,
        expected_number=1,
    )  # fmt: skip
    assert (second.number, second.written_by, second.reason) == (2, dan, "They asked")


def test_same_words_are_the_same_version(alice: User) -> None:
    hot = deal("proposal", owner=alice)
    first = written(hot, alice)
    again = write_statement(
        actor=alice, opportunity=hot, subject=Subject.SCOPE, text=f" {SCOPE} ".replace("\n", "\r\n"), now=TUESDAY
    )
    assert again.pk == first.pk
    assert Event.objects.filter(name="statements.written").count() == 2


def test_statement_written_meanwhile_is_shown(alice: User, dan: User) -> None:
    hot = deal("proposal", owner=alice, delivery_owner=dan)
    first = written(hot, alice)
    with pytest.raises(StaleStatement) as told:
        write_statement(actor=dan, opportunity=hot, subject=Subject.SCOPE, text="Other", now=TUESDAY, expected_number=0)
    assert told.value.current == first
    assert Statement.objects.filter(subject=Subject.SCOPE).count() == 1


@pytest.mark.parametrize("text", ["", " \n ", "x" * 10_001, "a\x00b", "a\u202eb"])
def test_unfit_words_are_refused(alice: User, text: str) -> None:
    hot = deal("proposal", owner=alice)
    with pytest.raises(ValidationError):
        write_statement(actor=alice, opportunity=hot, subject=Subject.SCOPE, text=text, now=MONDAY)


def test_outsider_neither_writes_nor_asks(alice: User, charlie: User) -> None:
    hot = deal("proposal", owner=alice)
    written(hot, alice)
    nora = contact_of(hot)
    with pytest.raises(PermissionDenied):
        write_statement(actor=charlie, opportunity=hot, subject=Subject.SCOPE, text="Mine", now=MONDAY)
    with pytest.raises(PermissionDenied):
        ask_client(actor=charlie, opportunity=hot, contact=nora, now=MONDAY)


def test_lost_deal_is_kept_as_it_is(alice: User) -> None:
    hot = deal("proposal", owner=alice)
    written(hot, alice)
    nora = contact_of(hot)
    move(hot, "lost")
    with pytest.raises(Resting):
        write_statement(actor=alice, opportunity=hot, subject=Subject.SCOPE, text="Mine", now=MONDAY)
    with pytest.raises(Resting):
        ask_client(actor=alice, opportunity=hot, contact=nora, now=MONDAY)


def test_only_hash_of_token_is_kept(alice: User, dan: User) -> None:
    hot, nora = ready(alice, dan)
    link, token = asked(hot, alice, nora)
    assert len(token) == 43
    assert link.token_hash == digest(token)
    assert link_of(token) == link
    assert link.expires_at == MONDAY + dt.timedelta(days=30)


def test_second_press_asks_once(alice: User, dan: User) -> None:
    hot, nora = ready(alice, dan)
    first, _ = ask_client(actor=alice, opportunity=hot, contact=nora, now=MONDAY)
    second, _ = ask_client(actor=alice, opportunity=hot, contact=nora, now=MONDAY)
    assert first == second
    assert Event.objects.filter(name="clients.asked").count() == 1


def test_nothing_to_confirm_is_told(alice: User) -> None:
    hot = deal("proposal", owner=alice)
    with pytest.raises(ValidationError, match="nothing to confirm"):
        ask_client(actor=alice, opportunity=hot, contact=contact_of(hot), now=MONDAY)


def test_stranger_is_not_asked(alice: User, dan: User) -> None:
    hot, _ = ready(alice, dan)
    other = contact_of(deal("proposal", owner=alice, name="Other"), "Ole")
    with pytest.raises(ValidationError, match="belong"):
        ask_client(actor=alice, opportunity=hot, contact=other, now=MONDAY)


def test_opted_out_contact_gets_no_mail_but_can_be_handed_a_link(alice: User, dan: User) -> None:
    hot, nora = ready(alice, dan)
    ClientVoice.objects.create(contact=nora, opted_out_at=MONDAY)
    with pytest.raises(OptedOut):
        ask_client(actor=alice, opportunity=hot, contact=nora, now=MONDAY)
    assert ask_client(actor=alice, opportunity=hot, contact=nora, now=MONDAY, send=False)[1]


def test_revoking_twice_is_revoking_once(alice: User, dan: User) -> None:
    hot, nora = ready(alice, dan)
    link, _ = asked(hot, alice, nora)
    first = revoke_link(actor=dan, link=link, now=MONDAY)
    again = revoke_link(actor=alice, link=link, now=TUESDAY)
    assert (again.revoked_at, again.revoked_by) == (first.revoked_at, dan)


def test_yes_counts_once(alice: User, dan: User) -> None:
    hot, nora = ready(alice, dan)
    link, _ = asked(hot, alice, nora)
    first = confirm(link=link, subject=Subject.SCOPE, number=1, now=MONDAY)
    second = confirm(link=link, subject=Subject.SCOPE, number=1, now=TUESDAY)
    assert first == second
    assert Event.objects.filter(name="clients.confirmed").count() == 1


def test_yes_to_older_version_shows_newest(alice: User, dan: User) -> None:
    hot, nora = ready(alice, dan)
    link, _ = asked(hot, alice, nora)
    newest = write_statement(actor=alice, opportunity=hot, subject=Subject.SCOPE, text="Other", now=MONDAY)
    with pytest.raises(StaleVersion) as told:
        confirm(link=link, subject=Subject.SCOPE, number=1, now=MONDAY)
    assert told.value.current == newest
    assert not Confirmation.objects.exists()


def test_yes_to_risk_profile_is_on_the_profile(alice: User, dan: User) -> None:
    hot, nora = ready(alice, dan)
    link, _ = asked(hot, alice, nora)
    confirm(link=link, subject=Subject.RISK_PROFILE, number=1, now=MONDAY)
    profile = RiskProfile.objects.get()
    assert (profile.client_agreed_by, profile.client_agreed_at) == (nora, MONDAY)


def test_amendment_is_next_version(alice: User, dan: User) -> None:
    hot, nora = ready(alice, dan)
    link, _ = asked(hot, alice, nora)
    given = amend(link=link, subject=Subject.SCOPE, number=1, text="Ours", reason="Simpler", now=MONDAY)
    version = given.new_statement
    assert version is not None
    assert (version.number, version.text, version.amended_by, version.written_by) == (2, "Ours", nora, None)
    assert given.answer == ClientAnswer.AMENDED
    assert Event.objects.get(name="clients.amended").text == "Nora amended the scope"


def test_same_amendment_twice_is_one(alice: User, dan: User) -> None:
    hot, nora = ready(alice, dan)
    link, _ = asked(hot, alice, nora)
    first = amend(link=link, subject=Subject.SCOPE, number=1, text="Ours", now=MONDAY)
    assert amend(link=link, subject=Subject.SCOPE, number=1, text="Ours", now=TUESDAY) == first
    assert Statement.objects.filter(subject=Subject.SCOPE).count() == 2


def test_amendment_of_older_version_is_stale(alice: User, dan: User) -> None:
    hot, nora = ready(alice, dan)
    link, _ = asked(hot, alice, nora)
    write_statement(actor=alice, opportunity=hot, subject=Subject.SCOPE, text="Newer", now=MONDAY)
    with pytest.raises(StaleVersion):
        amend(link=link, subject=Subject.SCOPE, number=1, text="Ours", now=MONDAY)
    assert Statement.objects.filter(subject=Subject.SCOPE).count() == 2


def test_unchanged_amendment_is_told(alice: User, dan: User) -> None:
    hot, nora = ready(alice, dan)
    link, _ = asked(hot, alice, nora)
    with pytest.raises(ValidationError, match="Nothing is changed"):
        amend(link=link, subject=Subject.SCOPE, number=1, text=SCOPE, now=MONDAY)


def test_amended_profile_keeps_what_was_left_alone(alice: User, dan: User) -> None:
    hot, nora = ready(alice, dan)
    link, _ = asked(hot, alice, nora)
    before = RiskProfile.objects.get()
    risk, assumption = before.items
    amend(
        link=link, subject=Subject.RISK_PROFILE, number=1, now=MONDAY,
        risks={risk["id"]: RiskWord(likelihood=5, remark="It was late last time")},
        further=[FurtherRisk("Our stocktaking is in March", 4, 2)],
    )  # fmt: skip
    after = RiskProfile.objects.get(number=2)
    assert after.items[0] == {**risk, "likelihood": 5, "remark": "It was late last time"}
    assert after.items[1] == assumption
    assert (after.items[2]["id"], after.items[2]["text"]) == (-1, "Our stocktaking is in March")
    assert (after.amended_by, after.proposed_by, after.client_agreed_by) == (nora, None, nora)


@pytest.mark.parametrize("rating", [0, 6, -1, 99])
def test_rating_out_of_range_is_refused(alice: User, dan: User, rating: int) -> None:
    hot, nora = ready(alice, dan)
    link, _ = asked(hot, alice, nora)
    with pytest.raises(ValidationError, match="rating"):
        amend(
            link=link, subject=Subject.RISK_PROFILE, number=1, now=MONDAY,
            further=[FurtherRisk("Late", rating, 2)],
        )  # fmt: skip


def test_both_sides_agree_what_client_amended(alice: User, dan: User) -> None:
    hot, nora = ready(alice, dan)
    link, _ = asked(hot, alice, nora)
    amend(link=link, subject=Subject.RISK_PROFILE, number=1, now=MONDAY, further=[FurtherRisk("Late", 4, 2)])
    profile = RiskProfile.objects.get(number=2)
    agree_profile(actor=alice, profile=profile, now=TUESDAY)
    assert agree_profile(actor=dan, profile=profile, now=TUESDAY).is_agreed


def test_sides_may_answer_amendment_with_a_further_version(alice: User, dan: User) -> None:
    hot, nora = ready(alice, dan)
    link, _ = asked(hot, alice, nora)
    amend(link=link, subject=Subject.RISK_PROFILE, number=1, now=MONDAY, further=[FurtherRisk("Late", 4, 2)])
    profile = propose_profile(actor=alice, opportunity=hot, reason="As discussed", now=TUESDAY)
    assert (profile.number, profile.proposed_by, profile.client_agreed_by) == (3, alice, None)


@pytest.mark.parametrize("how", ["expired", "revoked", "lost"])
def test_gone_link_answers_nothing(alice: User, dan: User, how: str) -> None:
    hot = deal("proposal", owner=alice, delivery_owner=dan)
    nora = contact_of(hot)
    written(hot, alice)
    link, _ = asked(hot, alice, nora)
    now = MONDAY
    if how == "expired":
        now += dt.timedelta(days=30)
    elif how == "revoked":
        link = revoke_link(actor=alice, link=link, now=MONDAY)
    else:
        move(hot, "lost")
    with pytest.raises(LinkGone):
        confirm(link=link, subject=Subject.SCOPE, number=1, now=now)
    with pytest.raises(LinkGone):
        amend(link=link, subject=Subject.SCOPE, number=1, text="Ours", now=now)
    assert not Confirmation.objects.exists()


def test_what_is_kept_of_a_german_page_reads_in_our_language(alice: User, dan: User) -> None:
    hot, nora = ready(alice, dan)
    link, _ = asked(hot, alice, nora)
    with translation.override("de"):
        confirm(link=link, subject=Subject.SUCCESS_CRITERIA, number=1, now=MONDAY)
    assert Event.objects.get(name="clients.confirmed").data["subject"] == "success criteria"


def _client_task(hot: Opportunity, action: str) -> Task:
    playbook = Playbook.objects.get(trigger="won")
    template = PlaybookTask.objects.create(
        playbook=playbook, key=f"ask-{action}", title="Client agrees", side="sales", action=action,
        assignee="sales_owner", anchor="trigger", offset_days=1, position=99,
    )  # fmt: skip
    return Task.objects.create(
        opportunity=hot, engagement=hot.engagements.get(), template=template, trigger="won", title="Client agrees",
        side="shared", assignee_role="sales_owner", anchor="trigger", anchored_on=MONDAY.date(), offset_days=1,
        due_on=MONDAY.date(), action=action,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("action", "subject"),
    [("client_scope", Subject.SCOPE), ("client_criteria", Subject.SUCCESS_CRITERIA),
     ("client_risks", Subject.RISK_PROFILE)],
)  # fmt: skip
def test_task_follows_newest_version(alice: User, dan: User, action: str, subject: Subject) -> None:
    hot, nora = ready(alice, dan)
    task = _client_task(hot, action)
    link, _ = asked(hot, alice, nora)
    confirm(link=link, subject=subject, number=1, now=MONDAY)
    task.refresh_from_db()
    assert (task.state, task.evidence) == (TaskState.DONE, "confirmed by Nora on 23 Nov 2026, version 1")
    follow_client(fresh(hot), TUESDAY)
    version = task.version
    task.refresh_from_db()
    assert task.version == version


def test_task_opens_again_with_newer_version(alice: User, dan: User) -> None:
    hot, nora = ready(alice, dan)
    task = _client_task(hot, "client_scope")
    link, _ = asked(hot, alice, nora)
    confirm(link=link, subject=Subject.SCOPE, number=1, now=MONDAY)
    write_statement(actor=alice, opportunity=hot, subject=Subject.SCOPE, text="Other", now=TUESDAY)
    task.refresh_from_db()
    assert (task.state, task.evidence, task.done_at) == (TaskState.OPEN, "", None)


def test_task_is_done_by_what_client_wrote(alice: User, dan: User) -> None:
    hot, nora = ready(alice, dan)
    task = _client_task(hot, "client_scope")
    link, _ = asked(hot, alice, nora)
    amend(link=link, subject=Subject.SCOPE, number=1, text="Ours", now=MONDAY)
    task.refresh_from_db()
    assert (task.state, task.evidence) == (TaskState.DONE, "confirmed by Nora on 23 Nov 2026, version 2")


def test_new_register_asks_client_again(alice: User, dan: User) -> None:
    hot, nora = ready(alice, dan)
    task = _client_task(hot, "client_risks")
    link, _ = asked(hot, alice, nora)
    confirm(link=link, subject=Subject.RISK_PROFILE, number=1, now=MONDAY)
    add_raid_item(
        actor=alice, opportunity=hot, now=TUESDAY,
        values={"kind": "risk", "text": "Snow", "likelihood": 1, "impact": 2},
    )  # fmt: skip
    propose_profile(actor=alice, opportunity=hot, reason="", now=TUESDAY)
    task.refresh_from_db()
    assert task.state == TaskState.OPEN


def test_pages_of_a_won_deal_stay_asked(alice: User, dan: User) -> None:
    """A link made while the deal was hot goes on after the win."""
    hot = deal("proposal", owner=alice, delivery_owner=dan)
    nora = contact_of(hot)
    written(hot, alice)
    profiled(hot, alice)
    link, _ = asked(hot, alice, nora)
    move(hot, "won")
    link = ClientLink.objects.select_related("opportunity", "contact").get(pk=link.pk)
    assert confirm(link=link, subject=Subject.SCOPE, number=1, now=MONDAY).contact == nora


def test_item_of_the_handoff_is_done_where_client_confirmed_before_the_win(alice: User, dan: User) -> None:
    hot = deal("proposal", owner=alice, delivery_owner=dan)
    nora = contact_of(hot)
    written(hot, alice)
    link, _ = asked(hot, alice, nora)
    confirm(link=link, subject=Subject.SCOPE, number=1, now=MONDAY)
    move(hot, "won")
    items = Task.objects.filter(opportunity=hot, action="client_scope")
    assert {(item.state, item.evidence) for item in items} == {
        (TaskState.DONE.value, "confirmed by Nora on 23 Nov 2026, version 1")
    }


def test_evidence_names_the_version_that_was_confirmed_last(alice: User, dan: User) -> None:
    hot, nora = ready(alice, dan)
    task = _client_task(hot, "client_scope")
    link, _ = asked(hot, alice, nora)
    amend(link=link, subject=Subject.SCOPE, number=1, text="Ours", now=MONDAY)
    amend(link=link, subject=Subject.SCOPE, number=2, text="Ours again", now=TUESDAY)
    task.refresh_from_db()
    assert task.evidence == "confirmed by Nora on 24 Nov 2026, version 3"
