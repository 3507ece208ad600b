"""Run OneTeam on this machine: database, web and background work, in the foreground."""

import errno
import http.client
import io
import os
import signal
import socket
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from onetteam import embedded
from onetteam.staticfiles import collect_if_changed
from onetteam.supervisor import STOP_SIGNALS, Child, GivingUp, Supervisor
from onetteam.wheel import EmbeddedDatabaseError

MIGRATION_LOCK = 0x0E7EA4  # any number that nothing else uses


class Command(BaseCommand):
    """`manage.py serve`."""

    help = "Run OneTeam in the foreground: PostgreSQL (unless DATABASE_URL is set), web and background work."
    requires_system_checks = ["staticfiles"]

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Host, port and demo data."""
        parser.add_argument("--host", default=os.environ.get("ONETEAM_HOST") or "127.0.0.1")
        parser.add_argument("--port", default=os.environ.get("PORT") or "8000")
        parser.add_argument("--demo", action="store_true", help="load the demo company first, once")

    def handle(self, *, host: str, port: str, demo: bool, **options: Any) -> None:
        """Serve until SIGTERM or SIGINT. Raises CommandError with a sentence that says what to do."""
        require_free(host, port)
        python = [sys.executable, "-u"]
        web = Child("web", [*python, "-m", "onetteam.web", "--stop-with-stdin"])
        background = Child("background", [*python, "manage.py", "background", "--stop-with-stdin"])
        os.chdir(settings.BASE_DIR)
        os.environ.update(PORT=port, ONETEAM_HOST=host)
        supervisor = Supervisor([web, background], look_after=_database_keeper())
        for number in STOP_SIGNALS:
            signal.signal(number, lambda *_: sys.exit(0))  # as long as there is only us to stop
        try:
            if not settings.DEBUG:
                collect_if_changed()
            migrate()
            walkthrough = self._load_demo() if demo else self._welcome()
            connection.close()
            supervisor.catch_signals()
            supervisor.start()
            if supervisor.run(until=lambda: answers(host, port)):
                self.stdout.write(f"OneTeam is ready at http://{_visitable(host)}:{port}\n{walkthrough}")
                self.stdout.flush()
                supervisor.run()
        except (GivingUp, EmbeddedDatabaseError) as error:
            raise CommandError(str(error)) from error
        finally:
            supervisor.stop()

    def _load_demo(self) -> str:
        if not get_user_model().objects.exists():
            self.stderr.write("Loading the demo company …")
        said = io.StringIO()
        call_command("load_demo", stdout=said, stderr=self.stderr)
        return said.getvalue()

    def _welcome(self) -> str:
        if get_user_model().objects.exists():
            return ""
        return "Nobody has an account yet: open the address to make the administrator's.\n"


def require_free(host: str, port: str) -> None:
    """Raise CommandError unless we can listen there."""
    if not (port.isdecimal() and 0 < int(port) < 2**16):
        raise CommandError(f"PORT must be a number from 1 to 65535, and is {port!r}.")
    try:
        family, kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CommandError(
                f"Port {port} is in use by another program. Stop that one, or choose another port: "
                "PORT=8001 script/server"
            ) from error
        if error.errno == errno.EACCES:
            raise CommandError(
                f"Port {port} needs more rights. Choose one above 1023: PORT=8000 script/server"
            ) from error
        raise CommandError(f"OneTeam can't listen on {host}, port {port}: {error}. Check HOST and PORT.") from error


def migrate() -> None:
    """Bring the database up to this release, once, however many start at the same time."""
    try:
        connection.ensure_connection()
    except OperationalError as error:
        raise CommandError(f"The database does not answer: {error}".strip() + "\nCheck DATABASE_URL.") from error
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                sys.stderr.write("Preparing the database …\n")
                call_command("migrate", interactive=False, verbosity=0)
        finally:
            cursor.execute("select pg_advisory_unlock(%s)", [MIGRATION_LOCK])


def answers(host: str, port: str) -> bool:
    """Whether the web server answers yet."""
    probe = http.client.HTTPConnection(_visitable(host), int(port), timeout=2)
    try:
        probe.request("GET", "/healthz")
        return probe.getresponse().status == 200
    except OSError:
        return False
    finally:
        probe.close()


def _visitable(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104  # a comparison, nothing is bound


def _database_keeper() -> Any:
    """Restarts the embedded database if it was killed; nothing to do for a server of somebody else."""
    if os.environ.get("DATABASE_URL"):
        return lambda: None
    return embedded.running_server().acquire
