"""Entry criteria: one registry, asked in one place for board, form, API, import and bulk edit.

A kind of criterion is a class with ``key``, ``label`` and ``missing``, and ``options`` where an administrator chooses
among several; upper apps add theirs with ``register`` in their AppConfig.ready. ``missing`` sees the deal as it would
be after the move, changes included.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from opportunities.models import Criterion, Opportunity, Stage, StageKind


@dataclass(frozen=True)
class Missing:
    """One unmet criterion: what to say, and the field that would meet it, if a field does.

    ``link`` is the address where it can be met, for what no field meets.
    """

    kind: str
    sentence: str
    field: str | None = None
    link: str = ""


class CriterionKind(Protocol):
    """Something that can be demanded of a deal."""

    key: str
    label: StrOrPromise

    def missing(self, opportunity: Opportunity, params: dict[str, Any]) -> list[Missing]: ...


Options = list[tuple[dict[str, Any], StrOrPromise]]
KINDS: dict[str, CriterionKind] = {}


def register(kind: CriterionKind) -> CriterionKind:
    """Add a kind to the registry; a key can be taken once."""
    if kind.key in KINDS:
        raise ValueError(f"Criterion kind {kind.key!r} is registered twice.")
    KINDS[kind.key] = kind
    return kind


def offered_by(kind: CriterionKind) -> Options:
    """What an administrator may pick of this kind: its ``options()``, or the kind itself where it has none."""
    options = getattr(kind, "options", None)
    return options() if options else [({}, kind.label)]


# Fields that a criterion may ask for, in the order in which a form shows them.
ASKABLE_FIELDS = (
    "account",
    "amount",
    "close_date",
    "start_on",
    "next_step",
    "next_step_on",
    "service_line",
    "region",
    "delivery_owner",
    "owner",
    "description",
    "loss_reason",
    "loss_note",
)


class FieldFilled:
    """A field of the deal must have a value."""

    key = "field"
    label: StrOrPromise = _("A field is filled")

    def options(self) -> Options:
        """One for each field that can be asked for."""
        return [({"field": name}, Opportunity._meta.get_field(name).verbose_name) for name in ASKABLE_FIELDS]  # type: ignore[union-attr]

    def missing(self, opportunity: Opportunity, params: dict[str, Any]) -> list[Missing]:
        """Missing when the field is empty; a zero amount counts as filled."""
        name = params["field"]
        if getattr(opportunity, name) not in (None, ""):
            return []
        label = opportunity._meta.get_field(name).verbose_name  # type: ignore[union-attr]
        return [Missing(self.key, gettext("The %(field)s is needed here.") % {"field": label}, name)]


class NextStepAhead:
    """There is a next step with a date that has not passed."""

    key = "next_step_ahead"
    label: StrOrPromise = _("A next step with a date")

    def missing(self, opportunity: Opportunity, params: dict[str, Any]) -> list[Missing]:
        """Missing while the step or its date is empty."""
        return [
            Missing(self.key, gettext("Say what happens next, and when."), name)
            for name in ("next_step", "next_step_on")
            if not getattr(opportunity, name)
        ]


register(FieldFilled())
register(NextStepAhead())


def missing_for(opportunity: Opportunity, stage: Stage, criteria: list[Criterion]) -> list[Missing]:
    """What the deal lacks to enter the stage, each field once. Losing always asks for its reason."""
    found: list[Missing] = []
    if stage.kind == StageKind.LOST and not opportunity.loss_reason:
        found.append(Missing("field", gettext("Say why the deal was lost."), "loss_reason"))
    for criterion in criteria:
        kind = KINDS.get(criterion.kind)
        if kind is not None:
            found += kind.missing(opportunity, criterion.params)
    unique = {(item.kind if item.field is None else "", item.field or item.sentence): item for item in found}
    order = {name: index for index, name in enumerate(ASKABLE_FIELDS)}
    return sorted(unique.values(), key=lambda item: order.get(item.field or "", len(order)))
