"""The database as the last guard of stage history, and the trigger that keeps totals."""

from django.db import migrations

HISTORY = """
create trigger opportunities_changes_append_only before update or delete on opportunities_stagechange
    for each row execute function oneteam_append_only();
create trigger opportunities_changes_no_truncate before truncate on opportunities_stagechange
    for each statement execute function oneteam_append_only();

create function opportunities_stage_matches_history() returns trigger language plpgsql as $$
declare
    deal bigint := case tg_table_name when 'opportunities_opportunity' then new.id end;
    stage bigint;
    newest bigint;
begin
    if deal is null then
        deal := new.opportunity_id;
    end if;
    select stage_id into stage from opportunities_opportunity where id = deal;
    if not found then
        return null;
    end if;
    select to_stage_id into newest from opportunities_stagechange
        where opportunity_id = deal order by number desc limit 1;
    if newest is distinct from stage then
        raise exception 'the stage of deal % differs from its newest stage change', deal
            using errcode = 'integrity_constraint_violation', constraint = 'opportunities_stage_matches_history';
    end if;
    return null;
end $$;
create constraint trigger opportunities_stage_matches_history
    after insert or update of stage_id on opportunities_opportunity
    deferrable initially deferred for each row execute function opportunities_stage_matches_history();
create constraint trigger opportunities_history_matches_stage
    after insert on opportunities_stagechange
    deferrable initially deferred for each row execute function opportunities_stage_matches_history();
"""

TOTALS = """
create function opportunities_add_totals() returns trigger language plpgsql as $$
begin
    -- One statement per kind, because a trigger sees only the transition tables that it declares.
    if tg_op = 'INSERT' then
        insert into opportunities_stagetotal (pipeline_id, stage_id, kind, temperature, team_id, service_line_id,
            owner_id, currency, closed_month, deals, unpriced, amount, weighted, is_delta)
        select pipeline_id, stage_id, kind, temperature, team_id, service_line_id, owner_id, currency,
            date_trunc('month', closed_on)::date, count(*), count(*) filter (where amount is null),
            coalesce(sum(amount), 0), coalesce(sum(amount * probability / 100), 0), true
        from added where archived_at is null
        group by 1, 2, 3, 4, 5, 6, 7, 8, 9;
    elsif tg_op = 'DELETE' then
        insert into opportunities_stagetotal (pipeline_id, stage_id, kind, temperature, team_id, service_line_id,
            owner_id, currency, closed_month, deals, unpriced, amount, weighted, is_delta)
        select pipeline_id, stage_id, kind, temperature, team_id, service_line_id, owner_id, currency,
            date_trunc('month', closed_on)::date, -count(*), -count(*) filter (where amount is null),
            -coalesce(sum(amount), 0), -coalesce(sum(amount * probability / 100), 0), true
        from removed where archived_at is null
        group by 1, 2, 3, 4, 5, 6, 7, 8, 9;
    else
        insert into opportunities_stagetotal (pipeline_id, stage_id, kind, temperature, team_id, service_line_id,
            owner_id, currency, closed_month, deals, unpriced, amount, weighted, is_delta)
        select pipeline_id, stage_id, kind, temperature, team_id, service_line_id, owner_id, currency,
            date_trunc('month', closed_on)::date, sum(sign), coalesce(sum(sign) filter (where amount is null), 0),
            coalesce(sum(sign * amount), 0), coalesce(sum(sign * amount * probability / 100), 0), true
        from (
            select 1 as sign, * from added where archived_at is null
            union all
            select -1, * from removed where archived_at is null
        ) changes
        group by 1, 2, 3, 4, 5, 6, 7, 8, 9
        having sum(sign) <> 0 or coalesce(sum(sign) filter (where amount is null), 0) <> 0
            or coalesce(sum(sign * amount), 0) <> 0 or coalesce(sum(sign * amount * probability / 100), 0) <> 0;
    end if;
    return null;
end $$;
create trigger opportunities_totals_insert after insert on opportunities_opportunity
    referencing new table as added for each statement execute function opportunities_add_totals();
create trigger opportunities_totals_delete after delete on opportunities_opportunity
    referencing old table as removed for each statement execute function opportunities_add_totals();
create trigger opportunities_totals_update after update on opportunities_opportunity
    referencing old table as removed new table as added
    for each statement execute function opportunities_add_totals();
"""

UNDO = """
drop trigger opportunities_totals_update on opportunities_opportunity;
drop trigger opportunities_totals_delete on opportunities_opportunity;
drop trigger opportunities_totals_insert on opportunities_opportunity;
drop function opportunities_add_totals();
drop trigger opportunities_history_matches_stage on opportunities_stagechange;
drop trigger opportunities_stage_matches_history on opportunities_opportunity;
drop function opportunities_stage_matches_history();
drop trigger opportunities_changes_no_truncate on opportunities_stagechange;
drop trigger opportunities_changes_append_only on opportunities_stagechange;
"""


class Migration(migrations.Migration):
    """Adds the triggers."""

    dependencies = [("opportunities", "0001_initial"), ("events", "0002_append_only")]
    operations = [migrations.RunSQL(HISTORY + TOTALS, UNDO)]
