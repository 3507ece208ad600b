"""Where deal reviews are reached; part of the namespace handoffs."""

from django.urls import path

from handoffs.views import review_answers, review_meetings, review_verdicts, reviews

urlpatterns = [
    path("deals/<int:pk>/review/", reviews.panel, name="review_panel"),
    path("deals/<int:pk>/review/request/", reviews.ask, name="review_request"),
    path("deals/<int:pk>/review/override/", review_verdicts.override, name="review_override"),
    path("reviews/", reviews.calendar, name="reviews"),
    path("reviews/<int:pk>/", reviews.detail, name="review"),
    path("reviews/<int:pk>/answer/", review_answers.answer, name="review_answer"),
    path("reviews/<int:pk>/take-back/", review_answers.take_back, name="review_take_back"),
    path("reviews/<int:pk>/schedule/", review_meetings.schedule, name="review_schedule"),
    path("reviews/<int:pk>/unschedule/", review_meetings.unschedule, name="review_unschedule"),
    path("reviews/<int:pk>/attendance/", review_meetings.attendance, name="review_attendance"),
    path("reviews/<int:pk>/invitation.ics", review_meetings.invitation, name="review_invitation"),
    path("reviews/<int:pk>/decide/", review_verdicts.decide, name="review_decide"),
    path("reviews/<int:pk>/sign/", review_verdicts.sign, name="review_sign"),
    path("conditions/<int:pk>/settle/", review_verdicts.settle, name="condition_settle"),
]
