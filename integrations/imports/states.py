"""Where an import stands, and where it may go from there; checked at import."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    """Where an import stands."""

    READING = "reading", _("Reading")
    WAITING = "waiting", _("Waiting for answers")
    CHECKING = "checking", _("Checking")
    CHECKED = "checked", _("Checked")
    WRITING = "writing", _("Importing")
    DONE = "done", _("Imported")
    FAILED = "failed", _("Interrupted")
    REFUSED = "refused", _("Not readable")
    CANCELLED = "cancelled", _("Cancelled")
    REVERTING = "reverting", _("Being reverted")
    REVERTED = "reverted", _("Reverted")


LEGAL: Mapping[State, frozenset[State]] = {
    State.READING: frozenset({State.WAITING, State.REFUSED, State.FAILED, State.CANCELLED}),
    State.WAITING: frozenset({State.CHECKING, State.WRITING, State.CANCELLED}),
    State.CHECKING: frozenset({State.CHECKED, State.FAILED, State.CANCELLED}),
    State.CHECKED: frozenset({State.WAITING, State.CHECKING, State.WRITING, State.CANCELLED}),
    State.WRITING: frozenset({State.DONE, State.FAILED, State.CANCELLED}),
    State.DONE: frozenset({State.REVERTING}),
    State.FAILED: frozenset({State.READING, State.CHECKING, State.WRITING, State.REVERTING, State.CANCELLED}),
    State.REFUSED: frozenset(),
    State.CANCELLED: frozenset({State.REVERTING}),
    State.REVERTING: frozenset({State.REVERTED, State.FAILED}),
    State.REVERTED: frozenset(),
}
# What the background works on by itself.
RUNNING = (State.READING, State.CHECKING, State.WRITING, State.REVERTING)

if set(LEGAL) != set(State):
    raise RuntimeError("Every state of an import needs its legal successors.")
