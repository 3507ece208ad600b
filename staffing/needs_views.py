"""What a deal needs, on the deal page: a panel with rows, changed and staffed in the dialog."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from opportunities.access import readable_opportunity
from opportunities.models import Opportunity
from opportunities.views.answers import Request, dialog, today_of
from staffing.access import plannable_booking, require_planner, require_stater, statable_need
from staffing.answers import accepted, attempt, saved
from staffing.models import Booking, StaffingNeed
from staffing.needs_forms import BookForm, NeedForm, SpanForm, VersionForm
from staffing.needs_queries import need_panel
from staffing.services import bookings as booking_services
from staffing.services import needs as services
from staffing.services.checks import Stale
from staffing.states import IllegalTransition
from staffing.suggestions import LABELS, WEIGHTS, candidates, planned_span

REFUSALS: dict[type[Exception], int] = {Stale: 409, IllegalTransition: 409}
ONE_PERSON = 40  # hours a week that a booking begins with at most
FORM = "staffing/_needs_form.html"
STYLES = ("css/needs.css",)


@require_safe
@login_required
def panel(request: Request, pk: int) -> HttpResponse:
    """What a deal takes: a fragment for the deal page, or a page of its own."""
    deal = readable_opportunity(request.user, pk)
    found = need_panel(request.user, deal, home=request.organisation, today=today_of(request))
    template = "staffing/_needs.html" if request.htmx else "staffing/_needs_page.html"
    return render(request, template, {"panel": found, "deal": deal})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def add(request: Request, pk: int) -> HttpResponse:
    """Ask for effort, in the dialog."""
    deal = readable_opportunity(request.user, pk)
    require_stater(request.user, deal)
    form = NeedForm(request.POST if request.method == "POST" else None)
    made: list[StaffingNeed] = []

    def save() -> None:
        made.append(
            services.add_need(actor=request.user, opportunity=deal, values=form.values, now=timezone.now())
        )  # fmt: skip

    try:
        if accepted(form, save):
            sentence = _("Asked for: %(role)s") % {"role": made[0].role}
            undo = reverse("staffing:cancel_need", args=[made[0].pk])
            return saved(request, sentence, back=_panel_of(deal), undo=undo)
    except IllegalTransition as error:
        return _need_form(request, form, deal, None, status=409, conflict=str(error))
    return _need_form(request, form, deal, None, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def change(request: Request, pk: int) -> HttpResponse:
    """Change what is asked for; a collision shows what stands now and keeps what was typed."""
    need = statable_need(request.user, pk)
    form = NeedForm(request.POST if request.method == "POST" else None, need=need)

    def save() -> None:
        services.change_need(
            actor=request.user, need=need, changes=form.values, expected_version=form.cleaned_data["version"],
            now=timezone.now(),
        )  # fmt: skip

    try:
        if accepted(form, save):
            sentence = _("Changed: %(role)s") % {"role": form.values["role"]}
            return saved(request, sentence, back=_panel_of(need.opportunity))
    except (Stale, IllegalTransition) as error:
        now = statable_need(request.user, pk)
        mine = NeedForm({**request.POST.dict(), "version": now.version}, need=now)
        theirs = mine.differing(now)
        return _need_form(request, mine, need.opportunity, now, status=409, conflict=str(error), theirs=theirs)
    return _need_form(request, form, need.opportunity, need, status=422 if form.is_bound else 200)


@require_POST
@login_required
def cancel(request: Request, pk: int) -> HttpResponse:
    """It is no longer needed."""
    need = statable_need(request.user, pk)
    form = VersionForm(request.POST)
    version = form.cleaned_data["version"] if form.is_valid() else None
    return _attempt(
        request, need.opportunity,
        lambda: services.cancel_need(
            actor=request.user, need=need, expected_version=version, now=timezone.now()
        ),
        _("No longer needed: %(role)s") % {"role": need.role}, undo=reverse("staffing:restore_need", args=[need.pk]),
    )  # fmt: skip


@require_POST
@login_required
def restore(request: Request, pk: int) -> HttpResponse:
    """It is needed after all."""
    need = statable_need(request.user, pk)
    return _attempt(
        request, need.opportunity,
        lambda: services.restore_need(actor=request.user, need=need, now=timezone.now()),
        _("Needed after all: %(role)s") % {"role": need.role},
    )  # fmt: skip


@require_POST
@login_required
def take_usual(request: Request, pk: int) -> HttpResponse:
    """Ask for what deals of its service line usually need."""
    deal = readable_opportunity(request.user, pk)
    require_stater(request.user, deal)
    try:
        made = services.apply_templates(actor=request.user, opportunity=deal, now=timezone.now())
    except (PermissionDenied, IllegalTransition, ValidationError) as error:
        return _attempt(request, deal, _raising(error), "")
    sentence = ngettext("%(count)d usual need taken", "%(count)d usual needs taken", len(made)) % {"count": len(made)}
    return saved(request, sentence, back=_panel_of(deal))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def book(request: Request, pk: int) -> HttpResponse:
    """Book somebody for a need, in the dialog: people of its role, the best ranked first."""
    need = _bookable(request, pk)
    first_on, last_on = planned_span(need, home=request.organisation, today=today_of(request))
    sent = request.method == "POST"
    looked = SpanForm.read(request.POST if sent else request.GET, first_on, last_on)
    found = candidates(need, first_on=looked[0], last_on=looked[1], standard=request.organisation.calendar)
    initial = {"hours_per_week": _left(need), "first_on": looked[0], "last_on": looked[1]}
    people = [one.person for one in found]
    form = BookForm(request.POST if sent else None, need=need, people=people, initial=initial)
    made: list[Booking] = []
    conflict = ""
    try:
        if accepted(
            form,
            lambda: made.append(
                booking_services.book(actor=request.user, values=form.booking, now=timezone.now())
            ),
        ):  # fmt: skip
            undo = reverse("staffing:release_need_booking", args=[made[0].pk])
            return saved(request, _told(made[0]), back=_panel_of(need.opportunity), undo=undo)
    except (Stale, IllegalTransition) as error:
        conflict = str(error)
    context = {
        "need": need, "deal": need.opportunity, "form": form, "candidates": found, "conflict": conflict,
        "page_title": _("Book for %(role)s") % {"role": need.role}, "dialog_styles": STYLES, "today": today_of(request),
        "weights": [(LABELS[part], weight) for part, weight in WEIGHTS.items()],
    }  # fmt: skip
    status = 409 if conflict else 422 if sent else 200
    return dialog(request, "staffing/_needs_book.html", context, status=status)


@require_POST
@login_required
def release(request: Request, pk: int) -> HttpResponse:
    """They are not planned for the need any more."""
    booking, deal = _booked(request, pk)
    form = VersionForm(request.POST)
    version = form.cleaned_data["version"] if form.is_valid() else None
    return _attempt(
        request, deal,
        lambda: booking_services.release_booking(
            actor=request.user, booking=booking, expected_version=version, now=timezone.now()
        ),
        _("%(who)s is released.") % {"who": booking.person or booking.role},
        undo=reverse("staffing:restore_need_booking", args=[booking.pk]),
    )  # fmt: skip


@require_POST
@login_required
def take_back(request: Request, pk: int) -> HttpResponse:
    """They are planned for it again."""
    booking, deal = _booked(request, pk)
    return _attempt(
        request, deal,
        lambda: booking_services.restore_booking(actor=request.user, booking=booking, now=timezone.now()),
        _("%(who)s is booked again.") % {"who": booking.person or booking.role},
    )  # fmt: skip


def _panel_of(deal: Opportunity) -> str:
    return reverse("staffing:need_panel", args=[deal.pk])


def _attempt(
    request: Request, deal: Opportunity, change: Callable[[], Any], sentence: str, *, undo: str = ""
) -> HttpResponse:
    return attempt(request, change, sentence, back=_panel_of(deal), undo=undo, refusals=REFUSALS)


def _raising(error: Exception) -> Callable[[], Any]:
    def refuse() -> None:
        raise error

    return refuse


def _need_form(
    request: Request, form: NeedForm, deal: Opportunity, need: StaffingNeed | None, *, status: int, **more: Any
) -> HttpResponse:
    title = _("Change what is needed") if need else _("What does it take?")
    context = {"form": form, "deal": deal, "need": need, "page_title": title, "dialog_styles": STYLES, **more}
    return dialog(request, FORM, context, status=status)


def _bookable(request: Request, pk: int) -> StaffingNeed:
    need = StaffingNeed.objects.live().visible_to(request.user).filter(pk=pk if 0 < pk < 2**63 else 0)
    found = need.filter(opportunity__archived_at__isnull=True).select_related("role", "opportunity").first()
    if found is None:
        raise Http404(_("There is no such need."))
    require_planner(request.user)
    return found


def _booked(request: Request, pk: int) -> tuple[Booking, Opportunity]:
    """A booking for a need, and its deal as far as the person may see it; 404 or 403."""
    booking = plannable_booking(request.user, pk)
    if booking.need_id is None or booking.opportunity is None:
        raise Http404(_("There is no such booking."))
    return booking, booking.opportunity


def _left(need: StaffingNeed) -> Any:
    """Hours a week that nobody is booked for yet, as much of them as one person works."""
    booked = sum(booking.hours_per_week for booking in need.bookings.live())
    left = need.hours_per_week - booked
    return min(left if left > 0 else need.hours_per_week, ONE_PERSON)


def _told(booking: Booking) -> str:
    who = booking.person or _("Somebody for %(role)s") % {"role": booking.role}
    kind = booking.get_kind_display().lower()
    return _("%(who)s: booked (%(kind)s)") % {"who": who, "kind": kind}
