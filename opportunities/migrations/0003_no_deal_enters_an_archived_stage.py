"""The last guard against an open deal that slips into a stage while an administrator archives it."""

from django.db import migrations

GUARD = """
create function opportunities_stage_is_in_use() returns trigger language plpgsql as $$
begin
    -- At commit, after the foreign key has locked the stage's row: an archiving that is under way has ended by then.
    if exists (
        select from opportunities_opportunity deal join opportunities_stage stage on stage.id = deal.stage_id
        where deal.id = new.id and deal.kind = 'open' and stage.archived_at is not null
    ) then
        raise exception 'the stage of deal % is archived', new.id
            using errcode = 'integrity_constraint_violation', constraint = 'opportunities_stage_is_in_use';
    end if;
    return null;
end $$;
create constraint trigger opportunities_stage_is_in_use
    after insert or update of stage_id on opportunities_opportunity
    deferrable initially deferred for each row execute function opportunities_stage_is_in_use();
"""

UNDO = """
drop trigger opportunities_stage_is_in_use on opportunities_opportunity;
drop function opportunities_stage_is_in_use();
"""


class Migration(migrations.Migration):
    """Adds the trigger."""

    dependencies = [("opportunities", "0002_guards")]
    operations = [migrations.RunSQL(GUARD, UNDO)]
