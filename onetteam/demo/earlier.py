"""What the closed deals of the year took, told when it was told: needs, moved close dates, and who did the work."""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import cycle

from accounts.models import User
from events import names
from events.recording import Occurrence, record_batch
from onetteam.demo.company import Company
from opportunities.models import Opportunity
from opportunities.services.loading import Arrival
from opportunities.starts import expected_start
from staffing.models import Booking, BookingKind, NeedState, NeedTemplate, Person, StaffingNeed
from staffing.weeks import WEEK, monday_of

# The stage in which somebody says what the deal takes, and the share of deals; "won" is too late.
_SAID_IN = (("discovery", 0.62), ("proposal", 0.26), ("negotiation", 0.08), ("won", 0.04))
# By how many weeks a close date moves, and of what size the work is.
_PUSHES, _SIZES = (1, 1, 2, 2, 3, 5), (0.5, 0.75, 1.0, 1.0, 1.0, 1.25, 1.5)
_CHANGED = 0.3


def tell(
    company: Company, closed: Sequence[Arrival], chance: random.Random, *, today: dt.date, now: dt.datetime
) -> None:
    """Give them needs with the events of their time. Those whose work isn't over, or wouldn't be, are left out."""
    templates: dict[int | None, list[NeedTemplate]] = defaultdict(list)
    for template in NeedTemplate.objects.select_related("role"):
        templates[template.service_line_id].append(template)
    needs: list[tuple[StaffingNeed, int]] = []
    told: dict[User | None, list[Occurrence]] = defaultdict(list)
    for arrival in closed:
        deal = arrival.opportunity
        entered = {step.stage.key: step.at for step in arrival.steps}
        if "proposal" not in entered or _goes_on(deal, templates[deal.service_line_id], company, today):
            continue
        said_in = chance.choices([key for key, _share in _SAID_IN], [share for _key, share in _SAID_IN])[0]
        told[deal.owner] += _moves(deal, arrival, chance)
        if said_in not in entered:
            continue
        at = entered[said_in] + dt.timedelta(days=chance.randint(0, 4), minutes=chance.randrange(300))
        at = min(at, arrival.steps[-1].at - dt.timedelta(hours=20)) if said_in != "won" else at + WEEK
        size = chance.choice(_SIZES)
        less = 4 if chance.random() < _CHANGED else 0
        needs += [(_need(deal, template, size, at), less) for template in templates[deal.service_line_id]]
    StaffingNeed.objects.bulk_create(need for need, _less in needs)
    for need, less in needs:
        told[need.opportunity.owner] += _asked(need, less)
    for owner, occurrences in told.items():
        record_batch(sorted(occurrences, key=lambda each: each.at or now), actor=owner, now=now)
    _staff(need for need, _less in needs if need.opportunity.kind == "won")


def _goes_on(deal: Opportunity, templates: Iterable[NeedTemplate], company: Company, today: dt.date) -> bool:
    start = expected_start(deal, company.home) or today
    weeks = max((template.offset_weeks + template.weeks for template in templates), default=0)
    return monday_of(start) + WEEK * weeks > monday_of(today)


def _need(deal: Opportunity, template: NeedTemplate, size: float, at: dt.datetime) -> StaffingNeed:
    hours = Decimal(max(2 * round(float(template.hours_per_week) * size / 2), 2))
    is_won = deal.kind == "won"
    return StaffingNeed(
        opportunity=deal, role=template.role, hours_per_week=hours, offset_weeks=template.offset_weeks,
        weeks=template.weeks, state=NeedState.FILLED if is_won else NeedState.OPEN, added_by=deal.owner,
        created_at=at, updated_at=at,
    )  # fmt: skip


def _asked(need: StaffingNeed, less: int) -> Iterator[Occurrence]:
    """Asked for, at first with fewer hours where somebody thought so."""
    deal, role, at = need.opportunity, str(need.role), need.created_at
    hours = need.hours_per_week - less if less and need.hours_per_week > less else need.hours_per_week
    told = {"role": role, "hours": f"{hours:f}", "weeks": need.weeks, "state": "Open"}
    yield Occurrence(names.NEED_ADDED, need, deal, told, at)
    if hours != need.hours_per_week and deal.closed_on is not None:
        later = at + (dt.datetime.combine(deal.closed_on, dt.time(), dt.UTC) - at) / 2
        before = {"role": need.role_id, "hours": f"{hours:f}", "weeks": need.weeks, "offset": need.offset_weeks}
        diff = {"hours_per_week": [f"{hours:.2f}", f"{need.hours_per_week:.2f}"]}
        told = {**told, "hours": f"{need.hours_per_week:f}", "fields": diff, "before": before}
        yield Occurrence(names.NEED_CHANGED, need, deal, told, max(later, at))


def _moves(deal: Opportunity, arrival: Arrival, chance: random.Random) -> Iterator[Occurrence]:
    """The close date, and the start with it, said too early as often as it was pushed."""
    closed = deal.closed_on or deal.close_date
    assert closed is not None
    weeks = [chance.choice(_PUSHES) for _time in range(deal.push_count)]
    label = ", ".join(str(Opportunity._meta.get_field(name).verbose_name) for name in ("close_date", "start_on"))  # type: ignore[union-attr]
    begin, end = arrival.steps[0].at, arrival.steps[-1].at
    for number in range(len(weeks)):
        back, then = WEEK * sum(weeks[number:]), WEEK * sum(weeks[number + 1 :])
        days = [(closed - back).isoformat(), (closed - then).isoformat()]
        fields = {"close_date": days}
        if deal.start_on is not None:
            fields["start_on"] = [(deal.start_on - back).isoformat(), (deal.start_on - then).isoformat()]
        # Some days before it would have closed, and within its life.
        at = min(max(end - back - dt.timedelta(days=3), begin), end) - dt.timedelta(minutes=number)
        at = max(at, begin + dt.timedelta(minutes=number + 1))
        yield Occurrence(names.OPPORTUNITY_CHANGED, deal, deal, {"fields": fields, "labels": label, "version": 1}, at)
        yield Occurrence(names.OPPORTUNITY_CLOSE_DATE_MOVED, deal, deal, {"from": days[0], "to": days[1]}, at)


def _staff(needs: Iterable[StaffingNeed]) -> None:
    """The work was done by people of the role in turn."""
    people: dict[int, list[Person]] = defaultdict(list)
    for person in Person.objects.order_by("pk"):
        people[person.role_id].append(person)
    turns = {role: cycle(each) for role, each in people.items()}
    bookings = []
    for need in needs:
        deal = need.opportunity
        if deal.start_on is None or need.role_id not in turns:
            continue
        first = need.starts_on(deal.start_on)
        won_at = deal.stage_entered_at
        bookings.append(
            Booking(
                role=need.role, person=next(turns[need.role_id]), opportunity=deal, need=need, kind=BookingKind.HARD,
                hours_per_week=need.hours_per_week, first_on=first, last_on=first + WEEK * need.weeks - dt.timedelta(3),
                planned_from=monday_of(deal.start_on), created_at=won_at, updated_at=won_at, hardened_at=won_at,
            )
        )  # fmt: skip
    Booking.objects.bulk_create(bookings)
