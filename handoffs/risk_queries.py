"""Reads shaped for the panel of risks: the matrix, the register, and the versions of the profile."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Side, User
from handoffs.access import side_in
from handoffs.ledger_access import rests
from handoffs.models import RaidItem, RaidKind, RiskProfile
from handoffs.models.risk import LEAST, MOST
from handoffs.risk_differences import Difference, response_of
from handoffs.services.risk_profiles import agreed_profile, differences, snapshot
from opportunities.models import Opportunity


def band_of(severity: int | None) -> str:
    """low up to 5, medium up to 10, high from 12; empty where it isn't rated."""
    if not severity:
        return ""
    return "high" if severity >= 12 else "medium" if severity >= 6 else "low"


def band_word(band: str) -> str:
    """The band for people."""
    return {"high": _("High"), "medium": _("Medium"), "low": _("Low")}.get(band, "")


@dataclass(frozen=True)
class RaidLine:
    """An entry of the register with how grave it is."""

    item: RaidItem

    @property
    def dom_id(self) -> str:
        """The id of the element that shows it."""
        return f"raiditem-{self.item.pk}"

    @property
    def band(self) -> str:
        """low, medium, high, or empty."""
        return band_of(self.item.severity)

    @property
    def word(self) -> str:
        """How grave it is, in a word."""
        return band_word(self.band)


@dataclass(frozen=True)
class Cell:
    """A likelihood and an impact, and how many open entries are rated so."""

    likelihood: int
    impact: int
    count: int
    is_chosen: bool = False

    @property
    def key(self) -> str:
        """As the address names it."""
        return f"{self.likelihood}x{self.impact}"

    @property
    def band(self) -> str:
        """low, medium or high."""
        return band_of(self.likelihood * self.impact)

    @property
    def label(self) -> str:
        """The cell in words."""
        place = _("Likelihood %(likelihood)d, impact %(impact)d (%(band)s)") % {
            "likelihood": self.likelihood, "impact": self.impact, "band": band_word(self.band).lower(),
        }  # fmt: skip
        return place + ": " + ngettext("%(count)d entry", "%(count)d entries", self.count) % {"count": self.count}


@dataclass(frozen=True)
class Signed:
    """A side's word on a version of the risk profile."""

    side: Side
    by: User | None
    at: dt.datetime | None


@dataclass(frozen=True)
class ProfileLine:
    """A version of the risk profile with who agreed it."""

    profile: RiskProfile

    @property
    def dom_id(self) -> str:
        """The id of the element that shows it."""
        return f"riskprofile-{self.profile.pk}"

    @property
    def signatures(self) -> list[Signed]:
        """Both sides."""
        given = self.profile
        return [
            Signed(Side.SALES, given.sales_agreed_by, given.sales_agreed_at),
            Signed(Side.DELIVERY, given.delivery_agreed_by, given.delivery_agreed_at),
        ]

    @property
    def entries(self) -> list[dict[str, object]]:
        """What it holds, in words."""
        return [
            {**entry, "kind": RaidKind(entry["kind"]).label, "response": response_of(entry)}
            for entry in self.profile.items
        ]


