"""What a win brings: the handoff, its ramp plan, carried-over items and the relationship map."""

from __future__ import annotations

import datetime as dt

from accounts.calendars import BusinessDays
from accounts.models import Role
from accounts.queries import organisation
from events import names
from events.models import Event
from events.recording import record
from handoffs.models import (
    ApprovalStep,
    Engagement,
    Handoff,
    HandoffState,
    ProjectState,
    RampPlan,
    RelationshipTransfer,
    StepState,
    Submission,
    SubmissionState,
)
from handoffs.services.handoff.carrying import carry_over
from handoffs.services.handoff.common import CHANGEABLE
from handoffs.services.handoff.following import follow_relationships
from opportunities.models import Opportunity, StageKind
from opportunities.starts import expected_start


def align_handoff(opportunity: Opportunity, engagement: Engagement, now: dt.datetime) -> Handoff | None:
    """Make handoff and ramp plan what the (locked) deal as it stands asks for; None for a deal that was not won here.

    A win opens them or takes them up again; while the deal is open again, lost or archived, they rest. Doing it again
    changes nothing. The items of the templates come from the playbooks, see ``apply_playbook``.
    """
    is_won = opportunity.kind == StageKind.WON and opportunity.archived_at is None
    handoff = Handoff.objects.select_for_update().filter(opportunity=opportunity).first()
    if not is_won:
        if handoff is not None and handoff.shelved_at is None:
            _shelve(opportunity, handoff, now)
        return handoff
    if handoff is None:
        if not was_won_here(opportunity):
            return None
        handoff = _open(opportunity, now)
    elif handoff.shelved_at is not None:
        _resume(opportunity, handoff, now)
    align_relationships(opportunity, handoff, now)
    carry_over(opportunity, engagement, handoff, now)
    return handoff


def was_won_here(opportunity: Opportunity) -> bool:
    """Whether somebody, or another system since the baseline, said that the deal is won.

    Undoing a reopening says nothing new: what was there before comes back, and where nothing was, nothing does.
    """
    wins = Event.objects.filter(opportunity_id=opportunity.pk, name=names.OPPORTUNITY_WON)
    said = wins.values_list("data", flat=True)
    return any("undoes_change" not in data and not data.get("baseline") for data in said)


def rest_handoff(opportunity: Opportunity, now: dt.datetime) -> None:
    """Let the handoff of a (locked) deal that is open again rest, so that nobody approves what is open."""
    handoff = Handoff.objects.live().select_for_update().filter(opportunity=opportunity).first()
    if handoff is not None and opportunity.kind != StageKind.WON:
        _shelve(opportunity, handoff, now)


def follow_contacts(opportunity: Opportunity, now: dt.datetime) -> None:
    """Put those newly named on a (locked) won deal on its relationship map, and set aside those taken off it."""
    handoff = Handoff.objects.live().select_for_update().filter(opportunity=opportunity).first()
    if handoff is None:
        return
    align_relationships(opportunity, handoff, now)
    follow_relationships(opportunity, now)


def carry_promises(opportunity: Opportunity, now: dt.datetime) -> None:
    """Put a promise noted after the win on the checklist of the (locked) deal, while that can be changed."""
    handoff = Handoff.objects.live().select_for_update().filter(opportunity=opportunity).first()
    engagement = opportunity.engagements.order_by("-requested_at", "-pk").first()
    if handoff is not None and engagement is not None:
        carry_over(opportunity, engagement, handoff, now)


def _open(opportunity: Opportunity, now: dt.datetime) -> Handoff:
    owner = opportunity.delivery_owner
    is_manager = owner is not None and owner.is_active and Role.PROJECT_MANAGER in owner.roles
    handoff = Handoff.objects.create(
        opportunity=opportunity, opened_at=now, created_at=now, updated_at=now,
        project_manager=owner if is_manager else None,
    )  # fmt: skip
    RampPlan.objects.create(
        opportunity=opportunity, handoff=handoff, created_at=now, updated_at=now,
        kickoff_on=first_kickoff(opportunity, now),
    )  # fmt: skip
    record(names.HANDOFF_OPENED, actor=None, about=handoff, within=opportunity, now=now)
    return handoff


def first_kickoff(opportunity: Opportunity, now: dt.datetime) -> dt.date:
    """The business day on or after the expected start, today at the earliest."""
    home = organisation()
    today = home.today(now)
    start = expected_start(opportunity, home) or today + dt.timedelta(days=home.start_after_close_days)
    return BusinessDays(home.calendar).on_or_after(max(start, today))


def _shelve(opportunity: Opportunity, handoff: Handoff, now: dt.datetime) -> None:
    """What was approved or rejected was so for terms that are open again, so it has to be submitted anew."""
    pending = Submission.objects.filter(handoff=handoff, state=SubmissionState.PENDING)
    waiting = ApprovalStep.objects.filter(submission__in=pending, state__in=[StepState.PENDING, StepState.ESCALATED])
    waiting.update(state=StepState.RECALLED)
    pending.update(state=SubmissionState.RECALLED, closed_at=now)
    if handoff.state not in CHANGEABLE:
        handoff.state = HandoffState.DRAFT
    handoff.approved_at = handoff.accepted_at = handoff.accepted_by = None
    handoff.shelved_at = now
    _touch(handoff, now)
    plan = handoff.ramp_plan
    if plan.state == ProjectState.RAMPING:
        plan.state = ProjectState.PLANNED
    plan.shelved_at = now
    _touch(plan, now)
    record(names.HANDOFF_SHELVED, actor=None, about=handoff, within=opportunity, now=now)


def _resume(opportunity: Opportunity, handoff: Handoff, now: dt.datetime) -> None:
    handoff.shelved_at = None
    _touch(handoff, now)
    plan = handoff.ramp_plan
    plan.shelved_at = None
    _touch(plan, now)
    record(names.HANDOFF_RESUMED, actor=None, about=handoff, within=opportunity, now=now)


def _touch(row: Handoff | RampPlan, now: dt.datetime) -> None:
    row.version += 1
    row.updated_at = now
    row.save()


def align_relationships(opportunity: Opportunity, handoff: Handoff, now: dt.datetime) -> None:
    """One transfer for each contact of the deal; those taken off the deal are set aside, not lost."""
    contacts = set(opportunity.contacts.values_list("pk", flat=True))
    known = {transfer.contact_id: transfer for transfer in handoff.relationships.all()}
    RelationshipTransfer.objects.bulk_create(
        RelationshipTransfer(
            handoff=handoff, contact_id=contact, owner_now=opportunity.owner, owner_next=handoff.project_manager
        )
        for contact in sorted(contacts - set(known))
    )
    for contact, transfer in known.items():
        dropped_at = None if contact in contacts else transfer.dropped_at or now
        if dropped_at != transfer.dropped_at:
            transfer.dropped_at = dropped_at
            transfer.version += 1
            transfer.save(update_fields=["dropped_at", "version"])
