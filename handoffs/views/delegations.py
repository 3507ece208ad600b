"""Who stands in for whom."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms.answers import accepted, status_of
from accounts.models import User
from handoffs.approval_access import own_delegation
from handoffs.approval_forms import DelegationForm
from handoffs.approval_queries import delegations_of
from handoffs.services.approvals import delegate, end_delegation
from opportunities.views.answers import Request, said


@require_http_methods(["GET", "POST"])
@login_required
def delegation_list(request: Request) -> HttpResponse:
    """One's own delegations (all of them for administrators), and the form to add one."""
    today = request.organisation.today(timezone.now())
    people = User.objects.filter(is_active=True).order_by("name", "pk")
    form = DelegationForm(
        request.POST if request.method == "POST" else None, people=people, by=request.user,
        initial={"starts_on": today},
    )  # fmt: skip

    def save() -> None:
        given = dict(form.cleaned_data)
        delegate(actor=request.user, delegator=given.pop("delegator", request.user), now=timezone.now(), **given)

    if accepted(form, save):
        return redirect("handoffs:delegations")
    context = {
        "form": form, "lists": delegations_of(request.user, today), "today": today, "tab": "delegations",
    }  # fmt: skip
    return render(request, "handoffs/approvals/delegations.html", context, status=status_of(form))


@require_POST
@login_required
def end(request: Request, pk: int) -> HttpResponse:
    """No longer, from now on."""
    delegation = own_delegation(request.user, pk)
    back = reverse("handoffs:delegations")
    try:
        end_delegation(actor=request.user, delegation=delegation, now=timezone.now())
    except PermissionDenied as error:
        return said(request, str(error), status=403, back=back)
    except ValidationError as error:
        return said(request, " ".join(error.messages), status=409, back=back)
    return redirect(back)
