"""What a stage demands of a deal before it enters, as an administrator picks it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from opportunities.gates import KINDS, offered_by
from opportunities.models import Criterion, Stage, StageKind


@dataclass(frozen=True, order=True)
class Demanded:
    """One criterion by its kind and what that kind needs to know, as JSON with sorted keys."""

    kind: str
    params: str = "{}"

    @classmethod
    def of(cls, kind: str, params: dict[str, object]) -> Demanded:
        """The one for these params."""
        return cls(kind, json.dumps(params, sort_keys=True))

    @classmethod
    def read(cls, key: str) -> Demanded:
        """The one that a form sent."""
        kind, _, params = key.partition(" ")
        return cls(kind, params or "{}")

    @property
    def key(self) -> str:
        """What a form sends for it."""
        return f"{self.kind} {self.params}"


@dataclass(frozen=True)
class Offer:
    """Something that can be demanded, with the words for it."""

    demanded: Demanded
    label: str
    is_known: bool = True


def offers_for(stage: Stage) -> list[Offer]:
    """Everything that may be demanded at this stage, in the order of the registry, and what is demanded already.

    Why a deal was lost is always asked, so it is not on offer. What no kind knows any more can only be taken away.
    """
    offers = [
        Offer(Demanded.of(key, params), str(label))
        for key, kind in KINDS.items()
        for params, label in offered_by(kind)
        if _makes_sense(stage, params)
    ]
    known = {offer.demanded for offer in offers}
    strangers = sorted(demanded_of(stage) - known)
    return offers + [Offer(each, each.kind, is_known=False) for each in strangers]


def demanded_of(stage: Stage) -> frozenset[Demanded]:
    """What the stage demands now."""
    return frozenset(Demanded.of(each.kind, each.params) for each in stage.criteria.all())


def save_criteria(stage: Stage, gate: Iterable[Demanded]) -> None:
    """Make these the stage's criteria, in the order in which they are offered."""
    wanted = set(gate)
    order = [offer.demanded for offer in offers_for(stage)]
    kept = {}
    for row in list(stage.criteria.all()):
        demanded = Demanded.of(row.kind, row.params)
        if demanded in wanted:
            kept[demanded] = row
        else:
            row.delete()
    for demanded in sorted(wanted, key=lambda each: order.index(each) if each in order else len(order)):
        position = order.index(demanded) if demanded in order else len(order)
        if demanded in kept:
            kept[demanded].position = position
            kept[demanded].save(update_fields=["position"])
        else:
            params = json.loads(demanded.params)
            Criterion.objects.create(stage=stage, kind=demanded.kind, params=params, position=position)
    # What was read before is not what holds now.
    getattr(stage, "_prefetched_objects_cache", {}).pop("criteria", None)


def _makes_sense(stage: Stage, params: dict[str, object]) -> bool:
    name = params.get("field")
    if name == "loss_reason":
        return False
    return name != "loss_note" or stage.kind == StageKind.LOST
