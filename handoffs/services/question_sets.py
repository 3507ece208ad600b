"""The questions of deal reviews and the escalation chain, as an administrator writes them.

Running reviews keep the questions with which they were asked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from accounts.access import require_administrator
from accounts.models import Role, ServiceLine, User
from events import names
from events.recording import record
from handoffs.models import Escalation, EscalationStep, Question, QuestionSet
from handoffs.services.ordering import number, require_seen, shifted
from opportunities.services.merging import merged

MAX_QUESTIONS = 20
MAX_STEPS = 10
CHANGEABLE = ("text", "hint", "is_express")


class AnotherSetInUse(Exception):
    """Another set asks the questions of the same service line; ``other`` is it."""

    def __init__(self, other: QuestionSet) -> None:
        super().__init__(_("“%(name)s” is in use here. Only one can be.") % {"name": other.name})
        self.other = other


def create_question_set(
    *, actor: User, name: str, service_line: ServiceLine | None, now: dt.datetime, like: QuestionSet | None = None
) -> QuestionSet:
    """Begin a set that is not in use yet, with the questions of ``like`` where given.

    Raises PermissionDenied, ValidationError (name taken).
    """
    require_administrator(actor)
    with transaction.atomic():
        _refuse_taken(name, but=None)
        made = QuestionSet.objects.create(name=name, service_line=service_line, is_active=False)
        for position, question in enumerate(_active(like) if like else ()):
            given = {field: getattr(question, field) for field in CHANGEABLE}
            Question.objects.create(question_set=made, position=position, **given)
        _record(actor, made, now, _("review questions: added %(name)s"))
    return made


def rename_question_set(
    *, actor: User, question_set: QuestionSet, name: str, seen: str | None, now: dt.datetime
) -> QuestionSet:
    """Give it another name; ``seen`` is the one on the page. Raises PermissionDenied, Collision, ValidationError."""
    require_administrator(actor)
    with transaction.atomic():
        current = _locked(question_set)
        base = {} if seen is None else {"name": seen}
        if merged(current={"name": current.name}, wanted={"name": name}, base=base):
            _refuse_taken(name, but=current)
            current.name = name
            _bump(actor, current, now, _("the review questions %(name)s"))
    return current


def set_question_set_active(
    *, actor: User, question_set: QuestionSet, is_active: bool, now: dt.datetime, is_replacing: bool = False
) -> QuestionSet:
    """Put a set to use, or take it out of use; ``is_replacing`` takes the one in use out in the same step.

    Raises PermissionDenied, AnotherSetInUse, ValidationError when it has no questions, or when deals of some service
    line would be left without any.
    """
    require_administrator(actor)
    with transaction.atomic():
        rivals = list(QuestionSet.objects.select_for_update().order_by("pk"))
        current = next(each for each in rivals if each.pk == question_set.pk)
        if current.is_active == is_active:
            return current
        if is_active:
            if not _active(current):
                raise ValidationError(_("Add a question first; a review without any would say nothing."))
            _make_room(actor, current, rivals, now, is_replacing=is_replacing)
        elif current.service_line_id is None:
            raise ValidationError(_("Reviews need questions. Put another set for every service line to use instead."))
        current.is_active = is_active
        said = _("review questions: %(name)s is in use") if is_active else _("review questions: %(name)s is out of use")
        _bump(actor, current, now, said)
    return current


def add_question(*, actor: User, question_set: QuestionSet, values: Mapping[str, Any], now: dt.datetime) -> Question:
    """Add a question at the end; ``values`` are CHANGEABLE. Raises PermissionDenied, ValidationError."""
    require_administrator(actor)
    with transaction.atomic():
        current = _locked(question_set)
        others = _active(current)
        _refuse_too_many(others)
        question = Question(question_set=current, position=len(others))
        _write(question, values, others)
        question.save()
        _bump(actor, current, now, _("the review questions %(name)s: added “%(question)s”"), question)
    return question


def change_question(
    *, actor: User, question: Question, wanted: Mapping[str, Any], base: Mapping[str, Any], now: dt.datetime
) -> Question:
    """Change a question; ``base`` is what the person saw. Running reviews ask it as before.

    Raises PermissionDenied, Collision, ValidationError.
    """
    require_administrator(actor)
    with transaction.atomic():
        question_set = _locked(question.question_set)
        current = Question.objects.select_for_update().get(pk=question.pk)
        changes = merged(current={name: getattr(current, name) for name in CHANGEABLE}, wanted=wanted, base=base)
        if changes:
            _write(current, changes, _active(question_set))
            current.save()
            _bump(actor, question_set, now, _("the review questions %(name)s: changed “%(question)s”"), current)
    return current


def shift_question(*, actor: User, question: Question, by: int, now: dt.datetime) -> None:
    """Move a question up (-1) or down (1); at the end nothing happens. Raises PermissionDenied."""
    require_administrator(actor)
    with transaction.atomic():
        question_set = _locked(question.question_set)
        present = [each.pk for each in _active(question_set)]
        if question.pk in present:
            _reorder(actor, question_set, present, shifted(present, question.pk, by), now)


def order_questions(
    *, actor: User, question_set: QuestionSet, order: Sequence[int], seen: Sequence[int], now: dt.datetime
) -> None:
    """Put the questions in this order (ids), given the order that the person saw.

    Raises PermissionDenied, Collision when somebody else ordered, added or archived in the meantime.
    """
    require_administrator(actor)
    with transaction.atomic():
        current = _locked(question_set)
        present = [each.pk for each in _active(current)]
        require_seen(seen=seen, present=present, wanted=order)
        _reorder(actor, current, present, list(order), now)


def archive_question(*, actor: User, question: Question, now: dt.datetime) -> None:
    """Leave a question out from now on. Raises PermissionDenied, ValidationError for the last one of a set in use."""
    require_administrator(actor)
    with transaction.atomic():
        question_set = _locked(question.question_set)
        present = [each.pk for each in _active(question_set)]
        if question.pk not in present:
            return
        if question_set.is_active and len(present) == 1:
            raise ValidationError(_("This is its only question. Add another one first."))
        Question.objects.filter(pk=question.pk).update(archived_at=now)
        number(Question, (key for key in present if key != question.pk))
        _bump(actor, question_set, now, _("the review questions %(name)s: left out “%(question)s”"), question)


def restore_question(*, actor: User, question: Question, now: dt.datetime) -> None:
    """Bring an archived question back, at the end. Raises PermissionDenied, ValidationError (asked again since)."""
    require_administrator(actor)
    with transaction.atomic():
        question_set = _locked(question.question_set)
        current = Question.objects.get(pk=question.pk)
        if current.archived_at is None:
            return
        others = _active(question_set)
        _refuse_too_many(others)
        _refuse_asked(current, others)
        current.archived_at, current.position = None, len(others)
        current.save(update_fields=["archived_at", "position"])
        _bump(actor, question_set, now, _("the review questions %(name)s: brought back “%(question)s”"), current)


def add_escalation_step(*, actor: User, hours: int, role: Role, now: dt.datetime) -> EscalationStep:
    """Have another role told, so many hours after the clock of an express review ran out.

    Raises PermissionDenied, ValidationError.
    """
    require_administrator(actor)
    with transaction.atomic():
        steps = _chain()
        if len(steps) >= MAX_STEPS:
            raise ValidationError(_("A chain has at most %(count)d steps.") % {"count": MAX_STEPS})
        # A place is never given twice: reviews remember by it who was told.
        highest = Escalation.objects.aggregate(highest=models.Max("position"))["highest"] or 0
        step = EscalationStep(position=max([highest, *(each.position for each in steps)]) + 1, hours=hours, role=role)
        _check_step(step, steps)
        step.save()
        _record(actor, step, now, _("who is told when an express review runs late"))
    return step


def change_escalation_step(
    *, actor: User, step: EscalationStep, wanted: Mapping[str, Any], base: Mapping[str, Any], now: dt.datetime
) -> EscalationStep:
    """Change ``hours`` or ``role``; ``base`` is what the person saw. Raises PermissionDenied, Collision,
    ValidationError, EscalationStep.DoesNotExist when somebody removed it meanwhile.
    """
    require_administrator(actor)
    with transaction.atomic():
        steps = _chain()
        current = next((each for each in steps if each.pk == step.pk), None)
        if current is None:
            raise EscalationStep.DoesNotExist
        changes = merged(current={"hours": current.hours, "role": current.role}, wanted=wanted, base=base)
        if changes:
            for name, value in changes.items():
                setattr(current, name, value)
            _check_step(current, steps)
            current.save()
            _record(actor, current, now, _("who is told when an express review runs late"))
    return current


def remove_escalation_step(*, actor: User, step: EscalationStep, now: dt.datetime) -> None:
    """Take a link out of the chain; who was told already stays on record. Raises PermissionDenied."""
    require_administrator(actor)
    with transaction.atomic():
        current = next((each for each in _chain() if each.pk == step.pk), None)
        if current is not None:
            _record(actor, current, now, _("who is told when an express review runs late"))
            current.delete()


def _locked(question_set: QuestionSet) -> QuestionSet:
    """The set as it stands; whoever changes it or its questions waits here for others."""
    return QuestionSet.objects.select_for_update().get(pk=question_set.pk)


def _active(question_set: QuestionSet) -> list[Question]:
    return list(question_set.questions.filter(archived_at__isnull=True))


def _make_room(
    actor: User, question_set: QuestionSet, rivals: Sequence[QuestionSet], now: dt.datetime, *, is_replacing: bool
) -> None:
    for other in rivals:
        if other.pk == question_set.pk or not other.is_active or other.service_line_id != question_set.service_line_id:
            continue
        if not is_replacing:
            raise AnotherSetInUse(other)
        other.is_active = False
        _bump(actor, other, now, _("review questions: %(name)s is out of use"))


def _write(question: Question, values: Mapping[str, Any], others: Sequence[Question]) -> None:
    for name in CHANGEABLE:
        if name in values:
            setattr(question, name, values[name])
    question.clean_fields(exclude=["question_set"])
    _refuse_asked(question, others)


def _refuse_asked(question: Question, others: Sequence[Question]) -> None:
    if any(each.text.casefold() == question.text.casefold() for each in others if each.pk != question.pk):
        raise ValidationError({"text": _("This is asked here already.")})


def _refuse_too_many(questions: Sequence[Question]) -> None:
    if len(questions) >= MAX_QUESTIONS:
        raise ValidationError(_("A review asks at most %(count)d questions.") % {"count": MAX_QUESTIONS})


def _refuse_taken(name: str, *, but: QuestionSet | None) -> None:
    # All sets, so that two people can't take a name at the same moment.
    taken = {each.pk: each.name.casefold() for each in QuestionSet.objects.select_for_update().order_by("pk")}
    taken.pop(but.pk if but else 0, None)
    if name.casefold() in taken.values():
        raise ValidationError({"name": _("There are already questions called “%(name)s”.") % {"name": name}})


def _reorder(actor: User, question_set: QuestionSet, present: list[int], order: list[int], now: dt.datetime) -> None:
    if order != present:
        number(Question, order)
        _bump(actor, question_set, now, _("the review questions %(name)s: their order"))


def _chain() -> list[EscalationStep]:
    return list(EscalationStep.objects.select_for_update().order_by("position"))


def _check_step(step: EscalationStep, steps: Sequence[EscalationStep]) -> None:
    step.clean_fields()
    if any((each.hours, each.role) == (step.hours, step.role) for each in steps if each.pk != step.pk):
        raise ValidationError({"role": _("They are told at that hour already.")})


def _bump(
    actor: User, question_set: QuestionSet, now: dt.datetime, what: str, question: Question | None = None
) -> None:
    question_set.version += 1
    question_set.save(update_fields=["version", "name", "is_active"])
    _record(actor, question_set, now, what, question)


def _record(
    actor: User,
    about: QuestionSet | EscalationStep,
    now: dt.datetime,
    what: str,
    question: Question | None = None,
) -> None:
    told = what % {"name": about, "question": question.text if question else ""}
    record(names.SETTINGS_CHANGED, actor=actor, about=about, now=now, data={"what": told})
