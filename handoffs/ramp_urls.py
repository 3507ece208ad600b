"""Where ramp plans are reached; part of the namespace handoffs."""

from django.urls import path

from handoffs.views import ramp, ramp_lessons, ramp_work

urlpatterns = [
    path("deals/<int:pk>/ramp/", ramp.panel, name="ramp_panel"),
    path("ramp/", ramp.plan_list, name="ramp_plans"),
    path("ramp/<int:pk>/", ramp.detail, name="ramp"),
    path("ramp/<int:pk>/kickoff/", ramp.kickoff, name="ramp_kickoff"),
    path("ramp/<int:pk>/kickoff/undo/", ramp.undo_kickoff, name="ramp_kickoff_undo"),
    path("ramp/<int:pk>/health/", ramp_work.health, name="ramp_health"),
    path("ramp/<int:pk>/milestones/add/", ramp_work.milestone, name="ramp_milestone"),
    path("ramp/<int:pk>/touchpoints/add/", ramp_work.touchpoint, name="ramp_touchpoint"),
    path("ramp/<int:pk>/exit/", ramp_work.end, name="ramp_exit"),
    path("ramp/<int:pk>/resume/", ramp_work.resume, name="ramp_resume"),
    path("ramp/<int:pk>/close/", ramp_work.close, name="ramp_close"),
    path("ramp/<int:pk>/reopen/", ramp_work.reopen, name="ramp_reopen"),
    path("ramp/<int:pk>/lessons/add/", ramp_lessons.add, name="ramp_lesson"),
    path("ramp/touchpoints/<int:pk>/remove/", ramp_work.remove_touchpoint, name="remove_touchpoint"),
    path("ramp/touchpoints/<int:pk>/restore/", ramp_work.restore_touchpoint, name="restore_touchpoint"),
    path("ramp/lessons/<int:pk>/adopt/", ramp_lessons.adopt, name="adopt_lesson"),
    path("ramp/lessons/<int:pk>/dismiss/", ramp_lessons.dismiss, name="dismiss_lesson"),
]
