"""Addresses of the first run, the profile and the settings."""

from django.urls import path

from accounts.views import calendar, lines, organisation, people, personal, teams

app_name = "accounts"
urlpatterns = [
    path("welcome/", personal.welcome, name="welcome"),
    path("profile/", personal.profile, name="profile"),
    path("profile/appearance/", personal.appearance, name="appearance"),
    path("profile/sessions/<int:pk>/end/", personal.end_session, name="end_session"),
    path("settings/", organisation.settings_home, name="settings"),
    path("settings/organisation/", organisation.organisation, name="organisation"),
    path("settings/calendar/", calendar.calendar, name="calendar"),
    path("settings/calendar/days/add/", calendar.day_add, name="calendar_day_add"),
    path("settings/calendar/days/<int:pk>/remove/", calendar.day_remove, name="calendar_day_remove"),
    path("settings/rates/", organisation.rates, name="rates"),
    path("settings/rates/<int:pk>/remove/", organisation.rate_remove, name="rate_remove"),
    path("settings/lines/", lines.lines, name="lines"),
    path("settings/lines/add/", lines.line_add, name="line_add"),
    path("settings/lines/<int:pk>/", lines.line_detail, name="line"),
    path("settings/regions/add/", lines.region_add, name="region_add"),
    path("settings/regions/<int:pk>/", lines.region_detail, name="region"),
    path("settings/regions/<int:pk>/remove/", lines.region_remove, name="region_remove"),
    path("settings/people/", people.person_list, name="people"),
    path("settings/people/add/", people.person_add, name="person_add"),
    path("settings/people/<int:pk>/", people.person_detail, name="person"),
    path("settings/people/<int:pk>/link/", people.person_link, name="person_link"),
    path("settings/people/<int:pk>/deactivate/", people.person_deactivate, name="person_deactivate"),
    path("settings/people/<int:pk>/reactivate/", people.person_reactivate, name="person_reactivate"),
    path("settings/teams/", teams.team_list, name="teams"),
    path("settings/teams/add/", teams.team_add, name="team_add"),
    path("settings/teams/<int:pk>/", teams.team_detail, name="team"),
    path("settings/teams/<int:pk>/delete/", teams.team_delete, name="team_delete"),
]
