"""Settings: who approves the handoff of which deals, in which order."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import administrators_only
from accounts.forms.answers import accepted
from accounts.models import User
from handoffs.approval_access import known_rule
from handoffs.approval_forms import PreviewForm, RuleForm
from handoffs.models import ApprovalRule
from handoffs.services import approvals as services
from opportunities.views.answers import Request, said


@administrators_only
@require_safe
def home(request: Request) -> HttpResponse:
    """The chain by turn, what was archived, and which steps a deal would need."""
    rules = list(ApprovalRule.objects.select_related("service_line").prefetch_related("people"))
    preview = PreviewForm(request.GET if "amount" in request.GET else None)
    asked = None
    if preview.is_bound and preview.is_valid():
        line = preview.cleaned_data["service_line"]
        asked = services.rules_for(preview.cleaned_data["amount"], line.pk if line else None)
    context = {
        "turns": _by_turn([rule for rule in rules if rule.archived_at is None]), "is_empty": not rules,
        "archived": [rule for rule in rules if rule.archived_at is not None], "preview": preview,
        "asked": None if asked is None else _by_turn(asked), "currency": request.organisation.base_currency,
    }  # fmt: skip
    template = "_preview" if request.htmx else "home"
    status = 422 if preview.is_bound and not preview.is_valid() else 200
    return render(request, f"handoffs/approvals/settings/{template}.html", context, status=status)


@administrators_only
@require_POST
def start_default(request: Request) -> HttpResponse:
    """Begin with both managers, and an executive for large deals."""
    try:
        services.start_default_chain(actor=request.user, now=timezone.now())
    except ValidationError as error:
        return said(request, " ".join(error.messages), status=409, back=reverse("approval_settings:home"))
    return redirect("approval_settings:home")


@administrators_only
@require_http_methods(["GET", "POST"])
def add(request: Request) -> HttpResponse:
    """A further step."""
    return _edit(request, None)


@administrators_only
@require_http_methods(["GET", "POST"])
def change(request: Request, pk: int) -> HttpResponse:
    """One step of the chain."""
    return _edit(request, known_rule(pk))


@administrators_only
@require_POST
def shift(request: Request, pk: int) -> HttpResponse:
    """Earlier or later."""
    services.shift_rule(
        actor=request.user, rule=known_rule(pk), by=-1 if "earlier" in request.POST else 1, now=timezone.now()
    )
    return redirect("approval_settings:home")


@administrators_only
@require_POST
def archive(request: Request, pk: int) -> HttpResponse:
    """Ask it no longer."""
    services.archive_rule(actor=request.user, rule=known_rule(pk), now=timezone.now())
    return redirect("approval_settings:home")


@administrators_only
@require_POST
def restore(request: Request, pk: int) -> HttpResponse:
    """Ask it again."""
    services.restore_rule(actor=request.user, rule=known_rule(pk), now=timezone.now())
    return redirect("approval_settings:home")


def _edit(request: Request, rule: ApprovalRule | None) -> HttpResponse:
    people = User.objects.filter(is_active=True).order_by("name", "pk")
    form = RuleForm(request.POST if request.method == "POST" else None, rule=rule, people=people)
    status = 422 if form.is_bound else 200

    def save() -> None:
        services.save_rule(
            actor=request.user, rule=rule, values=form.values, people=form.people,
            expected_version=form.cleaned_data["version"], now=timezone.now(),
        )  # fmt: skip

    try:
        if accepted(form, save):
            return redirect("approval_settings:home")
    except services.StaleRule as error:
        form.add_error(None, str(error))
        form.see(error.current.version)
        status = 409
    context = {
        "form": form, "rule": rule, "currency": request.organisation.base_currency,
        "page_title": _("Change “%(name)s”") % {"name": rule.name} if rule else _("Add an approval step"),
    }  # fmt: skip
    return render(request, "handoffs/approvals/settings/rule.html", context, status=status)


def _by_turn(rules: list[ApprovalRule]) -> list[list[ApprovalRule]]:
    turns: dict[int, list[ApprovalRule]] = {}
    for rule in rules:
        turns.setdefault(rule.position, []).append(rule)
    return [turns[position] for position in sorted(turns)]
