"""PostgreSQL from a wheel, for one-command use: started by whoever needs it first, stopped by whoever leaves last.

A process that uses the server holds a shared lock on ``<name>.users`` for as long as it lives. The kernel drops the
lock of a killed process, so there is no list of process ids that could go stale. Starting and stopping happen under
``<name>.lock``. The server listens on a Unix socket only, in a directory that nobody but its owner can enter.
"""

import atexit
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg2
from psycopg2 import sql

from onetteam import wheel
from onetteam.wheel import POSTGRES_VERSION, EmbeddedDatabaseError

SUPERUSER = "postgres"
APPLICATION = "oneteam"  # the role and the database of the application; the role is no superuser
PORT = 5432  # only a part of the socket's file name

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": str(PORT),
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_checkpoints": "off",
    "random_page_cost": "1.1",
    "jit": "off",
}
# An acknowledged change must survive a power cut, whatever the machine's defaults say.
DURABLE: Mapping[str, str] = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
# For test data, which nobody misses.
FAST: Mapping[str, str] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "checkpoint_timeout": "30min",
    "max_wal_size": "4GB",
}

START_SECONDS = 120  # crash recovery of a large database included
STOP_SECONDS = 60
SOCKET_SECONDS = 10  # a running server without a usable socket is given this long, then restarted
LOG_BYTES = 5_000_000  # a larger log is put aside at the next start
SOCKET_PATH_LIMIT = 100  # sockaddr_un holds 104 bytes on macOS and 108 on Linux, with the terminating zero


def data_dir() -> Path:
    """Where OneTeam keeps everything of its own: $ONETEAM_DATA_DIR, else `.data` beside `manage.py`."""
    default = Path(__file__).resolve().parent.parent / ".data"
    return Path(os.environ.get("ONETEAM_DATA_DIR") or default).expanduser().resolve()


def require_writable(directory: Path) -> None:
    """Make `directory` if need be. Raises `EmbeddedDatabaseError` if files can't be written there."""
    try:
        # Root's database runs as somebody else, who has to pass through.
        directory.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise EmbeddedDatabaseError(
            f"The data directory {directory} can't be used ({error.strerror}). Make it writable for user "
            f"{wheel.user_name(os.geteuid())}, or choose another one with ONETEAM_DATA_DIR."
        ) from error


def address(*, fast: bool = False) -> str:
    """URL of the embedded database, whether its server runs or not; `fast` is another server, for tests."""
    return _server(fast=fast).url()


def database_url(*, fast: bool = False) -> str:
    """URL of the embedded database, its server started if need be and kept until this process ends.

    `fast` is a server of its own for tests, which gives up durability. Raises `EmbeddedDatabaseError`.
    """
    return running_server(fast=fast).url()


def running_server(*, fast: bool = False) -> "Server":
    """The embedded server of this data directory, running and in use by this process."""
    server = _server(fast=fast)
    with _starting:
        if not server.is_in_use:
            server.acquire()
            atexit.register(server.release)
    return server


def _server(*, fast: bool) -> "Server":
    path = data_dir() / ("test-postgres" if fast else "postgres")
    return _servers.setdefault(path, Server(path, FAST if fast else DURABLE))


