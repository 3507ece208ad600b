"""Playbooks as an administrator writes them. Tasks that deals have already keep what they were given."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.access import require_administrator
from accounts.models import ServiceLine, User
from events import names
from events.recording import record
from handoffs import conditions
from handoffs.models import Assignee, Playbook, PlaybookTask, TaskAction, TaskSide, Trigger
from handoffs.playbook_places import PLACES, actions_for, in_order, place_of
from handoffs.services.ordering import number, require_seen, shifted
from opportunities.services.merging import merged

# What brings tasks to a deal; being asked in by hand brings those of a warm deal.
TRIGGERS = (Trigger.WARM, Trigger.HOT, Trigger.UNFORECASTED, Trigger.HANDOFF, Trigger.WON)
MAX_TASKS = 40
CHANGEABLE = ("title", "help_text", "side", "assignee", "offset_days", "anchor", "conditions", "evidence", "action",
              "section", "phase", "is_required")  # fmt: skip
_SALES = {Assignee.SALES_OWNER, Assignee.SALES_MANAGER}
_SIGNED_BY_BOTH = {
    TaskAction.REVIEW, TaskAction.EXPRESS_REVIEW, TaskAction.RISK_PROFILE, TaskAction.RELATIONSHIPS,
}  # fmt: skip


class AnotherInUse(Exception):
    """Another playbook answers the same signal for the same service line; ``other`` is it."""

    def __init__(self, other: Playbook) -> None:
        super().__init__(_("“%(name)s” is in use for this signal. Only one can be.") % {"name": other.name})
        self.other = other


def create_playbook(
    *, actor: User, name: str, trigger: Trigger, service_line: ServiceLine | None, now: dt.datetime
) -> Playbook:
    """Begin a playbook without tasks; it is not in use yet. Raises PermissionDenied, ValidationError (name taken)."""
    require_administrator(actor)
    with transaction.atomic():
        playbook = _new(name, trigger, service_line)
        _record(actor, playbook, now, _("playbooks: added %(name)s"))
    return playbook


def copy_playbook(
    *, actor: User, playbook: Playbook, name: str, service_line: ServiceLine | None, now: dt.datetime
) -> Playbook:
    """Make a playbook of a service line's own out of another one; it is not in use yet.

    Raises PermissionDenied, ValidationError (name taken).
    """
    require_administrator(actor)
    with transaction.atomic():
        source = _locked(playbook)
        copy = _new(name, Trigger(source.trigger), service_line)
        originals = _active(source)
        made = {
            each.pk: PlaybookTask.objects.create(
                playbook=copy, key=each.key, position=position, **{field: getattr(each, field) for field in CHANGEABLE}
            )
            for position, each in enumerate(originals)
        }
        for each in originals:
            made[each.pk].depends_on.set(made[other.pk] for other in each.depends_on.all() if other.pk in made)
        _record(actor, copy, now, _("playbooks: added %(name)s"))
    return copy


def rename_playbook(*, actor: User, playbook: Playbook, name: str, seen: str | None, now: dt.datetime) -> Playbook:
    """Give it another name; ``seen`` is the one on the page. Raises PermissionDenied, Collision, ValidationError."""
    require_administrator(actor)
    with transaction.atomic():
        current = _locked(playbook)
        changes = merged(
            current={"name": current.name}, wanted={"name": name}, base={} if seen is None else {"name": seen}
        )
        if changes:
            _refuse_taken(name, but=current)
            current.name = name
            _bump(actor, current, now, _("the playbook %(name)s"))
    return current


def set_playbook_active(
    *, actor: User, playbook: Playbook, is_active: bool, now: dt.datetime, is_replacing: bool = False
) -> Playbook:
    """Put a playbook to use, or take it out of use; ``is_replacing`` takes the one in use out in the same step.

    Raises PermissionDenied, AnotherInUse, ValidationError when it has no tasks.
    """
    require_administrator(actor)
    with transaction.atomic():
        rivals = list(Playbook.objects.select_for_update().filter(trigger=playbook.trigger).order_by("pk"))
        current = next(each for each in rivals if each.pk == playbook.pk)
        if current.is_active == is_active:
            return current
        if is_active:
            if not current.tasks.filter(archived_at__isnull=True).exists():
                raise ValidationError(_("Add a task first; an empty playbook would leave deals without any."))
            _make_room(actor, current, rivals, now, is_replacing=is_replacing)
        current.is_active = is_active
        said = _("playbooks: %(name)s is in use") if is_active else _("playbooks: %(name)s is out of use")
        _bump(actor, current, now, said)
    return current


def add_task(*, actor: User, playbook: Playbook, values: Mapping[str, Any], now: dt.datetime) -> PlaybookTask:
    """Add a task at the end; ``values`` are CHANGEABLE and ``depends_on`` (ids).

    Raises PermissionDenied, ValidationError.
    """
    require_administrator(actor)
    with transaction.atomic():
        current = _locked(playbook)
        tasks = _active(current)
        if len(tasks) >= MAX_TASKS:
            raise ValidationError(_("A playbook has at most %(count)d tasks.") % {"count": MAX_TASKS})
        task = PlaybookTask(playbook=current, position=len(tasks), key=_key(current, values["title"]))
        _write(task, values, tasks)
        task.save()
        task.depends_on.set(values.get("depends_on", ()))
        _bump(actor, current, now, _("the playbook %(name)s: added “%(task)s”"), task)
    return task


def change_task(
    *, actor: User, task: PlaybookTask, wanted: Mapping[str, Any], base: Mapping[str, Any], now: dt.datetime
) -> PlaybookTask:
    """Change a task; ``base`` is what the person saw. Deals that have the task already keep theirs.

    Raises PermissionDenied, Collision, ValidationError (also for tasks that would wait for each other).
    """
    require_administrator(actor)
    with transaction.atomic():
        playbook = _locked(task.playbook)
        current = PlaybookTask.objects.select_for_update().get(pk=task.pk)
        present = {**{name: getattr(current, name) for name in CHANGEABLE}, "depends_on": dependencies(current)}
        changes = merged(current=present, wanted=wanted, base=base)
        if not changes:
            return current
        _write(current, {**present, **changes}, _active(playbook))
        current.save()
        if "depends_on" in changes:
            archived = current.depends_on.filter(archived_at__isnull=False)
            current.depends_on.set([*changes["depends_on"], *archived.values_list("pk", flat=True)])
        _bump(actor, playbook, now, _("the playbook %(name)s: changed “%(task)s”"), current)
    return current


def shift_task(*, actor: User, task: PlaybookTask, by: int, now: dt.datetime) -> None:
    """Move a task up (-1) or down (1) in its section or phase; at the end nothing happens. Raises PermissionDenied."""
    require_administrator(actor)
    with transaction.atomic():
        playbook = _locked(task.playbook)
        active = _active(playbook)
        present = [each.pk for each in active]
        if task.pk not in present:
            return
        place = place_of(task, playbook.trigger)
        beside = [each.pk for each in active if place_of(each, playbook.trigger) == place]
        moved = iter(shifted(beside, task.pk, by))
        order = [next(moved) if pk in beside else pk for pk in present]
        if order != present:
            number(PlaybookTask, order)
            _bump(actor, playbook, now, _("the playbook %(name)s: the order of its tasks"))


def order_tasks(
    *, actor: User, playbook: Playbook, order: Sequence[int], seen: Sequence[int], now: dt.datetime
) -> None:
    """Put the tasks in this order (ids), given the order that the person saw.

    Raises PermissionDenied, Collision when somebody else ordered, added or archived in the meantime.
    """
    require_administrator(actor)
    with transaction.atomic():
        current = _locked(playbook)
        present = [each.pk for each in _active(current)]
        require_seen(seen=seen, present=present, wanted=order)
        if list(order) != present:
            number(PlaybookTask, order)
            _bump(actor, current, now, _("the playbook %(name)s: the order of its tasks"))


def archive_task(*, actor: User, task: PlaybookTask, now: dt.datetime) -> None:
    """Leave a task out from now on; tasks that waited for it no longer do.

    Raises PermissionDenied, ValidationError for the last task of a playbook in use.
    """
    require_administrator(actor)
    with transaction.atomic():
        playbook = _locked(task.playbook)
        active = _active(playbook)
        if task.pk not in {each.pk for each in active}:
            return
        if playbook.is_active and len(active) == 1:
            raise ValidationError(_("This is its only task. Take the playbook out of use instead."))
        PlaybookTask.objects.filter(pk=task.pk).update(archived_at=now)
        number(PlaybookTask, (each.pk for each in active if each.pk != task.pk))
        _bump(actor, playbook, now, _("the playbook %(name)s: left out “%(task)s”"), task)


def restore_task(*, actor: User, task: PlaybookTask, now: dt.datetime) -> None:
    """Bring an archived task back, at the end, waiting for what it waited for.

    Raises PermissionDenied, ValidationError (title taken meanwhile, or tasks that would wait for each other).
    """
    require_administrator(actor)
    with transaction.atomic():
        playbook = _locked(task.playbook)
        current = PlaybookTask.objects.get(pk=task.pk)
        if current.archived_at is None:
            return
        active = _active(playbook)
        if len(active) >= MAX_TASKS:
            raise ValidationError(_("A playbook has at most %(count)d tasks.") % {"count": MAX_TASKS})
        current.archived_at, current.position = None, len(active)
        _refuse_taken_title(current, active)
        current.save(update_fields=["archived_at", "position"])
        _refuse_circle(current, dependencies(current), _active(playbook))
        _bump(actor, playbook, now, _("the playbook %(name)s: brought back “%(task)s”"), current)


def dependencies(task: PlaybookTask) -> frozenset[int]:
    """Ids of the active tasks that it waits for."""
    return frozenset(other.pk for other in task.depends_on.all() if other.archived_at is None)


def _new(name: str, trigger: Trigger, service_line: ServiceLine | None) -> Playbook:
    # All playbooks, so that two people can't take a name at the same moment.
    taken = set(Playbook.objects.select_for_update().order_by("pk").values_list("key", flat=True))
    _refuse_taken(name, but=None)
    return Playbook.objects.create(
        key=_free(name, "playbook", taken, 40), name=name, trigger=trigger, service_line=service_line, is_active=False
    )


def _locked(playbook: Playbook) -> Playbook:
    """The playbook as it stands; whoever changes it or its tasks waits here for others."""
    return Playbook.objects.select_for_update().get(pk=playbook.pk)


def _active(playbook: Playbook) -> list[PlaybookTask]:
    tasks = playbook.tasks.filter(archived_at__isnull=True).prefetch_related("depends_on")
    return in_order(tasks, playbook.trigger)


def _make_room(
    actor: User, playbook: Playbook, rivals: Iterable[Playbook], now: dt.datetime, *, is_replacing: bool
) -> None:
    for other in rivals:
        if other.pk == playbook.pk or not other.is_active or other.service_line_id != playbook.service_line_id:
            continue
        if not is_replacing:
            raise AnotherInUse(other)
        other.is_active = False
        _bump(actor, other, now, _("playbooks: %(name)s is out of use"))


def _write(task: PlaybookTask, values: Mapping[str, Any], others: Sequence[PlaybookTask]) -> None:
    for name in CHANGEABLE:
        if name in values:
            setattr(task, name, values[name])
    task.clean_fields(exclude=["playbook", "depends_on"])
    conditions.check(task.conditions)
    _refuse_misplaced(task)
    _refuse_wrong_side(task)
    _refuse_taken_title(task, others)
    _refuse_circle(task, values.get("depends_on", frozenset()), others)


def _refuse_misplaced(task: PlaybookTask) -> None:
    """Refuse a section or phase that the signal has none of, no section on a checklist, and what it can't be about."""
    trigger = task.playbook.trigger
    if trigger == Trigger.HANDOFF and not task.section:
        raise ValidationError({"section": _("Say in which section of the checklist it stands.")})
    for field in ("section", "phase"):
        if getattr(task, field) and PLACES.get(trigger, ("", None))[0] != field:
            raise ValidationError({field: _("Tasks of this signal have none.")})
    if task.action not in actions_for(trigger):
        raise ValidationError({"action": _("A task that this signal brings can't be about that.")})


