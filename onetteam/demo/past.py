"""A year of closed deals with true dates, and the weekly forecasts of that year; written in bulk."""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from decimal import Decimal

from accounts.models import User
from onetteam.demo import clients, texts
from onetteam.demo.company import Company
from opportunities.models import Account, ForecastSnapshot, LossReason, Opportunity, SnapshotLine, Stage
from opportunities.models.history import Source
from opportunities.services.loading import Arrival, Step, add_many, noon, place

CLOSED = 250
WEEKS = 52
# Out of so many deals that reach a stage, how many end there as lost; the rest goes on.
_LOST_IN = {"qualified": 0.18, "discovery": 0.2, "proposal": 0.26, "negotiation": 0.2}
_REASONS = (
    LossReason.NO_DECISION, LossReason.NO_DECISION, LossReason.COMPETITOR, LossReason.COMPETITOR, LossReason.PRICE,
    LossReason.PRICE, LossReason.TIMING, LossReason.SCOPE, LossReason.CAPACITY, LossReason.WITHDRAWN,
)  # fmt: skip


def make(
    company: Company,
    accounts: dict[str, Account],
    stages: dict[str, Stage],
    chance: random.Random,
    *,
    today: dt.date,
    now: dt.datetime,
) -> list[Arrival]:
    """Add the closed deals of the year, each with the stages that it went through."""
    by_owner: dict[User, list[Arrival]] = defaultdict(list)
    for number in range(CLOSED):
        closed_on = today - dt.timedelta(days=16 + round(number * 345 / CLOSED) + chance.randrange(3))
        arrival = _closed_deal(company, accounts, stages, chance, closed_on=closed_on, now=now)
        owner = arrival.opportunity.owner
        assert owner is not None
        by_owner[owner].append(arrival)
    for owner, arrivals in by_owner.items():
        add_many(actor=owner, arrivals=arrivals, source=Source.BOARD, is_baseline=True, now=now)
    return [arrival for arrivals in by_owner.values() for arrival in arrivals]


def _closed_deal(
    company: Company,
    accounts: dict[str, Account],
    stages: dict[str, Stage],
    chance: random.Random,
    *,
    closed_on: dt.date,
    now: dt.datetime,
) -> Arrival:
    client = chance.choice(clients.names())
    region = clients.region_of(client)
    line = chance.choice(list(company.lines))
    passed = ["prospect", "qualified"]
    for stage in ("qualified", "discovery", "proposal", "negotiation"):
        if stage not in passed:
            passed.append(stage)
        if chance.random() < _LOST_IN[stage]:
            break
    else:
        passed.append("won")
    if passed[-1] != "won":
        passed.append("lost")
    days = [closed_on]
    for _stage in passed[1:]:
        days.append(days[-1] - dt.timedelta(days=chance.randint(6, 34)))
    moments = [noon(day, company.home, now=now) for day in reversed(days)]
    # Written down as it happened.
    steps = [Step(stages[stage], at, told_at=at) for stage, at in zip(passed, moments, strict=True)]
    need = chance.choice(texts.NEEDS)
    name = chance.choice(texts.OCCASIONS).format(need=need)
    deal = Opportunity(
        name=name[:1].upper() + name[1:], account=accounts[client], owner=chance.choice(company.reps(region)),
        service_line=company.lines[line], region=company.regions[region], currency=clients.currency_of(client),
        amount=Decimal(round(chance.lognormvariate(11.9, 0.55), -3)) * clients.scale(clients.currency_of(client)),
        source="manual", close_date=closed_on,
        push_count=chance.choice((0, 0, 0, 1, 1, 2)),
    )  # fmt: skip
    deal.team = company.sales_team(region)
    deal.created_by = deal.owner
    if "proposal" in passed:
        deal.delivery_owner = chance.choice(company.managers(line))
    if passed[-1] == "won":
        deal.start_on = closed_on + dt.timedelta(days=chance.randint(10, 45))
    else:
        deal.loss_reason = chance.choice(_REASONS).value
        deal.loss_note = texts.LOSS_NOTES[deal.loss_reason]
    return place(deal, steps, home=company.home, now=steps[-1].at)


def add_to_snapshots(arrivals: list[Arrival], chance: random.Random, *, today: dt.date) -> None:
    """Write down what the forecast said each Monday about deals that have closed since."""
    snapshots = {snapshot.period: snapshot for snapshot in ForecastSnapshot.objects.all()}
    earlier = [
        ForecastSnapshot(period=day, locked_at=dt.datetime.combine(day, dt.time(5), dt.UTC))
        for day in mondays(today, WEEKS)
        if day not in snapshots
    ]
    ForecastSnapshot.objects.bulk_create(earlier)
    snapshots |= {snapshot.period: snapshot for snapshot in earlier}
    lines = []
    for arrival in arrivals:
        deal = arrival.opportunity
        drift = dt.timedelta(days=chance.choice((-21, -14, -7, 0, 0, 7)))
        for day, snapshot in snapshots.items():
            stage = _stage_on(arrival, snapshot.locked_at)
            if stage is None or not stage.is_open or stage.forecast_category == "omitted":
                continue
            late = (deal.closed_on or day) - day < dt.timedelta(days=21)
            lines.append(
                SnapshotLine(
                    snapshot=snapshot, opportunity=deal, stage_id=stage.pk, temperature=stage.temperature,
                    forecast_category=stage.forecast_category, probability=stage.probability, amount=deal.amount,
                    currency=deal.currency, close_date=deal.closed_on if late else (deal.closed_on or day) + drift,
                )
            )  # fmt: skip
    SnapshotLine.objects.bulk_create(lines, batch_size=2000)


def mondays(today: dt.date, weeks: int) -> list[dt.date]:
    """The Mondays of the last so many weeks, this one's included, oldest first."""
    monday = today - dt.timedelta(days=today.weekday())
    return [monday - dt.timedelta(weeks=back) for back in range(weeks - 1, -1, -1)]


def _stage_on(arrival: Arrival, moment: dt.datetime) -> Stage | None:
    found = None
    for step in arrival.steps:
        if step.at <= moment:
            found = step.stage
    return found
