"""Keeping the kept totals short."""

from __future__ import annotations

from django.db import connection, transaction

# Below this many unfolded rows a read costs next to nothing.
FOLD_FROM = 500

_FOLD = """
with gone as (delete from opportunities_stagetotal returning *)
insert into opportunities_stagetotal (pipeline_id, stage_id, kind, temperature, team_id, service_line_id, owner_id,
    currency, closed_month, deals, unpriced, amount, weighted, is_delta)
select pipeline_id, stage_id, kind, temperature, team_id, service_line_id, owner_id, currency, closed_month,
    sum(deals), sum(unpriced), sum(amount), sum(weighted), false
from gone group by 1, 2, 3, 4, 5, 6, 7, 8, 9
having sum(deals) <> 0 or sum(unpriced) <> 0 or sum(amount) <> 0 or sum(weighted) <> 0
"""


def compact_totals(*, fold_from: int = FOLD_FROM) -> bool:
    """Fold the rows that the trigger added into one per combination; True when it did.

    One at a time (advisory lock); readers see the rows before or after, never between.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(hashtext('oneteam.compact_totals'))")
        if not cursor.fetchone()[0]:
            return False
        cursor.execute(
            "select count(*) from (select 1 from opportunities_stagetotal where is_delta limit %s) d", [fold_from]
        )
        if cursor.fetchone()[0] < fold_from:
            return False
        cursor.execute(_FOLD)
        return True
