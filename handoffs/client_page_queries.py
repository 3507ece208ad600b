"""What a private page shows to the client's contact."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django_stubs_ext import StrPromise

from handoffs.models import (
    ClientLink,
    Confirmation,
    RaidKind,
    RiskProfile,
    RiskResponse,
    Statement,
    Subject,
)
from handoffs.models.risk import LEAST, MOST
from handoffs.text_differences import Piece, has_differences, word_differences

Version = Statement | RiskProfile

LIKELIHOODS = (
    pgettext_lazy("likelihood", "very unlikely"), pgettext_lazy("likelihood", "unlikely"),
    pgettext_lazy("likelihood", "possible"), pgettext_lazy("likelihood", "likely"),
    pgettext_lazy("likelihood", "very likely"),
)  # fmt: skip
IMPACTS = (
    pgettext_lazy("impact", "hardly noticeable"), pgettext_lazy("impact", "slight"),
    pgettext_lazy("impact", "noticeable"), pgettext_lazy("impact", "serious"), pgettext_lazy("impact", "severe"),
)  # fmt: skip
_TITLES: dict[str, StrPromise] = {
    Subject.SCOPE: gettext_lazy("What we do for you"),
    Subject.SUCCESS_CRITERIA: gettext_lazy("How we will know that it worked"),
    Subject.RISK_PROFILE: gettext_lazy("What could get in the way"),
}
_KINDS: dict[str, StrPromise] = {
    RaidKind.RISK: gettext_lazy("Could happen"),
    RaidKind.ASSUMPTION: gettext_lazy("We rely on"),
    RaidKind.ISSUE: gettext_lazy("Is a problem today"),
    RaidKind.DEPENDENCY: gettext_lazy("Depends on"),
}
_RESPONSES: dict[str, StrPromise] = {
    RiskResponse.AVOID: gettext_lazy("We avoid it"),
    RiskResponse.REDUCE: gettext_lazy("We make it less likely or less bad"),
    RiskResponse.SHARE: gettext_lazy("We share it"),
    RiskResponse.ACCEPT: gettext_lazy("We live with it"),
}


def title_of(subject: str) -> str:
    """A subject as the client reads it."""
    return str(_TITLES[subject])


def word_of(scale: Sequence[StrPromise], value: int | None) -> str:
    """A rating in a word; empty where it isn't rated."""
    return str(scale[value - 1]) if value and LEAST <= value <= MOST else ""


@dataclass(frozen=True)
class RiskLine:
    """An entry of the risk profile for people who never saw a matrix."""

    entry: dict[str, Any]

    @property
    def id(self) -> int:
        """Its key within the profile."""
        return int(self.entry["id"])

    @property
    def text(self) -> str:
        """What it is."""
        return str(self.entry["text"])

    @property
    def kind(self) -> str:
        """What kind of thing it is."""
        return str(_KINDS[self.entry["kind"]])

    @property
    def is_rated(self) -> bool:
        """Whether it has both ratings."""
        return bool(self.entry["likelihood"] and self.entry["impact"])

    @property
    def likelihood(self) -> str:
        """How likely, in a word."""
        return word_of(LIKELIHOODS, self.entry["likelihood"])

    @property
    def impact(self) -> str:
        """How bad, in a word."""
        return word_of(IMPACTS, self.entry["impact"])

    @property
    def band(self) -> str:
        """low, medium or high, for its colour."""
        severity = (self.entry["likelihood"] or 0) * (self.entry["impact"] or 0)
        return "high" if severity >= 12 else "medium" if severity >= 6 else "low"

    @property
    def response(self) -> str:
        """What is done about it."""
        said = str(_RESPONSES.get(self.entry["response"], ""))
        note = self.entry["response_note"]
        return f"{said}: {note}" if said and note else said or note

    @property
    def remark(self) -> str:
        """What the client noted to it."""
        return str(self.entry.get("remark", ""))


@dataclass(frozen=True)
class RiskChange:
    """How an entry differs from before, for the client; ``kind`` is new, gone or changed."""

    kind: str
    line: RiskLine
    before: RiskLine | None = None

    @property
    def steps(self) -> list[tuple[str, str, str]]:
        """Each rating that moved: its name, and from what to what."""
        if self.before is None:
            return []
        pairs = (
            (_("Likelihood"), self.before.likelihood, self.line.likelihood),
            (_("Effect"), self.before.impact, self.line.impact),
        )
        return [(name, was or "–", now or "–") for name, was, now in pairs if was != now]

    @property
    def new_remark(self) -> str:
        """A remark that wasn't there."""
        return self.line.remark if self.before is not None and self.before.remark != self.line.remark else ""


