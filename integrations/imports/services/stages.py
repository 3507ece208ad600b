"""Stages that a file needs and a person asked to be added."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import F
from django.utils.text import slugify
from django.utils.translation import gettext as _

from events import names
from events.recording import record
from integrations.imports.errors import NotPossible
from integrations.imports.models import Import
from integrations.imports.setup import Setup
from opportunities.models import ForecastCategory, Stage, StageKind, Temperature

_CATEGORIES = {
    Temperature.COLD: ForecastCategory.PIPELINE,
    Temperature.WARM: ForecastCategory.PIPELINE,
    Temperature.HOT: ForecastCategory.BEST_CASE,
}
_PROBABILITIES = {Temperature.COLD: 10, Temperature.WARM: 40, Temperature.HOT: 75}


def new_stage(name: str, *, kind: str, temperature: str) -> dict[str, Any]:
    """A stage to be added, as kept in an import's options."""
    closed = {
        StageKind.WON: (Temperature.HOT, 100, ForecastCategory.CLOSED),
        StageKind.LOST: (Temperature.COLD, 0, ForecastCategory.OMITTED),
    }
    warmth = Temperature(temperature)
    values = closed.get(StageKind(kind), (warmth, _PROBABILITIES[warmth], _CATEGORIES[warmth]))
    return {
        "key": slugify(name)[:40] or "stage", "name": name[:80], "kind": kind, "temperature": str(values[0]),
        "probability": values[1], "forecast_category": str(values[2]),
    }  # fmt: skip


def require_right_to_add(setup: Setup) -> list[Stage]:
    """The stages to be added. Raises NotPossible for those who may not add any."""
    missing = [stage for stage in setup.stages if stage.pk is None]
    actor = setup.imported.created_by
    if missing and actor is not None and not actor.is_administrator:
        raise NotPossible(_("Only an administrator can add a stage. Choose one of those that there are."))
    return missing


def add_stages(*, imported: Import, now: dt.datetime) -> None:
    """Add the stages that the answers ask for: open ones after the last open one. Raises NotPossible."""
    setup = Setup(imported, now=now)
    actor = imported.created_by
    for stage in require_right_to_add(setup):
        active = Stage.objects.active().filter(pipeline=setup.pipeline)
        opens = [other.position for other in active if other.is_open]
        last = max((other.position for other in active), default=-1)
        stage.position = max(opens, default=-1) + 1 if stage.is_open else last + 1
        # One by one from the end: positions are unique at every moment.
        for other in active.filter(position__gte=stage.position).order_by("-position"):
            Stage.objects.filter(pk=other.pk).update(position=F("position") + 1)
        stage.save()
        what = _("stages: added %(name)s") % {"name": stage.name}
        record(names.SETTINGS_CHANGED, actor=actor, about=stage, now=now, data={"what": what})
