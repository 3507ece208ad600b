"""Pulses: when the client is asked how it goes, who is asked, and reminding them twice."""

from __future__ import annotations

import datetime as dt
import zoneinfo

from django.db import transaction
from django.db.models import Q

from accounts.calendars import BusinessDays
from accounts.models import User
from accounts.queries import organisation
from events import names
from events.recording import Occurrence, record, record_many
from handoffs.client_access import not_yours
from handoffs.ledger_access import rests
from handoffs.models import ClientVoice, ProjectState, Pulse, PulseOccasion, RampPlan
from handoffs.services.client.links import check_contact, make_link, set_language
from handoffs.services.client.words import Resting
from opportunities.models import Contact, Opportunity, StakeholderRole
from opportunities.services.versions import locked

# Days after the kick-off.
OCCASIONS = {PulseOccasion.KICKOFF: 0, PulseOccasion.DAY_30: 30, PulseOccasion.DAY_90: 90}
REMIND_AFTER = (5, 10)  # business days after the question; then silence
# What should have been asked longer ago than this is not asked any more.
MISSED_AFTER = dt.timedelta(days=14)
# Mail reaches clients from eight in the morning to six in the evening, organisation's time.
MAIL_HOURS = range(8, 18)


def plan_pulses(plan: RampPlan, now: dt.datetime) -> list[Pulse]:
    """Make the pulses what kick-off, contacts and state of the plan ask for; those that wait, oldest first.

    Only what was not sent yet moves. A plan that rests or has closed asks nobody. Doing it again changes nothing.
    """
    with transaction.atomic():
        deal = locked(plan.opportunity)
        current = RampPlan.objects.select_for_update().get(pk=plan.pk)
        current.opportunity = deal
        known = list(Pulse.objects.filter(plan=current).select_related("contact").select_for_update(of=("self",)))
        wanted = _wanted(current, deal, now)
        _cancel([pulse for pulse in known if not _is_wanted(pulse, wanted, current)], deal, now)
        moved = [pulse for pulse in known if _bring_in_line(pulse, wanted)]
        Pulse.objects.bulk_update(moved, ["due_on", "cancelled_at"])
        there = {(pulse.contact_id, pulse.occasion) for pulse in known}
        Pulse.objects.bulk_create([
            Pulse(plan=current, contact_id=contact, occasion=occasion, due_on=due_on, created_at=now)
            for (contact, occasion), due_on in wanted.items() if (contact, occasion) not in there
        ], ignore_conflicts=True)  # fmt: skip
        return list(Pulse.objects.filter(plan=current, answered_at=None, cancelled_at=None))


def plan_pulses_of(opportunity_id: int, now: dt.datetime) -> None:
    """The same for the plan of a deal, once its ramp began; a deal without one is left alone."""
    plan = RampPlan.objects.select_related("opportunity").filter(opportunity=opportunity_id).first()
    if plan is not None and (plan.state != ProjectState.PLANNED or plan.pulses.exists()):
        plan_pulses(plan, now)


def asked_contacts(opportunity: Opportunity) -> list[Contact]:
    """Who is asked: sponsors and decision makers with an e-mail who didn't opt out, else the first contact with one."""
    silent = ClientVoice.objects.filter(opted_out_at__isnull=False).values("contact")
    reachable = list(opportunity.contacts.exclude(email="").exclude(pk__in=silent).order_by("pk"))
    deciding = (StakeholderRole.SPONSOR, StakeholderRole.DECISION_MAKER)
    return [contact for contact in reachable if contact.stakeholder_role in deciding] or reachable[:1]


def is_asking(plan: RampPlan) -> bool:
    """Whether the plan's client may be asked how it goes."""
    return plan.shelved_at is None and plan.state != ProjectState.CLOSED and not rests(plan.opportunity)


def _wanted(plan: RampPlan, deal: Opportunity, now: dt.datetime) -> dict[tuple[int, str], dt.date]:
    if not is_asking(plan) or plan.state == ProjectState.PLANNED:
        return {}
    earliest = organisation().today(now) - MISSED_AFTER
    days = {occasion.value: plan.kickoff_on + dt.timedelta(days=after) for occasion, after in OCCASIONS.items()}
    contacts = asked_contacts(deal)
    return {
        (contact.pk, occasion): due_on
        for occasion, due_on in days.items() if due_on >= earliest
        for contact in contacts
    }  # fmt: skip


def _is_wanted(pulse: Pulse, wanted: dict[tuple[int, str], dt.date], plan: RampPlan) -> bool:
    if pulse.answered_at is not None or pulse.cancelled_at is not None:
        return True
    if pulse.sent_at is not None:
        # What lies in somebody's inbox can be answered while the project goes on.
        return is_asking(plan)
    return (pulse.contact_id, pulse.occasion) in wanted


def _bring_in_line(pulse: Pulse, wanted: dict[tuple[int, str], dt.date]) -> bool:
    due_on = wanted.get((pulse.contact_id, pulse.occasion))
    if due_on is None or pulse.answered_at is not None:
        return False
    before = (pulse.due_on, pulse.cancelled_at)
    pulse.cancelled_at = None
    if pulse.sent_at is None:
        pulse.due_on = due_on
    return before != (pulse.due_on, pulse.cancelled_at)