@dataclass
class Server:
    """One PostgreSQL data directory and the process that serves it."""

    path: Path
    profile: Mapping[str, str]
    _users: int | None = None
    _owner_pid: int = field(default_factory=os.getpid)
    _child: subprocess.Popen[bytes] | None = None

    def url(self, database: str = APPLICATION, role: str = APPLICATION) -> str:
        """A libpq and DATABASE_URL style address of `database` on this server."""
        return f"postgresql://{role}@{quote(str(self.socket_dir), safe='')}:{PORT}/{database}"

    @property
    def is_in_use(self) -> bool:
        """Whether this process has acquired it."""
        return self._users is not None

    @property
    def socket_dir(self) -> Path:
        """The data directory, or a private directory with a short name where the path would be too long."""
        if len(os.fsencode(self.path / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_LIMIT:
            return self.path
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
        return Path("/tmp" if os.path.isdir("/tmp") else tempfile.gettempdir()) / f"oneteam-{digest}"  # noqa: S108

    def acquire(self) -> None:
        """Use the server from now on; start it if it isn't running. Raises `EmbeddedDatabaseError`."""
        require_writable(self.path.parent)
        with self._exclusively():
            if self._users is None:
                self._users = os.open(self._beside(".users"), os.O_RDWR | os.O_CREAT, 0o666)
                fcntl.flock(self._users, fcntl.LOCK_SH)
            if not self._answers():
                self._start()

    def release(self) -> None:
        """Use the server no longer; stop it if nobody else does."""
        if self._users is None or os.getpid() != self._owner_pid:
            return
        with self._exclusively():
            os.close(self._users)
            self._users = None
            with open(self._beside(".users"), "rb") as users:
                try:
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return
                self._stop()

    def connect(self, database: str = "postgres", role: str = SUPERUSER) -> "psycopg2.extensions.connection":
        """A connection outside Django, by default as superuser; in autocommit."""
        connection = psycopg2.connect(self.url(database, role), connect_timeout=3)
        connection.autocommit = True
        return connection

    # --- starting ---------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        if not (self.path / "PG_VERSION").exists():
            self._create()
        self._check_directory()
        self._clear_leftovers()
        self._prepare_socket_dir()
        settings = {**SETTINGS, **self.profile, "unix_socket_directories": _listed(self.socket_dir)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        deadline = time.monotonic() + START_SECONDS
        while True:
            if os.path.exists(self._beside(".log")) and os.path.getsize(self._beside(".log")) > LOG_BYTES:
                os.replace(self._beside(".log"), self._beside(".log.1"))
            with open(self._beside(".log"), "ab") as log:
                size = log.tell()
                self._child = wheel.run(self.path, ["postgres", "-D", str(self.path), *options], log)
            if self._wait_until_ready(deadline):
                break
            # After a crash the old backends need a moment until they notice that their postmaster has gone.
            if b"pre-existing shared memory block" not in self._log_since(size) or time.monotonic() > deadline:
                self._fail("PostgreSQL could not start", self._log_since(size))
            time.sleep(0.3)
        self._ensure_database()

    def _create(self) -> None:
        """Make the data directory under another name first: a killed initdb must not leave half a database."""
        if self.path.exists() and any(self.path.iterdir()):
            raise EmbeddedDatabaseError(
                f"{self.path} holds files but no database. Move it away to start with an empty database, "
                "restore it from a backup, or choose another directory with ONETEAM_DATA_DIR."
            )
        new = Path(self._beside(".new"))
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        account = wheel.account(self.path)
        if account:
            os.chown(new, account.pw_uid, account.pw_gid)
        # The builtin collation sorts the same on every machine and release, so an index never goes stale.
        command = ["initdb", "-D", str(new), "--username", SUPERUSER, "--encoding", "UTF8", "--no-instructions"]
        command += ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"]
        command += ["--auth-local", "trust", "--auth-host", "reject"]
        if self.profile is FAST:
            command += ["--no-sync", "--no-data-checksums"]
        with tempfile.TemporaryFile() as output:
            code = wheel.run(self.path, command, output).wait()
            output.seek(0)
            if code:
                shutil.rmtree(new, ignore_errors=True)
                self._fail(f"No database could be made in {self.path.parent}", output.read())
        new.rename(self.path)

    def _check_directory(self) -> None:
        version = (self.path / "PG_VERSION").read_text().strip()
        if version != POSTGRES_VERSION:
            raise EmbeddedDatabaseError(
                f"{self.path} was made by PostgreSQL {version}, and this release of OneTeam brings {POSTGRES_VERSION}. "
                "Dump it with the earlier release's pg_dump, move it away, and load the dump into the new database."
            )
        owner = self.path.stat().st_uid
        if os.geteuid() not in (0, owner):
            raise EmbeddedDatabaseError(
                f"{self.path} belongs to another user ({wheel.user_name(owner)}). Run OneTeam as that user, "
                "or choose a directory of your own with ONETEAM_DATA_DIR."
            )

    def _clear_leftovers(self) -> None:
        """Deal with the process or pid file that an earlier, killed run left."""
        process = self._process()
        if process is None:
            # The recorded pid may be anybody's by now, and PostgreSQL would refuse to start next to it.
            (self.path / "postmaster.pid").unlink(missing_ok=True)
            (self.socket_dir / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)
            return
        deadline = time.monotonic() + SOCKET_SECONDS
        while process.is_running() and time.monotonic() < deadline:
            if self._answers():
                break
            time.sleep(0.1)
        self._stop()

    def _prepare_socket_dir(self) -> None:
        if self.socket_dir == self.path:
            return
        account = wheel.account(self.path)
        owner = account.pw_uid if account else os.geteuid()
        try:
            self.socket_dir.mkdir(mode=0o700)
            if account:
                os.chown(self.socket_dir, account.pw_uid, account.pw_gid)
        except FileExistsError:
            status = self.socket_dir.lstat()
            if status.st_uid != owner or not self.socket_dir.is_dir() or status.st_mode & 0o077:
                raise EmbeddedDatabaseError(
                    f"{self.socket_dir} is not a private directory of user {wheel.user_name(owner)}. Remove it, "
                    "or choose a shorter path with ONETEAM_DATA_DIR."
                ) from None

    def _wait_until_ready(self, deadline: float) -> bool:
        assert self._child is not None
        while time.monotonic() < deadline:
            if self._answers():
                return True
            if self._child.poll() is not None:
                return False
            time.sleep(0.02)
        self._child.kill()
        self._child.wait()
        return False

    def _ensure_database(self) -> None:
        with _closing(self.connect) as connection, connection.cursor() as cursor:
            name = sql.Identifier(APPLICATION)
            cursor.execute("select 1 from pg_roles where rolname = %s", [APPLICATION])
            if not cursor.fetchone():
                cursor.execute(sql.SQL("create role {} login createdb").format(name))
            cursor.execute("select 1 from pg_database where datname = %s", [APPLICATION])
            if not cursor.fetchone():
                cursor.execute(sql.SQL("create database {} owner {}").format(name, name))

    # --- stopping and looking ---------------------------------------------------------------------------------------

    def _stop(self) -> None:
        process = self._process()
        if process is None:
            return
        for how, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
            try:
                process.send_signal(how)
                if self._child and self._child.pid == process.pid:
                    self._child.wait(seconds)
                else:
                    process.wait(seconds)
                return
            except psutil.NoSuchProcess:
                return
            except (psutil.TimeoutExpired, subprocess.TimeoutExpired):
                continue

    def _process(self) -> psutil.Process | None:
        """The postmaster that the pid file names, if it is really one and alive."""
        if self._child:
            self._child.poll()
        try:
            pid = int((self.path / "postmaster.pid").read_text().splitlines()[0])
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE or "postgres" not in process.name():
                return None
            return process
        except (FileNotFoundError, IndexError, ValueError, psutil.Error):
            return None

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg2.OperationalError:
            return False
        return True

    # --- files ------------------------------------------------------------------------------------------------------

    def _beside(self, suffix: str) -> str:
        return str(self.path.with_name(self.path.name + suffix))

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        try:
            lock = os.open(self._beside(".lock"), os.O_RDWR | os.O_CREAT, 0o666)
        except PermissionError as error:
            raise EmbeddedDatabaseError(
                f"{self._beside('.lock')} belongs to another user. Run OneTeam as that user, or choose a directory "
                "of your own with ONETEAM_DATA_DIR."
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _log_since(self, offset: int) -> bytes:
        with open(self._beside(".log"), "rb") as log:
            log.seek(offset)
            return log.read()

    def _fail(self, what: str, output: bytes) -> None:
        said = "\n".join(f"    {line}" for line in output.decode(errors="replace").splitlines()[-8:])
        raise EmbeddedDatabaseError(
            f"{what} (data directory {self.path}). It said:\n{said}\n"
            "Free disk space or repair the directory; or restore a backup; or move the directory away to start with "
            "an empty database; or choose another one with ONETEAM_DATA_DIR."
        )


_servers: dict[Path, Server] = {}
_starting = threading.Lock()


@contextmanager
def _closing(
    connect: "Callable[[], psycopg2.extensions.connection]",
) -> "Iterator[psycopg2.extensions.connection]":
    connection = connect()
    try:
        yield connection
    finally:
        connection.close()


def _listed(path: Path) -> str:
    """The path as the only element of a PostgreSQL list setting, in which commas and quotes have a meaning."""
    return '"' + str(path).replace('"', '""') + '"'
