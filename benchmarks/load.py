"""Fill a database with any number of deals by COPY, with history, people, accounts, engagements and tasks.

    python -m benchmarks.load --deals 100000

Constraints and triggers hold as in life: every deal has its stage changes, and the kept totals add up. The database is
``bench_<deals>`` on the embedded server; it stays for `benchmarks.pages`.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.common import keep, rows_as_table, use_database

CHUNK = 10_000
OPEN_SHARE = 0.15
WORDS = ("platform", "portal", "planning", "reporting", "archive", "integration", "field service", "data", "monitoring")


def main() -> None:
    """Load and say how long it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deals", type=int, default=100_000)
    parser.add_argument("--keep", action="store_true", help="leave a database of that size as it is")
    given = parser.parse_args()
    is_new = use_database(f"bench_{given.deals}", fresh=not given.keep)
    if not is_new:
        print(f"bench_{given.deals} is there.")
        return
    seconds = load(given.deals)
    rate = given.deals / seconds
    counts = _counts()
    table = rows_as_table(
        ["what", "figure"],
        [["deals", f"{given.deals:,}"], ["seconds", f"{seconds:.1f}"], ["deals/s", f"{rate:,.0f}"],
         *([name, f"{count:,}"] for name, count in counts.items())],
    )  # fmt: skip
    keep(f"load-{given.deals}", f"Loading {given.deals:,} deals by COPY", {"seconds": seconds, "rows": counts}, table)


def load(deals: int) -> float:
    """Fill the empty database; the seconds it took."""
    from django.db import connection

    from opportunities.services.totals import compact_totals

    world = World(deals)
    start = time.perf_counter()
    for first in range(0, deals, CHUNK):
        world.add(min(CHUNK, deals - first))
        compact_totals(fold_from=1)
    seconds = time.perf_counter() - start
    with connection.cursor() as cursor:
        cursor.execute("vacuum analyze")
    return seconds


def _counts() -> dict[str, int]:
    from accounts.models import User
    from events.models import Event
    from handoffs.models import Engagement, Task
    from opportunities.models import Account, Opportunity, StageChange, StageTotal

    models = (Opportunity, StageChange, Event, Engagement, Task, Account, User, StageTotal)
    return {str(model._meta.verbose_name_plural): model._default_manager.count() for model in models}


