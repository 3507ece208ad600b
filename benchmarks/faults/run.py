"""One run: clients move, the nemesis breaks, everything is drained and judged."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import redis
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Count

from benchmarks.faults import verdict, world
from benchmarks.faults.nemesis import Nemesis
from benchmarks.faults.processes import Installation, Program, environment_for
from benchmarks.faults.verdict import Verdict
from events import deliveries
from events.invariants import all_invariants, verify
from events.models import Delivery

T = TypeVar("T")
STARTED_SECONDS = 90
MOST_RECOVERY_SECONDS = 180
STEADY_SECONDS = 3
SAYING_SECONDS = 10


@dataclass(frozen=True)
class Plan:
    """What to do, so that the same plan breaks the same things in the same order."""

    moves: int
    faults: int
    seed: int
    database_url: str
    directory: Path
    clients: int = 2
    # Moves begun each second by all clients together; 0 is as fast as they can.
    per_second: float = 10
    is_plain: bool = False
    may_crash_database: bool = False
    drain_seconds: float = 300
    # After each fault, wait until nothing is owed for longer than a second, and measure how long that takes.
    waits_for_recovery: bool = False


@dataclass
class Report:
    """What was seen."""

    verdict: Verdict
    faults: dict[str, int]
    seconds: float
    drained_after: float
    # The oldest reaction that was still owed at any moment of the run.
    longest_wait: float
    open_at_the_end: int
    # Processes that ended though nobody had killed them.
    died: list[str]
    plan: list[str]
    recoveries: dict[str, list[float]]


class Run:
    """The processes and threads of one run."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        plan.directory.mkdir(parents=True, exist_ok=True)
        self.installation = Installation.on(plan.database_url, plan.directory, is_plain=plan.is_plain)
        self.stop = threading.Event()
        self.longest_wait = 0.0
        self.died: list[str] = []

    def __call__(self) -> Report:
        """Everything, from an empty database to the verdict."""
        plan = self.plan
        deals = world.build(plan.moves)
        clients = self._clients(deals)
        duration = plan.moves / plan.per_second if plan.per_second else plan.moves / 25
        every = 2.0 if plan.waits_for_recovery else duration / max(plan.faults, 1)
        nemesis = Nemesis(
            self.installation,
            plan.database_url,
            clients,
            plan.seed,
            every,
            plan.may_crash_database,
            recovered=self._recovered if plan.waits_for_recovery else None,
        )
        watch = threading.Thread(target=self._watch, daemon=True)
        try:
            self.installation.start()
            self._wait_until_working()
            watch.start()
            start = time.monotonic()
            for client in clients:
                client.start()
            nemesis.run(plan.faults, self.stop)
            if plan.waits_for_recovery:
                for client in clients:
                    client.kill()
            else:
                self._wait(clients)
            drain = time.monotonic()
            self.died = [program.name for program in self.installation.programs if not program.is_running]
            self.installation.start()
            self._drain()
            end = time.monotonic()
            return self._report(nemesis, deals, end - start, end - drain)
        finally:
            self.stop.set()
            for client in clients:
                client.kill()
            self.installation.stop()
            if watch.is_alive():
                watch.join(10)
            connection.close()  # it may have been among those that were broken

    # --- clients --------------------------------------------------------------------------------------------------

    def _clients(self, deals: list[int]) -> list[Program]:
        plan, made = self.plan, []
        environment = environment_for(plan.database_url, self.installation.redis.url, plan.directory)
        for number in range(plan.clients):
            own = plan.directory / f"deals{number}.txt"
            own.write_text("\n".join(map(str, deals[number :: plan.clients])))
            command = [
                sys.executable, "-m", "benchmarks.faults.client", str(own), str(self._journal(number)),
                f"{plan.seed}-{number}", str(plan.per_second / plan.clients), *(["plain"] if plan.is_plain else []),
            ]  # fmt: skip
            made.append(Program(f"client{number}", command, environment, plan.directory / f"client{number}.log"))
        return made

    def _journal(self, number: int) -> Path:
        return self.plan.directory / f"journal{number}.jsonl"

    def _wait(self, clients: list[Program]) -> None:
        """Until the clients have tried everything."""
        while any(client.is_running for client in clients):
            time.sleep(0.1)
        for client in clients:
            assert client.process is not None
            if client.process.returncode != 0:
                raise RuntimeError(f"{client.name} ended badly:\n{client.log.read_text()[-3000:]}")

    # --- waiting --------------------------------------------------------------------------------------------------

    def _wait_until_working(self) -> None:
        """Until the worker has registered with Redis; faults before that would only delay the start."""
        deadline = time.monotonic() + STARTED_SECONDS
        while time.monotonic() < deadline:
            if any(worker.children() for worker in self.installation.workers) and self._has_bindings():
                return
            time.sleep(0.2)
        logs = "\n".join(program.log.read_text()[-1500:] for program in self.installation.programs)
        raise RuntimeError(f"The installation did not start:\n{logs}")

    def _has_bindings(self) -> bool:
        client = self.installation.redis.client()
        return bool(client.keys("*_kombu.binding.*"))

    def _drain(self) -> None:
        deadline = time.monotonic() + self.plan.drain_seconds
        quiet = 0
        while time.monotonic() < deadline:
            quiet = quiet + 1 if self._is_idle() else 0
            if quiet >= (8 if self.plan.is_plain else 1):
                return
            time.sleep(0.5)

    def _is_idle(self) -> bool:
        if not self.plan.is_plain:
            return ask(lambda: Delivery.objects.filter(state__in=deliveries.OPEN).count()) == 0
        try:
            client = self.installation.redis.client()
            return not client.llen("oneteam:critical") and not client.hlen("oneteam:unacked")
        except redis.RedisError:
            return False

    def _watch(self) -> None:
        """Remember the longest wait; say now and then how things stand."""
        looked = 0.0
        while not self.stop.wait(0.25):
            try:
                age = deliveries.oldest_undelivered_age(deliveries.database_now())
                if time.monotonic() - looked > SAYING_SECONDS:
                    looked = time.monotonic()
                    self._say_how_it_goes(age.total_seconds() if age else 0.0)
            except (DatabaseError, InterfaceError):
                connection.close()
                continue
            if age is not None:
                self.longest_wait = max(self.longest_wait, age.total_seconds())
        connection.close()

    def _say_how_it_goes(self, oldest: float) -> None:
        """What waits in the database, and how many messages in Redis: a queue that grows is not a lost one."""
        rows = Delivery.objects.values_list("state").annotate(number=Count("pk")).order_by("state")
        states = ", ".join(f"{number} {state}" for state, number in rows)
        try:
            client = self.installation.redis.client()
            queue = f"{client.llen('oneteam:critical')} queued, {client.hlen('oneteam:unacked')} at work"
        except redis.RedisError:
            queue = "Redis does not answer"
        print(f"{time.strftime('%X')}     {states or 'nothing owed'}; {queue}; oldest {oldest:.0f} s", flush=True)

    def _recovered(self) -> float:
        """Seconds until nothing waits for longer than a second, looked at for a while."""
        start = good = time.monotonic()
        while time.monotonic() - start < MOST_RECOVERY_SECONDS:
            age = ask(lambda: deliveries.oldest_undelivered_age(deliveries.database_now()))
            if age is not None and age.total_seconds() > 1:
                good = time.monotonic()
            elif time.monotonic() - good > STEADY_SECONDS:
                return good - start
            time.sleep(0.1)
        return time.monotonic() - start

    # --- the end --------------------------------------------------------------------------------------------------

    def _report(self, nemesis: Nemesis, deals: list[int], seconds: float, drained_after: float) -> Report:
        told = verdict.outcomes(self._journal(number) for number in range(self.plan.clients))
        found = ask(lambda: verdict.judge(told, deals))
        if not self.plan.is_plain:
            found.broken_invariants = ask(
                lambda: [finding.invariant.name for finding in verify(all_invariants()) if finding.count]
            )
        still_open = ask(lambda: Delivery.objects.filter(state__in=deliveries.OPEN).count())
        return Report(
            found,
            dict(nemesis.done),
            seconds,
            drained_after,
            self.longest_wait,
            still_open,
            self.died,
            nemesis.plan,
            dict(nemesis.recoveries),
        )


def ask(question: Callable[[], T], attempts: int = 20) -> T:
    """Ask the database, which may be on its way back."""
    for attempt in range(attempts):
        try:
            return question()
        except (DatabaseError, InterfaceError):
            connection.close()
            if attempt == attempts - 1:
                raise
            time.sleep(0.5)
    raise AssertionError
