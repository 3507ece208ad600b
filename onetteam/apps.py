"""The project as an app: commands, checks and what the database needs besides models."""

from typing import Any

from django.apps import AppConfig
from django.core.management import call_command
from django.db.models.signals import post_migrate


class OneTeamConfig(AppConfig):
    """Loads Celery in every process; makes the cache's table with the migrations, because that table has no model."""

    name = "onetteam"
    verbose_name = "OneTeam"

    def ready(self) -> None:
        """Let `shared_task` find its application; hook into `migrate`."""
        import onetteam.celery  # noqa: F401

        post_migrate.connect(_make_cache_table, sender=self)


def _make_cache_table(using: str, **_: Any) -> None:
    call_command("createcachetable", database=using, verbosity=0)
