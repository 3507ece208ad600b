"""The same change to many deals, row by row through the services that change one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils.translation import gettext as _

from accounts.models import User
from opportunities.models import Opportunity, Stage
from opportunities.models.history import Source
from opportunities.services.editing import update_opportunity
from opportunities.services.moves import GateNotMet, move_to_stage
from opportunities.services.policies import IllegalMove, ReasonNeeded
from opportunities.services.versions import Stale

MOST = 500  # more would keep somebody waiting for longer than a page may take
_CHUNK = 200


class TooMany(Exception):
    """More deals than one bulk edit takes."""


@dataclass(frozen=True)
class Refusal:
    """A deal that was left as it is, and why."""

    deal: Opportunity
    sentence: str


@dataclass
class BulkResult:
    """What became of each deal. ``unknown`` counts keys of deals that are not there for this person."""

    changed: int = 0
    unchanged: int = 0
    unknown: int = 0
    refused: list[Refusal] = field(default_factory=list)


def bulk_edit(
    *,
    actor: User,
    deal_ids: Iterable[int],
    now: dt.datetime,
    changes: Mapping[str, Any] | None = None,
    stage: Stage | None = None,
    reason: str = "",
    most: int = MOST,
) -> BulkResult:
    """Give many deals the same values, or move them to one stage, each in its own transaction.

    A row that can't be changed is named in the result and leaves the others alone. Raises TooMany.
    """
    wanted = list(dict.fromkeys(deal_ids))
    if len(wanted) > most:
        raise TooMany(
            _("These are %(count)d deals; up to %(most)d can be changed at once. Narrow the list down first.")
            % {"count": len(wanted), "most": most}
        )
    result = BulkResult()
    for chunk in _chunks(wanted):
        found = Opportunity.objects.current().visible_to(actor).with_people().in_bulk(chunk)
        result.unknown += len(chunk) - len(found)
        for deal in found.values():
            _change_one(actor, deal, result, changes=changes, stage=stage, reason=reason, now=now)
    return result


def _change_one(
    actor: User,
    deal: Opportunity,
    result: BulkResult,
    *,
    changes: Mapping[str, Any] | None,
    stage: Stage | None,
    reason: str,
    now: dt.datetime,
) -> None:
    if not actor.has_perm("opportunities.edit", deal):
        result.refused.append(Refusal(deal, _("Only the deal’s own people can change it.")))
        return
    try:
        if stage is not None:
            moved = move_to_stage(
                actor=actor, opportunity=deal, stage=stage, expected_version=None, now=now, changes=changes,
                reason=reason, source=Source.BULK,
            )  # fmt: skip
            changed = moved.change is not None
        else:
            after = update_opportunity(
                actor=actor, opportunity=deal, changes=changes or {}, expected_version=deal.version, now=now
            )
            changed = after.version != deal.version
    except (GateNotMet, IllegalMove, ReasonNeeded, Stale, PermissionDenied) as error:
        result.refused.append(Refusal(deal, str(error)))
    except ValidationError as error:
        result.refused.append(Refusal(deal, " ".join(error.messages)))
    else:
        result.changed += changed
        result.unchanged += not changed


def _chunks(keys: list[int]) -> Iterator[list[int]]:
    rest = iter(keys)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk
