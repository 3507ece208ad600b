"""Command line of the fault runs."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from types import FrameType

import django

RESULTS = Path(__file__).resolve().parents[1] / "results"


def main() -> int:
    """Run, print, keep the figures. Exit code 1 if a run is not clean, or if the control finds nothing."""
    options = _options()
    asked_to_stop = threading.Event()
    _on_signals(lambda *_: asked_to_stop.set())  # an exception while PostgreSQL starts would leave it behind
    with tempfile.TemporaryDirectory(prefix="oneteam-faults-") as directory, ExitStack() as at_the_end:
        os.environ.setdefault("SECRET_KEY", "only-for-measurements-" + "x" * 40)
        os.environ["ONETEAM_DATA_DIR"] = directory
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onetteam.settings")
        os.environ.pop("DATABASE_URL", None)
        from onetteam import embedded

        url = os.environ["DATABASE_URL"] = embedded.database_url()
        at_the_end.callback(embedded.running_server().release)  # before its directory goes
        _on_signals(_leave)
        if asked_to_stop.is_set():
            sys.exit(1)
        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        from benchmarks.faults.run import Plan, Run

        plan = Plan(
            moves=options.moves, faults=options.faults, seed=options.seed, database_url=url,
            directory=(options.keep or Path(directory) / "run").resolve(),
            clients=options.clients, per_second=options.per_second, drain_seconds=1800,
            is_plain=options.plain, may_crash_database=not options.plain, waits_for_recovery=options.recovery,
        )  # fmt: skip
        print(f"seed {plan.seed}: {plan.moves} moves, {plan.faults} faults, {'plain' if plan.is_plain else 'OneTeam'}")
        report = Run(plan)()
    row = {
        "what": "plain on_commit(task.delay)" if options.plain else "deliveries and relay",
        "command": "python -m benchmarks.faults " + " ".join(sys.argv[1:]),
        "at": time.strftime("%Y-%m-%d %H:%M"),
        "commit": _commit(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        **report.verdict.as_row(),
        "faults": report.faults,
        "seconds": round(report.seconds, 1),
        "drained_after": round(report.drained_after, 1),
        "longest_wait": round(report.longest_wait, 1),
        "open_at_the_end": report.open_at_the_end,
        "died": report.died,
        "recovery_seconds": {
            kind: {"n": len(times), "median": round(median(times), 1), "worst": round(max(times), 1)}
            for kind, times in sorted(report.recoveries.items())
        },
    }
    print(json.dumps(row, indent=2))
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / "faults.jsonl").open("a") as results:
        results.write(json.dumps(row) + "\n")
    if report.verdict.broken_invariants:
        print("broken:", *report.verdict.broken_invariants)
    return 0 if bool(report.verdict.lost) == options.plain and (options.plain or report.verdict.is_clean) else 1


def _on_signals(handler: Callable[[int, FrameType | None], object]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, handler)


def _leave(number: int, frame: FrameType | None) -> None:
    """End by way of what stops our processes, undisturbed by more signals."""
    _on_signals(lambda *_: None)
    sys.exit(1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults")
    parser.add_argument("--moves", type=int, default=1_000)
    parser.add_argument("--faults", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clients", type=int, default=2)
    parser.add_argument("--per-second", type=float, default=10, help="moves begun each second; 0: as fast as possible")
    parser.add_argument("--plain", action="store_true", help="the control: on_commit(task.delay), must find losses")
    parser.add_argument("--keep", type=Path, help="a directory for logs and journals, which stay after the run")
    parser.add_argument("--recovery", action="store_true", help="wait after each fault, and measure how long it hurts")
    return parser.parse_args()


def _commit() -> str:
    said = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False, cwd=RESULTS.parent
    )
    return said.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
