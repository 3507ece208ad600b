"""Whether anybody is asked to approve the handoff of a deal."""

from __future__ import annotations

from django.db.models import Q

from accounts.queries import organisation, rates
from handoffs.models import ApprovalRule
from opportunities.models import Opportunity


def has_chain(opportunity: Opportunity) -> bool:
    """Whether a step of the approval chain fits the deal; see ``services.approvals.chain`` for which. Three queries."""
    line = Q(service_line__isnull=True) | Q(service_line=opportunity.service_line_id)
    rules = ApprovalRule.objects.filter(line, archived_at__isnull=True)
    limits = list(rules.values_list("amount_from", flat=True))
    if opportunity.amount is None or None in limits or not limits:
        return bool(limits)
    home = organisation()
    known = rates(on=opportunity.closed_on or home.today(opportunity.updated_at), base=home.base_currency)
    amount = known.convert(opportunity.amount, opportunity.currency)
    return amount is None or any(limit is not None and amount >= limit for limit in limits)
