"""What has to be done before OneTeam can be served: static files, migrations, on request the demo company."""

import io
import signal
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from onetteam import supervisor
from onetteam.staticfiles import collect_if_changed

MIGRATION_LOCK = 0x0E7EA4  # any number that nothing else uses


class Command(BaseCommand):
    """`manage.py prepare`."""

    help = "Prepare everything for serving; quick when nothing has changed. Prints what to tell who starts OneTeam."
    requires_system_checks = ["staticfiles"]

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Demo data; how a supervisor ends it."""
        parser.add_argument("--demo", action="store_true", help="load the demo company, once")
        parser.add_argument("--stop-with-stdin", action="store_true", help="end when standard input does")

    def handle(self, *, demo: bool, stop_with_stdin: bool, **options: Any) -> None:
        """Prepare; may be interrupted at any moment without harm."""
        # From now on the embedded database has a user who stops it in the end, whatever becomes of the supervisor.
        connection.ensure_connection()
        if stop_with_stdin:
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
            supervisor.stop_with_stdin()
        if not settings.DEBUG:
            collect_if_changed()
        migrate()
        is_empty = not get_user_model().objects.exists()
        if demo:
            self._load_demo(is_empty=is_empty)
        elif is_empty:
            self.stdout.write("Nobody has an account yet: open the address to make the administrator's.")

    def _load_demo(self, *, is_empty: bool) -> None:
        if is_empty:
            self.stderr.write("Loading the demo company …")
        said = io.StringIO()
        call_command("load_demo", stdout=said, stderr=self.stderr)
        self.stdout.write(said.getvalue(), ending="")


def migrate() -> None:
    """Bring the database up to this release, once, however many start at the same time."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                sys.stderr.write("Preparing the database …\n")
                call_command("migrate", interactive=False, verbosity=0)
        finally:
            cursor.execute("select pg_advisory_unlock(%s)", [MIGRATION_LOCK])
