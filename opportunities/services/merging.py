"""Two people change the same settings: what they changed apart is kept, what they changed alike is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _


class Collision(Exception):
    """Somebody else changed the same in the meantime; nothing was saved.

    ``fields`` maps each field in conflict to (as you saw it, as it is now, as you want it).
    """

    def __init__(self, fields: Mapping[str, tuple[Any, Any, Any]]) -> None:
        super().__init__(_("Somebody changed the same in the meantime. Nothing was saved; look at both and choose."))
        self.fields = fields


def merged(*, current: Mapping[str, Any], wanted: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """What differs from the present state and is the person's own change, given what they saw (``base``).

    A field that is missing in ``base`` counts as seen as it is now. Raises Collision.
    """
    own = {name: value for name, value in wanted.items() if value != base.get(name, current[name])}
    clash = {
        name: (base[name], current[name], value)
        for name, value in own.items()
        if name in base and current[name] not in (base[name], value)
    }
    if clash:
        raise Collision(clash)
    return {name: value for name, value in own.items() if value != current[name]}
