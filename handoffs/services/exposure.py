"""Pre-diligence exposure: what was fixed towards the client before delivery first accepted, computed from history.

Dates and the price are read from the deal's events, team and scope (and promised dates and prices) from the commitment
ledger. A value counts from the moment it was set and not emptied again; a later change of it is counted, not listed
anew. What came with an import is a fact of that day, and kept apart until somebody changes it here.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from accounts.calendars import BusinessDays
from accounts.models import Organisation, User
from accounts.queries import organisation
from events import names
from events.models import Event
from handoffs.models import Commitment, CommitmentKind, Engagement
from opportunities.models import Opportunity, StageChange
from opportunities.models.history import Source
from opportunities.services.editing import readable

# What a field of the deal fixes.
_FIXES: dict[str, tuple[str, StrOrPromise]] = {
    "close_date": ("date", _("Close date")),
    "start_on": ("date", _("Start of the work")),
    "amount": ("price", _("Price")),
}
_PROMISES: dict[str, StrOrPromise] = {
    CommitmentKind.DATE: _("Date promised"),
    CommitmentKind.PRICE: _("Price promised"),
    CommitmentKind.TEAM: _("Team promised"),
    CommitmentKind.SCOPE: _("Scope promised"),
}
_BROUGHT = (Source.IMPORT, Source.SYNC)


@dataclass(frozen=True)
class Fixed:
    """One thing that was fixed, and the row that says so: an event or a commitment.

    ``kind`` is date, price, team or scope. ``days`` are the business days from then to delivery's acceptance; without
    one to the day the deal closed, or to today. ``changes`` counts how often it was changed after it was fixed and
    before delivery accepted.
    """

    kind: str
    label: StrOrPromise
    value: dt.date | Decimal | str
    on: dt.date
    by: User | None
    days: int
    event: Event | None = None
    commitment: Commitment | None = None
    changes: int = 0


@dataclass(frozen=True)
class Exposure:
    """What was fixed before delivery's first accepted engagement, earliest first.

    While nobody has accepted, what has been fixed so far: ``is_open`` for a deal still being worked.
    """

    opportunity: Opportunity
    accepted: Engagement | None
    accepted_on: dt.date | None
    is_open: bool
    fixed: list[Fixed] = field(default_factory=list)
    brought: list[Fixed] = field(default_factory=list)

    @property
    def days(self) -> int:
        """Business days from the first thing fixed; 0 without any."""
        return max((line.days for line in self.fixed), default=0)


@dataclass
class _Course:
    """How a field went: since which event it has had a value, and how often that changed."""

    value: Any = None
    since: Event | None = None
    is_brought: bool = False
    changes: int = 0

    def step(self, event: Event, value: Any, *, is_brought: bool) -> None:
        """Take the next value."""
        if value is None:
            self.since, self.changes, self.is_brought = None, 0, False
        elif self.value is None or self.is_brought:
            self.since, self.changes, self.is_brought = event, 0, is_brought
        else:
            self.changes += 1
        self.value = value


def exposure_of(opportunity: Opportunity, *, now: dt.datetime) -> Exposure:
    """The deal's exposure. Seven queries, however long its history."""
    home = organisation()
    days = BusinessDays(home.calendar)
    accepted = (
        Engagement.objects.filter(opportunity=opportunity, accepted_at__isnull=False)
        .select_related("accepted_by")
        .order_by("accepted_at", "pk")
        .first()
    )
    until = accepted.accepted_at if accepted is not None else None
    until_on = _day(until, home) if until else opportunity.closed_on or home.today(now)
    brought: list[Fixed] = []
    fixed: list[Fixed] = []
    for line, is_brought in _from_history(opportunity, until=until, until_on=until_on, home=home, days=days):
        (brought if is_brought else fixed).append(line)
    fixed += _from_ledger(opportunity, until=until, until_on=until_on, days=days)
    return Exposure(
        opportunity=opportunity, accepted=accepted, accepted_on=until_on if accepted is not None else None,
        is_open=accepted is None and opportunity.is_open, brought=brought,
        fixed=sorted(fixed, key=lambda line: line.on),
    )  # fmt: skip


