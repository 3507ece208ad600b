"""The checklist of a handoff by section, what stands in the way of submitting it, and how it was handed in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, IntegerField, Value, When
from django.utils.translation import gettext as _
from django_stubs_ext import StrPromise

from accounts.models import Side
from handoffs.handoff_queries.chains import has_chain
from handoffs.handoff_queries.relationships import relationships_of
from handoffs.models import Handoff, RelationshipTransfer, Section, Task, TaskAction, TaskSide, TaskState
from handoffs.queries import earlier_tasks

CLOSED = frozenset({TaskState.DONE, TaskState.WAIVED})
_IN_ORDER = Case(
    *(When(section=section, then=Value(place)) for place, section in enumerate(Section.values)),
    output_field=IntegerField(),
)


@dataclass(frozen=True)
class SectionView:
    """A part of the checklist; ``done`` counts what is done or was waived."""

    section: str
    label: str | StrPromise
    items: list[Task]
    done: int
    total: int


@dataclass(frozen=True)
class Blocker:
    """Why the handoff can't be submitted yet: what is to be done, and the id of the element where it is done."""

    sentence: str
    anchor: str


@dataclass(frozen=True)
class Checklist:
    """A handoff's items by section, sections without items left out."""

    sections: list[SectionView]
    done: int
    total: int
    blockers: list[Blocker]

    @property
    def is_ready(self) -> bool:
        """Whether nothing stands in the way of submitting it."""
        return not self.blockers


def items_of(handoff: Handoff) -> list[Task]:
    """The items by section and position, with people, files, and what each waits for. One query."""
    items: list[Task] = list(
        Task.objects.filter(handoff=handoff)
        .exclude(state=TaskState.CANCELLED)
        .select_related(
            "assignee", "sales_done_by", "delivery_done_by", "waived_by", "evidence_file", "condition", "commitment"
        )
        .annotate(earlier=earlier_tasks(), place=_IN_ORDER)
        .order_by("place", "position", "pk")
    )
    for item in items:
        item.handoff, item.opportunity = handoff, handoff.opportunity
    return items


def checklist_of(handoff: Handoff, *, transfers: Sequence[RelationshipTransfer] | None = None) -> Checklist:
    """The checklist with its blockers. At most six queries, one less for who has read the relationship map already."""
    items = items_of(handoff)
    sections = []
    for section in Section:
        own = [item for item in items if item.section == section]
        if own:
            sections.append(SectionView(section.value, section.label, own, _closed(own), len(own)))
    return Checklist(sections, _closed(items), len(items), _blockers(handoff, items, transfers))


def blockers_of(handoff: Handoff) -> list[Blocker]:
    """What stands in the way of submitting the handoff, in the order of the page; the same queries as a checklist."""
    return _blockers(handoff, items_of(handoff))


def snapshot_of(handoff: Handoff) -> list[dict[str, Any]]:
    """The items as plain values, as a submission keeps them: see ``Submission``."""
    return [
        {
            "id": item.pk,
            "section": item.section,
            "title": item.title,
            "state": item.state,
            "side": item.side,
            "is_required": item.is_required,
            "evidence": item.evidence,
            "link": item.evidence_link,
            "file": item.evidence_file.name if item.evidence_file is not None else "",
            "waived_reason": item.waived_reason,
        }
        for item in items_of(handoff)
    ]


def _closed(items: Sequence[Task]) -> int:
    return sum(item.state in CLOSED for item in items)


def _blockers(
    handoff: Handoff, items: Sequence[Task], transfers: Sequence[RelationshipTransfer] | None = None
) -> list[Blocker]:  # fmt: skip
    if handoff.shelved_at is not None:
        return [Blocker(_("The deal is open again. Win it to go on with its handoff."), f"handoff-{handoff.pk}")]
    found = []
    if handoff.project_manager_id is None:
        found.append(Blocker(_("Name the project manager."), "project-manager"))
    for item in items:
        if item.state in CLOSED or not item.is_required:
            continue
        if item.action == TaskAction.RELATIONSHIPS:
            found += _of_relationships(item, relationships_of(handoff) if transfers is None else transfers)
        else:
            found.append(Blocker(_what_to_do(item), f"task-{item.pk}"))
    if not has_chain(handoff.opportunity):
        found.append(
            Blocker(_("Nobody is asked to approve such a deal. An administrator sets the approvals up."), "approvals")
        )
    return found


def _of_relationships(item: Task, transfers: Sequence[RelationshipTransfer]) -> Iterator[Blocker]:
    if not transfers:
        yield Blocker(
            _("Name the people at the client on the deal, so that they can be handed over."), f"task-{item.pk}"
        )
    for transfer in transfers:
        if transfer.accepted_at is None:
            yield Blocker(_hand_over(transfer), f"relationship-{transfer.pk}")


def _hand_over(transfer: RelationshipTransfer) -> str:
    told = {"contact": transfer.contact.name, "owner": str(transfer.owner_next or "")}
    if transfer.owner_next is None:
        return _("Say who takes over %(contact)s, and introduce them.") % told
    if transfer.introduced_on is None:
        return _("Introduce %(owner)s to %(contact)s and note when.") % told
    return _("%(owner)s was introduced to %(contact)s and has to take them over.") % told


def _what_to_do(item: Task) -> str:
    told = {"title": item.title, "side": item.get_side_display(), "name": str(item.assignee or "")}
    if item.action == TaskAction.CONDITION and item.condition is not None:
        return _("Meet or drop in the deal review: “%(text)s”.") % {"text": item.condition.text}
    if item.action == TaskAction.COMMITMENT and item.commitment is not None:
        return _("Let delivery accept the promise, or settle it: “%(text)s”.") % {"text": item.commitment.text}
    missing = _missing_side(item)
    if missing is not None:
        return _("“%(title)s” waits for %(side)s to say done too.") % {**told, "side": missing.label}
    if item.assignee is not None:
        return _("Complete “%(title)s”; it is with %(name)s.") % told
    return _("Complete “%(title)s” (%(side)s).") % told


def _missing_side(item: Task) -> Side | None:
    """The one side that has not said done yet, where the other one has."""
    if item.side != TaskSide.SHARED:
        return None
    if item.sales_done_at is not None and item.delivery_done_at is None:
        return Side.DELIVERY
    return Side.SALES if item.delivery_done_at is not None and item.sales_done_at is None else None
