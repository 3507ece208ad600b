"""What a scenario supposes, what of it still matters, and how the horizon would be against today's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import Organisation, User
from opportunities.models import Opportunity, StageKind
from staffing.access import readable_scenario
from staffing.horizon import Horizon
from staffing.horizon_inputs import Inputs
from staffing.horizon_queries import FULL_TIME, Cell, cell_of, horizon_of
from staffing.models import NEVER_APPLIED, ChangeKind, Scenario, ScenarioChange, WorkRole
from staffing.scenario_overlay import Supposed, horizon_with, lay_over
from staffing.services.applying import may_apply

# Scenarios to compare with.
MOST_COMPARED = 200
# Sentences of what gets better, and of what gets worse.
MOST_TOLD = 6
# A chance of overload that moves by less, or fewer people lacking, is not worth a sentence.
TELLING, TELLING_PEOPLE = 0.01, 0.05


@dataclass(frozen=True)
class ChangeLine:
    """A change as somebody sees it. ``deal`` is None where they may not see it, or where there is none.

    ``idle`` is a sentence on why it does nothing. ``asks`` is that applying is up to the deal's own people.
    """

    change: ScenarioChange
    deal: Opportunity | None
    idle: str
    may_change: bool
    may_apply: bool
    asks: bool

    @property
    def is_hidden(self) -> bool:
        """Whether its deal is not for this reader."""
        return self.change.opportunity_id is not None and self.deal is None


@dataclass(frozen=True)
class Version:
    """The horizon under one set of suppositions; ``scenario`` is None for today."""

    scenario: Scenario | None
    inputs: Inputs
    horizon: Horizon


@dataclass(frozen=True)
class RoleRow:
    """A role's weeks under one version. ``lacking`` people would be enough in its worst week with 80 %."""

    scenario: Scenario | None
    people: int
    cells: list[Cell]
    lacking: float

    @property
    def looks(self) -> tuple[int, str, list[int]]:
        """All that is shown of it."""
        return self.people, f"{self.lacking:.1f}", [cell.percent for cell in self.cells]


@dataclass(frozen=True)
class RoleComparison:
    """A role under each version, today's first."""

    role: WorkRole
    rows: list[RoleRow]


@dataclass(frozen=True)
class Difference:
    """The week in which a role's chance of overload changes most, in percent, and people lacking with 80 %."""

    role: WorkRole
    on: dt.date
    before: int
    after: int
    lacking_before: float
    lacking_after: float

    @property
    def week(self) -> int:
        """Of the year, by ISO 8601."""
        return self.on.isocalendar().week


@dataclass(frozen=True)
class Comparison:
    """Roles that differ among the versions, the names of the others, and the differences to today told in words."""

    versions: list[Version]
    weeks: list[Cell]
    roles: list[RoleComparison]
    same: list[WorkRole]
    better: list[Difference]
    worse: list[Difference]
    more: int


def scenarios_list(*, is_archived: bool = False) -> QuerySet[Scenario]:
    """With who made them and ``supposed``, how many of their changes are pending; the latest changed first."""
    pending = Q(changes__removed_at__isnull=True, changes__applied_at__isnull=True)
    applied = Q(changes__applied_at__isnull=False)
    found = Scenario.objects.filter(archived_at__isnull=not is_archived).select_related("created_by")
    return found.annotate(supposed=Count("changes", filter=pending), applied=Count("changes", filter=applied))


def choices_for(user: User) -> list[Scenario]:
    """Scenarios into which the person may put something; the latest changed first. One query, none for others."""
    return list(Scenario.objects.current()[:30]) if user.has_perm("staffing.plan") else []


