"""What a new organisation starts with: roles, skills, and what deals usually need; all of it can be changed."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import transaction

from accounts.models import Organisation
from staffing.models import NeedTemplate, Skill, WorkRole

ROLES = (
    "Project manager", "Architect", "Senior engineer", "Engineer", "Data engineer", "Business analyst", "Designer",
    "Tester",
)  # fmt: skip
SKILLS = (
    "Back end", "Change management", "Cloud platforms", "Data modelling", "Data pipelines", "Front end", "Integration",
    "Machine learning", "Requirements", "Security", "Test automation", "Workshops",
)  # fmt: skip
# role, hours a week, weeks after the start, weeks; for deals whose service line has no templates of its own
TEMPLATES = (
    ("Project manager", 8, 0, 10),
    ("Architect", 12, 0, 4),
    ("Business analyst", 12, 0, 4),
    ("Engineer", 32, 2, 8),
    ("Tester", 12, 7, 3),
)


def create(*, organisation: Organisation, now: dt.datetime) -> None:
    """Make roles, skills and need templates, each unless there are some already."""
    with transaction.atomic():
        if not WorkRole.objects.exists():
            WorkRole.objects.bulk_create(WorkRole(name=name, position=number) for number, name in enumerate(ROLES))
        if not Skill.objects.exists():
            Skill.objects.bulk_create(Skill(name=name) for name in SKILLS)
        if not NeedTemplate.objects.exists():
            roles = {role.name: role for role in WorkRole.objects.filter(archived_at__isnull=True)}
            NeedTemplate.objects.bulk_create(
                NeedTemplate(
                    role=roles[role], hours_per_week=Decimal(hours), offset_weeks=offset, weeks=weeks, position=number
                )
                for number, (role, hours, offset, weeks) in enumerate(TEMPLATES)
                if role in roles
            )
