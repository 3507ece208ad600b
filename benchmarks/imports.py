"""How fast a CRM export is read, checked and written, and whether memory stays flat.

    python -m benchmarks.imports --rows 100000

Rows per second of the dry run and of the write, through all validators and history, beside a plain COPY of the same
deals and stage changes into the same tables in the same run.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import io
import random
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks.common import keep, rows_as_table, use_database

PRODUCTS = ("GTX Basic", "GTXPro", "GTX Pro", "MG Special", "MG Advanced")


def write_export(path: Path, rows: int) -> None:
    """A CSV file as a CRM writes it."""
    chance = random.Random(7)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        heading = "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value"
        writer.writerow(heading.split(","))
        for number in range(rows):
            stage = chance.choices(("Prospecting", "Engaging", "Proposal", "Won", "Lost"), (6, 18, 6, 45, 25))[0]
            opened = dt.date(2024, 1, 1) + dt.timedelta(days=chance.randrange(900))
            closed = opened + dt.timedelta(days=chance.randrange(5, 140))
            is_closed = stage in ("Won", "Lost")
            writer.writerow(
                [
                    f"G{number:08d}", f"Agent {chance.randrange(200)}", chance.choice(PRODUCTS),
                    "null" if chance.random() < 0.15 else f"Client {chance.randrange(max(10, rows // 10))}", stage,
                    "" if stage == "Prospecting" else opened.strftime("%d-%m-%Y"),
                    closed.strftime("%d-%m-%Y") if is_closed else "", chance.randrange(90_000) if is_closed else 0,
                ]
            )  # fmt: skip


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    given = parser.parse_args()
    use_database("bench_imports", fresh=True)
    from django.utils import timezone

    from accounts.services.setup import FirstAdministrator, set_up_organisation

    ada = set_up_organisation(
        name="Bench", base_currency="EUR", country="", time_zone="UTC", now=timezone.now(),
        administrator=FirstAdministrator("Ada", "ada@example.test", "correct horse battery"),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.csv"
        write_export(path, given.rows)
        results = _measure(path, given.rows, ada)
    table = rows_as_table(["what", "figure"], [[key, value] for key, value in results.items()])
    keep(f"imports-{given.rows}", f"Importing {given.rows:,} rows", results, table)


def _measure(path: Path, rows: int, ada: Any) -> dict[str, Any]:
    from django.utils import timezone

    from integrations.imports.services import running
    from integrations.imports.services.intake import read, receive

    start = time.perf_counter()
    with path.open("rb") as file:
        imported = receive(
            actor=ada, file=file, file_name=path.name, companions={}, options={"baseline": True}, now=timezone.now(),
            largest=None,
        )  # fmt: skip
    imported = read(imported=imported, now=timezone.now())
    reading = time.perf_counter() - start
    options = {"stages": {"Engaging": "discovery"}}
    imported = running.answer(actor=ada, imported=imported, options=options, now=timezone.now())
    checked, checking, _memory_checking = _run(imported, is_dry_run=True)
    predicted = (checked.created, checked.changed, checked.unchanged, checked.refused)
    cpu = _Cpu()
    done, writing, memory = _run(checked, is_dry_run=False)
    python, database = cpu.spent()
    assert predicted == (done.created, done.changed, done.unchanged, done.refused)
    with path.open("rb") as file:
        again = receive(
            actor=ada, file=file, file_name=path.name, companions={}, options={"baseline": True}, now=timezone.now(),
            largest=None,
        )  # fmt: skip
    repeated, repeating, _memory = _run(read(imported=again, now=timezone.now()), is_dry_run=False)
    copying = _plain_copy()
    third = len(memory) // 3 or 1
    return {
        "rows": rows,
        "read, rows/s": round(rows / reading),
        "dry run, rows/s": round(rows / sum(checking)),
        "write, rows/s": round(rows / sum(writing)),
        "write, median chunk, rows/s": round(1000 / sorted(writing)[len(writing) // 2]),
        "write, best chunk, rows/s": round(1000 / min(writing)),
        "write, CPU of Python, µs a row": round(python / rows * 1e6),
        "write, CPU of PostgreSQL, µs a row": round(database / rows * 1e6),
        "write, rows a CPU second": round(rows / (python + database)),
        "repeat without change, rows/s": round(rows / sum(repeating)),
        "repeat": f"{repeated.created} created, {repeated.changed} changed, {repeated.unchanged} unchanged",
        "plain COPY of the same deals and stage changes, rows/s": round(rows / copying),
        "write as a multiple of plain COPY": round(sum(writing) / copying, 2),
        "memory after a third of the rows, MB": memory[third - 1],
        "memory at the end, MB": memory[-1],
    }


class _Cpu:
    """CPU seconds of this process and of its database connection's, which other work on the machine hardly changes."""

    def __init__(self) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("select pg_backend_pid()")
            self._backend = psutil.Process(cursor.fetchone()[0])
        self._before = self._now()

    def _now(self) -> tuple[float, float]:
        return time.process_time(), sum(self._backend.cpu_times()[:2])

    def spent(self) -> tuple[float, float]:
        """Seconds since it was made."""
        python, database = self._now()
        return python - self._before[0], database - self._before[1]


def _run(imported: Any, *, is_dry_run: bool) -> tuple[Any, list[float], list[int]]:
    from django.utils import timezone

    from integrations.imports.services import running

    imported = running.start(imported=imported, is_dry_run=is_dry_run, now=timezone.now())
    runner = running.Runner(imported.pk)
    seconds, memory = [], []
    while imported.is_running:
        start = time.perf_counter()
        imported = runner.step(now=timezone.now())
        seconds.append(time.perf_counter() - start)
        memory.append(_resident())
    return imported, seconds, memory


def _plain_copy() -> float:
    """Seconds to COPY the imported deals and stage changes out and in again, with all indexes and triggers."""
    from django.db import connection, transaction

    tables = ("opportunities_opportunity", "opportunities_stagechange")
    content = {}
    with transaction.atomic(), connection.cursor() as cursor:
        for table in tables:
            content[table] = io.StringIO()
            cursor.copy_expert(f"copy (select * from {table}) to stdout", content[table])
            content[table].seek(0)
        cursor.execute("set local oneteam.allow_truncate = on")
        cursor.execute(f"truncate {', '.join(tables)} cascade")
        start = time.perf_counter()
        for table in tables:
            cursor.copy_expert(f"copy {table} from stdin", content[table])
        cursor.execute("set constraints all immediate")
        seconds = time.perf_counter() - start
        transaction.set_rollback(True)
    return seconds


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1]) if Path("/proc/self/statm").exists() else 0
    return pages * resource.getpagesize() // 2**20


if __name__ == "__main__":
    main()
