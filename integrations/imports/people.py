"""Owners in a file: matched with people here, or added as people who can't sign in yet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models.functions import Lower
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import Region, Role, Side, Team, User
from integrations.imports.setup import Setup
from integrations.imports.values import is_missing

# Nothing under this domain is ever delivered (RFC 2606).
DOMAIN = "imported.invalid"


@dataclass
class Crew:
    """Who a file's owners are: by the name in lower case, the person with the team that their deals belong to."""

    people: dict[str, User] = field(default_factory=dict)
    teams: dict[int, Team | None] = field(default_factory=dict)
    new_people: list[User] = field(default_factory=list)
    new_teams: list[Team] = field(default_factory=list)
    here: _Known | None = None

    def owner(self, cell: str) -> tuple[User | None, Team | None]:
        """The person and their team."""
        person = self.people.get(cell.casefold())
        return person, None if person is None else self.teams.get(id(person))

    def known(self, cell: str) -> User | None:
        """Somebody who was here before the import."""
        return self.here.find(cell) if self.here else None


class _Builder:
    """Works out whom a file adds; saves nothing unless told to, so that a dry run counts the same."""

    def __init__(self, setup: Setup, *, save: bool) -> None:
        self.setup = setup
        self.save = save
        self.crew = Crew()
        self.known = self.crew.here = _Known()
        self.teams = {name: team for team in Team.objects.filter(side=Side.SALES) for name in [team.name.casefold()]}
        self.regions = {region.name.casefold(): region for region in Region.objects.all()}
        self.addresses = set(User.objects.annotate(address=Lower("email")).values_list("address", flat=True))

    def build(self) -> Crew:
        """People and teams of the teams file first, then the owners that the deals name."""
        for row in self.setup.imported.companions.get("teams", ()):
            team = self._team_of(row)
            if manager := row.get("manager"):
                self._person(manager, Role.SALES_MANAGER, team)
            self._person(row["name"], Role.SALES_REP, team, email=row.get("email", ""))
        for cell in self.setup.distinct("owner"):
            if not is_missing(cell):
                self._person(cell, Role.SALES_REP, None)
        self._attach_teams()
        return self.crew

    def _team_of(self, row: dict[str, str]) -> Team | None:
        region = self._region(row["region"]) if row.get("region") else None
        by_region = self.setup.options.get("team_by") == "region"
        if by_region or not row.get("manager"):
            return self._team(row["region"], region) if row.get("region") else None
        return self._team(_("Team %(manager)s") % {"manager": row["manager"]}, region)

    def _region(self, name: str) -> Region:
        found = self.regions.get(name.casefold())
        if found is None:
            found = self.regions[name.casefold()] = Region(name=name[:80])
            if self.save:
                found.save()
        return found

    def _team(self, name: str, region: Region | None = None) -> Team:
        name = name[:80]
        found = self.teams.get(name.casefold())
        if found is None:
            found = self.teams[name.casefold()] = Team(name=name, side=Side.SALES, region=region)
            self.crew.new_teams.append(found)
            if self.save:
                found.save()
        return found

    def _person(self, cell: str, role: Role, team: Team | None, *, email: str = "") -> User:
        key = cell.casefold()
        person = self.crew.people.get(key) or self.known.find(cell) or (self.known.find(email) if email else None)
        if person is None:
            person = self._new(cell, role, email)
            team = team or self._default_team()
        self.crew.people[key] = person
        is_new = person in self.crew.new_people
        if team is not None and (is_new or person.pk not in self.known.in_sales_teams):
            self.crew.teams.setdefault(id(person), team)
            if self.save and is_new:
                team.members.add(person)
        return person

    def _new(self, cell: str, role: Role, email: str) -> User:
        looks_like_address = "@" in cell and " " not in cell
        name = cell.partition("@")[0].replace(".", " ").title() if looks_like_address else cell
        person = User(
            email=self._address(email or (cell if looks_like_address else ""), name), name=name[:120],
            roles=[role], is_active=False, external_id=cell[:120],
        )  # fmt: skip
        person.set_unusable_password()
        self.addresses.add(person.email.lower())
        self.crew.new_people.append(person)
        if self.save:
            person.save()
        return person

    def _address(self, given: str, name: str) -> str:
        if given and given.lower() not in self.addresses:
            return given[:254]
        stem = slugify(name).replace("-", ".")[:60] or "person"
        address, number = f"{stem}@{DOMAIN}", 2
        while address in self.addresses:
            address, number = f"{stem}.{number}@{DOMAIN}", number + 1
        return address

    def _default_team(self) -> Team:
        return self._team(self.setup.options.get("team") or _("Sales"))

    def _attach_teams(self) -> None:
        """Deals of people known before belong to their first sales team by name."""
        found = {id(person): person for person in self.crew.people.values()}
        memberships = Team.members.through.objects.filter(
            user_id__in=[person.pk for person in found.values() if person.pk], team__side=Side.SALES
        )
        first: dict[int, Team] = {}
        for membership in memberships.select_related("team").order_by("team__name"):
            first.setdefault(membership.user_id, membership.team)
        for person in found.values():
            if person.pk in first:
                self.crew.teams[id(person)] = first[person.pk]


class _Known:
    """People here by address, external id and name; a name that two people share goes to the one who may sign in."""

    def __init__(self) -> None:
        self.in_sales_teams = set(
            Team.members.through.objects.filter(team__side=Side.SALES).values_list("user_id", flat=True)
        )
        people = list(User.objects.order_by("-is_active", "pk"))
        self._found: dict[str, User] = {}
        for words in (self._emails, self._external_ids, self._names):
            for word, person in words(people):
                self._found.setdefault(word, person)

    def find(self, cell: str) -> User | None:
        """The person whom the cell names."""
        return self._found.get(cell.casefold())

    @staticmethod
    def _emails(people: Iterable[User]) -> Iterable[tuple[str, User]]:
        return ((person.email.casefold(), person) for person in people)

    @staticmethod
    def _external_ids(people: Iterable[User]) -> Iterable[tuple[str, User]]:
        return ((person.external_id.casefold(), person) for person in people if person.external_id)

    @staticmethod
    def _names(people: Iterable[User]) -> Iterable[tuple[str, User]]:
        return ((person.name.casefold(), person) for person in people if person.name)


def crew_of(setup: Setup, *, save: bool) -> Crew:
    """The owners of a file. With ``save`` missing people, teams and regions are added, in the caller's transaction."""
    return _Builder(setup, save=save).build()