def scenario_and_others(user: User, pk: int) -> tuple[Scenario, list[Scenario]]:
    """The scenario, and others that it can be compared with, by name. One query. Raises as ``readable_scenario``."""
    found = list(
        Scenario.objects.filter(Q(archived_at__isnull=True) | Q(pk=pk if pk < 2**63 else 0))
        .select_related("created_by").order_by("name", "pk")[:MOST_COMPARED]
    )  # fmt: skip
    wanted = [each for each in found if each.pk == pk]
    if not wanted or not user.has_perm("staffing.see"):
        return readable_scenario(user, pk), found
    return wanted[0], [each for each in found if each.pk != pk]


def changes_of(scenarios: Iterable[Scenario], *, reader: User | None = None) -> list[ScenarioChange]:
    """Changes that were not removed, with what they are about. For a reader with ``is_seen``: whether they may see the
    deal. One query.
    """
    found = ScenarioChange.objects.live().filter(scenario__in=list(scenarios))
    if reader is not None:
        deals = Opportunity.objects.visible_to(reader).filter(pk=OuterRef("opportunity_id"))
        found = found.annotate(is_seen=Exists(deals))
    return list(
        found.select_related("scenario", "opportunity__owner", "opportunity__account", "person", "role", "applied_by")
    )


def versions_of(
    home: Organisation, *, today: dt.date, weeks: int, scenarios: Sequence[Scenario], changes: Sequence[ScenarioChange]
) -> list[Version]:
    """Today and each scenario over it. Eight queries, however many changes there are."""
    inputs, horizon = horizon_of(home, today=today, weeks=weeks)
    return [Version(None, inputs, horizon)] + [
        version_with(scenario, inputs, horizon, [each for each in changes if each.scenario_id == scenario.pk])
        for scenario in scenarios
    ]


def version_with(scenario: Scenario, inputs: Inputs, horizon: Horizon, changes: Iterable[ScenarioChange]) -> Version:
    """The scenario's pending changes laid over today's."""
    overlay = lay_over(inputs, [supposed(each) for each in changes if each.is_pending])
    return Version(scenario, overlay.inputs, horizon_with(horizon, overlay))


def supposed(change: ScenarioChange) -> Supposed:
    """The change as the overlay takes it."""
    return Supposed(
        ChangeKind(change.kind), deal=change.opportunity_id, weeks=change.weeks or 0,
        chance=(change.percent or 0) / 100, role=change.role_id, people=change.people or 0,
        hours=float(change.hours_per_week or 0), person=change.person_id, from_on=change.from_on or dt.date.min,
        until_on=change.until_on,
    )  # fmt: skip


def change_lines(user: User, changes: Sequence[ScenarioChange], inputs: Inputs) -> list[ChangeLine]:
    """The changes, read for this person, as they see them."""
    may_plan = user.has_perm("staffing.plan")
    lines = []
    for each in changes:
        is_seen = each.opportunity_id is None or bool(getattr(each, "is_seen", False))
        idle = why_idle(each, inputs) if each.is_pending else ""
        ready = may_plan and is_seen and each.is_pending and each.kind not in NEVER_APPLIED
        ready = ready and not (idle and each.opportunity_id) and not _is_past(each)
        allowed = ready and may_apply(user, each)
        deal = each.opportunity if is_seen else None
        lines.append(
            ChangeLine(each, deal, idle, may_plan and is_seen and each.is_pending, allowed, ready and not allowed)
        )
    return lines


def why_idle(change: ScenarioChange, inputs: Inputs) -> str:
    """A sentence on why the change does nothing any more, or yet; empty where it does something."""
    if change.opportunity is not None:
        return _why_deal_is_idle(change.opportunity, inputs)
    until = inputs.week(inputs.weeks)
    if change.from_on is not None and change.from_on >= until:
        return _("Changes nothing here: it begins after these weeks.")
    if change.until_on is not None and change.until_on < inputs.monday:
        return _("No longer matters, because it is over.")
    if change.role is not None and change.role.pk not in {role.pk for role in inputs.roles}:
        return _("No longer matters, because the role is not in use any more.")
    if change.person is not None:
        return _why_person_is_idle(change, inputs)
    return ""


