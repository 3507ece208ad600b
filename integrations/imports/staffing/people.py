"""People in a file: recognised by number, external id, login or name; added or changed by the services."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Region, User, WorkingCalendar
from integrations.imports.errors import BadRow
from integrations.imports.models import Kind, Outcome
from integrations.imports.staffing.rows import Rows, Said, changed
from integrations.imports.staffing.setup import LEAVE
from integrations.imports.staffing.values import skills_in
from integrations.imports.values import key_of
from staffing.models import Person
from staffing.services.people import add_person, change_person, set_skills


class PeopleRows(Rows):
    """A file of people."""

    kind = Kind.PEOPLE

    def take(self, said: Said, target: str, text: str) -> None:
        """Understand one cell. Raises BadRow."""
        if target == "region":
            said.values["region"] = _named(self._regions, text, _("There is no region “%(name)s” here."))
        elif target == "calendar":
            said.values["calendar"] = _named(self._calendars, text, _("There is no calendar “%(name)s” here."))
        elif target == "email":
            user = self._logins.get(text.casefold())
            if user is None:
                said.notices.append(_("Nobody signs in with the e-mail address; they are planned without a login."))
            else:
                said.values["user"] = user
        elif target == "skills":
            said.values["skills"] = skills_in(text)
        else:
            super().take(said, target, text)

    @cached_property
    def _logins(self) -> dict[str, User]:
        taken = Person.objects.filter(user__isnull=False).values("user")
        users = User.objects.filter(is_active=True) | User.objects.filter(pk__in=taken)
        return {user.email.casefold(): user for user in users}

    @cached_property
    def _regions(self) -> dict[str, Region]:
        return {key_of(region.name): region for region in Region.objects.all()}

    @cached_property
    def _calendars(self) -> dict[str, WorkingCalendar]:
        """By name, and by country where one calendar alone is that country's."""
        calendars = list(WorkingCalendar.objects.all())
        countries = Counter(key_of(each.country) for each in calendars if each.country)
        by_country = {key_of(each.country): each for each in calendars if countries[key_of(each.country)] == 1}
        return {**by_country, **{key_of(each.name): each for each in calendars}}

    def recogniser(self, said: Sequence[Said]) -> Callable[[Said], tuple[list[Any], int | None]]:
        """Each person once; a name alone is enough where one person here and one row have it."""
        known = _Known()
        names = Counter(row.values["name"].casefold() for row in said if row.values.get("name"))

        def recognise(row: Said) -> tuple[list[Any], int | None]:
            person = known.surely(row)
            name = str(row.values.get("name", "")).casefold()
            has_id = bool(row.external_id or "user" in row.values)
            if person is None and name:
                if names[name] == 1:
                    person = known.by_name(row, name, has_id=has_id)
                elif not has_id:
                    raise BadRow(_("Other rows have this name too. Give each an external id or a login."))
            known.check(row, person)
            keys: list[Any] = [("person", person.pk)] if person else []
            keys += [("external id", row.external_id)] if row.external_id else []
            keys += [("login", row.values["user"].pk)] if "user" in row.values else []
            return keys, person.pk if person else None

        return recognise

    def present(self, keys: Collection[int]) -> Mapping[int, Person]:
        """These people with all that a row may change."""
        people = Person.objects.select_related("role", "user", "region", "calendar").prefetch_related("skills")
        return people.in_bulk(list(keys))

    def write(self, said: Said, found: Person | None) -> Outcome:
        """Add or change somebody, with their skills."""
        values = dict(said.values)
        levels = self._levels(said, values.pop("skills", None))
        if said.external_id:
            values["external_id"] = said.external_id
        if found is None:
            person = add_person(actor=self.actor, values=values, now=self.now)
            if levels:
                set_skills(actor=self.actor, person=person, skills=levels, expected_version=None, now=self.now)
            return Outcome.CREATED
        if found.archived_at is not None:
            said.notices.append(_("They are archived here and were left alone."))
            return Outcome.UNCHANGED
        changes = changed(found, values)
        if changes:
            change_person(actor=self.actor, person=found, changes=changes, expected_version=None, now=self.now)
        has = {each.skill_id: each.proficiency for each in found.skills.all()}
        if levels is not None and levels != has:
            set_skills(actor=self.actor, person=found, skills=levels, expected_version=None, now=self.now)
            return Outcome.CHANGED
        return Outcome.CHANGED if changes else Outcome.UNCHANGED

    def _levels(self, said: Said, named: dict[str, int] | None) -> dict[int, int] | None:
        """Proficiency by skill; None where the row says nothing."""
        if named is None:
            return None
        levels: dict[int, int] = {}
        for name, level in named.items():
            skill = self.setup.skills.get(name.casefold())
            if skill is not None:
                levels[skill.pk] = level
            elif self.setup.options.get("new_skills") == LEAVE:
                said.notices.append(_("The skill “%(name)s” is not known here and was left out.") % {"name": name})
            else:
                raise BadRow(_("A skill can't be called “%(name)s”.") % {"name": name[:40]})
        return levels if levels or self.setup.options.get("new_skills") != LEAVE else None


class _Known:
    """People here, as they are before the file."""

    def __init__(self) -> None:
        people = list(Person.objects.order_by("pk"))
        self.by_pk = {person.pk: person for person in people}
        self.by_external_id = {person.external_id: person for person in people if person.external_id}
        self.by_login = {person.user_id: person for person in people if person.user_id}
        self.named: dict[str, list[Person]] = defaultdict(list)
        for person in people:
            self.named[person.name.casefold()].append(person)

    def surely(self, row: Said) -> Person | None:
        """By number, external id or login."""
        if row.number is not None:
            if row.number not in self.by_pk:
                raise BadRow(_("There is nobody with this number here. Leave it empty for somebody new."))
            return self.by_pk[row.number]
        by_id = self.by_external_id.get(row.external_id)
        if by_id is not None:
            return by_id
        return self.by_login.get(row.values["user"].pk) if "user" in row.values else None

    def by_name(self, row: Said, name: str, *, has_id: bool) -> Person | None:
        """By the name alone: somebody current, else somebody archived. Raises BadRow where several are called so."""
        same = self.named.get(name, [])
        if has_id:
            same = [each for each in same if not (row.external_id and each.external_id)]
            same = [each for each in same if not ("user" in row.values and each.user_id)]
        found = [each for each in same if each.archived_at is None] or same
        if len(found) > 1 and not has_id:
            raise BadRow(_("Several people here have this name. Say whom by an external id or a login."))
        return found[0] if len(found) == 1 else None

    def check(self, row: Said, person: Person | None) -> None:
        """Raise BadRow where the ids of a row are those of two people."""
        key = person.pk if person else None
        other = self.by_external_id.get(row.external_id)
        if other is not None and other.pk != key:
            raise BadRow(_("The external id is that of %(name)s here.") % {"name": other.name})
        if person is not None and row.external_id and row.number is None and person.external_id not in (
            "", row.external_id,
        ):  # fmt: skip
            raise BadRow(_("%(name)s has another external id here.") % {"name": person.name})
        other = self.by_login.get(row.values["user"].pk) if "user" in row.values else None
        if other is not None and other.pk != key:
            raise BadRow(_("This login belongs to %(name)s here.") % {"name": other.name})


def _named(known: Mapping[str, Any], text: str, sentence: str) -> Any:
    found = known.get(key_of(text))
    if found is None:
        raise BadRow(sentence % {"name": text[:40]})
    return found
