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
    """The deal as it stands, held against others until the transaction ends.

    Nothing is joined while it is locked: after waiting for a row, PostgreSQL looks again at that row alone, and a join
    on a foreign key that has changed meanwhile would find nothing. What the caller has read already is used again.
    """
    current = Opportunity.objects.select_for_update().get(pk=opportunity.pk)
    # What other apps hang on a deal is cached there too; it is theirs to read again.
    own = {field.name for field in Opportunity._meta.concrete_fields}
    known = {name: found for name, found in opportunity._state.fields_cache.items() if name in own}
    if not known:
        return Opportunity.objects.with_people().select_related("team", "region").get(pk=opportunity.pk)
    for name, related in known.items():
        if related is not None and current.serializable_value(name) == related.pk:
            setattr(current, name, related)
    return current


def held(stage: Stage) -> Stage:
    """The stage as it stands, kept from being archived or given another meaning until the transaction ends.

    Any number of moves hold a stage at the same time; Django has no words for that lock.
    """
    row: Stage = Stage.objects.raw("select * from opportunities_stage where id = %s for key share", [stage.pk])[0]
    if "pipeline" in stage._state.fields_cache:
        row.pipeline = stage.pipeline
    return row
