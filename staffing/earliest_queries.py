"""The earliest safe start of a deal: the first week in which all that it needs fits beside everything else."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from accounts.models import Organisation, User
from events import names
from events.models import Event
from opportunities.models import Opportunity
from staffing.horizon import CONFIDENCE, Need, Reason, earliest_start
from staffing.horizon_inputs import expected_start
from staffing.horizon_queries import horizon_of
from staffing.models import StaffingNeed, WorkRole
from staffing.weeks import monday_of

# How far ahead a start is looked for.
AHEAD = 52


@dataclass(frozen=True)
class NeedLine:
    """A need with the first Monday on which the work can start as far as this need goes; none for a ``reason``."""

    need: StaffingNeed
    on: dt.date | None
    reason: Reason | None
    is_binding: bool


@dataclass(frozen=True)
class Promise:
    """A start that was named although it didn't fit, as history has it."""

    by: User | None
    at: dt.datetime
    promised_on: dt.date
    weeks: int


@dataclass(frozen=True)
class EarliestPanel:
    """``on`` is the Monday of the earliest safe start, or None for a ``reason``. ``binding`` stands in the way.

    ``promised_on`` is the start that the deal names, ``is_named`` or reckoned from its close date, and ``safe_on`` the
    first Monday from then on with which everything fits; a later start isn't always safer. ``is_far`` promises lie
    beyond the weeks that are looked at.
    """

    lines: list[NeedLine]
    on: dt.date | None
    reason: Reason | None
    binding: WorkRole | None
    promised_on: dt.date | None
    safe_on: dt.date | None
    is_far: bool
    is_named: bool
    is_open: bool
    ahead: int = AHEAD
    confidence: int = round(CONFIDENCE * 100)

    @property
    def early(self) -> int:
        """Weeks by which the named start is too early; 0 where it isn't, or where nothing fits from then on."""
        if self.safe_on is None or self.promised_on is None:
            return 0
        return max((self.safe_on - monday_of(self.promised_on)).days // 7, 0)

    @property
    def fits(self) -> bool:
        """Whether the named start is safe."""
        return self.safe_on is not None and not self.early

    @property
    def week(self) -> int | None:
        """Of the year, by ISO 8601."""
        return self.on.isocalendar().week if self.on else None


def earliest_panel(deal: Opportunity, *, home: Organisation, today: dt.date) -> EarliestPanel:
    """When the deal can start safely, from the next Monday on. Nine queries; one where it needs nobody."""
    needs = list(StaffingNeed.objects.live().filter(opportunity=deal).select_related("role"))
    promised = expected_start(deal.start_on, deal.close_date, home)
    named = deal.start_on is not None
    if not needs or not deal.is_open:
        return EarliestPanel([], None, None, None, promised, None, False, named, deal.is_open)
    inputs, horizon = horizon_of(home, today=today, weeks=AHEAD)
    row = {role.pk: number for number, role in enumerate(inputs.roles)}
    known = [need for need in needs if need.role_id in row]
    asked = [Need(row[need.role_id], float(need.hours_per_week), need.weeks, need.offset_weeks) for need in known]
    first = 0 if today.weekday() == 0 else 1
    found = earliest_start(horizon, asked, from_week=first, confidence=CONFIDENCE, deal=deal.pk)
    wanted = max((monday_of(promised) - inputs.monday).days // 7, first) if promised else first
    then = found
    if wanted > first and wanted < AHEAD:
        then = earliest_start(horizon, asked, from_week=wanted, confidence=CONFIDENCE, deal=deal.pk)
    binding = None if found.binding is None else inputs.roles[found.binding]
    lines = [
        NeedLine(
            need, None if start.week is None else inputs.week(start.week), start.reason,
            binding is not None and need.role_id == binding.pk,
        )
        for need, start in zip(known, found.needs, strict=True)
    ]  # fmt: skip
    on, safe_on = (None if each.week is None else inputs.week(each.week) for each in (found, then))
    is_far = wanted >= AHEAD or then.reason == Reason.BEYOND_HORIZON
    return EarliestPanel(
        lines, on, found.reason, binding, promised, None if is_far else safe_on, is_far, named, deal.is_open
    )


def early_promise(deal: Opportunity) -> Promise | None:
    """The last start that was named too early, if the deal still names it. One query."""
    said = Event.objects.filter(opportunity_id=deal.pk, name=names.START_PROMISED_EARLY).select_related("actor").last()
    if said is None or deal.start_on is None or said.data["promised"] != deal.start_on.isoformat():
        return None
    return Promise(said.actor, said.at, deal.start_on, said.data["weeks"])
