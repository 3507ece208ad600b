"""The client's voice: import every service from here."""

from handoffs.services.client.answering import FurtherRisk, LinkGone, RiskWord, StaleVersion, amend, confirm
from handoffs.services.client.following import client_word, follow_client
from handoffs.services.client.links import OptedOut, ask_client, is_good, link_of, revoke_link
from handoffs.services.client.pulse_answers import AnsweredAlready, answer_pulse, opt_in, opt_out
from handoffs.services.client.pulses import plan_pulses, plan_pulses_of, send_due_pulses, send_pulse
from handoffs.services.client.statements import StaleStatement, newest_statement, write_statement
from handoffs.services.client.words import Resting

__all__ = [
    "AnsweredAlready",
    "FurtherRisk",
    "LinkGone",
    "OptedOut",
    "Resting",
    "RiskWord",
    "StaleStatement",
    "StaleVersion",
    "amend",
    "answer_pulse",
    "ask_client",
    "client_word",
    "confirm",
    "follow_client",
    "is_good",
    "link_of",
    "newest_statement",
    "opt_in",
    "opt_out",
    "plan_pulses",
    "plan_pulses_of",
    "revoke_link",
    "send_due_pulses",
    "send_pulse",
    "write_statement",
]