def _from_history(
    opportunity: Opportunity,
    *,
    until: dt.datetime | None,
    until_on: dt.date,
    home: Organisation,
    days: BusinessDays,
) -> Iterable[tuple[Fixed, bool]]:
    events = Event.objects.filter(opportunity_id=opportunity.pk, subject_kind="opportunity").select_related("actor")
    created = events.filter(name=names.OPPORTUNITY_CREATED).order_by("pk").first()
    changed = list(
        events.filter(name=names.OPPORTUNITY_CHANGED, data__fields__has_any_keys=list(_FIXES)).order_by("at", "pk")
    )
    first = StageChange.objects.filter(opportunity=opportunity, number=1).only("source").first()
    is_import = first is not None and first.source in _BROUGHT
    for name, (kind, label) in _FIXES.items():
        course = _course(opportunity, name, created, changed, until=until, is_import=is_import)
        value = _read(name, course.value)
        if value is None or course.since is None:
            continue
        # What an import tells of the past became known here on the day of the import.
        on = _day(course.since.recorded_at if course.is_brought else course.since.at, home)
        line = Fixed(
            kind=kind, label=label, value=value, on=on, by=course.since.actor, event=course.since,
            days=days.between(on, until_on), changes=course.changes,
        )  # fmt: skip
        yield line, course.is_brought


def _course(
    opportunity: Opportunity, name: str, created: Event | None, changed: list[Event], *, until: dt.datetime | None,
    is_import: bool,
) -> _Course:  # fmt: skip
    """What the field went through before ``until``: the first value is what its first change says it was before."""
    steps = [(event, event.data["fields"][name]) for event in changed if name in event.data["fields"]]
    initial = steps[0][1][0] if steps else readable(getattr(opportunity, name))
    course = _Course()
    if created is not None and (until is None or created.at < until):
        course.step(created, initial, is_brought=is_import)
    for event, (_before, after) in steps:
        if until is None or event.at < until:
            course.step(event, after, is_brought=False)
    return course


def _from_ledger(
    opportunity: Opportunity, *, until: dt.datetime | None, until_on: dt.date, days: BusinessDays
) -> Iterable[Fixed]:
    """Promises made on an earlier day, or noted earlier on the same day."""
    promises = (
        Commitment.objects.current()
        .filter(opportunity=opportunity, kind__in=list(_PROMISES), promised_on__lte=until_on)
        .select_related("promised_by")
        .order_by("promised_on", "pk")
    )
    for promise in promises:
        if until is not None and promise.promised_on == until_on and promise.created_at >= until:
            continue
        yield Fixed(
            kind=promise.kind, label=_PROMISES[promise.kind], value=promise.text, on=promise.promised_on,
            by=promise.promised_by, days=days.between(promise.promised_on, until_on), commitment=promise,
        )  # fmt: skip


def _read(name: str, text: Any) -> dt.date | Decimal | None:
    """A value as history keeps it."""
    if not isinstance(text, str):
        return None
    try:
        return Decimal(text) if name == "amount" else dt.date.fromisoformat(text)
    except (InvalidOperation, ValueError):
        return None


def _day(moment: dt.datetime, home: Organisation) -> dt.date:
    return moment.astimezone(zoneinfo.ZoneInfo(home.time_zone)).date()


def rows_of(exposure: Exposure) -> list[tuple[Event, list[tuple[str, Any, Any]]]]:
    """The events that say so, each once and in order, with label, value before and value after of what each set."""
    events = {line.event.pk: line.event for line in (*exposure.fixed, *exposure.brought) if line.event}
    rows = []
    for key in sorted(events):
        diff = events[key].data.get("fields", {})
        rows.append((events[key], [(str(_FIXES[name][1]), *diff[name]) for name in _FIXES if name in diff]))
    return rows
