"""What the page and the panel of a handoff show one reader, and the rows of the list."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_stubs_ext import StrPromise

from accounts.models import User
from handoffs.approval_queries import Trail, inbox_of, trail_of
from handoffs.handoff_queries import Blocker, Checklist, HandoffRow, checklist_of, relationships_of
from handoffs.models import ApprovalStep, Handoff, HandoffState, RelationshipTransfer, Task, TaskAction, TaskState
from handoffs.queries import TaskLine, task_line
from handoffs.services.handoff.common import CHANGEABLE

# So many reasons are read out before the others are folded away.
SHOWN = 6
# What an item follows, and the page where that is settled.
_SETTLED_AT: Mapping[str, str] = {
    TaskAction.REVIEW: "review_panel",
    TaskAction.EXPRESS_REVIEW: "review_panel",
    TaskAction.RISK_PROFILE: "risk_panel",
    TaskAction.CONDITION: "review_panel",
    TaskAction.COMMITMENT: "commitment_panel",
    TaskAction.CLIENT_SCOPE: "client_panel",
    TaskAction.CLIENT_CRITERIA: "client_panel",
    TaskAction.CLIENT_RISKS: "client_panel",
    TaskAction.PULSE: "client_panel",
}


@dataclass(frozen=True)
class ItemRow:
    """An item of the checklist with what the reader may do about it as the handoff stands."""

    line: TaskLine
    is_frozen: bool

    @property
    def task(self) -> Task:
        """The item."""
        return self.line.task

    @property
    def dom_id(self) -> str:
        """The id of the element that shows it."""
        return self.line.dom_id

    @property
    def settled_at(self) -> str:
        """Where it is settled, for an item that follows something else; empty for one that is done by saying so."""
        if self.task.action == TaskAction.RELATIONSHIPS:
            return "#relationships"
        name = _SETTLED_AT.get(self.task.action)
        if name is None:
            return ""
        anchor = f"#commitment-{self.task.commitment_id}" if self.task.commitment_id else ""
        return reverse(f"handoffs:{name}", args=[self.task.opportunity_id]) + anchor

    @property
    def can_complete(self) -> bool:
        """Whether the reader can say done."""
        return self.line.can_complete and not self.is_frozen and not self.settled_at

    @property
    def can_reopen(self) -> bool:
        """Whether the reader can take a done or a waiver back."""
        return self.line.can_reopen and not self.is_frozen

    @property
    def can_waive(self) -> bool:
        """Whether the reader can leave it out."""
        return self.line.can_waive and not self.is_frozen

    @property
    def can_change(self) -> bool:
        """Whether the reader can change its title, day and person."""
        return self.line.can_change and not self.is_frozen

    @property
    def reason(self) -> str:
        """Why it can't be said done now; empty where it can, or where it says so elsewhere."""
        if self.task.state != TaskState.OPEN or self.settled_at:
            return ""
        return self.line.reason


@dataclass(frozen=True)
class SectionRows:
    """A part of the checklist."""

    section: str
    label: str | StrPromise
    rows: Sequence[ItemRow]
    done: int
    total: int


@dataclass(frozen=True)
class TransferRow:
    """One stakeholder on the map."""

    transfer: RelationshipTransfer
    may_change: bool
    may_accept: bool

    @property
    def dom_id(self) -> str:
        """The id of the element that shows it."""
        return f"relationship-{self.transfer.pk}"

    @property
    def step(self) -> str:
        """cold, introduced or accepted."""
        if self.transfer.accepted_at is not None:
            return "accepted"
        return "cold" if self.transfer.is_cold else "introduced"

    @property
    def warning(self) -> str:
        """Why delivery would meet this person cold; empty where it wouldn't."""
        if self.step != "cold":
            return ""
        if self.transfer.owner_next is None:
            return _("Cold: nobody takes over yet")
        return _("Cold: %(name)s was not introduced") % {"name": self.transfer.owner_next}


