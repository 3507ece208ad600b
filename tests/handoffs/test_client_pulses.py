"""When the client is asked how it goes, what they answer, and who is left in peace."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from events.models import Event
from handoffs.models import ClientLink, Pulse, PulseOccasion, RampPlan
from handoffs.services.client import (
    AnsweredAlready,
    LinkGone,
    Resting,
    answer_pulse,
    link_of,
    opt_in,
    opt_out,
    plan_pulses,
    send_due_pulses,
    send_pulse,
)
from handoffs.services.client.links import make_link
from handoffs.services.client.pulses import is_mail_time
from opportunities.models import StakeholderRole
from tests.handoffs.asking import contact_of, pulsed, started
from tests.handoffs.handing import won
from tests.handoffs.reactions import MONDAY, TUESDAY, move, react

DAY = dt.timedelta(days=1)


def dues(plan: RampPlan) -> dict[str, dt.date]:
    """Day of each waiting pulse by occasion; for one contact."""
    waiting = Pulse.objects.filter(plan=plan, cancelled_at=None, answered_at=None)
    return dict(waiting.values_list("occasion", "due_on"))


def test_pulses_on_kickoff_and_after_30_and_90_days(alice: User, dan: User) -> None:
    deal = won(owner=alice, delivery_owner=dan)
    contact_of(deal)
    plan = started(deal, dt.date(2026, 12, 1))
    plan_pulses(plan, MONDAY)
    plan_pulses(plan, MONDAY)
    assert dues(plan) == {
        "kickoff": dt.date(2026, 12, 1), "day_30": dt.date(2026, 12, 31), "day_90": dt.date(2027, 3, 1),
    }  # fmt: skip
    assert Pulse.objects.count() == 3


def test_deciding_contacts_are_asked(alice: User, dan: User) -> None:
    deal = won(owner=alice, delivery_owner=dan)
    contact_of(deal, "Una", stakeholder_role=StakeholderRole.USER)
    contact_of(deal, "Dora", stakeholder_role=StakeholderRole.DECISION_MAKER)
    contact_of(deal, "Silent", email="")
    contact_of(deal, "Spon")
    asked = {pulse.contact.name for pulse in plan_pulses(started(deal), MONDAY)}
    assert asked == {"Dora", "Spon"}


def test_without_deciding_contact_the_first_with_mail_is_asked(alice: User, dan: User) -> None:
    deal = won(owner=alice, delivery_owner=dan)
    contact_of(deal, "Silent", email="")
    contact_of(deal, "Una", stakeholder_role="")
    contact_of(deal, "Uta", stakeholder_role="")
    asked = {pulse.contact.name for pulse in plan_pulses(started(deal), MONDAY)}
    assert asked == {"Una"}


def test_planned_plan_asks_nobody(alice: User, dan: User) -> None:
    deal = won(owner=alice, delivery_owner=dan)
    contact_of(deal)
    assert plan_pulses(RampPlan.objects.select_related("opportunity").get(opportunity=deal), MONDAY) == []


def test_moved_kickoff_moves_what_was_not_sent(alice: User, dan: User) -> None:
    deal = won(owner=alice, delivery_owner=dan)
    contact_of(deal)
    plan = started(deal)
    plan_pulses(plan, MONDAY)
    send_due_pulses(MONDAY)
    RampPlan.objects.filter(pk=plan.pk).update(kickoff_on=dt.date(2026, 12, 7))
    plan_pulses(plan, TUESDAY)
    assert dues(plan) == {
        "kickoff": MONDAY.date(), "day_30": dt.date(2027, 1, 6), "day_90": dt.date(2027, 3, 7),
    }  # fmt: skip


def test_reopened_deal_calls_off_and_takes_up_again(alice: User, dan: User) -> None:
    deal = won(owner=alice, delivery_owner=dan)
    contact_of(deal)
    plan = started(deal, dt.date(2026, 12, 1))
    plan_pulses(plan, MONDAY)
    move(deal, "negotiation")
    assert dues(plan) == {}
    move(deal, "won")
    plan_pulses(started(deal, dt.date(2026, 12, 1)), MONDAY)
    assert len(dues(plan)) == 3


def test_closed_project_asks_no_more(alice: User, dan: User) -> None:
    deal = won(owner=alice, delivery_owner=dan)
    contact_of(deal)
    plan = started(deal)
    plan_pulses(plan, MONDAY)
    RampPlan.objects.filter(pk=plan.pk).update(state="closed", exited_at=MONDAY)
    plan_pulses(plan, MONDAY)
    assert dues(plan) == {}
    assert Event.objects.filter(name="pulses.cancelled").count() == 3


def test_long_past_kickoff_is_not_asked_about(alice: User, dan: User) -> None:
    deal = won(owner=alice, delivery_owner=dan)
    contact_of(deal)
    plan = started(deal, MONDAY.date() - 20 * DAY)
    plan_pulses(plan, MONDAY)
    assert set(dues(plan)) == {"day_30", "day_90"}


def test_due_pulse_is_sent_once(alice: User, dan: User) -> None:
    deal = won(owner=alice, delivery_owner=dan)
    contact_of(deal)
    plan_pulses(started(deal), MONDAY)
    assert send_due_pulses(MONDAY) == 1
    assert send_due_pulses(MONDAY) == 0
    assert Event.objects.filter(name="pulses.due").count() == 1


def test_two_reminders_then_silence(alice: User, dan: User) -> None:
    deal = won(owner=alice, delivery_owner=dan)
    contact_of(deal)
    plan_pulses(started(deal), MONDAY)
    sent = [day for day in range(25) if send_due_pulses(MONDAY + day * DAY)]
    assert sent == [0, 7, 14]  # five and ten business days later
    assert Event.objects.filter(name="pulses.reminded").count() == 2


def test_answered_pulse_is_not_reminded(alice: User, dan: User) -> None:
    deal = won(owner=alice, delivery_owner=dan)
    nora = contact_of(deal)
    _, token = pulsed(deal, nora)
    answer_pulse(link=link_of(token), csat=4, now=MONDAY)
    assert send_due_pulses(MONDAY + 7 * DAY) == 0


@pytest.mark.parametrize(
    ("moment", "expected"),
    [(MONDAY, True), (MONDAY.replace(hour=7), False), (MONDAY.replace(hour=18), False), (MONDAY - DAY, False)],
)
def test_mail_goes_out_by_day_on_business_days(organisation: object, moment: dt.datetime, expected: bool) -> None:
    assert is_mail_time(moment) == expected


def test_answer_counts_once(alice: User, dan: User) -> None:
    deal = won(owner=alice, delivery_owner=dan)
    pulse, token = pulsed(deal, contact_of(deal))
    link = link_of(token)
    answer_pulse(link=link, csat=4, recommend=9, comment="Good", now=MONDAY)
    answer_pulse(link=link, csat=4, recommend=9, comment="Good", now=TUESDAY)
    pulse.refresh_from_db()
    assert (pulse.csat, pulse.recommend, pulse.comment, pulse.answered_at) == (4, 9, "Good", MONDAY)
    assert Event.objects.get(name="pulses.answered").text == "Nora rated how it goes: 4 of 5"


def test_other_answer_afterwards_is_refused(alice: User, dan: User) -> None:
    deal = won(owner=alice, delivery_owner=dan)
    pulse, token = pulsed(deal, contact_of(deal))
    answer_pulse(link=link_of(token), csat=4, now=MONDAY)
    with pytest.raises(AnsweredAlready):
        answer_pulse(link=link_of(token), csat=1, now=MONDAY)
    pulse.refresh_from_db()
    assert pulse.csat == 4


@pytest.mark.parametrize(
    "given",
    [{"csat": 0}, {"csat": 6}, {"csat": 3, "recommend": 11}, {"csat": 3, "recommend": -1},
     {"csat": 3, "comment": "x" * 2001}, {"csat": 3, "comment": "a\x00b"}],
)  # fmt: skip
def test_answer_out_of_range_is_refused(alice: User, dan: User, given: dict[str, object]) -> None:
    deal = won(owner=alice, delivery_owner=dan)
    _, token = pulsed(deal, contact_of(deal))
    with pytest.raises(ValidationError):
        answer_pulse(link=link_of(token), now=MONDAY, **given)


@pytest.mark.parametrize("statement", ["update handoffs_pulse set csat = 1", "delete from handoffs_pulse"])
def test_database_refuses_to_alter_an_answer(alice: User, dan: User, statement: str) -> None:
    deal = won(owner=alice, delivery_owner=dan)
    pulse, token = pulsed(deal, contact_of(deal))
    answer_pulse(link=link_of(token), csat=4, now=MONDAY)
    ClientLink.objects.all().delete()
    with pytest.raises(IntegrityError, match="can not be altered"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"{statement} where id = %s", [pulse.pk])


def test_link_to_confirm_does_not_rate(alice: User, dan: User) -> None:
    deal = won(owner=alice, delivery_owner=dan)
    nora = contact_of(deal)
    _, token = make_link(deal, nora, actor=alice, now=MONDAY)
    with pytest.raises(LinkGone):
        answer_pulse(link=link_of(token), csat=4, now=MONDAY)


def test_opting_out_ends_mail_and_keeps_the_answer_possible(alice: User, dan: User) -> None:
    deal = won(owner=alice, delivery_owner=dan)
    _, token = pulsed(deal, contact_of(deal))
    link = link_of(token)
    opt_out(link=link, now=MONDAY)
    opt_out(link=link, now=TUESDAY)
    assert Event.objects.filter(name="clients.opted_out").count() == 1
    assert [p.occasion for p in Pulse.objects.filter(cancelled_at=None)] == [PulseOccasion.KICKOFF]
    assert send_due_pulses(MONDAY + 120 * DAY) == 0
    assert answer_pulse(link=link_of(token), csat=2, now=TUESDAY).csat == 2


def test_opting_in_takes_up_what_waits(alice: User, dan: User) -> None:
    deal = won(owner=alice, delivery_owner=dan)
    _, token = pulsed(deal, contact_of(deal))
    opt_out(link=link_of(token), now=MONDAY)
    opt_in(link=link_of(token), now=TUESDAY)
    assert Pulse.objects.filter(cancelled_at=None).count() == 3


def test_asking_by_hand_twice_a_day_is_asking_once(alice: User, dan: User) -> None:
    deal = won(owner=alice, delivery_owner=dan)
    nora = contact_of(deal)
    plan = started(deal)
    first, _ = send_pulse(actor=dan, plan=plan, contact=nora, now=MONDAY)
    second, _ = send_pulse(actor=dan, plan=plan, contact=nora, now=MONDAY)
    assert first == second
    assert Event.objects.filter(name="pulses.due").count() == 1


def test_handed_over_pulse_is_neither_mailed_nor_reminded(alice: User, dan: User, mailoutbox: list[object]) -> None:
    deal = won(owner=alice, delivery_owner=dan)
    nora = contact_of(deal)
    pulse, token = send_pulse(actor=dan, plan=started(deal), contact=nora, now=MONDAY, send=False)
    react()
    assert send_due_pulses(MONDAY + 30 * DAY) == 0
    assert mailoutbox == []
    assert link_of(token).pulse == pulse


def test_outsider_asks_nobody(alice: User, dan: User, charlie: User) -> None:
    deal = won(owner=alice, delivery_owner=dan)
    nora = contact_of(deal)
    with pytest.raises(PermissionDenied):
        send_pulse(actor=charlie, plan=started(deal), contact=nora, now=MONDAY)


def test_resting_plan_asks_nobody_by_hand(alice: User, dan: User) -> None:
    deal = won(owner=alice, delivery_owner=dan)
    nora = contact_of(deal)
    plan = started(deal)
    RampPlan.objects.update(shelved_at=MONDAY)
    with pytest.raises(Resting):
        send_pulse(actor=alice, plan=plan, contact=nora, now=MONDAY)
