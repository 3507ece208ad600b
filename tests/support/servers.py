"""Real servers for tests: Redis, and OneTeam itself."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
import redis
from django.conf import settings

from events.deliveries import OPEN
from events.models import Delivery, DeliveryState
from tests.support.databases import Names, database_url
from tests.support.missing import missing

READY_SECONDS = 180  # on a machine that is busy with other tests


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- Redis ------------------------------------------------------------------------------------------------------------


@dataclass
class RedisServer:
    """A Redis that keeps nothing on disk, to be killed at will."""

    directory: Path
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """Address for REDIS_URL."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def client(self) -> redis.Redis:
        """A new connection."""
        return redis.Redis(port=self.port, socket_timeout=5)

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        options = {"port": self.port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": self.directory}
        options |= {"maxmemory-policy": "noeviction", "daemonize": "no", "loglevel": "warning"}
        command = ["redis-server", *(part for k, v in options.items() for part in (f"--{k}", str(v)))]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while True:
            try:
                self.client.ping()
                return
            except redis.ConnectionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL; whatever was queued is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A real Redis of this test's own, running."""
    if shutil.which("redis-server") is None:
        missing("redis-server is not installed (script/test installs it on Debian as root).")
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


# --- OneTeam ----------------------------------------------------------------------------------------------------------


class OneTeam:
    """A running `manage.py serve`, as a person would start it."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        """`environment` comes on top of ours, without what the tests' settings put there."""
        ours = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE"}
        own = {name: value for name, value in os.environ.items() if name not in ours}
        self.port = environment.get("PORT") or str(free_port())
        self.environment = {**own, "ONETEAM_WEB_WORKERS": "1", **environment, "PORT": self.port}
        self.arguments = arguments
        self.output: list[str] = []
        self._ready = threading.Event()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "OneTeam":
        """Start it without waiting."""
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", *self.arguments],
            cwd=settings.BASE_DIR,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def wait_until_ready(self) -> "OneTeam":
        """Wait for its word; fail with what it said if it ends or takes too long."""
        if not self._ready.wait(READY_SECONDS) or self.process.poll() is not None:
            self.kill()
            pytest.fail("OneTeam did not start:\n" + "".join(self.output), pytrace=False)
        return self

    def wait(self, seconds: float = 180) -> int:
        """Its exit code, once it has ended by itself."""
        code = self.process.wait(seconds)
        self._reader.join(5)
        return code

    def family(self) -> list[psutil.Process]:
        """All processes that it started, and theirs."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop; its exit code."""
        self.process.send_signal(how)
        return self.wait()

    def kill(self) -> None:
        """End it and all its processes at once."""
        if self.process.poll() is None:
            for process in [*self.family(), psutil.Process(self.process.pid)]:
                try:
                    process.kill()
                except psutil.NoSuchProcess:
                    continue
            self.process.wait()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output.append(line)
            if line.startswith("OneTeam is ready at "):
                self._ready.set()
        self._ready.set()


@pytest.fixture(scope="session")
def _live_app_process(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OneTeam]:
    # It goes on running between its tests, with a database of its own: its background work would take part in others.
    app = OneTeam(
        {
            "DATABASE_URL": database_url(Names.live),
            "SECRET_KEY": settings.SECRET_KEY,
            "ONETEAM_DATA_DIR": str(tmp_path_factory.mktemp("live_app")),
        }
    ).start()
    app.wait_until_ready()
    yield app
    app.stop()


@pytest.fixture
def live_app(transactional_db: None, _live_app_process: OneTeam) -> Iterator[OneTeam]:
    """OneTeam with web server and background work on the database of this test, reachable at `live_app.url`.

    Rows made in the test are committed and seen by it; they are removed after the test.
    """
    yield _live_app_process
    # Waits for reactions that still run: emptying the tables beneath them would deadlock.
    Delivery.objects.filter(state__in=OPEN).update(state=DeliveryState.DONE)