def _refuse_wrong_side(task: PlaybookTask) -> None:
    is_for_sales = task.assignee in _SALES
    if task.side == TaskSide.SALES and not is_for_sales:
        raise ValidationError({"assignee": _("A task of Sales goes to somebody in sales.")})
    if task.side == TaskSide.DELIVERY and is_for_sales:
        raise ValidationError({"assignee": _("A task of Delivery goes to somebody in delivery.")})
    if task.action in _SIGNED_BY_BOTH and task.side != TaskSide.SHARED:
        raise ValidationError({"action": _("Both sides sign this, so it is a task of One Team.")})


def _refuse_taken_title(task: PlaybookTask, others: Sequence[PlaybookTask]) -> None:
    if any(each.title.casefold() == task.title.casefold() for each in others if each.pk != task.pk):
        raise ValidationError({"title": _("There is already a task called “%(title)s” here.") % {"title": task.title}})


def _refuse_circle(task: PlaybookTask, waits_for: Iterable[int], others: Sequence[PlaybookTask]) -> None:
    """Refuse dependencies outside the playbook, and those that lead back to the task, naming the way."""
    by_id = {each.pk: each for each in others if each.pk != task.pk}
    wanted = set(waits_for)
    if not wanted <= set(by_id):
        raise ValidationError({"depends_on": _("Choose tasks of this playbook that are in use.")})
    for start in sorted(wanted):
        way = _way_back(start, task.pk, by_id)
        if way is not None:
            titles = " → ".join([task.title, *(by_id[pk].title for pk in way), task.title])
            raise ValidationError(
                {"depends_on": _("These would wait for each other: %(titles)s.") % {"titles": titles}}
            )


