"""Nothing is silently overwritten: a change names the version that it was made from."""

from __future__ import annotations

from django.utils.translation import gettext as _

from opportunities.models import Opportunity, Stage


class Stale(Exception):
    """Somebody else changed the deal in between; ``current`` is how it stands now."""

    def __init__(self, current: Opportunity) -> None:
        super().__init__(_("Somebody changed this deal in the meantime. Look at it as it is now and try again."))
        self.current = current


def locked(opportunity: Opportunity) -> Opportunity:
    """The deal as it stands, held against others until the transaction ends."""
    return (
        Opportunity.objects.select_related("stage", "pipeline", "account", "owner", "delivery_owner", "service_line")
        .select_for_update(of=("self",))
        .get(pk=opportunity.pk)
    )


def held(stage: Stage) -> Stage:
    """The stage as it stands, kept from being archived or given another meaning until the transaction ends.

    Any number of moves hold a stage at the same time; Django has no words for that lock.
    """
    row: Stage = Stage.objects.raw("select * from opportunities_stage where id = %s for key share", [stage.pk])[0]
    if "pipeline" in stage._state.fields_cache:
        row.pipeline = stage.pipeline
    return row
