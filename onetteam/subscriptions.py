"""What follows from what: event name to the handlers that react to it."""

from collections.abc import Mapping

from events import names

SUBSCRIPTIONS: Mapping[str, tuple[str, ...]] = {
    names.OPPORTUNITY_TURNED_WARM: ("handoffs.handlers.request_engagement", "staffing.handlers.ask_for_needs"),
    names.OPPORTUNITY_TURNED_HOT: ("handoffs.handlers.request_engagement", "staffing.handlers.ask_for_needs"),
    names.OPPORTUNITY_SURFACED_UNFORECASTED: ("handoffs.handlers.request_engagement",),
    names.OPPORTUNITY_COOLED: ("handoffs.handlers.pause_engagement", "staffing.handlers.withdraw_needs"),
    names.OPPORTUNITY_WON: ("handoffs.handlers.close_engagement", "staffing.handlers.harden_bookings"),
    names.OPPORTUNITY_LOST: ("handoffs.handlers.close_engagement", "staffing.handlers.release_bookings"),
    names.OPPORTUNITY_REOPENED: ("handoffs.handlers.resume_engagement", "staffing.handlers.resume_bookings"),
    names.OPPORTUNITY_CLOSE_DATE_MOVED: (
        "handoffs.handlers.reschedule_tasks",
        "staffing.handlers.move_bookings",
        "staffing.handlers.note_promise",
    ),
    names.OPPORTUNITY_START_MOVED: (
        "handoffs.handlers.reschedule_tasks",
        "staffing.handlers.move_bookings",
        "staffing.handlers.note_promise",
    ),
    names.OPPORTUNITY_REASSIGNED: ("handoffs.handlers.follow_people",),
    names.OPPORTUNITY_ARCHIVED: ("handoffs.handlers.close_engagement", "staffing.handlers.release_bookings"),
    names.OPPORTUNITY_RESTORED: ("handoffs.handlers.resume_engagement", "staffing.handlers.resume_bookings"),
    names.REVIEW_SCHEDULED: ("handoffs.handlers.send_invitations",),
    names.REVIEW_UNSCHEDULED: ("handoffs.handlers.send_invitations",),
    names.CLIENT_ASKED: ("handoffs.handlers.mail_client",),
    names.PULSE_DUE: ("handoffs.handlers.mail_client",),
    names.PULSE_REMINDED: ("handoffs.handlers.mail_client",),
    names.RAMP_STARTED: ("handoffs.handlers.plan_pulses",),
    names.RAMP_RESCHEDULED: ("handoffs.handlers.plan_pulses",),
    names.HANDOFF_SHELVED: ("handoffs.handlers.plan_pulses",),
    names.PROJECT_CLOSED: ("handoffs.handlers.plan_pulses",),
    names.PROJECT_REOPENED: ("handoffs.handlers.plan_pulses",),
    names.OPPORTUNITY_CONTACT_LINKED: ("handoffs.handlers.plan_pulses",),
    names.OPPORTUNITY_CONTACT_UNLINKED: ("handoffs.handlers.plan_pulses",),
    names.APPROVAL_ASKED: ("handoffs.handlers.mail_approvals",),
    names.APPROVAL_REMINDED: ("handoffs.handlers.mail_approvals",),
    names.APPROVAL_ESCALATED: ("handoffs.handlers.mail_approvals",),
    names.HANDOFF_APPROVED: ("handoffs.handlers.mail_approvals",),
    names.HANDOFF_CHANGES_REQUESTED: ("handoffs.handlers.mail_approvals",),
    names.HANDOFF_REJECTED: ("handoffs.handlers.mail_approvals",),
    names.STAGE_REDEFINED: ("opportunities.handlers.follow_stage",),
}
