"""What pages cost: queries, time on the server, and whether every big table is read through an index.

    python -m benchmarks.load --deals 1000 && python -m benchmarks.load --deals 100000
    python -m benchmarks.pages --deals 1000 100000

For every page and reader: the median of the server's time (middleware, view, template; no network), the same queries
sent again as raw SQL, and an empty page of the same frame, all in one run. The ratio is time / (raw SQL + empty page).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.common import keep, rows_as_table, use_database

BIG = 5_000  # rows from which on reading a whole table is told
REPEATS = 15


def main() -> None:
    """Measure each size in a process of its own, because settings are read once; then keep all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deals", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(given.one)))
        return
    found: dict[int, list[dict[str, Any]]] = {}
    for size in given.deals:
        command = [sys.executable, "-m", "benchmarks.pages", "--one", str(size)]
        said = subprocess.run(command, capture_output=True, text=True, check=False)
        if said.returncode:
            sys.exit(said.stderr)
        found[size] = json.loads(said.stdout.splitlines()[-1])
    rows = [
        [row["page"], f"{size:,}", row["queries"], row["ms"], row["raw_ms"], row["empty_ms"], row["ratio"], row["kB"],
         ", ".join(row["scans"]) or "none"]
        for size, measured in found.items() for row in measured
    ]  # fmt: skip
    rows.sort(key=lambda row: row[0])
    heading = ["page", "deals", "queries", "ms", "raw SQL ms", "empty page ms", "ratio", "kB", "whole tables read"]
    keep("pages", "What pages cost", {"pages": found}, rows_as_table(heading, rows))


def measure(deals: int) -> list[dict[str, Any]]:
    """All pages at one size."""
    if use_database(f"bench_{deals}"):
        sys.exit(f"Load it first: python -m benchmarks.load --deals {deals}")
    from django.conf import settings
    from django.test import Client

    from accounts.models import User
    from opportunities.models import Opportunity

    settings.ROOT_URLCONF = "benchmarks.urls"
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    eve = User.objects.get(email="eve@example.test")
    dan = User.objects.get(email="cloud0@example.test")
    rep = User.objects.get(email="rep0-1@example.test")
    deal = Opportunity.objects.open().filter(owner=rep, temperature="warm").order_by("pk").first()
    assert deal is not None
    pages = [
        *((f"home, {who}", "/", user) for who, user in (("executive", eve), ("delivery manager", dan), ("rep", rep))),
        *((f"board, {who}", "/board/", user) for who, user in (("executive", eve), ("rep", rep))),
        ("list", "/deals/", eve),
        ("list by amount", "/deals/?sort=-amount", eve),
        ("list, rep", "/deals/", rep),
        ("search", "/deals/?q=platform+77", eve),
        ("upcoming", "/upcoming/", dan),
        ("deal", f"/deals/{deal.pk}/", rep),
        ("deal, delivery panel", f"/deals/{deal.pk}/delivery/", rep),
        ("accounts", "/accounts/", eve),
    ]
    results = []
    for name, path, user in pages:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        results.append({"page": name, **_measure_page(client, path)})
    results.append({"page": "move a deal", **_measure_moves(rep)})
    return results


def _measure_page(client: Any, path: str) -> dict[str, Any]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    response = client.get(path)
    if response.status_code != 200:
        return _nothing(f"status {response.status_code}")
    client.get("/empty/")
    with CaptureQueriesContext(connection) as captured:
        response = client.get(path)
    queries = [query["sql"] for query in captured.captured_queries]
    page, raw, empty = _in_turns(
        lambda: client.get(path), lambda: _send(queries), lambda: client.get("/empty/")
    )  # fmt: skip
    return {
        "queries": len(queries), "ms": _ms(page), "raw_ms": _ms(raw), "empty_ms": _ms(empty),
        "ratio": round(page / (raw + empty), 2), "kB": round(len(response.content) / 1024), "scans": _scans(queries),
    }  # fmt: skip


def _measure_moves(rep: Any) -> dict[str, Any]:
    """Moving deals one stage on, as the board does, each in a transaction that is taken back."""
    from django.db import connection, transaction
    from django.test.utils import CaptureQueriesContext
    from django.utils import timezone

    from opportunities.models import Opportunity, Stage
    from opportunities.services.moves import move_to_stage

    deals = list(Opportunity.objects.open().filter(owner=rep, stage__key="prospect").order_by("pk")[:REPEATS])
    stage = Stage.objects.select_related("pipeline").get(key="qualified")
    seconds, count = [], 0
    for deal in deals:
        with transaction.atomic():
            with CaptureQueriesContext(connection) as captured:
                start = time.perf_counter()
                move_to_stage(actor=rep, opportunity=deal, stage=stage, expected_version=None, now=timezone.now())
                connection.cursor().execute("set constraints all immediate")
                seconds.append(time.perf_counter() - start)
            count = len(captured)
            transaction.set_rollback(True)
    return {**_nothing(""), "queries": count, "ms": _ms(statistics.median(seconds)) if seconds else None}


def _nothing(note: str) -> dict[str, Any]:
    return {
        "queries": None, "ms": None, "raw_ms": None, "empty_ms": None, "ratio": None, "kB": None,
        "scans": [note] if note else [],
    }  # fmt: skip


def _in_turns(*calls: Callable[[], object]) -> list[float]:
    """The median seconds of each, taken in turns so that a busy moment falls on all alike."""
    seconds: list[list[float]] = [[] for _ in calls]
    for _ in range(REPEATS):
        for call, taken in zip(calls, seconds, strict=True):
            start = time.perf_counter()
            call()
            taken.append(time.perf_counter() - start)
    return [statistics.median(taken) for taken in seconds]


def _send(queries: list[str]) -> None:
    from django.db import connection, transaction

    with transaction.atomic(), connection.connection.cursor() as cursor:
        for query in queries:
            cursor.execute(query)
            if cursor.description:
                cursor.fetchall()
        transaction.set_rollback(True)


def _scans(queries: list[str]) -> list[str]:
    """Big tables that are read as a whole, by EXPLAIN of every query."""
    from django.db import connection

    found = set()
    with connection.cursor() as cursor:
        cursor.execute("select relname from pg_class where relkind = 'r' and reltuples >= %s", [BIG])
        big = {name for (name,) in cursor.fetchall()}
        for query in queries:
            if query.lstrip().lower().startswith(("select", "with")):
                cursor.execute("explain (format json) " + query.replace("%", "%%"))
                found |= _scanned(cursor.fetchone()[0][0]["Plan"], big)
    return sorted(found)


def _scanned(plan: dict[str, Any], big: set[str]) -> set[str]:
    found = {plan["Relation Name"]} & big if plan["Node Type"] == "Seq Scan" else set()
    for below in plan.get("Plans", ()):
        found |= _scanned(below, big)
    return found


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


if __name__ == "__main__":
    main()
