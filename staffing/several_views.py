"""Adding several people, and booking several for the same."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from opportunities.views.answers import Request, today_of
from staffing.answers import planners_only
from staffing.services.several import MOST, SomeRefused, add_people, book_people
from staffing.several_forms import SeveralBookingsForm, SeveralPeople
from staffing.weeks import monday_of

USUAL_WEEKS = 4  # of a booking that nothing says more about


@planners_only
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: Request) -> HttpResponse:
    """Several new people, typed or pasted; everybody is added, or what is wrong stands beside its line."""
    form = SeveralPeople(request.POST if request.method == "POST" else None)
    error = ""
    if request.method == "POST":
        if form.is_valid():
            try:
                made = add_people(actor=request.user, rows=[line.values for line in form.given], now=timezone.now())
            except SomeRefused as refused:
                for place, problem in refused.problems.items():
                    form.given[place].refuse(problem)
            else:
                sentence = ngettext("%d person can be planned now.", "%d people can be planned now.", len(made))
                messages.info(request, sentence % len(made))
                return HttpResponseRedirect(reverse("staffing:people"))
        error = _what_is_wrong(form)
    context = {"form": form.mark(), "error": error, "most": MOST}
    return render(request, "staffing/several_people.html", context, status=422 if error else 200)


@planners_only
@require_http_methods(["GET", "HEAD", "POST"])
def book(request: Request) -> HttpResponse:
    """The same booking for several people; all of them are booked, or none and why."""
    if request.method != "POST":
        return _booking_page(request, SeveralBookingsForm(user=request.user, initial=_initial(request)))
    form = SeveralBookingsForm(request.POST, user=request.user)
    if form.is_valid():
        try:
            made = book_people(
                actor=request.user, people=form.chosen, values=form.values, now=timezone.now(),
                request_id=form.cleaned_data["request_id"],
            )  # fmt: skip
        except SomeRefused as refused:
            form.refuse(form.chosen, refused.problems)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.info(request, ngettext("%d person is booked.", "%d people are booked.", len(made)) % len(made))
            since = monday_of(form.values["first_on"])
            return HttpResponseRedirect(f"{reverse('staffing:schedule')}?from={since.isoformat()}")
    return _booking_page(request, form, status=422)


def _booking_page(request: Request, form: SeveralBookingsForm, *, status: int = 200) -> HttpResponse:
    return render(request, "staffing/several_bookings.html", {"form": form}, status=status)


def _initial(request: Request) -> dict[str, Any]:
    first_on = monday_of(today_of(request))
    people = [key for key in request.GET.getlist("people") if key.isdecimal()]
    last_on = first_on + dt.timedelta(days=7 * USUAL_WEEKS - 3)
    return {"first_on": first_on, "last_on": last_on, "people": people}


def _what_is_wrong(form: SeveralPeople) -> str:
    if form.has_too_many:
        return _("Up to %(most)d people at once; import a file for more.") % {"most": MOST}
    if not form.given:
        return _("Write at least one name.")
    wrong = sum(1 for line in form.given if line.sentences)
    sentence = ngettext(
        "Nobody was added yet: there is something to mend in %d line.",
        "Nobody was added yet: there is something to mend in %d lines.",
        wrong,
    )
    return sentence % wrong
