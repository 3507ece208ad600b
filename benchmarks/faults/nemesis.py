"""What breaks, when, by a seeded plan."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil
import psycopg2
import redis

from benchmarks.faults.processes import Installation, Program


@dataclass
class Nemesis:
    """Breaks one thing after another until it is told to stop, and mends what it broke."""

    installation: Installation
    database_url: str
    clients: list[Program]
    seed: int
    # Seconds between the beginnings of two faults, on average.
    every: float
    may_crash_database: bool
    # Waits until everything works again, and says how long that took; without it the next fault comes when it comes.
    recovered: Callable[[], float] | None = None
    done: Counter[str] = field(default_factory=Counter)
    recoveries: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    plan: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._faults: dict[str, Callable[[], None]] = {
            "kill worker child": self._kill_worker_child,
            "kill worker": self._kill_worker,
            "kill Redis, start it empty": self._kill_redis,
            "empty Redis": self._empty_redis,
        }
        if self.installation.relays:
            self._faults |= {
                "kill relay": lambda: self._kill_one(self.installation.relays),
                "kill both relays": self._kill_relays,
                "kill beat": lambda: self._kill_one(self.installation.beats),
                "freeze worker": lambda: self._freeze(self._chance.choice(self.installation.workers)),
                "freeze relay": lambda: self._freeze(self._chance.choice(self.installation.relays)),
                "freeze Redis": lambda: self._freeze(self.installation.redis),
                "fill Redis": self._fill_redis,
                "drop database connections": self._drop_connections,
                "kill client": lambda: self._kill_one(self.clients),
            }
            if self.may_crash_database:
                self._faults["crash PostgreSQL"] = self._crash_database

    def run(self, faults: int, stop: threading.Event) -> None:
        """As many faults as asked for, or until ``stop``; every kind once before any comes again."""
        kinds: list[str] = []
        for _number in range(faults):
            if stop.wait(self._chance.expovariate(1 / self.every)):
                return
            if not kinds:
                kinds = self._chance.sample(sorted(self._faults), len(self._faults))
            self.strike(kinds.pop())

    def strike(self, kind: str) -> None:
        """One fault, mended before this returns."""
        self.plan.append(kind)
        print(f"{time.strftime('%X')} {kind}", flush=True)
        self._faults[kind]()
        self.done[kind] += 1
        if self.recovered is not None:
            self.recoveries[kind].append(self.recovered())
            print(f"{kind}: {self.recoveries[kind][-1]:.1f} s", flush=True)

    # --- processes ------------------------------------------------------------------------------------------------

    def _pause(self, longest: float) -> None:
        time.sleep(self._chance.uniform(0, longest))

    def _kill_one(self, programs: list[Program]) -> None:
        running = [program for program in programs if program.is_running]
        if running:
            victim = self._chance.choice(running)
            victim.kill()
            self._pause(1.5)
            victim.start()

    def _kill_relays(self) -> None:
        for relay in self.installation.relays:
            relay.kill()
        self._pause(2)
        for relay in self.installation.relays:
            relay.start()

    def _kill_worker(self) -> None:
        self._kill_one(self.installation.workers)

    def _kill_worker_child(self) -> None:
        children = self._chance.choice(self.installation.workers).children()
        if children:
            try:
                self._chance.choice(children).kill()
            except psutil.NoSuchProcess:
                return

    def _freeze(self, program: Program) -> None:
        """Not dead, but no answer either: for the others like a network that swallows everything."""
        program.send(signal.SIGSTOP)
        time.sleep(self._chance.uniform(0.5, 4))
        program.send(signal.SIGCONT)

    # --- Redis ----------------------------------------------------------------------------------------------------

    def _wait_for_messages(self) -> None:
        """Until something is queued, so that what happens next hurts; for a few seconds at most."""
        deadline = time.monotonic() + 3
        client = self.installation.redis.client()
        while time.monotonic() < deadline:
            try:
                if client.llen("oneteam:critical"):
                    return
            except redis.RedisError:
                return
            time.sleep(0.002)

    def _kill_redis(self) -> None:
        self._wait_for_messages()
        self.installation.redis.kill()
        self._pause(2)
        self.installation.redis.start()
        self.installation.redis.wait()

    def _empty_redis(self) -> None:
        self._wait_for_messages()
        self.installation.redis.client().flushall()

    def _fill_redis(self) -> None:
        client = self.installation.redis.client()
        client.config_set("maxmemory", 1)
        time.sleep(self._chance.uniform(0.5, 3))
        try:
            client.config_set("maxmemory", 0)
        except redis.RedisError:
            self.installation.redis.client().config_set("maxmemory", 0)

    # --- PostgreSQL -----------------------------------------------------------------------------------------------

    def _drop_connections(self) -> None:
        """Some of the installation's connections break in the middle of whatever they do."""
        with _connected(self.database_url) as connection, connection.cursor() as cursor:
            cursor.execute(
                "select pid from pg_stat_activity where datname = current_database() and application_name = 'oneteam'"
            )
            for (pid,) in cursor.fetchall():
                if self._chance.random() < 0.5:
                    cursor.execute("select pg_terminate_backend(%s)", [pid])

    def _crash_database(self) -> None:
        """A server process dies; PostgreSQL throws everybody out and recovers from its log."""
        with _connected(self.database_url) as connection:
            psutil.Process(connection.info.backend_pid).kill()


@contextmanager
def _connected(url: str) -> Iterator[psycopg2.extensions.connection]:
    """A connection of our own as soon as the database gives one; closed afterwards whatever happened to it."""
    deadline = time.monotonic() + 60
    while True:
        try:
            connection = psycopg2.connect(url, connect_timeout=5, application_name="nemesis")
            break
        except psycopg2.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
    connection.autocommit = True
    try:
        yield connection
    finally:
        connection.close()
