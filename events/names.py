"""Every event that can happen, with the text people read in a timeline.

Texts are filled from the event's data; a missing value reads as an empty string, a day in ISO form as people write it.
"""

import datetime as dt
import re

from django.utils.dateformat import format as formatted
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrPromise

OPPORTUNITY_CREATED = "opportunities.created"
OPPORTUNITY_CHANGED = "opportunities.changed"
OPPORTUNITY_MOVED = "opportunities.moved"
OPPORTUNITY_TURNED_WARM = "opportunities.turned_warm"
OPPORTUNITY_TURNED_HOT = "opportunities.turned_hot"
OPPORTUNITY_COOLED = "opportunities.cooled"
OPPORTUNITY_SURFACED_UNFORECASTED = "opportunities.surfaced_unforecasted"
OPPORTUNITY_WON = "opportunities.won"
OPPORTUNITY_LOST = "opportunities.lost"
OPPORTUNITY_REOPENED = "opportunities.reopened"
OPPORTUNITY_CLOSE_DATE_MOVED = "opportunities.close_date_moved"
OPPORTUNITY_START_MOVED = "opportunities.start_moved"
OPPORTUNITY_REASSIGNED = "opportunities.reassigned"
OPPORTUNITY_ARCHIVED = "opportunities.archived"
OPPORTUNITY_RESTORED = "opportunities.restored"
OPPORTUNITY_WOKEN = "opportunities.woken"
OPPORTUNITY_SNOOZED = "opportunities.snoozed"
OPPORTUNITY_GATE_BYPASSED = "opportunities.gate_bypassed"
OPPORTUNITY_COMMENTED = "opportunities.commented"
OPPORTUNITY_COMMENT_EDITED = "opportunities.comment_edited"
OPPORTUNITY_COMMENT_REMOVED = "opportunities.comment_removed"
OPPORTUNITY_CONTACT_LINKED = "opportunities.contact_linked"
OPPORTUNITY_CONTACT_UNLINKED = "opportunities.contact_unlinked"
OPPORTUNITY_FILE_ADDED = "opportunities.file_added"
OPPORTUNITY_FILE_REMOVED = "opportunities.file_removed"
ENGAGEMENT_REQUESTED = "engagements.requested"
ENGAGEMENT_ACCEPTED = "engagements.accepted"
ENGAGEMENT_DECLINED = "engagements.declined"
ENGAGEMENT_REASSIGNED = "engagements.reassigned"
ENGAGEMENT_COMPLETED = "engagements.completed"
ENGAGEMENT_CLOSED = "engagements.closed"
ENGAGEMENT_RESUMED = "engagements.resumed"
TASKS_ADDED = "tasks.added"
TASKS_PAUSED = "tasks.paused"
TASKS_RESUMED = "tasks.resumed"
TASKS_RESCHEDULED = "tasks.rescheduled"
TASK_COMPLETED = "tasks.completed"
TASK_REOPENED = "tasks.reopened"
TASK_CHANGED = "tasks.changed"
REVIEW_REQUESTED = "reviews.requested"
REVIEW_SCHEDULED = "reviews.scheduled"
REVIEW_UNSCHEDULED = "reviews.unscheduled"
REVIEW_ANSWERED = "reviews.answered"
REVIEW_TAKEN_BACK = "reviews.taken_back"
REVIEW_COMPARED = "reviews.compared"
REVIEW_DECIDED = "reviews.decided"
REVIEW_SIGNED = "reviews.signed"
REVIEW_AGREED = "reviews.agreed"
REVIEW_OVERRIDDEN = "reviews.overridden"
REVIEW_CANCELLED = "reviews.cancelled"
REVIEW_RESUMED = "reviews.resumed"
REVIEW_CONDITION_SETTLED = "reviews.condition_settled"
REVIEW_HELD = "reviews.held"
REVIEW_ESCALATED = "reviews.escalated"
COMMITMENT_ADDED = "commitments.added"
COMMITMENT_CHANGED = "commitments.changed"
COMMITMENT_WITHDRAWN = "commitments.withdrawn"
COMMITMENT_ANSWERED = "commitments.answered"
COMMITMENT_SETTLED = "commitments.settled"
RISK_ADDED = "risks.added"
RISK_CHANGED = "risks.changed"
RISK_CLOSED = "risks.closed"
RISK_REOPENED = "risks.reopened"
RISK_PROFILE_PROPOSED = "risk_profiles.proposed"
RISK_PROFILE_AGREED = "risk_profiles.agreed"
HANDOFF_OPENED = "handoffs.opened"
HANDOFF_SHELVED = "handoffs.shelved"
HANDOFF_RESUMED = "handoffs.resumed"
HANDOFF_CHANGED = "handoffs.changed"
HANDOFF_SUBMITTED = "handoffs.submitted"
HANDOFF_RECALLED = "handoffs.recalled"
HANDOFF_APPROVED = "handoffs.approved"
HANDOFF_CHANGES_REQUESTED = "handoffs.changes_requested"
HANDOFF_REJECTED = "handoffs.rejected"
HANDOFF_REVISED = "handoffs.revised"
HANDOFF_ACCEPTED = "handoffs.accepted"
APPROVAL_ASKED = "approvals.asked"
APPROVAL_GIVEN = "approvals.given"
APPROVAL_REMINDED = "approvals.reminded"
APPROVAL_ESCALATED = "approvals.escalated"
ITEM_ADDED = "tasks.item_added"
ITEM_WAIVED = "tasks.waived"
RELATIONSHIP_CHANGED = "relationships.changed"
RELATIONSHIP_ACCEPTED = "relationships.accepted"
RAMP_STARTED = "ramp_plans.started"
RAMP_RESCHEDULED = "ramp_plans.rescheduled"
RAMP_HEALTH_REPORTED = "ramp_plans.health_reported"
RAMP_TOUCHED = "ramp_plans.touched"
RAMP_TOUCH_REMOVED = "ramp_plans.touch_removed"
RAMP_EXITED = "ramp_plans.exited"
RAMP_EXITED_EARLY = "ramp_plans.exited_early"
PROJECT_CLOSED = "projects.closed"
PROJECT_REOPENED = "projects.reopened"
LESSON_ADDED = "lessons.added"
LESSON_SETTLED = "lessons.settled"
STATEMENT_WRITTEN = "statements.written"
CLIENT_ASKED = "clients.asked"
CLIENT_LINK_REVOKED = "clients.link_revoked"
CLIENT_CONFIRMED = "clients.confirmed"
CLIENT_AMENDED = "clients.amended"
CLIENT_OPTED_OUT = "clients.opted_out"
CLIENT_OPTED_IN = "clients.opted_in"
PULSE_DUE = "pulses.due"
PULSE_REMINDED = "pulses.reminded"
PULSE_ANSWERED = "pulses.answered"
PULSE_CANCELLED = "pulses.cancelled"
DELEGATION_ADDED = "delegations.added"
DELEGATION_ENDED = "delegations.ended"
NEED_ADDED = "staffing_needs.added"
NEED_CHANGED = "staffing_needs.changed"
NEED_CANCELLED = "staffing_needs.cancelled"
NEED_STAFFED = "staffing_needs.staffed"
BOOKING_MADE = "bookings.made"
BOOKING_CHANGED = "bookings.changed"
BOOKING_RELEASED = "bookings.released"
BOOKINGS_HARDENED = "bookings.hardened"
BOOKINGS_RELEASED = "bookings.all_released"
BOOKINGS_RESUMED = "bookings.resumed"
BOOKINGS_MOVED = "bookings.moved"
START_PROMISED_EARLY = "staffing.promised_early"
PERSON_CHANGED = "people.changed"
STAFFING_LIST_CHANGED = "staffing.list_changed"
SCENARIO_ADDED = "scenarios.added"
SCENARIO_CHANGED = "scenarios.changed"
SCENARIO_APPLIED = "scenarios.applied"
ACCOUNT_CHANGED = "accounts.changed"
CONTACT_CHANGED = "contacts.changed"
SETTINGS_CHANGED = "settings.changed"
STAGE_REDEFINED = "stages.redefined"
IMPORT_FINISHED = "imports.finished"
DELIVERY_GIVEN_UP = "deliveries.given_up"
DELIVERY_RETRIED = "deliveries.retried"
DELIVERY_DISCARDED = "deliveries.discarded"

