"""The handoff of a won deal: import every service from here."""

from handoffs.services.handoff.opening import align_handoff

__all__ = ["align_handoff"]
