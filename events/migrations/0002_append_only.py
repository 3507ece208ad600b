"""Events can be neither changed nor deleted, whoever asks."""

from django.db import migrations

APPEND_ONLY = """
create function oneteam_append_only() returns trigger language plpgsql as $$
begin
    if tg_op = 'TRUNCATE' and current_setting('oneteam.allow_truncate', true) = 'on' then
        return null;  -- tests empty their own databases
    end if;
    raise exception '% is append-only', tg_table_name using errcode = 'integrity_constraint_violation';
end $$;
create trigger events_append_only before update or delete on events_event
    for each row execute function oneteam_append_only();
create trigger events_no_truncate before truncate on events_event
    for each statement execute function oneteam_append_only();
"""
UNDO = """
drop trigger events_no_truncate on events_event;
drop trigger events_append_only on events_event;
drop function oneteam_append_only();
"""


class Migration(migrations.Migration):
    """Adds the triggers."""

    dependencies = [("events", "0001_initial")]
    operations = [migrations.RunSQL(APPEND_ONLY, UNDO)]
