"""Things in an order that people arrange: one step up or down, or a whole order as dragged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import models

from opportunities.services.merging import Collision


def shifted(order: Sequence[int], key: int, by: int) -> list[int]:
    """The order with one key moved by so many places; it stops at the ends."""
    moved = list(order)
    at = moved.index(key)
    moved.insert(min(max(at + by, 0), len(moved) - 1), moved.pop(at))
    return moved


def require_seen(*, seen: Sequence[int], present: Sequence[int], wanted: Sequence[int]) -> None:
    """Raises Collision unless the person saw the present order and names each of its keys once."""
    if list(seen) != list(present) or sorted(wanted) != sorted(present):
        raise Collision({"order": (list(seen), list(present), list(wanted))})


def number(rows: type[models.Model], order: Iterable[int]) -> None:
    """Write the order into ``position``, counted from 0."""
    for position, key in enumerate(order):
        rows._default_manager.filter(pk=key).update(position=position)
