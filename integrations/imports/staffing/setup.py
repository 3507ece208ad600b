"""What a file of people or bookings and the answers about it come to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.text import fault_in
from integrations.imports.basis import Basis, Question, date_question
from integrations.imports.errors import BadRow, NeedsAnswer
from integrations.imports.models import Import, Kind
from integrations.imports.staffing.columns import DATES, TARGETS
from integrations.imports.staffing.values import skills_in
from integrations.imports.values import is_missing, key_of
from staffing.models import Skill, WorkRole

MOST_ROLES = 200
LONGEST_NAME = 80
NEW = "new"
ADD, LEAVE = "add", "leave"


@dataclass(frozen=True)
class RoleValue:
    """A value of the role column, how often it is there, and the role that it means, if that is known."""

    value: str
    count: int
    role: WorkRole | None
    is_new: bool = False

    @property
    def is_known(self) -> bool:
        """Whether nobody needs to be asked."""
        return self.role is not None or self.is_new

    @property
    def may_be_added(self) -> bool:
        """Whether a role can be called so."""
        return len(self.value) <= LONGEST_NAME and not fault_in(self.value)


class StaffingSetup(Basis):
    """Reads an import of people or bookings and the answers about it."""

    def __init__(self, imported: Import, *, now: dt.datetime) -> None:
        self.kind = Kind(imported.kind)
        self.targets, self.dates = TARGETS[self.kind], DATES[self.kind]
        super().__init__(imported, now=now)

    @cached_property
    def roles(self) -> dict[int, WorkRole]:
        """All roles by key, those included that nobody is offered any more: people keep them."""
        return {role.pk: role for role in WorkRole.objects.all()}

    @cached_property
    def role_values(self) -> list[RoleValue]:
        """What stands in the role column, most frequent first. Raises NeedsAnswer where that can't be roles."""
        return [
            self._role_value(value, count) for value, count in self.distinct_roles().items() if not is_missing(value)
        ]

    def distinct_roles(self) -> dict[str, int]:
        """Values of the role column with their counts. Raises NeedsAnswer where that can't be roles."""
        counts = self.distinct("role")
        if len(counts) > MOST_ROLES:
            raise NeedsAnswer([_("The column for “Role” has hundreds of different values. Is it the right one?")])
        return counts

    @cached_property
    def unknown_skills(self) -> list[str] | None:
        """Skills in the file that are not known here; None where the cells are too many to tell."""
        profile = self.profile_of("skills")
        if profile is None:
            return []
        return None if profile["distinct"] is None else sorted(self.unknown_among(profile["distinct"]))

    def unknown_among(self, cells: Iterable[str]) -> set[str]:
        """Names of skills in these cells that are not known here, as they are written first."""
        found: dict[str, str] = {}
        for cell in cells:
            try:
                named = skills_in(cell)
            except BadRow:
                continue
            for name in named:
                if name.casefold() not in self.skills and len(name) <= LONGEST_NAME and not fault_in(name):
                    found.setdefault(name.casefold(), name)
        return set(found.values())

    @cached_property
    def skills(self) -> dict[str, Skill]:
        """All skills by the name whatever the capitals."""
        return {skill.name.casefold(): skill for skill in Skill.objects.all()}

    def questions(self) -> list[Question]:
        """All that has to be answered before rows can be read."""
        found = self._column_questions()
        if found:
            return found
        found += [_role_question(value) for value in self.role_values if not value.is_known]
        if self.unknown_skills != [] and self.options.get("new_skills") not in (ADD, LEAVE):
            found.append(Question("new_skills", self.skills_question))
        if self.found_date_reading() is None:
            found.append(date_question())
        return found

    @property
    def skills_question(self) -> str:
        """What to do with skills that are not known here."""
        if not self.unknown_skills:
            return _("What should happen with skills that are not known here?")
        named = ", ".join(f"“{name}”" for name in self.unknown_skills[:8])
        if len(self.unknown_skills) > 8:
            named = _("%(named)s and others") % {"named": named}
        return _("These skills are not known here: %(named)s. Add them, or leave them out?") % {"named": named}

    def _column_questions(self) -> list[Question]:
        if self.kind == Kind.PEOPLE and not {"number", "external_id", "name", "email"} & set(self.columns):
            return [Question("columns", _("Say which column tells people apart: an id, an e-mail or their name."))]
        if self.kind == Kind.BOOKINGS and not {"number", "external_id", "person", "role"} & set(self.columns):
            return [Question("columns", _("Say which column names the people, or the roles where nobody is named."))]
        try:
            self.distinct_roles()
        except NeedsAnswer as error:
            return [Question("columns", sentence) for sentence in error.questions]
        return []

    def _role_value(self, value: str, count: int) -> RoleValue:
        answer = str(self.options.get("roles", {}).get(value, ""))
        if answer.isdecimal() and int(answer) in self.roles:
            return RoleValue(value, count, self.roles[int(answer)])
        word = key_of(value)
        known = next((role for role in self.roles.values() if key_of(role.name) == word), None)
        found = RoleValue(value, count, known)
        if known is None and answer == NEW and found.may_be_added:
            return RoleValue(value, count, None, is_new=True)
        return found


def _role_question(value: RoleValue) -> Question:
    said = {"value": value.value, "count": number_format(value.count, force_grouping=True)}
    sentence = ngettext(
        "Which role is “%(value)s” (%(count)s row)?", "Which role is “%(value)s” (%(count)s rows)?", value.count
    )
    return Question(f"role:{value.value}", sentence % said)
