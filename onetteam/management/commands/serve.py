"""Run OneTeam on this machine: database, web and background work, in the foreground."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from onetteam import serve


class Command(BaseCommand):
    """`manage.py serve` in `manage.py help`; called by its name, `manage.py` doesn't even load Django for it."""

    help = "Run OneTeam in the foreground: PostgreSQL (unless DATABASE_URL is set), web and background work."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Host, port and demo data."""
        serve.add_arguments(parser)

    def handle(self, *, host: str, port: str, demo: bool, **options: Any) -> None:
        """Serve until SIGTERM or SIGINT."""
        sys.exit(serve.main(["--host", host, "--port", port, *(["--demo"] if demo else [])]))
