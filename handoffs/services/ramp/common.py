"""What the services of ramp plans share: locking, who may do what, text, and the refusals."""

from __future__ import annotations

import datetime as dt

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.text import fault_in, trimmed
from handoffs.models import ProjectState, RampPlan
from handoffs.states import PROJECT, IllegalTransition
from opportunities.services.versions import locked


class StalePlan(Exception):
    """Somebody else changed the plan; ``current`` is how it stands now."""

    def __init__(self, current: RampPlan) -> None:
        super().__init__(_("Somebody changed this ramp plan in the meantime. Look at it as it is now and try again."))
        self.current = current


def hold(plan: RampPlan) -> RampPlan:
    """The plan as it stands, held until the transaction ends: the deal first, as the signals lock them."""
    opportunity = locked(plan.opportunity)
    current = RampPlan.objects.select_for_update().get(pk=plan.pk)
    current.opportunity = opportunity
    return current


def hold_live(plan: RampPlan) -> RampPlan:
    """As ``hold``, for changing it. Raises ValidationError while it rests because its deal is open again."""
    current = hold(plan)
    if current.shelved_at is not None:
        raise ValidationError(_("The deal was reopened, so its ramp plan rests until it is won again."))
    return current


def require(actor: User, permission: str, plan: RampPlan, sentence: str) -> None:
    """Raises PermissionDenied with the sentence where the person lacks the right on the plan."""
    if not actor.has_perm(permission, plan):
        raise PermissionDenied(sentence)


def require_version(plan: RampPlan, expected_version: int | None) -> None:
    """Raises StalePlan where the person saw another version; None is not checked."""
    if expected_version not in (None, plan.version):
        raise StalePlan(plan)


def require_step(plan: RampPlan, wanted: ProjectState) -> None:
    """Raises IllegalTransition where the project can't go there from its state."""
    legal = PROJECT[ProjectState(plan.state)]
    if wanted not in legal:
        sentence = _("The project is %(now)s; it can't become %(wanted)s now.")
        told = {"now": plan.get_state_display().lower(), "wanted": str(wanted.label).lower()}
        raise IllegalTransition(sentence % told, legal)


def save(plan: RampPlan, now: dt.datetime) -> None:
    """Write the plan under a new version."""
    plan.version += 1
    plan.updated_at = now
    plan.save()


def clean(value: str, *, field: str, longest: int, wanted: str = "", is_multiline: bool = False) -> str:
    """The text without space at its ends; ``wanted`` says what is missing where it is empty.

    Raises ValidationError for the field.
    """
    text = trimmed(value).replace("\r\n", "\n")
    fault = fault_in(text, is_multiline=is_multiline)
    if fault is None and len(text) > longest:
        fault = _("Use at most %(count)d characters.") % {"count": longest}
    if fault is None and wanted and not text:
        fault = wanted
    if fault is not None:
        raise ValidationError({field: fault})
    return text
