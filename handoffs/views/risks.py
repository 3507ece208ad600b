"""The register and the risk profile of a deal."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from handoffs.ledger_access import kept_opportunity, kept_raid_item, readable_profile
from handoffs.ledger_forms import CloseForm, ProposeForm, RaidForm, VersionForm
from handoffs.models import RaidItem, RaidKind, RiskProfile
from handoffs.risk_differences import compared
from handoffs.risk_queries import ProfileLine, risk_panel
from handoffs.services import risk_profiles, risks
from handoffs.services.risks import StaleRaidItem
from handoffs.states import IllegalTransition
from handoffs.views.answers import Problem, unreadable
from handoffs.views.ledger import Part, answer, attempt, form_dialog, saved, shown
from opportunities.access import readable_opportunity
from opportunities.models import Opportunity
from opportunities.views.answers import Request, today_of

FORM = "_raid_form.html"


@require_safe
@login_required
def panel(request: Request, pk: int) -> HttpResponse:
    """Matrix, register and profile of a deal: a fragment for the deal page, or a page of its own."""
    return _show(request, readable_opportunity(request.user, pk), None)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def add(request: Request, pk: int) -> HttpResponse:
    """Add to the register, in the dialog; a cell of the matrix gives the rating."""
    opportunity = kept_opportunity(request.user, pk)
    if request.method != "POST":
        likelihood, impact = _cell(request.GET.get("cell", ""))
        initial = {"kind": RaidKind.RISK, "likelihood": likelihood, "impact": impact, "owner": request.user}
        return form_dialog(request, RaidForm(opportunity=opportunity, initial=initial), opportunity, template=FORM)
    form = RaidForm(request.POST, opportunity=opportunity)
    if form.is_valid():
        try:
            item = risks.add_raid_item(
                actor=request.user, opportunity=opportunity, values=form.changes, now=timezone.now()
            )
            return saved(request, PART, opportunity, _("In the register: “%(text)s”") % {"text": _short(item)})
        except ValidationError as error:
            form.add_error(None, error)
        except IllegalTransition as error:
            return form_dialog(request, form, opportunity, template=FORM, status=409, conflict=str(error))
    return form_dialog(request, form, opportunity, template=FORM, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def change(request: Request, pk: int) -> HttpResponse:
    """Change an entry, in the dialog; a collision shows what stands now and keeps what was typed."""
    item = kept_raid_item(request.user, pk)
    opportunity = item.opportunity
    if request.method != "POST":
        return _change_form(request, RaidForm(opportunity=opportunity, item=item), item)
    form = RaidForm(request.POST, opportunity=opportunity, item=item)
    if not form.is_valid():
        return _change_form(request, form, item, status=422)
    try:
        risks.change_raid_item(
            actor=request.user, item=item, changes=form.changes, expected_version=form.cleaned_data["version"],
            now=timezone.now(),
        )  # fmt: skip
    except ValidationError as error:
        form.add_error(None, error)
        return _change_form(request, form, item, status=422)
    except (StaleRaidItem, IllegalTransition) as error:
        now = kept_raid_item(request.user, pk)
        mine = RaidForm({**request.POST.dict(), "version": now.version}, opportunity=opportunity, item=now)
        return _change_form(request, mine, now, status=409, conflict=str(error), theirs=mine.differing(now))
    return saved(request, PART, opportunity, _("Changed: “%(text)s”") % {"text": _short(item)})


@require_POST
@login_required
def close(request: Request, pk: int) -> HttpResponse:
    """It needs no more minding."""
    item = kept_raid_item(request.user, pk)
    form = CloseForm(request.POST)
    if not form.is_valid():
        problem = unreadable(form, item, "close", field="note")
        return answer(request, PART, item.opportunity, problem=problem)
    note = form.cleaned_data["note"]
    return attempt(
        request, PART, item, item.opportunity, "close",
        lambda: risks.close_raid_item(
            actor=request.user, item=item, note=note, expected_version=form.cleaned_data["version"],
            now=timezone.now(),
        ),
        said=_("Closed: “%(text)s”") % {"text": _short(item)}, text=note,
        undo=reverse("handoffs:reopen_risk", args=[item.pk]),
    )  # fmt: skip


@require_POST
@login_required
def reopen(request: Request, pk: int) -> HttpResponse:
    """It has to be minded again."""
    item = kept_raid_item(request.user, pk)
    form = VersionForm(request.POST)
    if not form.is_valid():
        return answer(request, PART, item.opportunity, problem=unreadable(form, item, "reopen"))
    return attempt(
        request, PART, item, item.opportunity, "reopen",
        lambda: risks.reopen_raid_item(
            actor=request.user, item=item, expected_version=form.cleaned_data["version"], now=timezone.now()
        ),
        said=_("Open again: “%(text)s”") % {"text": _short(item)},
    )  # fmt: skip


@require_POST
@login_required
def propose(request: Request, pk: int) -> HttpResponse:
    """Put the register up for agreement as the next version."""
    opportunity = kept_opportunity(request.user, pk)
    form = ProposeForm(request.POST)
    if not form.is_valid():
        problem = unreadable(form, opportunity, "propose", field="reason")
        return answer(request, PART, opportunity, problem=problem)
    reason = form.cleaned_data["reason"]
    return attempt(
        request, PART, opportunity, opportunity, "propose",
        lambda: risk_profiles.propose_profile(
            actor=request.user, opportunity=opportunity, reason=reason, agrees=form.cleaned_data["agrees"],
            now=timezone.now(),
        ),
        said=_("The risk profile is up for agreement."), text=reason,
    )  # fmt: skip


@require_safe
@login_required
def profile(request: Request, pk: int) -> HttpResponse:
    """A version as it was put up, and how it differs from another version of the deal."""
    found = readable_profile(request.user, pk)
    opportunity = found.opportunity
    versions = list(RiskProfile.objects.filter(opportunity=opportunity).order_by("-number"))
    base = _base(versions, found, request.GET.get("against", ""))
    context = {
        "line": ProfileLine(found), "profile": found, "versions": versions, "base": base, "deal": opportunity,
        "differences": compared(base.items, found.items) if base else [], "today": today_of(request),
    }  # fmt: skip
    return shown(request, "profile", context)


@require_POST
@login_required
def agree(request: Request, pk: int) -> HttpResponse:
    """Agree a version for one's own side."""
    found = readable_profile(request.user, pk)
    return attempt(
        request, PART, found, found.opportunity, "agree",
        lambda: risk_profiles.agree_profile(actor=request.user, profile=found, now=timezone.now()),
        said=_("You agreed version %(number)d of the risk profile.") % {"number": found.number},
    )  # fmt: skip