TEXTS: dict[str, StrPromise] = {
    OPPORTUNITY_CREATED: _("added the deal in {to}"),
    OPPORTUNITY_CHANGED: _("changed {labels}"),
    OPPORTUNITY_MOVED: _("moved the deal from {from} to {to}"),
    OPPORTUNITY_TURNED_WARM: _("The deal turned warm"),
    OPPORTUNITY_TURNED_HOT: _("The deal turned hot"),
    OPPORTUNITY_COOLED: _("The deal cooled to {temperature}"),
    OPPORTUNITY_SURFACED_UNFORECASTED: _("The deal surfaced un-forecasted: {reasons}"),
    OPPORTUNITY_WON: _("won the deal"),
    OPPORTUNITY_LOST: _("closed the deal as lost: {reason}"),
    OPPORTUNITY_REOPENED: _("reopened the deal"),
    OPPORTUNITY_CLOSE_DATE_MOVED: _("moved the close date from {from} to {to}"),
    OPPORTUNITY_START_MOVED: _("moved the expected start to {to}"),
    OPPORTUNITY_REASSIGNED: _("handed the deal over: {people}"),
    OPPORTUNITY_ARCHIVED: _("archived the deal"),
    OPPORTUNITY_RESTORED: _("brought the deal back from the archive"),
    OPPORTUNITY_WOKEN: _("ended the snooze"),
    OPPORTUNITY_SNOOZED: _("snoozed the deal until {until}: {reason}"),
    OPPORTUNITY_GATE_BYPASSED: _("moved past a gate ({missing}): {reason}"),
    OPPORTUNITY_COMMENTED: _("commented"),
    OPPORTUNITY_COMMENT_EDITED: _("edited a comment"),
    OPPORTUNITY_COMMENT_REMOVED: _("removed a comment"),
    OPPORTUNITY_CONTACT_LINKED: _("linked {name}"),
    OPPORTUNITY_CONTACT_UNLINKED: _("unlinked {name}"),
    OPPORTUNITY_FILE_ADDED: _("added the file {file}"),
    OPPORTUNITY_FILE_REMOVED: _("removed the file {file}"),
    ENGAGEMENT_REQUESTED: _("Delivery was asked in; {owner} is proposed as delivery owner"),
    ENGAGEMENT_ACCEPTED: _("accepted the engagement"),
    ENGAGEMENT_DECLINED: _("declined the engagement: {reason}"),
    ENGAGEMENT_REASSIGNED: _("made {owner} delivery owner"),
    ENGAGEMENT_COMPLETED: _("completed the engagement"),
    ENGAGEMENT_CLOSED: _("The engagement closed: {outcome}"),
    ENGAGEMENT_RESUMED: _("The engagement was taken up again"),
    TASKS_ADDED: _("Tasks were added from the playbook “{playbook}”: {count}"),
    TASKS_PAUSED: _("Tasks were paused: {count}"),
    TASKS_RESUMED: _("Tasks were taken up again: {count}"),
    TASKS_RESCHEDULED: _("Tasks moved with the dates: {count}"),
    TASK_COMPLETED: _("completed “{title}”"),
    TASK_REOPENED: _("reopened “{title}”"),
    TASK_CHANGED: _("changed the task “{title}”"),
    REVIEW_REQUESTED: _("The deal review is due: {due}"),
    REVIEW_SCHEDULED: _("scheduled the deal review for {starts}"),
    REVIEW_UNSCHEDULED: _("called off the meeting of the deal review"),
    REVIEW_ANSWERED: _("handed in the answers of {side}"),
    REVIEW_TAKEN_BACK: _("took back the answers of {side}"),
    REVIEW_COMPARED: _("Both sides have answered; the gaps are open to see"),
    REVIEW_DECIDED: _("proposed the verdict “{verdict}” (version {number})"),
    REVIEW_SIGNED: _("signed the verdict for {side}"),
    REVIEW_AGREED: _("The deal review is agreed: {verdict}"),
    REVIEW_OVERRIDDEN: _("let the deal be won without an agreed review: {reason}"),
    REVIEW_CANCELLED: _("The deal review was cancelled"),
    REVIEW_RESUMED: _("The deal review was taken up again"),
    REVIEW_CONDITION_SETTLED: _("settled the condition “{text}”: {state}"),
    REVIEW_HELD: _("noted who was at the deal review"),
    REVIEW_ESCALATED: _("The express review is late; told: {people}"),
    COMMITMENT_ADDED: _("noted a promise: {text}"),
    COMMITMENT_CHANGED: _("changed the promise “{text}”"),
    COMMITMENT_WITHDRAWN: _("took the promise “{text}” off the ledger"),
    COMMITMENT_ANSWERED: _("answered the promise “{text}”: {stance}"),
    COMMITMENT_SETTLED: _("settled the promise “{text}”: {outcome}"),
    NEED_ADDED: _("asked for {role}: {hours} hours a week for {weeks} weeks"),
    NEED_CHANGED: _("changed what is needed of {role}"),
    NEED_CANCELLED: _("no longer needs {role}"),
    NEED_STAFFED: _("{role}: {state}"),
    BOOKING_MADE: _("booked {who} ({kind})"),
    BOOKING_CHANGED: _("changed the booking of {who}"),
    BOOKING_RELEASED: _("released {who}"),
    BOOKINGS_HARDENED: _("Bookings became hard with the win: {count}"),
    BOOKINGS_RELEASED: _("Soft bookings were released: {count}"),
    BOOKINGS_RESUMED: _("Bookings were taken up again: {count}"),
    BOOKINGS_MOVED: _("Soft bookings moved with the deal by {weeks} weeks: {count}"),
    START_PROMISED_EARLY: _("promised a start on {promised}, before what the deal needs fits ({safe})"),
    PERSON_CHANGED: _("changed {name} in the staffing"),
    STAFFING_LIST_CHANGED: _("changed roles, skills or templates of the staffing"),
    SCENARIO_ADDED: _("made a scenario of the staffing"),
    SCENARIO_CHANGED: _("changed a scenario of the staffing"),
    SCENARIO_APPLIED: _("applied a change of a scenario of the staffing"),
    RISK_ADDED: _("added to the register: {text}"),
    RISK_CHANGED: _("changed “{text}” in the register"),
    RISK_CLOSED: _("closed “{text}” in the register"),
    RISK_REOPENED: _("opened “{text}” in the register again"),
    RISK_PROFILE_PROPOSED: _("put version {number} of the risk profile up for agreement"),
    RISK_PROFILE_AGREED: _("agreed version {number} of the risk profile for {side}"),
    HANDOFF_OPENED: _("The handoff was opened"),
    HANDOFF_SHELVED: _("The handoff rests while the deal is open again"),
    HANDOFF_RESUMED: _("The handoff was taken up again"),
    HANDOFF_CHANGED: _("changed the handoff: {labels}"),
    HANDOFF_SUBMITTED: _("submitted the handoff for approval (version {number})"),
    HANDOFF_RECALLED: _("recalled the handoff: {reason}"),
    HANDOFF_APPROVED: _("The handoff is approved"),
    HANDOFF_CHANGES_REQUESTED: _("asked for changes to the handoff: {comment}"),
    HANDOFF_REJECTED: _("rejected the handoff: {comment}"),
    HANDOFF_REVISED: _("opened the handoff for changes again: {reason}"),
    HANDOFF_ACCEPTED: _("accepted the handoff as project manager"),
    APPROVAL_ASKED: _("The handoff waits for approval: {steps}"),
    APPROVAL_GIVEN: _("approved the handoff as “{step}”"),
    APPROVAL_REMINDED: _("“{step}” was reminded to decide about the handoff"),
    APPROVAL_ESCALATED: _("The approval “{step}” is late; {role} may decide too"),
    ITEM_ADDED: _("added “{title}” to the checklist"),
    ITEM_WAIVED: _("waived “{title}”: {reason}"),
    RELATIONSHIP_CHANGED: _("changed the handover of {contact}"),
    RELATIONSHIP_ACCEPTED: _("took over {contact}"),
    RAMP_STARTED: _("The ramp began"),
    RAMP_RESCHEDULED: _("moved the kick-off from {from} to {to}"),
    RAMP_HEALTH_REPORTED: _("reported the health as {rag}: {reason}"),
    RAMP_TOUCHED: _("spoke with the client: {note}"),
    RAMP_TOUCH_REMOVED: _("removed a contact with the client from the log"),
    RAMP_EXITED: _("ended the ramp; every exit criterion has its evidence"),
    RAMP_EXITED_EARLY: _("ended the ramp early: {reason}"),
    PROJECT_CLOSED: _("closed the project"),
    PROJECT_REOPENED: _("opened the project again"),
    LESSON_ADDED: _("noted a lesson"),
    LESSON_SETTLED: _("settled a lesson: {outcome}"),
    STATEMENT_WRITTEN: _("wrote version {number} of the {subject}"),
    CLIENT_ASKED: _("asked {contact} to confirm what was agreed"),
    CLIENT_LINK_REVOKED: _("took back the private link of {contact}"),
    CLIENT_CONFIRMED: _("{contact} confirmed the {subject}"),
    CLIENT_AMENDED: _("{contact} amended the {subject}"),
    CLIENT_OPTED_OUT: _("{contact} does not want to be asked"),
    CLIENT_OPTED_IN: _("{contact} may be asked again"),
    PULSE_DUE: _("{contact} is asked how it goes"),
    PULSE_REMINDED: _("{contact} is reminded to say how it goes"),
    PULSE_ANSWERED: _("{contact} rated how it goes: {csat} of 5"),
    PULSE_CANCELLED: _("called off a question to {contact}"),
    DELEGATION_ADDED: _("{delegate} stands in for {delegator} from {from} to {to}"),
    DELEGATION_ENDED: _("{delegate} no longer stands in for {delegator}"),
    ACCOUNT_CHANGED: _("changed the account {name}"),
    CONTACT_CHANGED: _("changed the contact {name}"),
    SETTINGS_CHANGED: _("changed {what}"),
    STAGE_REDEFINED: _("changed what “{stage}” means; its open deals follow"),
    IMPORT_FINISHED: _("imported {file}"),
    DELIVERY_GIVEN_UP: _("Background work was given up after repeated failures: {handler}"),
    DELIVERY_RETRIED: _("started background work again: {handler}"),
    DELIVERY_DISCARDED: _("discarded background work ({handler}): {reason}"),
}


_A_DAY = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d)?", re.ASCII)


class _Told(dict[str, object]):
    def __getitem__(self, key: str) -> object:
        return _readable(self.get(key, ""))


def _readable(value: object) -> object:
    # Only what is a day and nothing else; "2026-11-20 17:20" is how services write a moment.
    if not isinstance(value, str) or not _A_DAY.fullmatch(value):
        return value
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError:
        return value
    return formatted(moment, "j M Y, H:i" if " " in value else "j M Y")


def text_of(name: str, data: dict[str, object]) -> str:
    """The sentence for one event; texts that start in lower case follow the actor's name."""
    return str(TEXTS[name]).format_map(_Told(data))