@dataclass(frozen=True)
class HandoffPage:
    """A handoff as one reader may see and use it."""

    handoff: Handoff
    checklist: Checklist
    sections: Sequence[SectionRows]
    transfers: Sequence[TransferRow]
    trail: Trail
    may_add: bool
    may_name: bool

    @property
    def is_frozen(self) -> bool:
        """Whether the checklist stands as it was handed in, or rests."""
        return is_frozen(self.handoff)

    @property
    def shown_blockers(self) -> Sequence[Blocker]:
        """Those above the fold."""
        return self.checklist.blockers[:SHOWN]

    @property
    def folded_blockers(self) -> Sequence[Blocker]:
        """Those below it."""
        return self.checklist.blockers[SHOWN:]

    @property
    def is_prepared(self) -> bool:
        """Whether it is up to the deal's people to hand it in."""
        return self.handoff.state in CHANGEABLE and self.handoff.shelved_at is None

    @property
    def orphans(self) -> list[str]:
        """Steps that nobody could approve if the reader submitted it."""
        return [planned.name for planned in self.trail.planned if not planned.people]

    @property
    def cold(self) -> int:
        """How many people delivery would meet cold."""
        return sum(1 for row in self.transfers if row.step == "cold")

    @property
    def steps(self) -> list[tuple[str, str]]:
        """The way of a handoff: each step's word, and done, now or ahead."""
        words = (_("Prepare"), _("Approve"), _("Take on"))
        handoff = self.handoff
        if handoff.accepted_at is not None:
            place = len(words)
        else:
            place = {HandoffState.SUBMITTED: 1, HandoffState.APPROVED: 2}.get(HandoffState(handoff.state), 0)
        states = ["done" if each < place else "now" if each == place else "ahead" for each in range(len(words))]
        return list(zip(words, states, strict=True))


def is_frozen(handoff: Handoff) -> bool:
    """Whether required items can't be changed."""
    return handoff.state not in CHANGEABLE or handoff.shelved_at is not None


def handoff_page(user: User, handoff: Handoff, now: dt.datetime) -> HandoffPage:
    """Everything on the page. A constant number of queries, however many items, people and submissions."""
    people = relationships_of(handoff)
    checklist = checklist_of(handoff, transfers=people)
    may_work = user.has_perm("handoffs.work_on_handoff", handoff)
    is_resting, is_kept = handoff.shelved_at is not None, is_frozen(handoff)
    sections = [
        SectionRows(
            each.section, each.label,
            [ItemRow(task_line(user, item), is_resting or (is_kept and item.is_required)) for item in each.items],
            each.done, each.total,
        )
        for each in checklist.sections
    ]  # fmt: skip
    transfers = [
        TransferRow(
            transfer, may_change=may_work and not is_resting,
            may_accept=not is_resting and transfer.owner_next_id == user.pk and transfer.accepted_at is None
            and transfer.introduced_on is not None,
        )
        for transfer in people
    ]  # fmt: skip
    is_open = handoff.accepted_at is None and handoff.state != HandoffState.SUBMITTED and not is_resting
    return HandoffPage(
        handoff, checklist, sections, transfers, trail_of(handoff, user, now), may_add=may_work and not is_kept,
        may_name=is_open and user.has_perm("handoffs.name_project_manager", handoff),
    )  # fmt: skip


@dataclass(frozen=True)
class ListRow:
    """A handoff in a list, and whose turn it is."""

    row: HandoffRow
    asked: str

    @property
    def handoff(self) -> Handoff:
        """The handoff."""
        return self.row.handoff


def list_rows(rows: Sequence[HandoffRow]) -> list[ListRow]:
    """Each with who is asked now. Two queries where any is with its approvers."""
    submitted = [row.handoff.pk for row in rows if row.handoff.state == HandoffState.SUBMITTED]
    asked: dict[int, list[str]] = defaultdict(list)
    steps = ApprovalStep.objects.waiting().filter(submission__handoff__in=submitted).order_by("position", "pk")
    for step in steps.select_related("submission").defer("submission__items") if submitted else ():
        asked[step.submission.handoff_id].append(step.name)
    return [ListRow(row, _whose_turn(row.handoff, asked[row.handoff.pk])) for row in rows]


def waiting_for(user: User, now: dt.datetime) -> Q:
    """The handoffs in which it is this person's turn: to approve, to take on, or to prepare."""
    steps = [waiting.step.submission.handoff_id for waiting in inbox_of(user, now)]
    theirs = Q(opportunity__owner=user) | Q(opportunity__delivery_owner=user) | Q(project_manager=user)
    return (
        Q(pk__in=steps)
        | Q(state=HandoffState.APPROVED, accepted_at__isnull=True, project_manager=user)
        | Q(theirs, state__in=CHANGEABLE)
    )


def blockers_in_words(count: int) -> str:
    """How much stands in the way."""
    if not count:
        return _("Ready to be submitted.")
    words = ngettext("%(count)d thing stands in the way.", "%(count)d things stand in the way.", count)
    return words % {"count": count}


def _whose_turn(handoff: Handoff, steps: Sequence[str]) -> str:
    """Who has to do something now; a handoff that was taken on needs nobody."""
    if handoff.accepted_at is not None:
        return ""
    if handoff.state == HandoffState.SUBMITTED:
        return ", ".join(steps)
    deal = handoff.opportunity
    if handoff.state == HandoffState.APPROVED:
        return str(handoff.project_manager or deal.delivery_owner or "")
    return str(deal.owner or deal.delivery_owner or "")
