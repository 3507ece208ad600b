"""Run the relay in the foreground."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand

from events import relay
from events.heartbeat import Heartbeat


class Command(BaseCommand):
    """Rings for what events are owed, until SIGTERM or SIGINT; run as many as you like."""

    help = "Ring for what events are owed, until SIGTERM or SIGINT. Run as many as you like."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until told to stop."""
        stop = Heartbeat()

        def leave(_signal: int, _frame: FrameType | None) -> None:
            stop.set()

        signal.signal(signal.SIGTERM, leave)
        signal.signal(signal.SIGINT, leave)
        relay.run(stop)
