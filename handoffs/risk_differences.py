"""Differences between versions of a risk profile, in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from handoffs.models import RaidKind, RiskResponse
from handoffs.services.risk_profiles import Change, Entry, differences

_ICONS = {
    "added": "plus", "gone": "minus", "up": "trending-up", "down": "trending-down", "response": "shield",
    "reworded": "pencil", "kind": "shapes", "owner": "user-round",
    "remark": "message-square",
}  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """A change between versions, or of the register since one, in words."""

    change: Change

    @property
    def what(self) -> str:
        """added, gone, up, down, response, reworded, kind, owner or remark."""
        return self.change.what

    @property
    def icon(self) -> str:
        """Its picture."""
        return _ICONS[self.what]

    @property
    def label(self) -> str:
        """What happened, in two words."""
        return {
            "added": _("Added"), "gone": _("Gone"), "up": _("Rated up"), "down": _("Rated down"),
            "response": _("Response changed"), "reworded": _("Reworded"), "kind": _("Other kind"),
            "owner": _("Other owner"), "remark": _("Client’s remark"),
        }[self.what]  # fmt: skip

    @property
    def text(self) -> str:
        """The entry concerned."""
        return str(self.change.entry["text"])

    @property
    def detail(self) -> str:
        """From what to what; empty where there is nothing to compare."""
        before, after = self.change.before, self.change.after
        if before is None or after is None:
            return _rating(self.change.entry)
        if self.what == "remark":
            return str(after.get("remark", ""))
        if self.what in ("up", "down"):
            return f"{_rating(before)} → {_rating(after)}"
        names = {"response": response_of, "kind": _kind, "owner": _owner, "reworded": _text}
        said = names[self.what]
        return f"{said(before)} → {said(after)}"


def compared(before: Iterable[Entry], after: Iterable[Entry]) -> list[Difference]:
    """What differs from one version to another, in words."""
    return [Difference(change) for change in differences(list(before), list(after))]


def _rating(entry: Entry) -> str:
    if not entry["likelihood"] or not entry["impact"]:
        return _("not rated")
    score = entry["likelihood"] * entry["impact"]
    return f"{entry['likelihood']} × {entry['impact']} = {score}"


def response_of(entry: Entry) -> str:
    """What is done about an entry."""
    label = str(RiskResponse(entry["response"]).label)
    return f"{label} ({entry['response_note']})" if entry["response_note"] else label


def _kind(entry: Entry) -> str:
    return str(RaidKind(entry["kind"]).label)


def _owner(entry: Entry) -> str:
    return entry["owner"] or _("nobody")


def _text(entry: Entry) -> str:
    return f"“{entry['text']}”"
