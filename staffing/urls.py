"""Where people, bookings, needs and the horizon are reached."""

from django.urls import path

from staffing import horizon_views, people_urls, replay_views, scenario_urls, team_views
from staffing import need_templates_views as templates
from staffing import needs_views as needs

app_name = "staffing"

urlpatterns = [
    *people_urls.urlpatterns,
    *scenario_urls.urlpatterns,
    path("horizon/", horizon_views.horizon, name="horizon"),
    path("horizon/shortages/", horizon_views.shortages, name="shortages"),
    path("horizon/<int:role>/", horizon_views.cell, name="horizon_cell"),
    path("horizon/replay/", replay_views.replay, name="replay"),
    path("horizon/replay/weeks.csv", replay_views.export, {"table": "weeks"}, name="replay_weeks"),
    path("horizon/replay/wins.csv", replay_views.export, {"table": "wins"}, name="replay_wins"),
    path("deals/<int:pk>/earliest/", horizon_views.earliest, name="earliest"),
    path("deals/<int:pk>/needs/", needs.panel, name="need_panel"),
    path("deals/<int:pk>/needs/add/", needs.add, name="add_need"),
    path("deals/<int:pk>/needs/usual/", needs.take_usual, name="take_usual_needs"),
    path("needs/<int:pk>/change/", needs.change, name="change_need"),
    path("needs/<int:pk>/cancel/", needs.cancel, name="cancel_need"),
    path("needs/<int:pk>/restore/", needs.restore, name="restore_need"),
    path("needs/<int:pk>/book/", needs.book, name="book_need"),
    path("needs/<int:pk>/candidates/", team_views.candidates, name="candidates"),
    path("deals/<int:pk>/team/", team_views.team, name="team"),
    path("needs/bookings/<int:pk>/release/", needs.release, name="release_need_booking"),
    path("needs/bookings/<int:pk>/restore/", needs.take_back, name="restore_need_booking"),
    path("templates/", templates.templates, name="templates"),
    path("templates/add/", templates.add, name="add_template"),
    path("templates/<int:pk>/", templates.change, name="change_template"),
    path("templates/<int:pk>/archive/", templates.archive, name="archive_template"),
    path("templates/<int:pk>/restore/", templates.restore, name="restore_template"),
]