class World:
    """The organisation, and a source of deals in it."""

    def __init__(self, deals: int) -> None:
        from django.utils import timezone

        from accounts.queries import organisation
        from accounts.services.setup import FirstAdministrator, set_up_organisation
        from handoffs.models import PlaybookTask
        from opportunities.models import Stage

        self.now = timezone.now()
        administrator = FirstAdministrator("Ada", "ada@example.test", "correct horse battery")
        set_up_organisation(
            name="Bench", base_currency="EUR", country="DE", time_zone="Europe/Berlin", administrator=administrator,
            now=self.now,
        )  # fmt: skip
        self.today = organisation().today(self.now)
        self.chance = random.Random(7)
        self.stages = list(Stage.objects.order_by("position"))
        self.templates = list(PlaybookTask.objects.filter(playbook__trigger="warm").order_by("position"))
        self._people(deals)
        self.accounts = self._accounts(max(20, deals // 10))
        self.count = 0

    def _people(self, deals: int) -> None:
        from django.contrib.auth.hashers import make_password

        from accounts.models import ServiceLine, Team, User

        password = make_password("correct horse battery")
        lines = [ServiceLine.objects.create(key=key, name=key.title()) for key in ("cloud", "data", "apps")]
        self.lines = [line.pk for line in lines]
        self.sellers: list[tuple[int, int]] = []
        for number in range(max(2, min(40, deals // 2_500))):
            team = Team.objects.create(name=f"Sales {number}", side="sales")
            made = User.objects.bulk_create(
                User(
                    email=f"rep{number}-{seat}@example.test", name=f"Rep {number}-{seat}", password=password,
                    roles=["sales_manager" if seat == 0 else "sales_rep"],
                )
                for seat in range(10)
            )  # fmt: skip
            team.members.set(made)
            self.sellers += [(person.pk, team.pk) for person in made[1:]]
        self.deliverers: dict[int, list[int]] = {}
        for line in lines:
            team = Team.objects.create(name=f"{line.name} delivery", side="delivery")
            team.service_lines.set([line])
            made = User.objects.bulk_create(
                User(
                    email=f"{line.key}{seat}@example.test", name=f"{line.name} {seat}", password=password,
                    roles=["delivery_manager" if seat == 0 else "project_manager"],
                )
                for seat in range(8)
            )  # fmt: skip
            team.members.set(made)
            self.deliverers[line.pk] = [person.pk for person in made]
        User.objects.create(email="eve@example.test", name="Eve", password=password, roles=["executive"])

    def _accounts(self, count: int) -> list[int]:
        from events.copying import copy_rows, take_ids
        from opportunities.models import Account

        keys = take_ids(Account, count)
        columns = ("id", "name", "industry", "country", "website", "external_id", "version")
        copy_rows(Account, columns, ([pk, f"Client {pk}", "Logistics", "Norway", "", "", 1] for pk in keys))
        return keys

    def add(self, count: int) -> None:
        """So many deals with all that belongs to them, in one transaction."""
        from django.db import transaction

        from events.copying import copy_rows, take_ids
        from events.models import Event
        from handoffs.models import Engagement, Task
        from opportunities.models import Opportunity, StageChange
        from opportunities.services.loading import _CHANGE_COLUMNS, _COLUMNS, _row

        deals, changes, events, engagements, tasks = [], [], [], [], []
        self.owners: dict[int, int | None] = {}
        with transaction.atomic():
            for pk in take_ids(Opportunity, count):
                deal, steps = self._deal(pk)
                deals.append(_row(deal))
                changes += [[None, pk, *step] for step in steps]
                events += self._events(deal, steps)
                if deal.is_shared:
                    self.owners[pk] = deal.delivery_owner_id
                    engagements.append(self._engagement(deal))
            for row, key in zip(changes, take_ids(StageChange, len(changes)), strict=True):
                row[0] = key
            for row, key in zip(engagements, take_ids(Engagement, len(engagements)), strict=True):
                row[0] = key
                tasks += self._tasks(row)
            copy_rows(Opportunity, _COLUMNS, deals)
            copy_rows(StageChange, _CHANGE_COLUMNS, changes)
            copy_rows(Event, _EVENT_COLUMNS, events)
            copy_rows(Engagement, _ENGAGEMENT_COLUMNS, engagements)
            copy_rows(Task, _TASK_COLUMNS, tasks)

    def _deal(self, pk: int) -> tuple[Any, list[list[Any]]]:
        from decimal import Decimal

        from opportunities.models import Opportunity

        chance = self.chance
        self.count += 1
        is_open = chance.random() < OPEN_SHARE
        goal = chance.choices(range(5), (30, 28, 20, 14, 8))[0] if is_open else chance.choice((5, 6, 6))
        path = self.stages[: goal + 1] if is_open else [*self.stages[: chance.randint(2, 5)], self.stages[goal]]
        last = self.now - dt.timedelta(days=chance.uniform(1, 40) if is_open else chance.uniform(1, 1400))
        times = sorted([last - dt.timedelta(days=chance.uniform(1, 160)) for _ in path[1:]] + [last])
        stage, (owner, team), line = path[-1], chance.choice(self.sellers), chance.choice(self.lines)
        closes = self.today + dt.timedelta(days=chance.randint(-10, 150)) if is_open else times[-1].date()
        deal = Opportunity(
            pk=pk, name=f"{chance.choice(WORDS).title()} {self.count}", account_id=chance.choice(self.accounts),
            pipeline_id=stage.pipeline_id, stage_id=stage.pk, kind=stage.kind, stage_entered_at=times[-1],
            temperature=stage.temperature, probability=stage.probability, forecast_category=stage.forecast_category,
            amount=Decimal(chance.randint(10, 900) * 1000), currency=chance.choice(("EUR", "EUR", "EUR", "USD", "SEK")),
            close_date=closes, closed_on=None if is_open else times[-1].date(), owner_id=owner, team_id=team,
            service_line_id=line, next_step="Call them" if is_open and chance.random() < 0.8 else "",
            next_step_on=self.today + dt.timedelta(days=chance.randint(-5, 20)) if is_open else None,
            delivery_owner_id=chance.choice(self.deliverers[line]) if stage.temperature != "cold" else None,
            loss_reason="price" if stage.kind == "lost" else "", source="import", external_id=f"B{pk}",
            created_at=times[0], updated_at=times[-1],
        )  # fmt: skip
        origin = [None, *(stage.pk for stage in path)]
        steps = [
            [number, origin[number - 1], stage.pk, at, owner, "import", "", 0, {}]
            for number, (stage, at) in enumerate(zip(path, times, strict=True), 1)
        ]
        return deal, steps

    def _events(self, deal: Any, steps: list[list[Any]]) -> Iterator[list[Any]]:
        for number, _origin, _stage, at, owner, *_rest in steps:
            name = "opportunities.created" if number == 1 else "opportunities.moved"
            people = [owner] if deal.delivery_owner_id is None else [owner, deal.delivery_owner_id]
            yield [
                name, at, owner, "opportunity", deal.pk, deal.pk, deal.team_id, deal.service_line_id, people,
                {"from": "A stage", "to": "Another", "change": None},
            ]  # fmt: skip

    def _engagement(self, deal: Any) -> list[Any]:
        state = self.chance.choice(("requested", "accepted", "active", "active"))
        at = deal.stage_entered_at
        accepted = None if state == "requested" else at
        return [None, deal.pk, state, "warm", False, at, at + dt.timedelta(days=2), accepted, "", "", "", 1, at, at]

    def _tasks(self, engagement: list[Any]) -> Iterator[list[Any]]:
        pk, deal, *_rest = engagement
        asked, person = engagement[5], self.owners[deal] if self.chance.random() < 0.8 else None
        for template in self.templates:
            due = asked.date() + dt.timedelta(days=template.offset_days + 10)
            yield [
                deal, pk, template.pk, "warm", template.title, "", template.side, template.assignee, person, "trigger",
                asked.date(), template.offset_days, due, False, "open", "", "", template.action, template.position,
                1, asked, asked, "", "", True, "", "",
            ]  # fmt: skip


_EVENT_COLUMNS = (
    "name", "at", "actor_id", "subject_kind", "subject_id", "opportunity_id", "team_id", "service_line_id", "user_ids",
    "data",
)  # fmt: skip
_ENGAGEMENT_COLUMNS = (
    "id", "opportunity_id", "state", "trigger", "is_fast_lane", "requested_at", "answer_due_at", "accepted_at",
    "decline_reason", "outcome", "state_before_end", "version", "created_at", "updated_at",
)  # fmt: skip
_TASK_COLUMNS = (
    "opportunity_id", "engagement_id", "template_id", "trigger", "title", "help_text", "side", "assignee_role",
    "assignee_id", "anchor", "anchored_on", "offset_days", "due_on", "is_due_fixed", "state", "evidence_wanted",
    "evidence", "action", "position", "version", "created_at", "updated_at", "section", "phase", "is_required",
    "evidence_link", "waived_reason",
)  # fmt: skip

if __name__ == "__main__":
    main()
