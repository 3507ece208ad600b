"""Taking an import back: the new deals that nobody has touched since go to the archive."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Subquery
from django.utils.translation import gettext as _

from events import names
from events.models import Event
from events.recording import Occurrence, record_many
from integrations.imports.errors import NotPossible
from integrations.imports.models import Import, ImportedRow, Kind, Outcome
from integrations.imports.states import LEGAL, State
from opportunities.models import Opportunity

BATCH = 500


def revert_some(imported: Import, *, now: dt.datetime) -> None:
    """Archive some of the new deals, in the caller's transaction; the import is reverted when none is left.

    A deal that a person or a later import did something to stays. What only followed from the import by itself, such
    as delivery being asked in, doesn't count. An archived deal gives its external id back, so that a later import can
    bring it anew.
    """
    rows = list(
        ImportedRow.objects.filter(imported=imported, outcome=Outcome.CREATED, line__gt=imported.offset)
        .order_by("line")
        .values_list("line", "opportunity_id")[:BATCH]
    )
    of_deal = Event.objects.filter(opportunity_id=OuterRef("pk"))
    arrival = Event.objects.filter(opportunity_id=OuterRef("opportunity_id"), name=names.OPPORTUNITY_CREATED)
    deeds = of_deal.filter(actor__isnull=False).exclude(transaction_id=Subquery(arrival.values("transaction_id")[:1]))
    later = ImportedRow.objects.filter(opportunity_id=OuterRef("pk"), outcome=Outcome.CHANGED, imported__gt=imported)
    untouched = Opportunity.objects.current().filter(~Exists(deeds), ~Exists(later), pk__in=[pk for _l, pk in rows])
    deals = list(untouched.select_for_update(of=("self",)).order_by("pk"))
    Opportunity.objects.filter(pk__in=[deal.pk for deal in deals]).update(
        archived_at=now, updated_at=now, version=F("version") + 1, external_id=""
    )
    record_many([Occurrence(names.OPPORTUNITY_ARCHIVED, d, d) for d in deals], actor=imported.created_by, now=now)
    imported.archived += len(deals)
    if rows:
        imported.offset = rows[-1][0]
    if len(rows) < BATCH:
        imported.state = State.REVERTED


def revert(*, imported: Import, now: dt.datetime) -> Import:
    """Begin to take an import back. Raises NotPossible where nothing was written."""
    with transaction.atomic():
        current = Import.objects.select_for_update().get(pk=imported.pk)
        if State.REVERTING not in LEGAL[State(current.state)] or not current.created or current.kind != Kind.DEALS:
            raise NotPossible(_("There is nothing to take back: the import added no deals."))
        current.state = State.REVERTING
        current.offset = 0
        current.message = ""
        current.finished_at = now
        current.save()
    return current
