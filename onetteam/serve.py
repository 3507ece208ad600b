"""`manage.py serve`: OneTeam on this machine, in the foreground.

The supervisor loads no Django. While one child prepares the database, another loads the pages, and on two processors
the first answer comes in half the time. Processes, in the order of their start: web (held until all is prepared),
PostgreSQL (unless DATABASE_URL is set), prepare (`manage.py prepare`, ends), background.
"""

import argparse
import errno
import http.client
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg2
from psycopg2.extensions import parse_dsn

from onetteam import embedded
from onetteam.supervisor import Child, GivingUp, Supervisor
from onetteam.wheel import EmbeddedDatabaseError

ROOT = Path(__file__).resolve().parent.parent
PYTHON = [sys.executable, "-u"]


class Refused(Exception):
    """OneTeam can't be served like this; the text says what to do."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `serve` understands."""
    parser.add_argument("--host", default=os.environ.get("ONETEAM_HOST") or "127.0.0.1")
    parser.add_argument("--port", default=os.environ.get("PORT") or "8000")
    parser.add_argument("--demo", action="store_true", help="load the demo company first, once")


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT. The exit code; what went wrong is said in a sentence that says what to do."""
    parser = argparse.ArgumentParser(prog="manage.py serve", description="Run OneTeam in the foreground.")
    add_arguments(parser)
    given = parser.parse_args(arguments)
    try:
        return serve(given.host, given.port, demo=given.demo)
    except (Refused, GivingUp, EmbeddedDatabaseError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


def serve(host: str, port: str, *, demo: bool = False) -> int:
    """Serve until a signal. The exit code. Raises Refused, GivingUp and EmbeddedDatabaseError."""
    require_free(host, port)
    embedded.require_writable(embedded.data_dir())
    if os.environ.get("DATABASE_URL"):
        require_database(os.environ["DATABASE_URL"])
    os.chdir(ROOT)
    os.environ.update(PORT=port, ONETEAM_HOST=host)
    web = Child("web", [*PYTHON, "-m", "onetteam.web", "--stop-with-stdin", "--wait"], is_held=True)
    background = Child("background", [*PYTHON, "manage.py", "background", "--stop-with-stdin"])
    supervisor = Supervisor()
    supervisor.catch_signals()
    try:
        supervisor.start(web)
        supervisor.look_after = _started_database()
        walkthrough = _prepare(supervisor, demo=demo)
        if walkthrough is None:
            return 0 if supervisor.stopping.is_set() else 1
        web.release()
        supervisor.start(background)
        if supervisor.run(until=lambda: answers(host, port)):
            sys.stdout.write(f"OneTeam is ready at http://{_visitable(host)}:{port}\n{walkthrough}")
            sys.stdout.flush()
            supervisor.run()
    finally:
        supervisor.stop()
    return 0


def require_free(host: str, port: str) -> None:
    """Raise Refused unless we can listen there."""
    if not (port.isdecimal() and 0 < int(port) < 2**16):
        raise Refused(f"PORT must be a number from 1 to 65535, and is {port!r}.")
    try:
        family, kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Refused(
                f"Port {port} is in use by another program. Stop that one, or choose another port: "
                "PORT=8001 script/server"
            ) from error
        if error.errno == errno.EACCES:
            raise Refused(f"Port {port} needs more rights. Choose one above 1023: PORT=8000 script/server") from error
        raise Refused(f"OneTeam can't listen on {host}, port {port}: {error}. Check ONETEAM_HOST and PORT.") from error


def require_database(url: str) -> None:
    """Raise Refused unless the database server of somebody else answers."""
    try:
        if "dbname" not in parse_dsn(url):
            raise Refused("DATABASE_URL names no database. Write it at the end: postgresql://user@host/oneteam")
        psycopg2.connect(url, connect_timeout=3).close()
    except psycopg2.Error as error:
        reason = str(error).strip().partition("\n")[0]
        raise Refused(f"The database does not answer: {reason}. Check DATABASE_URL.") from error


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


def _started_database() -> Callable[[], None]:
    """Start the embedded database; what comes back starts it again if it was killed."""
    if os.environ.get("DATABASE_URL"):
        return lambda: None
    return embedded.running_server().acquire


def _prepare(supervisor: Supervisor, *, demo: bool) -> str | None:
    """Have everything prepared; what to tell the person who started us, or None if that failed or was stopped."""
    command = [*PYTHON, "manage.py", "prepare", "--stop-with-stdin", *(["--demo"] if demo else [])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True) as process:
        while process.poll() is None:
            if supervisor.stopping.wait(0.02):
                process.kill()
                return None
        said = process.stdout.read().decode() if process.stdout else ""
    return said if process.returncode == 0 else None


def _visitable(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104  # a comparison, nothing is bound