def compare(versions: Sequence[Version], *, every: bool = False) -> Comparison:
    """Versions side by side, today's first; sentences are of the second against today. All roles with ``every``."""
    today = versions[0]
    roles, same = [], []
    for number, role in enumerate(today.inputs.roles):
        rows = [_row(each, number) for each in versions]
        if every or any(row.looks != rows[0].looks for row in rows[1:]):
            roles.append(RoleComparison(role, rows))
        else:
            same.append(role)
    told = _differences(today, versions[1]) if len(versions) > 1 else []
    better = sorted((one for one in told if _gain(one) > 0), key=_gain, reverse=True)
    worse = sorted((one for one in told if _gain(one) < 0), key=_gain)
    weeks = [Cell(today.inputs.week(number), 0, 0) for number in range(today.inputs.weeks)]
    more = max(len(better) - MOST_TOLD, 0) + max(len(worse) - MOST_TOLD, 0)
    return Comparison(list(versions), weeks, roles, same, better[:MOST_TOLD], worse[:MOST_TOLD], more)


def _is_past(change: ScenarioChange) -> bool:
    """Whether its person is gone, so that nothing could be applied."""
    return change.person is not None and change.person.archived_at is not None


def _why_deal_is_idle(deal: Opportunity, inputs: Inputs) -> str:
    if deal.archived_at is not None:
        return _("No longer matters, because the deal is in the archive.")
    if deal.kind == StageKind.WON:
        return _("No longer matters, because the deal was won.")
    if deal.kind == StageKind.LOST:
        return _("No longer matters, because the deal was lost.")
    if deal.pk not in inputs.prospects:
        return _("Changes nothing yet, because the deal asks for nobody.")
    if deal.pk not in {each.key for each in inputs.deals}:
        return _("Changes nothing yet, because the deal has no dates.")
    return ""


def _why_person_is_idle(change: ScenarioChange, inputs: Inputs) -> str:
    person = change.person
    assert person is not None
    if person.archived_at is not None:
        return _("No longer matters, because nobody plans this person any more.")
    if person.leaves_on is not None and change.from_on is not None and person.leaves_on < change.from_on:
        return _("No longer matters, because this person leaves before.")
    if inputs.staff is not None and person.pk not in inputs.staff.people:
        return _("Changes nothing, because this person isn’t here in these weeks.")
    return ""


def _row(version: Version, row: int) -> RoleRow:
    inputs, horizon = version.inputs, version.horizon
    cells = [cell_of(inputs, horizon, row, week) for week in range(inputs.weeks)]
    lacks = float((horizon.p80[row] - horizon.capacity[row]).max())
    return RoleRow(version.scenario, inputs.people[row], cells, max(lacks, 0.0) / FULL_TIME)


def _differences(today: Version, other: Version) -> list[Difference]:
    """For each role the week in which it gets better most, and the one in which it gets worse most."""
    found = []
    chances = other.horizon.overload_probability - today.horizon.overload_probability
    lacking = [(each.horizon.p80 - each.horizon.capacity).clip(min=0) / FULL_TIME for each in (today, other)]
    people = lacking[1] - lacking[0]
    for row, role in enumerate(today.inputs.roles):
        # A week of people lacking counts as much as the chance of it.
        weight = chances[row] + people[row]
        for week in {int(weight.argmin()), int(weight.argmax())}:
            if abs(chances[row, week]) < TELLING and abs(people[row, week]) < TELLING_PEOPLE:
                continue
            before, after = (cell_of(each.inputs, each.horizon, row, week).percent for each in (today, other))
            found.append(
                Difference(
                    role,
                    today.inputs.week(week),
                    before,
                    after,
                    float(lacking[0][row, week]),
                    float(lacking[1][row, week]),
                )
            )
    return found


def _gain(one: Difference) -> float:
    return (one.before - one.after) / 100 + one.lacking_before - one.lacking_after
