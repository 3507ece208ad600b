"""A demo company to try OneTeam with."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import User
from onetteam.demo import company
from onetteam.demo.loading import OtherData, load


class Command(BaseCommand):
    """`manage.py load_demo`."""

    help = "Make the demo company in an empty database. A second run changes nothing."

    def handle(self, **options: Any) -> None:
        """Load it unless it is there, and say who signs in with what."""
        try:
            load(now=timezone.now())
        except OtherData as error:
            raise CommandError(
                f"This database belongs to “{error}”; the demo company goes into an empty one. "
                "Choose another place for it: ONETEAM_DATA_DIR=.demo script/demo"
            ) from error
        people = {
            user.name.split()[0]: user for user in User.objects.filter(email__in=map(company.address, company.CAST))
        }
        self.stdout.write(f"\nSign in as any of these with the password {company.PASSWORD}\n")
        for name in company.CAST:
            person = people[name]
            self.stdout.write(f"  {person.email:<30} {person.name}, {person.role_names.lower()}")