def _way_back(start: int, goal: int | None, by_id: Mapping[int, PlaybookTask]) -> list[int] | None:
    """The ids from ``start`` to the task that waits for ``goal``, None where no way leads there."""
    ways = [[start]]
    seen = {start}
    while ways:
        way = ways.pop()
        following = [other.pk for other in by_id[way[-1]].depends_on.all()]
        if goal in following:
            return way
        fresh = [pk for pk in following if pk in by_id and pk not in seen]
        seen.update(fresh)
        ways += [[*way, pk] for pk in fresh]
    return None


def _refuse_taken(name: str, *, but: Playbook | None) -> None:
    others = Playbook.objects.filter(name__iexact=name)
    if (others.exclude(pk=but.pk) if but else others).exists():
        raise ValidationError({"name": _("There is already a playbook called “%(name)s”.") % {"name": name}})


def _key(playbook: Playbook, title: str) -> str:
    return _free(title, "task", set(playbook.tasks.values_list("key", flat=True)), 60)


def _free(name: str, stem: str, taken: set[str], length: int) -> str:
    base = slugify(name)[: length - 4].strip("-") or stem
    key, number = base, 2
    while key in taken:
        key, number = f"{base}-{number}", number + 1
    return key


def _bump(actor: User, playbook: Playbook, now: dt.datetime, what: str, task: PlaybookTask | None = None) -> None:
    playbook.version += 1
    playbook.save(update_fields=["version", "name", "is_active"])
    _record(actor, playbook, now, what, task)


def _record(actor: User, playbook: Playbook, now: dt.datetime, what: str, task: PlaybookTask | None = None) -> None:
    told = what % {"name": playbook.name, "task": task.title if task else ""}
    record(
        names.SETTINGS_CHANGED, actor=actor, about=playbook, now=now,
        data={"what": told, "version": playbook.version},
    )  # fmt: skip
