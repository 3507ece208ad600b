"""PostgreSQL's own programs on OneTeam's database: to look, to back up, to restore."""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import REMAINDER, ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from psycopg2.extensions import parse_dsn

from onetteam import embedded, wheel

PROGRAMS = ("psql", "pg_dump", "pg_restore", "vacuumdb", "pg_amcheck")
# pg_restore writes SQL to standard output unless it is told of a database.
_RESTORE_ELSEWHERE = ("-d", "--dbname", "-f", "--file", "-l", "--list")


class Command(BaseCommand):
    """`manage.py postgres pg_dump --format=custom --file=oneteam.dump`."""

    help = (
        f"Run one of PostgreSQL's programs ({', '.join(PROGRAMS)}) on OneTeam's database, starting the embedded server "
        "if need be. Further arguments go to the program."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The program and its own arguments."""
        parser.add_argument("program", choices=PROGRAMS)
        parser.add_argument("arguments", nargs=REMAINDER)

    def handle(self, *, program: str, arguments: list[str], **options: Any) -> None:
        """Run it in this terminal; its exit code is ours."""
        address = parse_dsn(settings.DATABASE_URL or embedded.database_url())
        if program == "pg_restore" and not any(each.startswith(_RESTORE_ELSEWHERE) for each in arguments):
            arguments = [f"--dbname={address['dbname']}", *arguments]
        command = [str(wheel.programs() / program), *arguments]
        sys.exit(subprocess.run(command, env=_environment(address), check=False).returncode)


def _environment(address: dict[str, str]) -> dict[str, str]:
    """The address as PostgreSQL's programs read it, so that no password shows up in a list of processes."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return own | {f"PG{'DATABASE' if name == 'dbname' else name.upper()}": value for name, value in address.items()}
