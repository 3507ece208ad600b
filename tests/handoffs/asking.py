"""Deals with something to confirm, and contacts to ask, as every test of the client's voice needs them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from accounts.models import User
from handoffs.models import ClientLink, Pulse, RaidKind, RampPlan, RiskProfile, Statement, Subject
from handoffs.services.client import ask_client, plan_pulses, write_statement
from handoffs.services.client.links import make_link
from handoffs.services.risk_profiles import propose_profile
from handoffs.services.risks import add_raid_item
from opportunities.models import Contact, Opportunity, StakeholderRole
from tests.handoffs.handing import won
from tests.handoffs.reactions import MONDAY

SCOPE = "We move your shops to the new system.\nTraining is included."
CRITERIA = "All shops open on 1 March."


def contact_of(deal: Opportunity, name: str = "Nora", **fields: Any) -> Contact:
    """Somebody at the deal's client, linked to it; sponsor with an e-mail unless told otherwise."""
    given = {
        "email": f"{name.lower().replace(' ', '.')}@client.test",
        "stakeholder_role": StakeholderRole.SPONSOR,
        **fields,
    }
    contact = Contact.objects.create(account=deal.account, name=name, **given)
    deal.contacts.add(contact)
    return contact


def started(deal: Opportunity, kickoff_on: dt.date | None = None) -> RampPlan:
    """The deal's plan, ramping."""
    plan = RampPlan.objects.select_related("opportunity").get(opportunity=deal)
    plan.state = "ramping"
    plan.kickoff_on = kickoff_on or MONDAY.date()
    plan.save()
    return plan


def written(deal: Opportunity, by: User, *, now: dt.datetime = MONDAY) -> Statement:
    """Scope and success criteria, version 1 each; the scope."""
    write_statement(actor=by, opportunity=deal, subject=Subject.SUCCESS_CRITERIA, text=CRITERIA, now=now)
    return write_statement(actor=by, opportunity=deal, subject=Subject.SCOPE, text=SCOPE, now=now)


def profiled(deal: Opportunity, by: User, *, now: dt.datetime = MONDAY) -> RiskProfile:
    """A risk profile of two entries, put up by somebody."""
    for values in (
        {"kind": RaidKind.RISK, "text": "The new till arrives late", "likelihood": 3, "impact": 4,
         "response": "reduce", "response_note": "Order in time"},
        {"kind": RaidKind.ASSUMPTION, "text": "Your data is clean", "likelihood": 2, "impact": 3},
    ):  # fmt: skip
        add_raid_item(actor=by, opportunity=deal, values=values, now=now)
    return propose_profile(actor=by, opportunity=deal, reason="", now=now)


def asked(deal: Opportunity, by: User, contact: Contact, *, now: dt.datetime = MONDAY) -> tuple[ClientLink, str]:
    """A link handed over by hand, and its token."""
    return ask_client(actor=by, opportunity=deal, contact=contact, now=now, send=False)


def pulsed(deal: Opportunity, contact: Contact, *, now: dt.datetime = MONDAY) -> tuple[Pulse, str]:
    """The kick-off's pulse of a contact on a deal that was won, and the token of its link."""
    plan = started(deal)
    pulse = next(p for p in plan_pulses(plan, now) if p.contact_id == contact.pk and p.occasion == "kickoff")
    Pulse.objects.filter(pk=pulse.pk).update(sent_at=now)
    return pulse, make_link(deal, contact, actor=None, now=now, pulse=pulse)[1]


def ready(owner: User, delivery_owner: User) -> tuple[Opportunity, Contact]:
    """A won deal with a contact, statements and a risk profile."""
    deal = won(owner=owner, delivery_owner=delivery_owner)
    contact = contact_of(deal)
    written(deal, owner)
    profiled(deal, owner)
    return deal, contact