@dataclass(frozen=True)
class RiskPanel:
    """The register of a deal as a matrix and a list, and the versions of its risk profile."""

    opportunity: Opportunity
    side: Side | None
    items: Sequence[RaidItem]
    closed: Sequence[RaidLine]
    profiles: Sequence[RiskProfile]
    today: dt.date
    chosen: str = ""
    is_resting: bool = False
    drift: Sequence[Difference] = field(default_factory=list)

    @property
    def may_keep(self) -> bool:
        """Whether the reader may add, change and close."""
        return self.side is not None and not self.is_resting

    @property
    def lines(self) -> list[RaidLine]:
        """The entries of the chosen cell, or all; gravest first."""
        shown = [item for item in self.items if not self.chosen or _cell_of(item) == self.chosen]
        shown.sort(key=lambda item: (-(item.severity or 0), item.kind, item.pk))
        return [RaidLine(item) for item in shown]

    @property
    def rows(self) -> list[tuple[int, list[Cell]]]:
        """The matrix from the most likely down, each row from the slightest impact on."""
        counts = Counter(_cell_of(item) for item in self.items)
        return [
            (likelihood, [self._cell(likelihood, impact, counts) for impact in range(LEAST, MOST + 1)])
            for likelihood in range(MOST, LEAST - 1, -1)
        ]

    def _cell(self, likelihood: int, impact: int, counts: Counter[str]) -> Cell:
        key = f"{likelihood}x{impact}"
        return Cell(likelihood, impact, counts[key], is_chosen=key == self.chosen)

    @property
    def chosen_label(self) -> str:
        """The chosen cell in words."""
        return _("Likelihood %(likelihood)s, impact %(impact)s") % {
            "likelihood": self.chosen[:1], "impact": self.chosen[-1:],
        }  # fmt: skip

    @property
    def impacts(self) -> range:
        """The columns of the matrix."""
        return range(LEAST, MOST + 1)

    @property
    def newest(self) -> ProfileLine | None:
        """The version that was put up last."""
        return ProfileLine(self.profiles[0]) if self.profiles else None

    @cached_property
    def agreed(self) -> RiskProfile | None:
        """The last version that both sides agreed."""
        return agreed_profile(self.profiles)

    @property
    def older(self) -> Sequence[RiskProfile]:
        """The versions before the newest."""
        return self.profiles[1:]

    @property
    def waits_for_reader(self) -> bool:
        """Whether the newest version lacks the word of the reader's side."""
        if self.newest is None or not self.may_keep:
            return False
        return any(signed.side == self.side and signed.at is None for signed in self.newest.signatures)

    @property
    def is_outdated(self) -> bool:
        """Whether the register differs from the newest version, so that another one can be put up."""
        if self.newest is None:
            return bool(self.items)
        return bool(self.items) and self.newest.profile.items != snapshot(self.items)

    @property
    def query(self) -> str:
        """What keeps the chosen cell in an address."""
        return f"?cell={self.chosen}" if self.chosen else ""

    @property
    def summary(self) -> str:
        """One line about the register and its profile."""
        count = len(self.items)
        high = sum(band_of(item.severity) == "high" for item in self.items)
        parts = [_("%(count)d open") % {"count": count}]
        if high:
            parts.append(_("%(count)d high") % {"count": high})
        if self.agreed is not None:
            parts.append(_("version %(number)d agreed") % {"number": self.agreed.number})
            if self.drift:
                moved = len(self.drift)
                parts.append(ngettext("%(n)d change since", "%(n)d changes since", moved) % {"n": moved})
        elif self.profiles:
            parts.append(_("version %(number)d not agreed yet") % {"number": self.profiles[0].number})
        else:
            parts.append(_("no agreed profile"))
        return " · ".join(parts)


def risk_panel(user: User, opportunity: Opportunity, *, today: dt.date, chosen: str = "") -> RiskPanel:
    """Register and risk profile of a deal. Three queries."""
    register = list(RaidItem.objects.filter(opportunity=opportunity).select_related("owner", "closed_by"))
    items = [item for item in register if item.closed_at is None]
    closed = sorted(
        (item for item in register if item.closed_at), key=lambda item: (item.closed_at, item.pk), reverse=True
    )
    people = ("proposed_by", "amended_by", "client_agreed_by", "sales_agreed_by", "delivery_agreed_by")
    profiles = list(RiskProfile.objects.filter(opportunity=opportunity).select_related(*people).order_by("-number"))
    agreed = agreed_profile(profiles)
    drift = [Difference(change) for change in differences(agreed.items, snapshot(items))] if agreed else []
    known = {_cell_of(item) for item in items}
    return RiskPanel(
        opportunity=opportunity, side=side_in(user, opportunity), items=items, today=today,
        closed=[RaidLine(item) for item in closed], profiles=profiles, drift=drift,
        chosen=chosen if chosen in known else "", is_resting=rests(opportunity),
    )  # fmt: skip


def _cell_of(item: RaidItem) -> str:
    return f"{item.likelihood}x{item.impact}" if item.likelihood and item.impact else ""
