"""Won deals with their handoff, as every test of what follows a win needs them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from accounts.models import User
from handoffs.models import Handoff, RelationshipTransfer, Task
from opportunities.models import Contact, Opportunity
from opportunities.services.clients import link_contact
from tests import factories
from tests.handoffs.reactions import MONDAY, deal, move


def won(*, now: dt.datetime = MONDAY, **fields: Any) -> Opportunity:
    """A deal that stood at the offer and is won now, with everything that follows; ``organisation`` must exist."""
    return move(deal("proposal", now=now, **fields), "won", now=now).opportunity


def handoff_of(opportunity: Opportunity) -> Handoff:
    """The handoff that the win opened."""
    found = Handoff.objects.select_related(
        "opportunity__owner", "opportunity__delivery_owner", "opportunity__stage", "project_manager", "ramp_plan"
    )
    return found.get(opportunity=opportunity)


def item_of(opportunity: Opportunity, key: str) -> Task:
    """An item of the checklist, or a milestone, by the key of its template."""
    found = Task.objects.select_related("opportunity", "engagement", "handoff", "ramp_plan")
    return found.get(opportunity=opportunity, template__key=key)


def named_on(opportunity: Opportunity, *people: str, by: User) -> list[Contact]:
    """People at the client who are named on the deal."""
    made = []
    for name in people:
        contact = factories.ContactFactory.make(account=opportunity.account, name=name)
        link_contact(actor=by, opportunity=opportunity, contact=contact, now=MONDAY)
        made.append(contact)
    return made


def transfer_of(opportunity: Opportunity, name: str) -> RelationshipTransfer:
    """The handing over of a person at the client."""
    found = RelationshipTransfer.objects.select_related("handoff__opportunity", "contact", "owner_next")
    return found.get(handoff__opportunity=opportunity, contact__name=name)
