"""A sign of life for health checks of processes that nobody can ask over the network."""

from __future__ import annotations

import os
import threading
from pathlib import Path


class Heartbeat(threading.Event):
    """A stop flag whose looks are seen: each look at it touches the file that ONETEAM_HEARTBEAT names, if any.

    A loop that hangs no longer looks, and the file grows old.
    """

    def __init__(self) -> None:
        super().__init__()
        name = os.environ.get("ONETEAM_HEARTBEAT")
        self._file = Path(name) if name else None

    def is_set(self) -> bool:
        """Whether to stop."""
        self._beat()
        return super().is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is time to stop, at most `timeout` seconds."""
        self._beat()
        return super().wait(timeout)

    def _beat(self) -> None:
        if self._file is not None:
            self._file.touch()