def risk_changes(before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]) -> list[RiskChange]:
    """How a risk profile differs from an earlier one, for the client."""
    old, new = {entry["id"]: entry for entry in before}, {entry["id"]: entry for entry in after}
    changes = [
        RiskChange("changed", RiskLine(entry), RiskLine(old[key]))
        for key, entry in new.items() if key in old and entry != old[key]
    ]  # fmt: skip
    changes += [RiskChange("new", RiskLine(entry)) for key, entry in new.items() if key not in old]
    changes += [RiskChange("gone", RiskLine(entry)) for key, entry in old.items() if key not in new]
    return changes


@dataclass(frozen=True)
class Card:
    """One thing to confirm. ``state`` is open, confirmed, or own where the contact wrote it."""

    subject: str
    version: Version
    said: Confirmation | None
    is_own: bool
    seen: Version | None
    others: Sequence[str] = field(default_factory=list)

    @property
    def state(self) -> str:
        """What the contact has to do."""
        if self.is_own:
            return "own"
        return "open" if self.said is None else "confirmed"

    @property
    def title(self) -> str:
        """As the client reads it."""
        return title_of(self.subject)

    @property
    def is_risks(self) -> bool:
        """Whether it is the risk profile."""
        return isinstance(self.version, RiskProfile)

    @property
    def lines(self) -> list[RiskLine]:
        """The entries of the risk profile."""
        return [RiskLine(entry) for entry in self.version.items] if isinstance(self.version, RiskProfile) else []

    @property
    def author(self) -> str:
        """Who wrote it."""
        version = self.version
        ours = version.proposed_by if isinstance(version, RiskProfile) else version.written_by
        return str(version.amended_by or ours)

    @property
    def written_at(self) -> dt.datetime:
        """When it was written."""
        return self.version.proposed_at if isinstance(self.version, RiskProfile) else self.version.written_at

    @property
    def pieces(self) -> list[Piece]:
        """The words that differ from the version that the contact knows; empty where none do."""
        if not isinstance(self.version, Statement) or not isinstance(self.seen, Statement):
            return []
        pieces = word_differences(self.seen.text, self.version.text)
        return pieces if has_differences(pieces) else []

    @property
    def changes(self) -> list[RiskChange]:
        """The entries that differ from the version that the contact knows."""
        if not isinstance(self.version, RiskProfile) or not isinstance(self.seen, RiskProfile):
            return []
        return risk_changes(self.seen.items, self.version.items)


def cards_of(link: ClientLink) -> list[Card]:
    """What the link asks to confirm, in reading order. Three queries."""
    deal = link.opportunity_id
    statements = Statement.objects.filter(opportunity=deal).select_related("written_by", "amended_by")
    profiles = RiskProfile.objects.filter(opportunity=deal).select_related("proposed_by", "amended_by")
    versions: dict[str, list[Version]] = {subject.value: [] for subject in Subject}
    for statement in statements.order_by("-number"):
        versions[statement.subject].append(statement)
    versions[Subject.RISK_PROFILE] = list(profiles.order_by("-number"))
    said = list(Confirmation.objects.filter(opportunity=deal).select_related("contact"))
    return [_card(link, subject, found, said) for subject, found in versions.items() if found]


def _card(link: ClientLink, subject: str, versions: Sequence[Version], said: Sequence[Confirmation]) -> Card:
    newest = versions[0]
    about = [each for each in said if each.subject == subject]
    mine = [each for each in about if each.contact_id == link.contact_id]
    known = {_version_id(each) for each in mine}
    seen = next(
        (each for each in versions[1:] if each.pk in known or each.amended_by_id == link.contact_id), None
    )  # fmt: skip
    return Card(
        subject=subject, version=newest, seen=seen, is_own=newest.amended_by_id == link.contact_id,
        said=next((each for each in mine if _version_id(each) == newest.pk), None),
        others=sorted({
            each.contact.name for each in about
            if each.contact_id != link.contact_id and _version_id(each) == newest.pk
        }),
    )  # fmt: skip


def _version_id(said: Confirmation) -> int | None:
    return said.risk_profile_id if said.subject == Subject.RISK_PROFILE else said.statement_id
