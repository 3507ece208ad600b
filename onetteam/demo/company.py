"""Fjord & Field, a services firm: its people, teams, calendars and money."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.auth.hashers import make_password

from accounts.models import CurrencyRate, Organisation, Region, Role, ServiceLine, Side, Team, User, WorkingCalendar

NAME = "Fjord & Field"
DOMAIN = "fjordfield.example"
PASSWORD = "fjord-and-field"  # noqa: S105 - printed for everybody who tries the demo
LINES = (("cloud", "Cloud & Platforms"), ("data", "Data & Analytics"), ("apps", "Business Applications"))
REGIONS = (("Nordics", "Norway", "NO"), ("DACH", "Germany", "DE"), ("UK & Ireland", "United Kingdom", "GB"))
# What a unit is worth in EUR, a year ago and now. There is none for SEK, so that one deal is counted but not priced.
RATES = {
    "USD": ("0.9140", "0.8930"),
    "GBP": ("1.1690", "1.1480"),
    "CHF": ("1.0520", "1.0710"),
    "NOK": ("0.0851", "0.0862"),
}

REP, SALES, PM, DELIVERY, RESOURCES, EXECUTIVE, ADMINISTRATOR = (
    Role.SALES_REP, Role.SALES_MANAGER, Role.PROJECT_MANAGER, Role.DELIVERY_MANAGER, Role.RESOURCE_MANAGER,
    Role.EXECUTIVE, Role.ADMINISTRATOR,
)  # fmt: skip


@dataclass(frozen=True)
class _Team:
    name: str
    side: Side
    region: str = ""
    line: str = ""
    people: tuple[tuple[str, Role], ...] = ()


# The cast signs in by first name. The first delivery manager of a team is on call.
_TEAMS = (
    _Team("Sales North", Side.SALES, "Nordics", people=(
        ("Sam Okonjo", SALES), ("Alice Lindqvist", REP), ("Henrik Aasen", REP), ("Maja Sundby", REP),
        ("Joonas Virta", REP), ("Kirsten Moberg", REP),
    )),
    _Team("Sales Central", Side.SALES, "DACH", people=(
        ("Gitta Baumann", SALES), ("Charlie Whitlock", REP), ("Tobias Reinke", REP), ("Selin Aydogan", REP),
        ("Urs Zbinden", REP), ("Jannik Oberle", REP),
    )),
    _Team("Sales West", Side.SALES, "UK & Ireland", people=(
        ("Nuala Brannigan", SALES), ("Rhys Pendry", REP), ("Imani Bello", REP), ("Calum Strachan", REP),
        ("Mairead Quirke", REP),
    )),
    _Team("Cloud Delivery", Side.DELIVERY, line="cloud", people=(
        ("Dan Reyes", DELIVERY), ("Pia Hartwig", PM), ("Lauri Koskela", PM), ("Femke Dijkman", PM),
        ("Oskar Wendt", PM), ("Sanna Ekblad", PM),
    )),
    _Team("Data Delivery", Side.DELIVERY, line="data", people=(
        ("Priyanka Rao", DELIVERY), ("Jonas Falkner", PM), ("Ewa Zielonka", PM), ("Declan Moynihan", PM),
        ("Gregor Palluch", PM),
    )),
    _Team("Applications Delivery", Side.DELIVERY, line="apps", people=(
        ("Marit Solheim", DELIVERY), ("Kofi Mensing", PM), ("Beate Kranz", PM), ("Tomas Hrdina", PM),
        ("Aoife Lacey", PM), ("Ines Valdera", PM),
    )),
    _Team("Staffing", Side.DELIVERY, people=(("Ruth Adler", RESOURCES), ("Viggo Bruun", RESOURCES))),
)  # fmt: skip
_APART = (
    ("Eve Laurentz", EXECUTIVE), ("Birger Holte", EXECUTIVE), ("Ada Novakova", ADMINISTRATOR),
    ("Mirko Stahl", ADMINISTRATOR),
)  # fmt: skip
# Who signs in to look around, and what each of them sees first.
CAST = ("Alice", "Sam", "Pia", "Dan", "Ruth", "Eve", "Ada", "Charlie")


@dataclass(frozen=True)
class Company:
    """The people and places of the demo by the names that its deals use."""

    home: Organisation
    people: dict[str, User]
    lines: dict[str, ServiceLine]
    regions: dict[str, Region]
    teams: dict[str, Team]

    def reps(self, region: str) -> list[User]:
        """Those who sell in a region."""
        team = next(t for t in _TEAMS if t.side == Side.SALES and t.region == region)
        return [self.people[name.split()[0]] for name, role in team.people if role == REP]

    def sales_team(self, region: str) -> Team:
        """The team that sells in a region."""
        return next(team for team in self.teams.values() if team.region == self.regions[region])

    def managers(self, line: str) -> list[User]:
        """Those who deliver a service line: its manager first, then the project managers."""
        team = next(t for t in _TEAMS if t.line == line)
        return [self.people[name.split()[0]] for name, _role in team.people]


def address(first_name: str) -> str:
    """The address that a person signs in with."""
    return f"{first_name.lower()}@{DOMAIN}"


def make(home: Organisation, *, today: dt.date) -> Company:
    """Add calendars, money, people and teams to the organisation."""
    lines = {
        key: ServiceLine.objects.create(key=key, name=name, position=position)
        for position, (key, name) in enumerate(LINES)
    }
    regions = {}
    for name, country, code in REGIONS:
        calendar = WorkingCalendar.objects.create(name=country, country=code)
        regions[name] = Region.objects.create(name=name, calendar=calendar)
    CurrencyRate.objects.bulk_create(
        CurrencyRate(currency=currency, on=on, rate=Decimal(rate))
        for currency, rates in RATES.items()
        for on, rate in zip((today - dt.timedelta(days=400), today.replace(day=1)), rates, strict=True)
    )
    people = _people(today)
    sales = Team.objects.create(name="Sales", side=Side.SALES)
    delivery = Team.objects.create(name="Delivery", side=Side.DELIVERY)
    teams = {}
    for wanted in _TEAMS:
        members = [people[name.split()[0]] for name, _role in wanted.people]
        team = teams[wanted.name] = Team.objects.create(
            name=wanted.name, side=wanted.side, region=regions.get(wanted.region),
            parent=sales if wanted.side == Side.SALES else delivery, on_call=members[0] if wanted.line else None,
        )  # fmt: skip
        team.members.set(members)
        if wanted.line:
            team.service_lines.set([lines[wanted.line]])
    return Company(home, people, lines, regions, teams)


def _people(today: dt.date) -> dict[str, User]:
    password = make_password(PASSWORD)
    wanted = [person for team in _TEAMS for person in team.people] + list(_APART)
    known = set(User.objects.values_list("email", flat=True))
    joined = dt.datetime.combine(today - dt.timedelta(days=500), dt.time(9), dt.UTC)
    User.objects.bulk_create(
        User(email=address(name.split()[0]), name=name, roles=[role.value], password=password, joined_at=joined)
        for name, role in wanted
        if address(name.split()[0]) not in known
    )
    return {user.name.split()[0]: user for user in User.objects.all()}
