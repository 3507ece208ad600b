"""Who delivers at Fjord & Field, what deals of each line usually take, and who is booked already."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import cycle

from accounts.models import User, WorkingCalendar
from onetteam.demo.company import Company
from opportunities.models import StageKind
from staffing.models import (
    Booking,
    BookingKind,
    ChangeKind,
    NeedSkill,
    NeedState,
    NeedTemplate,
    Person,
    PersonSkill,
    Skill,
    StaffingNeed,
    TimeOff,
    WorkRole,
)
from staffing.services.bookings import book
from staffing.services.scenarios import add_change, make_scenario
from staffing.weeks import WEEK, monday_of

# Project managers and analysts sign in; the others are planned without a login.
ANALYSTS = ("Sanna", "Gregor", "Ines")
# role, people, the skills that they have
CREW: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("Architect", ("Solveig Hauge", "Markus Drexler", "Niamh Corrigan", "Anders Bjelland"),
     ("Cloud platforms", "Security", "Integration")),
    ("Senior engineer",
     ("Petra Vondrak", "Eirik Tangen", "Lukas Amsler", "Shreya Menon", "Owen Tregarth", "Hanna Kivela"),
     ("Cloud platforms", "Back end", "Integration")),
    ("Engineer",
     ("Mats Hovland", "Clara Eberlein", "Rasmus Toft", "Yusuf Demirel", "Bethan Pryce", "Jakob Sterner", "Leila Haddad",
      "Finn Osterkamp"),
     ("Back end", "Front end", "Test automation")),
    ("Data engineer", ("Ingvild Roe", "Stefan Kolbe", "Maeve Tierney", "Tarek Mansour", "Greta Nyqvist"),
     ("Data pipelines", "Data modelling", "Machine learning")),
    ("Designer", ("Elin Sparre", "Jonathan Weir"), ("Front end", "Workshops")),
    ("Tester", ("Agnes Pohl", "Vidar Lunde"), ("Test automation", "Requirements")),
)  # fmt: skip
LEADERS = ("Workshops", "Change management", "Requirements")
PART_TIME = {"Niamh": 32, "Clara": 30, "Greta": 24, "Ewa": 32, "Jonathan": 20, "Beate": 30}
# line, then role, hours a week, weeks after the start, weeks
TEMPLATES: tuple[tuple[str, tuple[tuple[str, int, int, int], ...]], ...] = (
    ("cloud", (("Project manager", 8, 0, 9), ("Architect", 10, 0, 3), ("Senior engineer", 20, 1, 6),
               ("Engineer", 16, 2, 6))),
    ("data", (("Project manager", 8, 0, 9), ("Business analyst", 8, 0, 3), ("Data engineer", 20, 1, 6),
              ("Senior engineer", 8, 3, 3))),
    ("apps", (("Project manager", 8, 0, 9), ("Business analyst", 8, 0, 3), ("Designer", 8, 1, 3),
              ("Engineer", 20, 2, 6), ("Tester", 6, 6, 2))),
)  # fmt: skip
# What the architects are needed for at once, in three weeks, while one of them is away.
RUSH_WEEKS = (3, 4)
RUSH = ("Piste status platform: rollout", "Archive move: cut-over", "Turbine parts: cut-over")
AWAY = "Solveig"
# Hours a week of everyday work, by role, for clients of long standing.
EVERYDAY = {"Project manager": 14, "Engineer": 12, "Data engineer": 12, "Business analyst": 12, "Tester": 12}
SERVICES = (
    "Managed service: Skarvøy Seafood",
    "Managed service: Rheinufer Stadtwerke",
    "Managed service: Dunmore Water",
)
# What every second need of a role asks for, and how well.
WISHES = {
    "Architect": ("Security", 4), "Senior engineer": ("Integration", 3), "Engineer": ("Front end", 3),
    "Data engineer": ("Machine learning", 3), "Project manager": ("Change management", 3),
}  # fmt: skip
BOOKED_SOFTLY = 3  # of five needs of hot deals


def hire(company: Company, chance: random.Random, *, today: dt.date) -> None:
    """Add some forty people with skills, part time and time off, and templates by service line."""
    roles = {role.name: role for role in WorkRole.objects.all()}
    skills = {skill.name: skill for skill in Skill.objects.all()}
    calendars = cycle(WorkingCalendar.objects.filter(country__in=("NO", "DE")).order_by("-country"))
    wanted = [*_leaders(company), *((name, role, None, known) for role, people, known in CREW for name in people)]
    people = Person.objects.bulk_create(
        Person(
            name=name, user=user, role=roles[role], calendar=next(calendars),
            weekly_hours=Decimal(PART_TIME.get(name.split()[0], 40)), external_id=f"F{number:03d}",
        )
        for number, (name, role, user, _skills) in enumerate(wanted, start=101)
    )  # fmt: skip
    PersonSkill.objects.bulk_create(
        PersonSkill(person=person, skill=skills[skill], proficiency=chance.randint(2, 5))
        for person, (_name, _role, _user, known) in zip(people, wanted, strict=True)
        for skill in known
        if chance.random() < 0.85
    )
    TimeOff.objects.bulk_create(_time_off(people, chance, today))
    Booking.objects.bulk_create(_everyday(people, chance, today))
    NeedTemplate.objects.bulk_create(
        NeedTemplate(
            service_line=company.lines[line], role=roles[role], hours_per_week=Decimal(hours), offset_weeks=offset,
            weeks=weeks, position=position,
        )
        for line, needs in TEMPLATES
        for position, (role, hours, offset, weeks) in enumerate(needs)
    )  # fmt: skip


def plan(company: Company, *, today: dt.date, now: dt.datetime) -> None:
    """Book people: hard for won deals, softly for some needs of hot ones, and the architects for more than they are."""
    ruth = company.people["Ruth"]
    turns = {
        role: cycle(list(Person.objects.filter(role=role).order_by("-weekly_hours", "pk")))
        for role in WorkRole.objects.filter(people__isnull=False).distinct()
    }
    needs = StaffingNeed.objects.live().select_related("role", "opportunity").order_by("opportunity", "pk")
    for need in needs.filter(opportunity__kind=StageKind.WON, state=NeedState.OPEN):
        _book(ruth, need, turns[need.role], now)
    _wish(needs.filter(opportunity__kind=StageKind.OPEN))
    hot = needs.filter(opportunity__kind=StageKind.OPEN, opportunity__temperature="hot")
    for number, need in enumerate(hot):
        if number % 5 < BOOKED_SOFTLY and need.role.name != "Architect":
            _book(ruth, need, turns[need.role], now)
    _rush(ruth, today, now)
    _suppose(ruth, today, now)


def _suppose(actor: User, today: dt.date, now: dt.datetime) -> None:
    """Two ways through the weeks in which the architects are short."""
    first = monday_of(today) + WEEK * RUSH_WEEKS[0]
    last = monday_of(today) + WEEK * RUSH_WEEKS[1] + dt.timedelta(days=4)
    architects = WorkRole.objects.get(name="Architect")
    asked = StaffingNeed.objects.live().filter(role=architects, opportunity__kind=StageKind.OPEN)
    deals = [need.opportunity for need in asked.select_related("opportunity").order_by("opportunity__start_on", "pk")]
    helped = {"role": architects, "people": 2, "hours_per_week": Decimal(40), "from_on": first, "until_on": last}
    scenario = make_scenario(actor=actor, values={"name": "Help over the cut-overs"}, now=now)
    add_change(actor=actor, scenario=scenario, kind=ChangeKind.JOIN, values=helped, now=now)
    scenario = make_scenario(actor=actor, values={"name": "Start after the cut-overs"}, now=now)
    for deal in list(dict.fromkeys(deals))[:2]:
        moved = {"opportunity": deal, "weeks": 4}
        add_change(actor=actor, scenario=scenario, kind=ChangeKind.SHIFT, values=moved, now=now)


def _book(actor: User, need: StaffingNeed, turns: Iterator[Person], now: dt.datetime) -> None:
    values = {"need": need, "opportunity": need.opportunity, "person": next(turns)}
    book(actor=actor, values=values, now=now)


def _wish(needs: Iterable[StaffingNeed]) -> None:
    skills = {skill.name: skill for skill in Skill.objects.all()}
    asked = [(need, *WISHES[need.role.name]) for need in needs if need.role.name in WISHES]
    NeedSkill.objects.bulk_create(
        NeedSkill(need=need, skill=skills[name], proficiency=level) for need, name, level in asked[::2]
    )


def _rush(actor: User, today: dt.date, now: dt.datetime) -> None:
    """Cut-overs of several clients in the same two weeks."""
    first = monday_of(today) + WEEK * RUSH_WEEKS[0]
    last = monday_of(today) + WEEK * RUSH_WEEKS[1] + dt.timedelta(days=4)
    architects = list(Person.objects.filter(role__name="Architect").order_by("pk"))
    for person, title in zip(architects[1:], RUSH, strict=True):
        values = {"person": person, "title": title, "hours_per_week": Decimal(36), "first_on": first, "last_on": last}
        book(actor=actor, values=values, now=now)


def _leaders(company: Company) -> list[tuple[str, str, User | None, tuple[str, ...]]]:
    """Those of the delivery teams who work on projects, but not the managers of the teams."""
    found: list[tuple[str, str, User | None, tuple[str, ...]]] = []
    for line in company.lines:
        for user in company.managers(line)[1:]:
            role = "Business analyst" if user.name.split()[0] in ANALYSTS else "Project manager"
            found.append((user.name, role, user, LEADERS))
    return found


def _everyday(people: Sequence[Person], chance: random.Random, today: dt.date) -> Iterator[Booking]:
    """What goes on whatever is won: two of three people of most roles, for some months."""
    monday = monday_of(today)
    for number, person in enumerate(people):
        hours = EVERYDAY.get(person.role.name, 0)
        if hours and number % 3:
            yield Booking(
                person=person, role=person.role, kind=BookingKind.HARD, title=chance.choice(SERVICES),
                hours_per_week=Decimal(hours), first_on=monday - WEEK * 6,
                last_on=monday + WEEK * chance.randint(10, 25) - dt.timedelta(days=3),
            )  # fmt: skip


def _time_off(people: Sequence[Person], chance: random.Random, today: dt.date) -> Iterator[TimeOff]:
    """A week of holidays for every third person, spread over the next months, and the architect who is away."""
    monday = monday_of(today)
    for number, person in enumerate(people):
        if person.name.startswith(AWAY):
            first, weeks = monday + WEEK * RUSH_WEEKS[0], 2
        elif number % 3 == 0 and person.role.name != "Architect":
            first, weeks = monday + WEEK * chance.randint(5, 22), 1
        else:
            continue
        yield TimeOff(person=person, first_on=first, last_on=first + WEEK * weeks - dt.timedelta(days=3))
