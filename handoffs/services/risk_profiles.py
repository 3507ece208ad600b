"""The risk profile: versions of the open register that each side agrees, and how they differ."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Side, User
from accounts.text import fault_in, trimmed
from events import names
from events.recording import record
from handoffs.access import side_in
from handoffs.ledger_access import no_side, rests
from handoffs.models import RaidItem, RiskProfile
from handoffs.services.actions import follow_profile
from handoffs.states import IllegalTransition
from opportunities.models import Opportunity
from opportunities.services.versions import locked

Entry = dict[str, Any]


class StaleProfile(Exception):
    """There is a newer version than the one that the person saw; ``current`` is it."""

    def __init__(self, current: RiskProfile) -> None:
        super().__init__(
            _("Version %(number)d was put up in the meantime. Look at what changed before you agree.")
            % {"number": current.number}
        )
        self.current = current


@dataclass(frozen=True)
class Change:
    """An entry that was added, is gone, or reads otherwise than before.

    ``what`` is one of added, gone, up, down, response, reworded, kind, owner, remark; ``before`` and ``after`` are the
    entries as the versions have them, None where there is none.
    """

    what: str
    before: Entry | None
    after: Entry | None

    @property
    def entry(self) -> Entry:
        """The entry as it is now, or was last."""
        return self.after or self.before or {}


def snapshot(items: Iterable[RaidItem]) -> list[Entry]:
    """Entries of the register as a version keeps them, gravest first. ``owner`` has to be joined."""
    ordered = sorted(items, key=lambda item: (-(item.severity or 0), item.kind, item.pk))
    return [
        {
            "id": item.pk, "kind": item.kind, "text": item.text, "likelihood": item.likelihood, "impact": item.impact,
            "response": item.response, "response_note": item.response_note,
            "owner": str(item.owner) if item.owner else None,
        }
        for item in ordered
    ]  # fmt: skip


def differences(before: Sequence[Entry], after: Sequence[Entry]) -> list[Change]:
    """What differs from one version, or the register, to another; an entry may differ in several ways."""
    new = {entry["id"]: entry for entry in after}
    # What the client added (ids below zero) is the same once it was taken into the register.
    taken = {entry["text"]: entry["id"] for entry in after}
    old = {taken.get(entry["text"], entry["id"]) if entry["id"] < 0 else entry["id"]: entry for entry in before}
    found = [Change("added", None, entry) for key, entry in new.items() if key not in old]
    found += [Change("gone", entry, None) for key, entry in old.items() if key not in new]
    for key, entry in new.items():
        if key in old:
            found += [Change(what, old[key], entry) for what in _ways(old[key], entry)]
    return sorted(found, key=lambda change: (_ORDER.index(change.what), -_severity(change.entry), change.entry["id"]))


_ORDER = ("added", "up", "down", "gone", "response", "kind", "reworded", "owner", "remark")


def _ways(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    ways = []
    if (before["likelihood"], before["impact"]) != (after["likelihood"], after["impact"]):
        ways.append(_direction(before, after))
    if (before["response"], before["response_note"]) != (after["response"], after["response_note"]):
        ways.append("response")
    for name, what in (("kind", "kind"), ("text", "reworded"), ("owner", "owner")):
        if before[name] != after[name]:
            ways.append(what)
    if before.get("remark", "") != after.get("remark", ""):
        ways.append("remark")
    return ways


def _direction(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Up when it got graver; where the product is the same, the impact decides."""
    was = (_severity(before), before["impact"] or 0)
    return "up" if (_severity(after), after["impact"] or 0) > was else "down"


def _severity(entry: Mapping[str, Any]) -> int:
    return (entry["likelihood"] or 0) * (entry["impact"] or 0)


def propose_profile(
    *, actor: User, opportunity: Opportunity, reason: str, now: dt.datetime, agrees: bool = False
) -> RiskProfile:
    """Put the open register up for agreement as the next version, agreeing it for one's own side if wished.

    While it is unchanged, a version that waits for agreement is the answer. Raises PermissionDenied, IllegalTransition,
    ValidationError for an empty register, or when nothing changed since the agreed version.
    """
    from handoffs.services.client.following import follow_client  # that package is made of profiles, too

    reason = trimmed(reason)
    fault = fault_in(reason, is_multiline=True)
    if fault or len(reason) > 500:
        raise ValidationError({"reason": fault or _("Keep it to 500 characters.")})
    with transaction.atomic():
        deal = locked(opportunity)
        if side_in(actor, deal) is None:
            raise no_side()
        _check_awake(deal)
        items = snapshot(RaidItem.objects.open().filter(opportunity=deal).select_related("owner"))
        if not items:
            raise ValidationError(_("The register is empty. Write down what could go wrong, or what you rely on."))
        newest = newest_profile(deal)
        if newest is not None and newest.items == items:
            if newest.is_agreed:
                raise ValidationError(
                    _("Nothing in the register has changed since version %(number)d.") % {"number": newest.number}
                )
            profile = newest
        else:
            profile = RiskProfile.objects.create(
                opportunity=deal, number=newest.number + 1 if newest else 1, items=items, reason=reason,
                proposed_by=actor, proposed_at=now,
            )  # fmt: skip
            record(
                names.RISK_PROFILE_PROPOSED, actor=actor, about=profile, within=deal, now=now,
                data={"number": profile.number, "reason": reason},
            )  # fmt: skip
            follow_profile(opportunity=deal, now=now, actor=actor)
            follow_client(deal, now, actor)
        return agree_profile(actor=actor, profile=profile, now=now) if agrees else profile


def agree_profile(*, actor: User, profile: RiskProfile, now: dt.datetime) -> RiskProfile:
    """Agree a version for one's own side; saying it twice changes nothing. Sides are two different people.

    Raises StaleProfile when there is a newer version, PermissionDenied, IllegalTransition, ValidationError.
    """
    with transaction.atomic():
        deal = locked(profile.opportunity)
        side = side_in(actor, deal)
        if side is None:
            raise no_side()
        current = RiskProfile.objects.select_for_update().get(pk=profile.pk)
        current.opportunity = deal
        if getattr(current, f"{side}_agreed_at") is not None:
            return current
        newest = newest_profile(deal)
        if newest is not None and newest.pk != current.pk:
            raise StaleProfile(newest)
        _check_awake(deal)
        if actor.pk in (current.sales_agreed_by_id, current.delivery_agreed_by_id):
            raise ValidationError(_("You agreed it for the other side. Somebody else of this side has to agree too."))
        if side == Side.SALES:
            current.sales_agreed_by, current.sales_agreed_at = actor, now
        else:
            current.delivery_agreed_by, current.delivery_agreed_at = actor, now
        current.save()
        record(
            names.RISK_PROFILE_AGREED, actor=actor, about=current, within=deal, now=now,
            data={"number": current.number, "side": str(side.label), "agreed": current.is_agreed},
        )  # fmt: skip
        follow_profile(opportunity=deal, now=now, actor=actor)
    return current


def newest_profile(opportunity: Opportunity) -> RiskProfile | None:
    """The version with the highest number."""
    return RiskProfile.objects.filter(opportunity=opportunity).order_by("-number").first()


def agreed_profile(profiles: Iterable[RiskProfile]) -> RiskProfile | None:
    """The newest of the versions that both sides agreed."""
    return max((profile for profile in profiles if profile.is_agreed), key=lambda profile: profile.number, default=None)


def _check_awake(deal: Opportunity) -> None:
    if rests(deal):
        raise IllegalTransition(_("The deal is closed; its risk profile is kept as it is."), frozenset())
