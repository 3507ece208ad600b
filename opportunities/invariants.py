"""What must hold about deals; see events/invariants.py."""

from events.invariants import Invariant

_COMBINATION = "pipeline_id, stage_id, kind, temperature, team_id, service_line_id, owner_id, currency, closed_month"

INVARIANTS = (
    Invariant(
        "opportunities.stage_is_newest_change",
        "A deal stands in the stage of its newest stage change.",
        """
        select o.id as deal, o.stage_id as stage, newest.to_stage_id as newest_change
        from opportunities_opportunity o left join lateral (
            select to_stage_id from opportunities_stagechange c
            where c.opportunity_id = o.id order by number desc limit 1
        ) newest on true
        where newest.to_stage_id is distinct from o.stage_id order by o.id
        """,
    ),
    Invariant(
        "opportunities.history_is_whole",
        "Stage changes of a deal are numbered without a gap, and each begins where the one before ended.",
        """
        select opportunity_id as deal, number from (
            select opportunity_id, number, from_stage_id,
                lag(number) over deal as number_before, lag(to_stage_id) over deal as stage_before
            from opportunities_stagechange window deal as (partition by opportunity_id order by number)
        ) steps
        where number <> coalesce(number_before, 0) + 1
            or (number_before is not null and from_stage_id is distinct from stage_before)
        order by 1, 2
        """,
    ),
    Invariant(
        "opportunities.kind_is_the_stage's",
        "A deal is open, won or lost as its stage says.",
        """
        select o.id as deal, o.kind, s.kind as stage_kind
        from opportunities_opportunity o join opportunities_stage s on s.id = o.stage_id
        where o.kind <> s.kind order by o.id
        """,
    ),
    Invariant(
        "opportunities.totals_are_right",
        "The kept totals are what counting every deal would give.",
        f"""
        with counted as (
            select pipeline_id, stage_id, kind, temperature, team_id, service_line_id, owner_id, currency,
                date_trunc('month', closed_on)::date as closed_month, count(*) as deals,
                count(*) filter (where amount is null) as unpriced, coalesce(sum(amount), 0) as amount,
                coalesce(sum(amount * probability / 100), 0) as weighted
            from opportunities_opportunity where archived_at is null group by {_COMBINATION}
        ), kept as (
            select {_COMBINATION}, sum(deals) as deals, sum(unpriced) as unpriced, sum(amount) as amount,
                sum(weighted) as weighted
            from opportunities_stagetotal group by {_COMBINATION}
        ), both_ways as (
            select 1 as sign, counted.* from counted union all select -1, kept.* from kept
        )
        select {_COMBINATION}, sum(sign * deals) as missing_deals, sum(sign * amount) as missing_amount
        from both_ways group by {_COMBINATION}
        having sum(sign * deals) <> 0 or sum(sign * unpriced) <> 0 or sum(sign * amount) <> 0
            or abs(sum(sign * weighted)) >= 0.0001 order by 1, 2
        """,  # noqa: S608 - constants of this module
    ),
)
