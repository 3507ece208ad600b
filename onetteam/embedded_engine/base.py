"""Starts the embedded server when a connection is first wanted, so that `check`, linters and builds need none."""

from typing import Any

from django.db.backends.postgresql import base

from onetteam import embedded


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL, started on demand."""

    def get_connection_params(self) -> dict[str, Any]:
        """How to connect; after this the server runs, and is kept until this process ends."""
        embedded.running_server()
        return super().get_connection_params()
