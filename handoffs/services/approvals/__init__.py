"""Approvals of handoffs: import every service from here."""

from handoffs.services.approvals.accepting import accept_handoff
from handoffs.services.approvals.chain import (
    StaleRule,
    archive_rule,
    chain_for,
    create_default_chain,
    restore_rule,
    rules_for,
    save_rule,
    shift_rule,
    start_default_chain,
)
from handoffs.services.approvals.clock import remind_and_escalate
from handoffs.services.approvals.common import CannotDecide, NotReady, Refusal
from handoffs.services.approvals.deciding import decide_step
from handoffs.services.approvals.delegating import delegate, end_delegation
from handoffs.services.approvals.submitting import recall_handoff, revise_handoff, submit_handoff
from handoffs.services.handoff.common import StaleHandoff

__all__ = [
    "CannotDecide",
    "NotReady",
    "Refusal",
    "StaleHandoff",
    "StaleRule",
    "accept_handoff",
    "archive_rule",
    "chain_for",
    "create_default_chain",
    "decide_step",
    "delegate",
    "end_delegation",
    "recall_handoff",
    "remind_and_escalate",
    "restore_rule",
    "revise_handoff",
    "rules_for",
    "save_rule",
    "shift_rule",
    "start_default_chain",
    "submit_handoff",
]
