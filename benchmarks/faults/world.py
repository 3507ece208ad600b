"""What the clients work on: an organisation and cold deals that pass every gate."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from accounts.models import Organisation, Role, ServiceLine, Side, Team, User, WorkingCalendar
from handoffs import defaults as playbooks
from opportunities import defaults as pipelines
from opportunities.models import Account, Opportunity, Stage, StageChange
from opportunities.models.history import Source

CHUNK = 1_000


def build(deals: int) -> list[int]:
    """Make the organisation and as many cold deals. Their ids."""
    now = timezone.now()
    with transaction.atomic():
        home = _organisation(now)
        alice = _person("Alice", Role.SALES_REP, "Sales North", Side.SALES)
        _person("Dan", Role.DELIVERY_MANAGER, "Delivery", Side.DELIVERY)
        account = Account.objects.create(name="Example Client")
        line = ServiceLine.objects.create(key="cloud", name="Cloud")
    stage = Stage.objects.select_related("pipeline").get(pipeline__key="sales", key="qualified")
    found: list[int] = []
    for start in range(0, deals, CHUNK):
        with transaction.atomic():
            made = Opportunity.objects.bulk_create(
                _deal(number, stage, alice, account, line, home, now)
                for number in range(start, min(start + CHUNK, deals))
            )
            StageChange.objects.bulk_create(
                StageChange(opportunity=deal, number=1, to_stage=stage, at=now, by=alice, source=Source.SYSTEM)
                for deal in made
            )
        found += [deal.pk for deal in made]
    return found


def _organisation(now: dt.datetime) -> Organisation:
    calendar = WorkingCalendar.objects.create(name="Standard")
    home = Organisation.objects.create(pk=1, name="Example", calendar=calendar)
    pipelines.create(organisation=home, now=now)
    playbooks.create(organisation=home, now=now)
    return home


def _person(name: str, role: Role, team: str, side: Side) -> User:
    person = User.objects.create_user(f"{name.lower()}@example.test", name=name, roles=[role])
    person.teams.add(Team.objects.create(name=team, side=side))
    return person


def _deal(
    number: int, stage: Stage, alice: User, account: Account, line: ServiceLine, home: Organisation, now: dt.datetime
) -> Opportunity:
    today = home.today(now)
    return Opportunity(
        name=f"Deal {number}",
        account=account,
        pipeline=stage.pipeline,
        stage=stage,
        kind=stage.kind,
        stage_entered_at=now,
        temperature=stage.temperature,
        probability=stage.probability,
        forecast_category=stage.forecast_category,
        amount=Decimal(1000 + number),
        currency=home.base_currency,
        close_date=today + dt.timedelta(days=60),
        start_on=today + dt.timedelta(days=80),
        next_step="Send the offer",
        next_step_on=today + dt.timedelta(days=7),
        owner=alice,
        team=alice.teams.get(),
        service_line=line,
        created_by=alice,
    )
