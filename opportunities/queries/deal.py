"""What the page of one deal shows besides its own fields."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.access import audience_of
from accounts.models import User
from events import names
from events.models import Event
from opportunities.models import Attachment, Comment, Contact, Opportunity, StageChange, StageKind

PAGE = 25
_HIDDEN = (names.OPPORTUNITY_COMMENT_EDITED, names.OPPORTUNITY_COMMENT_REMOVED)

# What a chip of the timeline shows: exact names, and beginnings of names.
KINDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "comments": ((names.OPPORTUNITY_COMMENTED,), ()),
    "stages": (
        (
            names.OPPORTUNITY_CREATED, names.OPPORTUNITY_MOVED, names.OPPORTUNITY_WON, names.OPPORTUNITY_LOST,
            names.OPPORTUNITY_REOPENED, names.OPPORTUNITY_TURNED_WARM, names.OPPORTUNITY_TURNED_HOT,
            names.OPPORTUNITY_COOLED, names.OPPORTUNITY_SURFACED_UNFORECASTED, names.OPPORTUNITY_GATE_BYPASSED,
        ),
        (),
    ),
    "changes": (
        (
            names.OPPORTUNITY_CHANGED, names.OPPORTUNITY_CLOSE_DATE_MOVED, names.OPPORTUNITY_START_MOVED,
            names.OPPORTUNITY_REASSIGNED, names.OPPORTUNITY_SNOOZED, names.OPPORTUNITY_WOKEN,
        ),
        (),
    ),
    "files": ((names.OPPORTUNITY_FILE_ADDED, names.OPPORTUNITY_FILE_REMOVED), ()),
    "client": ((), ("statements.", "clients.", "pulses.")),
    "delivery": ((), ("engagements.", "tasks.", "reviews.", "commitments.", "risks.", "risk_profiles.", "handoffs.")),
}  # fmt: skip


_ICONS = {
    names.OPPORTUNITY_TURNED_WARM: "thermometer-sun",
    names.OPPORTUNITY_TURNED_HOT: "flame",
    names.OPPORTUNITY_COOLED: "snowflake",
    names.OPPORTUNITY_SURFACED_UNFORECASTED: "radar",
    names.ENGAGEMENT_REQUESTED: "package-check",
    names.TASKS_ADDED: "list-checks",
}


@dataclass(frozen=True)
class Entry:
    """One line of the timeline; a comment's words come with it."""

    event: Event
    comment: Comment | None = None

    @property
    def actor(self) -> User | None:
        """Who the sentence begins with; none where it is about the deal itself."""
        return None if self.event.text[:1].isupper() else self.event.actor

    @property
    def text(self) -> str:
        """The sentence, with a subject of its own where nobody did it by hand."""
        text = self.event.text
        return text if self.event.actor or text[:1].isupper() else _("OneTeam %(text)s") % {"text": text}

    @property
    def icon(self) -> str:
        """The picture for a sentence about the deal itself."""
        return _ICONS.get(self.event.name, "zap")


@dataclass(frozen=True)
class Timeline:
    """Entries, newest first, and the key from which the next page goes on."""

    entries: Sequence[Entry]
    before: int | None


@dataclass(frozen=True)
class Stay:
    """A deal's time in one stage; ``left_at`` is None for the present one."""

    change: StageChange
    left_at: dt.datetime | None
    days: int
    is_present: bool


def timeline(opportunity: Opportunity, user: User, *, kind: str = "", before: int | None = None) -> Timeline:
    """What happened to the deal, as far as this person may know. Two queries."""
    events = Event.objects.filter(opportunity_id=opportunity.pk).visible_to(audience_of(user)).exclude(name__in=_HIDDEN)
    if kind in KINDS:
        exact, beginnings = KINDS[kind]
        wanted = Q(name__in=exact)
        for beginning in beginnings:
            wanted |= Q(name__startswith=beginning)
        events = events.filter(wanted)
    if before:
        events = events.filter(pk__lt=before)
    found = list(events.select_related("actor").order_by("-pk")[: PAGE + 1])
    shown = found[:PAGE]
    keys = [event.data.get("comment") for event in shown if event.name == names.OPPORTUNITY_COMMENTED]
    comments = Comment.objects.filter(opportunity=opportunity).select_related("author").in_bulk(keys) if keys else {}
    entries = [Entry(event, comments.get(event.data.get("comment"))) for event in shown]
    return Timeline(entries, before=shown[-1].pk if len(found) > PAGE else None)


def stage_history(opportunity: Opportunity, *, now: dt.datetime) -> list[Stay]:
    """The deal's stages, newest first, with whole days in each. One query."""
    changes = list(
        StageChange.objects.filter(opportunity=opportunity)
        .select_related("from_stage", "to_stage", "by")
        .order_by("-number")
    )
    stays = []
    left_at: dt.datetime | None = None
    for change in changes:
        is_present = left_at is None
        # A closed deal does not wait in its stage.
        end = left_at or (now if opportunity.is_open else change.at)
        stays.append(Stay(change, left_at, max((end - change.at).days, 0), is_present))
        left_at = change.at
    return stays


def last_open_stage(history: Sequence[Stay]) -> str:
    """The stage from which a closed deal was closed; empty while it is open."""
    for stay in history:
        change = stay.change
        if change.to_stage.kind != StageKind.OPEN and change.from_stage and change.from_stage.is_open:
            return change.from_stage.name
        if change.to_stage.kind == StageKind.OPEN:
            return ""
    return ""


def linked_contacts(opportunity: Opportunity) -> list[Contact]:
    """The people at the client who have a part in the deal."""
    return list(opportunity.contacts.select_related("account").order_by("name"))


def linkable_contacts(opportunity: Opportunity, user: User) -> list[Contact]:
    """People at the deal's account who are not linked yet; up to 200."""
    if opportunity.account_id is None:
        return []
    linked = Opportunity.contacts.through.objects.filter(opportunity=opportunity).values("contact")
    people = Contact.objects.visible_to(user).filter(account_id=opportunity.account_id).exclude(pk__in=linked)
    return list(people.order_by("name")[:200])


def files_of(opportunity: Opportunity) -> list[Attachment]:
    """The deal's files, newest first."""
    return list(opportunity.attachments.filter(removed_at__isnull=True).select_related("uploaded_by"))
