"""Give organisations that were set up before the staffing roles, skills and need templates to start with."""

from decimal import Decimal

from django.db import migrations

ROLES = (
    "Project manager", "Architect", "Senior engineer", "Engineer", "Data engineer", "Business analyst", "Designer",
    "Tester",
)  # fmt: skip
SKILLS = (
    "Back end", "Change management", "Cloud platforms", "Data modelling", "Data pipelines", "Front end", "Integration",
    "Machine learning", "Requirements", "Security", "Test automation", "Workshops",
)  # fmt: skip
# role, hours a week, weeks after the start, weeks
TEMPLATES = (
    ("Project manager", 8, 0, 10),
    ("Architect", 12, 0, 4),
    ("Business analyst", 12, 0, 4),
    ("Engineer", 32, 2, 8),
    ("Tester", 12, 7, 3),
)


def give(apps, schema_editor):
    """Only where there is an organisation, and only what is not there."""
    if not apps.get_model("accounts", "Organisation").objects.exists():
        return
    roles = apps.get_model("staffing", "WorkRole").objects
    skills = apps.get_model("staffing", "Skill").objects
    templates = apps.get_model("staffing", "NeedTemplate").objects
    if not roles.exists():
        for position, name in enumerate(ROLES):
            roles.create(name=name, position=position)
    if not skills.exists():
        for name in SKILLS:
            skills.create(name=name)
    if not templates.exists():
        known = {role.name: role for role in roles.filter(archived_at__isnull=True)}
        for position, (role, hours, offset, weeks) in enumerate(TEMPLATES):
            if role in known:
                templates.create(
                    role=known[role], hours_per_week=Decimal(hours), offset_weeks=offset, weeks=weeks, position=position
                )


class Migration(migrations.Migration):
    """Adds rows."""

    dependencies = [("staffing", "0002_booking_requests_and_planned_start"), ("accounts", "0002_review_clocks")]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
