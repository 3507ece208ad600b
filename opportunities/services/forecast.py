"""Locking the forecast: a frozen copy per week."""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction

from accounts.models import Organisation
from accounts.queries import organisation
from opportunities.models import ForecastCategory, ForecastSnapshot, Opportunity, SnapshotLine


def lock_snapshot(*, now: dt.datetime) -> ForecastSnapshot:
    """Freeze this week's forecast, once; a repeat returns the first one."""
    today = organisation().today(now)
    monday = today - dt.timedelta(days=today.weekday())
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(hashtext('oneteam.forecast_snapshot'))")
        known = ForecastSnapshot.objects.filter(period=monday).first()
        if known is not None:
            return known
        snapshot = ForecastSnapshot.objects.create(period=monday, locked_at=now)
        deals = Opportunity.objects.open().exclude(forecast_category=ForecastCategory.OMITTED)
        lines = (
            SnapshotLine(
                snapshot=snapshot, opportunity_id=deal.pk, stage_id=deal.stage_id, temperature=deal.temperature,
                forecast_category=deal.forecast_category, probability=deal.probability, amount=deal.amount,
                currency=deal.currency, close_date=deal.close_date,
            )
            for deal in deals.iterator(chunk_size=2000)
        )  # fmt: skip
        SnapshotLine.objects.bulk_create(lines, batch_size=2000)
    return snapshot


def lock_when_due(*, now: dt.datetime) -> ForecastSnapshot | None:
    """Lock the week's forecast if that is still to be done; None when it is too early.

    The first snapshot ever waits for a Monday, so that a pipeline set up in mid-week does not make every deal that
    is added afterwards look like a surprise.
    """
    if not Organisation.objects.exists():
        return None
    is_monday = organisation().today(now).weekday() == 0
    if not is_monday and not ForecastSnapshot.objects.exists():
        return None
    return lock_snapshot(now=now)
