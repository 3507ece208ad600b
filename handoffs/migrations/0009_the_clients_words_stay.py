"""What the client said, agreed words and health reports can be neither changed nor deleted; a pulse not once answered."""

from django.db import migrations

_ADDED_ONLY = ("confirmation", "statement", "healthreport")
_TRIGGERS = "\n".join(
    f"""
create trigger handoffs_{table}_append_only before update or delete on handoffs_{table}
    for each row execute function oneteam_append_only();
"""
    for table in _ADDED_ONLY
)
PROTECT = f"""
{_TRIGGERS}
create function handoffs_answered_pulse_stays() returns trigger language plpgsql as $$
begin
    if old.answered_at is not null then
        raise exception 'an answered pulse can not be altered' using errcode = 'integrity_constraint_violation';
    end if;
    return case when tg_op = 'DELETE' then old else new end;
end $$;
create trigger handoffs_pulse_stays before update or delete on handoffs_pulse
    for each row execute function handoffs_answered_pulse_stays();
"""
UNDO = """
drop trigger handoffs_pulse_stays on handoffs_pulse;
drop function handoffs_answered_pulse_stays();
""" + "\n".join(f"drop trigger handoffs_{table}_append_only on handoffs_{table};" for table in _ADDED_ONLY)


class Migration(migrations.Migration):
    """Adds the triggers."""

    dependencies = [
        ("events", "0002_append_only"),
        ("handoffs", "0008_handoffs_ramp_plans_and_the_clients_voice"),
    ]
    operations = [migrations.RunSQL(PROTECT, UNDO)]
