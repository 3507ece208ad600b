"""The meeting of a deal review: when, where, who, the file for calendars, and who came."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.calendars import BusinessDays
from handoffs import invitations
from handoffs.access import readable_review
from handoffs.models import DealReview
from handoffs.review_forms import AttendanceForm, MeetingForm, VersionForm
from handoffs.services import reviews as services
from handoffs.services.reviews import StaleReview
from handoffs.views import review_pages as pages
from opportunities.queries.people import people_who_see
from opportunities.views.answers import Request, dialog, said

_HOUR = 10  # proposed for a meeting


@require_http_methods(["GET", "POST"])
@login_required
def schedule(request: Request, pk: int) -> HttpResponse:
    """Set or move the meeting."""
    review = _schedulable(request, pk)
    form = _form(request, review)
    stale = None
    if form.is_valid():
        try:
            services.schedule_review(
                actor=request.user, review=review, meeting=form.meeting,
                expected_version=form.cleaned_data["version"], now=timezone.now(),
            )  # fmt: skip
        except ValidationError as error:
            form.take(error)
        except StaleReview as error:
            stale = error.current
            form.see(stale.version)
        except pages.REFUSALS as error:
            return pages.refused(request, review, error)
        else:
            return pages.done(request, readable_review(request.user, pk), _("The meeting is set."))
    status = 409 if stale else 422 if form.is_bound else 200
    context = {"form": form, "review": review, "deal": review.opportunity, "stale": stale}
    context["page_title"] = _("Schedule the deal review")
    return dialog(request, "handoffs/reviews/_meeting_form.html", context, status=status)


@require_POST
@login_required
def unschedule(request: Request, pk: int) -> HttpResponse:
    """Call the meeting off."""
    review, form = _schedulable(request, pk), VersionForm(request.POST)
    version = form.cleaned_data["version"] if form.is_valid() else None
    try:
        services.unschedule_review(actor=request.user, review=review, expected_version=version, now=timezone.now())
    except pages.REFUSALS as error:
        return pages.refused(request, review, error)
    return pages.done(
        request, readable_review(request.user, pk), _("The meeting is called off. The file for calendars cancels it.")
    )


@require_POST
@login_required
def attendance(request: Request, pk: int) -> HttpResponse:
    """Who came."""
    review = _schedulable(request, pk)
    form = AttendanceForm(request.POST, invited=[each.user for each in review.attendees.select_related("user")])
    if not form.is_valid():
        return said(request, _("Choose among those who were invited."), status=422, back=pages.back(request, review))
    try:
        services.note_attendance(actor=request.user, review=review, present=form.present, now=timezone.now())
    except pages.REFUSALS as error:
        return pages.refused(request, review, error)
    return pages.done(request, readable_review(request.user, pk), _("Noted who was there."))


@require_safe
@login_required
def invitation(request: Request, pk: int) -> HttpResponse:
    """The meeting for a calendar; once it was called off, its cancellation."""
    review = readable_review(request.user, pk)
    if not review.invitation_number:
        raise Http404(_("This review has no meeting yet."))
    organiser = invitations.organiser_of(review) or request.user
    made = invitations.invitation(
        review, attendees=[each.user for each in review.attendees.select_related("user")],
        organiser=organiser, url=request.build_absolute_uri(f"/reviews/{review.pk}/"),
        host=invitations.host(), now=timezone.now(),
    )  # fmt: skip
    response = HttpResponse(made, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="deal-review-{review.pk}.ics"'
    return response


def _schedulable(request: Request, pk: int) -> DealReview:
    review = readable_review(request.user, pk)
    if not request.user.has_perm("handoffs.schedule_review", review):
        raise PermissionDenied(_("People of sales or delivery on this deal schedule its review."))
    return review


def _form(request: Request, review: DealReview) -> MeetingForm:
    """Both owners are invited unless somebody chose otherwise; the next business day is proposed."""
    opportunity = review.opportunity
    owners = [key for key in (opportunity.owner_id, opportunity.delivery_owner_id) if key]
    invited = list(review.attendees.values_list("user_id", flat=True)) or owners
    people = sorted(
        people_who_see(opportunity), key=lambda person: (person.pk not in {*owners, *invited}, person.name.casefold())
    )
    tomorrow = timezone.localtime().date() + dt.timedelta(days=1)
    day = BusinessDays(request.organisation.calendar).on_or_after(tomorrow)
    default = dt.datetime.combine(day, dt.time(_HOUR), timezone.get_current_timezone())
    return MeetingForm(request.POST or None, review=review, people=people, invited=invited, default=default)
