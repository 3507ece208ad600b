"""The schedule of people and bookings, and making, moving and releasing bookings."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from opportunities.access import readable_opportunity
from opportunities.forms.fields import DayField
from opportunities.models import Opportunity
from opportunities.starts import expected_start
from opportunities.views.answers import Request, dialog, today_of
from staffing.access import plannable_booking, readable_need, readable_person
from staffing.answers import accepted, attempt, planners_only, saved, seers_only
from staffing.models import Booking
from staffing.schedule_forms import BookingForm, MoveForm, ScheduleForm, suggestion
from staffing.schedule_queries import deals_matching, schedule
from staffing.services import bookings as services
from staffing.services.bookings import StaleBooking
from staffing.states import IllegalTransition
from staffing.templatetags.staffing import hours
from staffing.weeks import monday_of

STEP = 4  # weeks that “earlier” and “later” go
USUAL_WEEKS = 4  # of a booking that nothing says more about
LATEST = dt.date(2099, 1, 1)
REFUSALS: dict[type[Exception], int] = {IllegalTransition: 409}


@seers_only
@require_safe
def schedule_page(request: Request) -> HttpResponse:
    """People by week with what they are booked for."""
    form, today = ScheduleForm(request.GET), today_of(request)
    since, count, role = form.wanted(today)
    found = schedule(
        request.user, since=since, count=count, role=role, page=request.GET.get("page", ""), today=today,
        standard=request.organisation.calendar,
    )  # fmt: skip
    step = dt.timedelta(weeks=STEP)
    context = {
        "form": form, "schedule": found, "today": today, "this_week": monday_of(today), "count": count,
        "query": form.query(), "live_query": request.GET.urlencode(),
        "may_plan": request.user.has_perm("staffing.plan"),
        "earlier": form.query(**{"from": (found.weeks[0] - step).isoformat()}),
        "later": form.query(**{"from": (found.weeks[0] + step).isoformat()}),
        "is_now": found.weeks[0] == monday_of(today), "now_query": form.query(**{"from": ""}),
    }  # fmt: skip
    template = "staffing/_schedule.html" if request.htmx else "staffing/schedule.html"
    return render(request, template, context)


@planners_only
@require_safe
def deals(request: Request) -> HttpResponse:
    """Deals for the field that asks for one, as options of its list."""
    found = deals_matching(request.user, request.GET.get("opportunity", "")[:200])
    return render(request, "staffing/_schedule_deals.html", {"suggestions": [suggestion(deal) for deal in found]})


@planners_only
@require_http_methods(["GET", "HEAD", "POST"])
def add_booking(request: Request) -> HttpResponse:
    """Book somebody, or a role, in the dialog."""
    if request.method != "POST":
        form = BookingForm(user=request.user, initial=_initial(request))
        return _booking_form(request, form, None)
    form = BookingForm(request.POST, user=request.user)
    need = _need(request, request.POST.get("need", ""))

    def save() -> None:
        values = {**form.values, "need": need} if need else form.values
        services.book(actor=request.user, values=values, now=timezone.now(), request_id=form.cleaned_data["request_id"])

    try:
        if accepted(form, save):
            who = form.values.get("person") or form.values["role"]
            return saved(request, _("Booked: %(who)s") % {"who": who}, back=_back(request, form.values["first_on"]))
    except IllegalTransition as error:
        return _booking_form(request, form, None, status=409, conflict=str(error))
    return _booking_form(request, form, None, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def booking(request: Request, pk: int) -> HttpResponse:
    """Change a booking, in the dialog; a collision shows what stands now and keeps what was typed."""
    found = plannable_booking(request.user, pk)
    if request.method != "POST":
        return _booking_form(request, BookingForm(user=request.user, booking=found), found)
    form = BookingForm(request.POST, user=request.user, booking=found)

    def save() -> None:
        services.change_booking(
            actor=request.user, booking=found, changes=form.values,
            expected_version=form.cleaned_data["version"], now=timezone.now(),
        )  # fmt: skip

    try:
        if accepted(form, save):
            sentence = _("Saved: %(who)s") % {"who": found.person or found.role}
            return saved(request, sentence, back=_back(request, form.values["first_on"]))
    except StaleBooking as error:
        now = plannable_booking(request.user, pk)
        mine = BookingForm({**request.POST.dict(), "version": now.version}, user=request.user, booking=now)
        return _booking_form(request, mine, now, status=409, conflict=str(error), theirs=mine.differing(now))
    except IllegalTransition as error:
        return _booking_form(request, form, found, status=409, conflict=str(error))
    return _booking_form(request, form, found, status=422)


@require_POST
@login_required
def move(request: Request, pk: int) -> HttpResponse:
    """Move or stretch a booking by whole weeks: what mouse, touch and arrow keys send."""
    found = plannable_booking(request.user, pk)
    # An undo says in its address what it takes back.
    form = MoveForm({**request.GET.dict(), **request.POST.dict()})
    if not form.is_valid():
        return HttpResponse(_("Say by how many weeks."), status=422)
    given = form.cleaned_data
    days = {
        "first_on": found.first_on + dt.timedelta(weeks=given["first"]),
        "last_on": found.last_on + dt.timedelta(weeks=given["last"]),
    }
    if given["version"] not in (None, found.version):
        return _refuse_stale(request, found)
    # The way back is from the version that this makes.
    undo = {"first": -given["first"], "last": -given["last"], "version": found.version + 1}
    return attempt(
        request,
        lambda: services.change_booking(
            actor=request.user, booking=found, changes=days, expected_version=given["version"] or found.version,
            now=timezone.now(),
        ),
        _("%(who)s: %(span)s") % {"who": found.person or found.role, "span": _span(**days)},
        back=_back(request, days["first_on"]), refusals={StaleBooking: 409, **REFUSALS},
        undo=f"{reverse('staffing:move_booking', args=[pk])}?{urlencode(undo)}",
    )  # fmt: skip


@require_POST
@login_required
def release(request: Request, pk: int) -> HttpResponse:
    """Book it no longer."""
    found = plannable_booking(request.user, pk)
    version = request.POST.get("version", "")
    if version.isdecimal() and int(version) != found.version:
        return _refuse_stale(request, found)
    return attempt(
        request,
        lambda: services.release_booking(
            actor=request.user, booking=found, expected_version=found.version, now=timezone.now()
        ),
        _("Released: %(who)s") % {"who": found.person or found.role}, back=_back(request, found.first_on),
        undo=reverse("staffing:restore_booking", args=[pk]), refusals={StaleBooking: 409, **REFUSALS},
    )  # fmt: skip


@require_POST
@login_required
def restore(request: Request, pk: int) -> HttpResponse:
    """Book it again."""
    found = plannable_booking(request.user, pk)
    return attempt(
        request,
        lambda: services.restore_booking(actor=request.user, booking=found, now=timezone.now()),
        _("Booked again: %(who)s") % {"who": found.person or found.role}, back=_back(request, found.first_on),
        refusals={StaleBooking: 409, **REFUSALS},
    )  # fmt: skip


def _refuse_stale(request: Request, found: Booking) -> HttpResponse:
    def refuse() -> None:
        raise StaleBooking(found)

    error = _("Somebody changed this booking in the meantime. It is now: %(standing)s.") % {"standing": standing(found)}
    return attempt(request, refuse, "", back=_back(request, found.first_on), refusals={StaleBooking: 409}, told=error)


def standing(found: Booking) -> str:
    """Who is booked, how much and when, as it is now."""
    values = {"who": found.person or found.role, "hours": hours(found.hours_per_week)}
    if not found.is_live:
        return _("%(who)s, released") % values
    return _("%(who)s, %(hours)s h a week, %(span)s") % {**values, "span": _span(found.first_on, found.last_on)}


def _span(first_on: dt.date, last_on: dt.date) -> str:
    return f"{date_format(first_on, 'j M')} – {date_format(last_on, 'j M Y')}"


def _booking_form(
    request: Request, form: BookingForm, found: Booking | None, *, status: int = 200, **more: Any
) -> HttpResponse:
    deal = None
    if found is not None and found.opportunity_id:
        deal = Opportunity.objects.current().visible_to(request.user).filter(pk=found.opportunity_id).first()
    context = {
        "form": form, "booking": found, "booked_deal": deal, "page_title": _("Booking"),
        "need": request.POST.get("need") or request.GET.get("need") or "",
        "next": request.POST.get("next") or request.GET.get("next") or "", **more,
    }  # fmt: skip
    return dialog(request, "staffing/_schedule_form.html", context, status=status)


def _initial(request: Request) -> dict[str, Any]:
    """What the address says about a new booking; what can't be read is left open."""
    given, initial = request.GET, {}
    first_on = monday_of(today_of(request))
    weeks = USUAL_WEEKS
    need = _need(request, given.get("need", ""))
    if need is not None:
        starts = expected_start(need.opportunity, request.organisation) or first_on
        first_on, weeks = need.starts_on(starts), need.weeks
        initial = {"role": need.role, "hours_per_week": need.hours_per_week, "opportunity": need.opportunity}
    if given.get("person", "").isdecimal():
        initial["person"] = readable_person(request.user, int(given["person"]))
    if given.get("role", "").isdecimal():
        initial["role"] = given["role"]
    if given.get("opportunity", "").isdecimal():
        initial["opportunity"] = readable_opportunity(request.user, int(given["opportunity"]))
    day = DayField(required=False)
    with contextlib.suppress(ValidationError):
        first_on = day.clean(given.get("first_on", "")) or first_on
    first_on = min(first_on, LATEST)
    return {"first_on": first_on, "last_on": monday_of(first_on) + dt.timedelta(days=7 * weeks - 3), **initial}


def _need(request: Request, key: str) -> Any:
    return readable_need(request.user, int(key)) if key.isdecimal() else None


def _back(request: Request, day: dt.date) -> str:
    """Where a plain form came from, else the schedule at these weeks."""
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return f"{reverse('staffing:schedule')}?{urlencode({'from': monday_of(day).isoformat()})}"
