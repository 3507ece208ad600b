"""What the pages of the staffing cost at the size that the horizon is made for.

    python -m benchmarks.staffing

2,000 open deals of 14,000, 30 roles, 1,000 people and 52 weeks, in the database ``bench_staffing``, which is loaded the
first time. For every page the median of the server's time and the CPU time of this process (middleware, view, template;
no network), the same queries sent again as raw SQL, and an empty page; for the horizon also its two parts.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import statistics
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from benchmarks.common import keep, rows_as_table, use_database
from benchmarks.load import load
from benchmarks.pages import _scans, _send

DEALS, ROLES, PEOPLE, WEEKS = 14_000, 30, 1_000, 52
HOURS = (8, 12, 16, 20, 24, 32, 40)
REPEATS = 7
Timing = tuple[float, float]


def main() -> None:
    """Load if need be, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fresh", action="store_true", help="load anew")
    given = parser.parse_args()
    if use_database("bench_staffing", fresh=given.fresh):
        load(DEALS)
        staff()
    rows = measure()
    heading = ["what", "queries", "ms", "CPU ms", "raw SQL ms", "empty page ms", "kB", "whole tables read"]
    table = rows_as_table(heading, [list(row.values()) for row in rows])
    keep("staffing", "What the pages of the staffing cost", {"rows": rows}, table)


def staff() -> None:
    """Roles, people in them, needs of open deals and of those won last, and who is booked."""
    from django.db import connection
    from django.utils import timezone

    from opportunities.models import Opportunity
    from staffing.models import Booking, BookingKind, Person, StaffingNeed, WorkRole
    from staffing.weeks import WEEK, monday_of

    chance = random.Random(11)
    monday = monday_of(timezone.localdate())
    WorkRole.objects.all().update(archived_at=timezone.now())
    roles = WorkRole.objects.bulk_create(WorkRole(name=f"Bench role {n:02}", position=n) for n in range(ROLES))
    people = Person.objects.bulk_create(
        Person(name=f"Person {n:04}", role=roles[n % ROLES], weekly_hours=Decimal("37.5")) for n in range(PEOPLE)
    )
    Booking.objects.bulk_create(
        Booking(
            person=person, role=person.role, kind=BookingKind.HARD, title="Long-standing client",
            hours_per_week=Decimal(chance.choice(HOURS)), first_on=monday - WEEK * chance.randint(0, 8),
            last_on=monday + WEEK * chance.randint(2, 30) - dt.timedelta(days=3),
        )
        for person in people for _turn in range(chance.randint(0, 2))
    )  # fmt: skip
    deals = [*Opportunity.objects.open(), *Opportunity.objects.filter(kind="won").order_by("-closed_on")[:300]]
    StaffingNeed.objects.bulk_create(
        (
            StaffingNeed(
                opportunity=deal, role=role, hours_per_week=Decimal(chance.choice(HOURS)),
                offset_weeks=chance.randint(0, 4), weeks=chance.randint(3, 20),
            )
            for deal in deals for role in chance.sample(roles, chance.randint(1, 5))
        ),
        batch_size=2_000,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("vacuum analyze")


def measure() -> list[dict[str, Any]]:
    """Parts of the horizon, then pages."""
    from django.conf import settings
    from django.test import Client
    from django.utils import timezone

    from accounts.models import User
    from accounts.queries import organisation
    from opportunities.models import Opportunity
    from staffing.horizon import compute_horizon
    from staffing.horizon_inputs import gather
    from staffing.models import StaffingNeed, WorkRole
    from staffing.weeks import monday_of

    settings.ROOT_URLCONF = "benchmarks.urls"
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    home, monday = organisation(), monday_of(timezone.localdate())
    inputs = gather(monday, WEEKS, home=home)
    parts = {
        f"inputs of {len(inputs.deals):,} deals": lambda: gather(monday, WEEKS, home=home),
        "computing": lambda: compute_horizon(inputs.capacity, inputs.confirmed, inputs.deals, working=inputs.working),
    }
    rows = [_row(name, *_timed(call)) for name, call in parts.items()]
    role = WorkRole.objects.filter(archived_at__isnull=True).order_by("pk")[0]
    dan = User.objects.get(email="cloud0@example.test")
    wanted = StaffingNeed.objects.filter(opportunity__in=Opportunity.objects.open().visible_to(dan)).order_by("-pk")[0]
    deal = wanted.opportunity
    client = Client()
    client.force_login(dan, backend="django.contrib.auth.backends.ModelBackend")
    pages = {
        "horizon, 52 weeks": f"/staffing/horizon/?weeks={WEEKS}",
        "deals behind a cell": f"/staffing/horizon/{role.pk}/?week={monday + dt.timedelta(weeks=6)}&weeks={WEEKS}",
        "shortages": f"/staffing/horizon/shortages/?weeks={WEEKS}",
        "earliest safe start": f"/staffing/deals/{deal.pk}/earliest/",
        "what a deal takes": f"/staffing/deals/{deal.pk}/needs/",
        "people side by side": f"/staffing/needs/{wanted.pk}/candidates/",
        "a team for a deal": f"/staffing/deals/{deal.pk}/team/",
        "schedule": "/staffing/schedule/",
        "people": "/staffing/people/",
    }
    return rows + [_page(client, name, path) for name, path in pages.items()]


def _page(client: Any, name: str, path: str) -> dict[str, Any]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get("/empty/")
    with CaptureQueriesContext(connection) as captured:
        response = client.get(path)
    if response.status_code != 200:
        return {**_row(name, 0, 0), "whole": f"status {response.status_code}"}
    queries = [query["sql"] for query in captured.captured_queries]
    page, raw = _timed(lambda: client.get(path)), _timed(lambda: _send(queries))
    empty = _timed(lambda: client.get("/empty/"))
    return {
        **_row(name, *page), "queries": len(queries), "raw": _ms(raw[0]), "empty": _ms(empty[0]),
        "kB": round(len(response.content) / 1024), "whole": ", ".join(_scans(queries)) or "none",
    }  # fmt: skip


def _row(name: str, seconds: float, cpu: float) -> dict[str, Any]:
    return {
        "what": name, "queries": "", "ms": _ms(seconds), "cpu": _ms(cpu), "raw": "", "empty": "", "kB": "", "whole": "",
    }  # fmt: skip


def _timed(call: Callable[[], object]) -> Timing:
    """Median seconds by the clock, and of CPU."""
    call()
    clock, cpu = [], []
    for _turn in range(REPEATS):
        begin, begin_cpu = time.perf_counter(), time.process_time()
        call()
        clock.append(time.perf_counter() - begin)
        cpu.append(time.process_time() - begin_cpu)
    return statistics.median(clock), statistics.median(cpu)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


if __name__ == "__main__":
    main()
