"""Settings: the working calendar."""

from __future__ import annotations

import datetime as dt
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import queries
from accounts.access import administrators_only
from accounts.calendars import public_holidays
from accounts.forms.answers import accepted, status_of
from accounts.forms.organisation import CalendarDayForm, CalendarForm
from accounts.models import CalendarDay, User, WorkingCalendar
from accounts.services import organisation as services

HOLIDAYS_AHEAD = dt.timedelta(days=365)


@administrators_only
@require_http_methods(["GET", "POST"])
def calendar(request: HttpRequest) -> HttpResponse:
    """Working days, public holidays and exceptions."""
    actor, current = cast(User, request.user), queries.organisation().calendar
    form = CalendarForm(request.POST or None, initial=_initial(current))
    if request.method == "POST" and accepted(
        form,
        lambda: services.change_calendar(actor=actor, calendar=current, **form.cleaned_data, now=timezone.now()),
    ):
        messages.info(request, _("Working calendar saved."))
        return redirect("accounts:calendar")
    return _page(request, form, CalendarDayForm())


@administrators_only
@require_POST
def day_add(request: HttpRequest) -> HttpResponse:
    """Add an exception."""
    actor, current = cast(User, request.user), queries.organisation().calendar
    form = CalendarDayForm(request.POST)
    if accepted(
        form,
        lambda: services.add_calendar_day(actor=actor, calendar=current, **form.cleaned_data, now=timezone.now()),
    ):
        return redirect(reverse("accounts:calendar") + "#exceptions")
    return _page(request, CalendarForm(initial=_initial(current)), form)


@administrators_only
@require_POST
def day_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a day follow the calendar again."""
    day = get_object_or_404(CalendarDay.objects.select_related("calendar"), pk=pk)
    services.remove_calendar_day(actor=cast(User, request.user), day=day, now=timezone.now())
    return redirect(reverse("accounts:calendar") + "#exceptions")


def _page(request: HttpRequest, form: CalendarForm, day_form: CalendarDayForm) -> HttpResponse:
    # Read anew: a refused form has left its values on the other one.
    current = queries.organisation()
    today = current.today(timezone.now())
    context = {
        "form": form,
        "day_form": day_form,
        "days": current.calendar.days.all(),
        "today": today,
        "holidays": public_holidays(current.calendar, since=today, until=today + HOLIDAYS_AHEAD),
    }
    return render(request, "accounts/calendar.html", context, status=status_of(form, day_form))


def _initial(calendar: WorkingCalendar) -> dict[str, Any]:
    return {"country": calendar.country, "subdivision": calendar.subdivision, "weekdays": calendar.weekdays}
