"""The approval chain as data: which steps a deal needs, and keeping the rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from accounts.access import require_administrator
from accounts.models import Role, User
from accounts.queries import organisation, rates
from events import names
from events.recording import record
from handoffs.models import ApprovalRule
from opportunities.models import Opportunity

CHANGEABLE = (
    "name", "position", "role", "service_line", "amount_from", "remind_after_hours", "escalate_after_hours",
    "escalate_to",
)  # fmt: skip
LARGE = Decimal(250_000)
LAST_TURN = 20


class StaleRule(Exception):
    """Somebody else changed the step of the chain; ``current`` is how it stands now."""

    def __init__(self, current: ApprovalRule) -> None:
        super().__init__(_("Somebody changed this step in the meantime. Look at it as it is now and try again."))
        self.current = current


def chain_for(opportunity: Opportunity, now: dt.datetime) -> list[ApprovalRule]:
    """The rules that fit the deal, by turn. An amount that is missing or has no rate counts as above every limit."""
    home = organisation()
    amount = None
    if opportunity.amount is not None:
        known = rates(on=home.today(now), base=home.base_currency)
        amount = known.convert(opportunity.amount, opportunity.currency)
    return rules_for(amount, opportunity.service_line_id)


def rules_for(amount: Decimal | None, service_line_id: int | None) -> list[ApprovalRule]:
    """The rules for deals of an amount (in base currency, None: can't be priced) and a service line, by turn."""
    fits = Q(service_line__isnull=True) | Q(service_line_id=service_line_id)
    if amount is not None:
        fits &= Q(amount_from__isnull=True) | Q(amount_from__lte=amount)
    rules = ApprovalRule.objects.filter(fits, archived_at__isnull=True)
    return list(rules.select_related("service_line").prefetch_related("people").order_by("position", "pk"))


def create_default_chain() -> list[ApprovalRule]:
    """Both managers together, then an executive for large deals; nothing where there is any rule, archived or not."""
    with transaction.atomic():
        _queue_up()
        if ApprovalRule.objects.exists():
            return []
        return ApprovalRule.objects.bulk_create(
            [
                ApprovalRule(name=_("Sales"), position=1, role=Role.SALES_MANAGER),
                ApprovalRule(name=_("Delivery"), position=1, role=Role.DELIVERY_MANAGER),
                ApprovalRule(
                    name=_("Large deal"), position=2, role=Role.EXECUTIVE, amount_from=LARGE,
                    escalate_to=Role.ADMINISTRATOR,
                ),
            ]
        )  # fmt: skip


def start_default_chain(*, actor: User, now: dt.datetime) -> list[ApprovalRule]:
    """The default chain where there is none that holds. Raises PermissionDenied, ValidationError (there is one)."""
    require_administrator(actor)
    with transaction.atomic():
        made = create_default_chain()
        if not made:
            raise ValidationError(_("There are steps already. Bring archived ones back, or add your own."))
        _note(actor, made[0], _("the approval chain"), now)
    return made


def save_rule(
    *,
    actor: User,
    rule: ApprovalRule | None,
    values: Mapping[str, Any],
    people: Sequence[User],
    expected_version: int | None,
    now: dt.datetime,
) -> ApprovalRule:
    """Add a step to the chain, or change one; handoffs that were submitted keep the steps they had.

    Raises PermissionDenied, StaleRule, ValidationError.
    """
    require_administrator(actor)
    with transaction.atomic():
        if rule is None:
            current = ApprovalRule()
        else:
            current = ApprovalRule.objects.select_for_update().get(pk=rule.pk)
            if current.version != expected_version:
                raise StaleRule(current)
            current.version += 1
        for name in CHANGEABLE:
            if name in values:
                setattr(current, name, values[name])
        _check(current, people)
        current.save()
        current.people.set(people)
        _note(actor, current, _("the approval step “%(name)s”") % {"name": current.name}, now)
    return current


def archive_rule(*, actor: User, rule: ApprovalRule, now: dt.datetime) -> ApprovalRule:
    """Ask this step of no handoff submitted from now on. Raises PermissionDenied."""
    return _set_archived(actor, rule, now, archived_at=now)


def restore_rule(*, actor: User, rule: ApprovalRule, now: dt.datetime) -> ApprovalRule:
    """Ask the step again. Raises PermissionDenied."""
    return _set_archived(actor, rule, now, archived_at=None)


def shift_rule(*, actor: User, rule: ApprovalRule, by: int, now: dt.datetime) -> ApprovalRule:
    """Let a step have its turn earlier (-1) or later (1); at either end nothing changes. Raises PermissionDenied."""
    require_administrator(actor)
    with transaction.atomic():
        current = ApprovalRule.objects.select_for_update().get(pk=rule.pk)
        position = min(max(current.position + (1 if by > 0 else -1), 1), LAST_TURN)
        if position != current.position:
            current.position = position
            current.version += 1
            current.save()
            _note(actor, current, _("the approval step “%(name)s”") % {"name": current.name}, now)
    return current


def _set_archived(
    actor: User, rule: ApprovalRule, now: dt.datetime, *, archived_at: dt.datetime | None
) -> ApprovalRule:
    require_administrator(actor)
    with transaction.atomic():
        changed = ApprovalRule.objects.filter(pk=rule.pk, archived_at__isnull=archived_at is not None).update(
            archived_at=archived_at, version=F("version") + 1
        )
        current = ApprovalRule.objects.get(pk=rule.pk)
        if changed:
            _note(actor, current, _("the approval step “%(name)s”") % {"name": current.name}, now)
    return current


def _check(rule: ApprovalRule, people: Sequence[User]) -> None:
    rule.full_clean()
    if not rule.role and not people:
        raise ValidationError({"role": _("Choose a role, or name people.")})
    gone = [str(person) for person in people if not person.is_active]
    if gone:
        raise ValidationError({"people": _("%(names)s can't sign in any more.") % {"names": ", ".join(gone)}})
    if rule.escalate_after_hours <= rule.remind_after_hours:
        raise ValidationError({"escalate_after_hours": _("Escalate later than you remind.")})


def _note(actor: User, rule: ApprovalRule, what: str, now: dt.datetime) -> None:
    record(names.SETTINGS_CHANGED, actor=actor, about=rule, now=now, data={"what": what})


def _queue_up() -> None:
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended('handoffs:approval_chain', 0))")