def _cancel(pulses: list[Pulse], deal: Opportunity, now: dt.datetime) -> None:
    for pulse in pulses:
        pulse.cancelled_at = now
    Pulse.objects.bulk_update(pulses, ["cancelled_at"])
    record_many([
        Occurrence(names.PULSE_CANCELLED, pulse, deal, {"contact": pulse.contact.name}) for pulse in pulses
    ], actor=None, now=now)  # fmt: skip


def send_pulse(
    *,
    actor: User,
    plan: RampPlan,
    contact: Contact,
    now: dt.datetime,
    send: bool = True,
    language: str | None = None,
) -> tuple[Pulse, str]:
    """Ask a contact now how it goes; the pulse and, where it isn't mailed, the token of its link.

    A question of the same day that has no answer yet is the one that is there. Raises PermissionDenied, Resting,
    OptedOut, ValidationError.
    """
    if not actor.has_perm("handoffs.speak_to_client", plan.opportunity):
        raise not_yours()
    with transaction.atomic():
        deal = locked(plan.opportunity)
        current = RampPlan.objects.select_for_update().get(pk=plan.pk)
        current.opportunity = deal
        if not is_asking(current):
            raise Resting
        check_contact(deal, contact, send=send)
        set_language(contact, language)
        today = organisation().today(now)
        pulse = Pulse.objects.filter(
            plan=current, contact=contact, due_on=today, occasion=PulseOccasion.ASKED, answered_at=None,
            cancelled_at=None,
        ).first()  # fmt: skip
        if pulse is not None and send and pulse.reminders == 0:
            return pulse, ""
        if pulse is None:
            pulse = Pulse.objects.create(
                plan=current, contact=contact, occasion=PulseOccasion.ASKED, due_on=today, asked_by=actor, sent_at=now,
                created_at=now, reminders=0 if send else len(REMIND_AFTER),
            )  # fmt: skip
        elif send:
            pulse.sent_at, pulse.reminders = now, 0
            pulse.save(update_fields=["sent_at", "reminders"])
        record(
            names.PULSE_DUE, actor=actor, about=pulse, within=deal, now=now,
            data={"contact": contact.name, "send": send},
        )  # fmt: skip
        token = "" if send else make_link(deal, contact, actor=actor, now=now, pulse=pulse)[1]
    return pulse, token


def send_due_pulses(now: dt.datetime) -> int:
    """Ask those whose day has come, and remind those who have not answered; how many mails are owed now.

    Each in a transaction of its own, so that two beats do no harm; the mails themselves follow from the events.
    """
    home = organisation()
    today, days = home.today(now), BusinessDays(home.calendar)
    waiting = Pulse.objects.filter(answered_at=None, cancelled_at=None, due_on__lte=today)
    waiting = waiting.filter(Q(sent_at=None) | Q(reminders__lt=len(REMIND_AFTER)))
    return sum(_send(key, today, days, now) for key in list(waiting.values_list("pk", flat=True)[:1000]))


def is_mail_time(now: dt.datetime) -> bool:
    """Whether a mail to a client may go out by itself: on business days, by day."""
    home = organisation()
    hour = now.astimezone(zoneinfo.ZoneInfo(home.time_zone)).hour
    return hour in MAIL_HOURS and BusinessDays(home.calendar).is_business_day(home.today(now))


def _send(key: int, today: dt.date, days: BusinessDays, now: dt.datetime) -> int:
    found = Pulse.objects.select_related("plan__opportunity").get(pk=key)
    with transaction.atomic():
        deal = locked(found.plan.opportunity)
        pulse = Pulse.objects.select_for_update(of=("self",)).select_related("plan", "contact").get(pk=key)
        pulse.plan.opportunity = deal
        if pulse.answered_at is not None or pulse.cancelled_at is not None or not pulse.contact.email:
            return 0
        is_silent = ClientVoice.objects.filter(contact=pulse.contact_id, opted_out_at__isnull=False).exists()
        if is_silent and pulse.sent_at is not None:
            return 0  # may still be answered, but nobody reminds
        if is_silent or not is_asking(pulse.plan):
            _cancel([pulse], deal, now)
            return 0
        if pulse.sent_at is None:
            if pulse.due_on > today:
                return 0
            pulse.sent_at = now
            _owe(names.PULSE_DUE, pulse, deal, now, {"send": True})
        elif not _is_reminder_due(pulse, today, days):
            return 0
        else:
            pulse.reminders += 1
            pulse.reminded_at = now
            _owe(names.PULSE_REMINDED, pulse, deal, now, {"number": pulse.reminders})
        pulse.save(update_fields=["sent_at", "reminders", "reminded_at"])
    return 1


def _is_reminder_due(pulse: Pulse, today: dt.date, days: BusinessDays) -> bool:
    if pulse.sent_at is None or pulse.reminders >= len(REMIND_AFTER):
        return False
    asked_on = organisation().today(pulse.sent_at)
    if pulse.reminded_at is not None and organisation().today(pulse.reminded_at) == today:
        return False
    return days.add(asked_on, REMIND_AFTER[pulse.reminders]) <= today


def _owe(name: str, pulse: Pulse, deal: Opportunity, now: dt.datetime, data: dict[str, object]) -> None:
    record(name, actor=pulse.asked_by, about=pulse, within=deal, now=now, data={"contact": pulse.contact.name, **data})
