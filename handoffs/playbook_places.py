"""Where a playbook's tasks stand for a deal, and what they may be about, by the signal that brings them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.db.models import TextChoices

from handoffs.models import PlaybookTask, RampPhase, Section, TaskAction, Trigger

# Items of the checklist have a section; tasks of the win may have a phase of the ramp.
PLACES: Mapping[str, tuple[str, type[TextChoices]]] = {
    Trigger.HANDOFF: ("section", Section),
    Trigger.WON: ("phase", RampPhase),
}
_BEFORE_THE_WIN = (
    TaskAction.NONE, TaskAction.REVIEW, TaskAction.EXPRESS_REVIEW, TaskAction.RISK_PROFILE, TaskAction.STAFFING,
)  # fmt: skip
_AFTER_THE_WIN = (TaskAction.NONE, TaskAction.RELATIONSHIPS, TaskAction.RISK_PROFILE, TaskAction.STAFFING)
_BY_THE_CLIENT = (
    TaskAction.CLIENT_SCOPE, TaskAction.CLIENT_CRITERIA, TaskAction.CLIENT_RISKS, TaskAction.PULSE,
)  # fmt: skip


def actions_for(trigger: str) -> Sequence[TaskAction]:
    """What a task that this signal brings may be about; conditions and promises come by themselves."""
    if trigger == Trigger.WON:
        return (*_AFTER_THE_WIN, *_BY_THE_CLIENT)
    return _AFTER_THE_WIN if trigger == Trigger.HANDOFF else _BEFORE_THE_WIN


def place_of(task: PlaybookTask, trigger: str) -> str:
    """The section or phase of the task; empty where it has none."""
    field = PLACES.get(trigger, ("", None))[0]
    return str(getattr(task, field)) if field else ""


def in_order(tasks: Iterable[PlaybookTask], trigger: str) -> list[PlaybookTask]:
    """The tasks by section or phase and then position; those without a place come first."""
    choices = PLACES[trigger][1].values if trigger in PLACES else []
    order = {place: number for number, place in enumerate(["", *choices])}
    return sorted(tasks, key=lambda task: (order.get(place_of(task, trigger), 0), task.position, task.pk))
