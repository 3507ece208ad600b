"""Nothing is silently overwritten: a change names the version that it was made from."""

from __future__ import annotations

from django.utils.translation import gettext as _

from opportunities.models import Opportunity


class Stale(Exception):
    """Somebody else changed the deal in between; ``current`` is how it stands now."""

    def __init__(self, current: Opportunity) -> None:
        super().__init__(_("Somebody changed this deal in the meantime. Look at it as it is now and try again."))
        self.current = current


def locked(opportunity: Opportunity) -> Opportunity:
    """The deal as it stands, held against others until the transaction ends."""
    return (
        Opportunity.objects.select_related("stage", "pipeline", "account")
        .select_for_update(of=("self",))
        .get(pk=opportunity.pk)
    )
