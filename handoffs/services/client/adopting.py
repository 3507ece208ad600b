"""Taking what the client amended in the risk profile into the register."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from accounts.models import User
from handoffs.client_access import not_yours
from handoffs.ledger_access import rests
from handoffs.models import RaidItem, RiskProfile
from handoffs.services.client.words import Resting
from handoffs.services.risk_profiles import Entry
from handoffs.services.risks import add_raid_item, change_raid_item
from opportunities.services.versions import locked

_RATINGS = ("likelihood", "impact")


def take_over(*, actor: User, profile: RiskProfile, now: dt.datetime) -> int:
    """Give the open register the ratings and further risks of a version; how many entries changed.

    What is so already stays, so doing it again changes nothing. Raises PermissionDenied, Resting.
    """
    if not actor.has_perm("handoffs.keep_ledger", profile.opportunity):
        raise not_yours()
    with transaction.atomic():
        deal = locked(profile.opportunity)
        if rests(deal):
            raise Resting
        register = {item.pk: item for item in RaidItem.objects.open().filter(opportunity=deal)}
        texts = {item.text for item in register.values()}
        differing = [entry for entry in profile.items if differs(entry, register, texts)]
        for entry in differing:
            ratings = {name: entry[name] for name in _RATINGS}
            if entry["id"] in register:
                change_raid_item(
                    actor=actor, item=register[entry["id"]], changes=ratings, expected_version=None, now=now
                )
            else:
                values = {"kind": entry["kind"], "text": entry["text"], **ratings}
                add_raid_item(actor=actor, opportunity=deal, values=values, now=now)
    return len(differing)


def differs(entry: Entry, register: dict[int, RaidItem], texts: set[str]) -> bool:
    """Whether the register lacks what a version says: another rating, or a further risk of the client's."""
    item = register.get(entry["id"])
    if item is not None:
        return any(entry[name] != getattr(item, name) for name in _RATINGS)
    return entry["id"] < 0 and entry["text"] not in texts