def _show(request: Request, opportunity: Opportunity, problem: Problem | None) -> HttpResponse:
    chosen = request.GET.get("cell", "")
    found = risk_panel(request.user, opportunity, today=today_of(request), chosen=chosen)
    return shown(request, "risks", {"panel": found, "deal": opportunity}, problem=problem)


PART = Part("risk-panel", "handoffs:risk_panel", _show)


def _cell(key: str) -> tuple[int | None, int | None]:
    """The rating that a cell stands for."""
    if len(key) == 3 and key[1] == "x" and key[0] in "12345" and key[2] in "12345":
        return int(key[0]), int(key[2])
    return None, None


def _base(versions: list[RiskProfile], found: RiskProfile, against: str) -> RiskProfile | None:
    """The version to compare with: the one asked for, else the one before."""
    for version in versions:
        if str(version.number) == against and version.pk != found.pk:
            return version
    return next((version for version in versions if version.number < found.number), None)


def _change_form(request: Request, form: RaidForm, item: RaidItem, *, status: int = 200, **more: Any) -> HttpResponse:
    return form_dialog(request, form, item.opportunity, template=FORM, status=status, item=item, **more)


def _short(item: RaidItem) -> str:
    return item.text if len(item.text) <= 60 else f"{item.text[:59]}…"
