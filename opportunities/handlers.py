"""Reactions to events; each may run twice, late or out of order."""

from __future__ import annotations

from datetime import datetime

from events.models import Event
from opportunities.models import Stage
from opportunities.services import redefinition


def follow_stage(*, event: Event, now: datetime) -> None:
    """A stage came to mean something else: a batch of its open deals follows, then the next."""
    stage = Stage.objects.filter(pk=event.subject_id, archived_at__isnull=True).first()
    if stage is None or not stage.is_open:
        return
    since = datetime.fromisoformat(event.data["since"]) if "since" in event.data else event.at
    changed = redefinition.follow_stage(
        stage=stage, before=event.data["before"], redefined_at=since, actor=event.actor, now=now
    )
    if changed == redefinition.BATCH:
        data = {**event.data, "since": since.isoformat()}
        redefinition.continue_following(stage=stage, data=data, actor=event.actor, now=now)
