"""The processes of an installation, to be killed and started again at will."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import redis

ROOT = Path(__file__).resolve().parents[2]
WORKER_CHILDREN = 2


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Program:
    """One process and what it started."""

    name: str
    command: Sequence[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it without waiting."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    @property
    def is_running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self.process is not None and self.process.poll() is None

    def children(self) -> list[psutil.Process]:
        """The processes that it started."""
        if not self.is_running:
            return []
        assert self.process is not None
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def send(self, number: signal.Signals) -> None:
        """A signal to it and to all that it started."""
        if self.is_running:
            assert self.process is not None
            os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """SIGKILL for it and all that it started."""
        self.send(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def stop(self, seconds: float = 20) -> None:
        """Ask it to end; kill what doesn't."""
        if self.is_running:
            assert self.process is not None
            self.process.terminate()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()


@dataclass
class Redis(Program):
    """A Redis that keeps nothing on disk."""

    port: int = field(default_factory=free_port)

    @classmethod
    def at(cls, directory: Path) -> Redis:
        """One of our own; not started yet."""
        server = cls("redis", [], dict(os.environ), directory / "redis.log")
        server.command = [
            "redis-server", "--port", str(server.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
            "--dir", str(directory), "--maxmemory-policy", "noeviction", "--loglevel", "warning",
        ]  # fmt: skip
        return server

    @property
    def url(self) -> str:
        """Address for REDIS_URL."""
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> redis.Redis:
        """A new connection."""
        return redis.Redis(port=self.port, socket_timeout=2, socket_connect_timeout=2)

    def wait(self) -> None:
        """Until it answers."""
        deadline = time.monotonic() + 20
        while True:
            try:
                self.client().ping()
                return
            except redis.RedisError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


@dataclass
class Installation:
    """OneTeam as `docker compose up` runs it, without the web: relays, a worker, beats and Redis."""

    redis: Redis
    workers: list[Program]
    relays: list[Program]
    beats: list[Program]

    @classmethod
    def on(cls, database_url: str, directory: Path, *, is_plain: bool) -> Installation:
        """All its processes on one database, nothing started yet."""
        broker = Redis.at(directory)
        environment = environment_for(database_url, broker.url, directory)
        celery = [sys.executable, "-m", "celery", "-A", "onetteam"]

        def program(name: str, *command: str) -> Program:
            return Program(name, command, environment, directory / f"{name}.log")

        worker = [
            *celery, "worker", "-Q", "critical", "-c", str(WORKER_CHILDREN), "--without-gossip", "--without-mingle",
            *(["-I", "benchmarks.faults.plain"] if is_plain else []),
        ]  # fmt: skip
        relays = [] if is_plain else [program(f"relay{n}", sys.executable, "manage.py", "relay") for n in (1, 2)]
        beats = [] if is_plain else [program(f"beat{n}", *celery, "beat") for n in (1, 2)]
        return cls(broker, [program("worker1", *worker, "-n", "critical@faults")], relays, beats)

    @property
    def programs(self) -> list[Program]:
        """All but Redis."""
        return [*self.workers, *self.relays, *self.beats]

    def start(self) -> None:
        """Start everything that does not run."""
        if not self.redis.is_running:
            self.redis.start()
        self.redis.wait()
        for program in self.programs:
            if not program.is_running:
                program.start()

    def stop(self) -> None:
        """Stop everything, by force: there is nothing left to lose."""
        for program in [*self.programs, self.redis]:
            program.kill()


def environment_for(database_url: str, redis_url: str, directory: Path) -> dict[str, str]:
    """What our processes get on top of what we have."""
    given = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "DJANGO_SETTINGS_MODULE": "onetteam.settings",
        "ONETEAM_DATA_DIR": str(directory),
        "SECRET_KEY": "only-for-measurements-" + "x" * 40,
        "ONETEAM_LOG_LEVEL": "INFO",
        "REMAP_SIGTERM": "SIGQUIT",
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(directory),  # what is killed doesn't tidy up
    }
    return {**os.environ, **given}
