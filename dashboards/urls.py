"""Where the home page and its parts are reached."""

from django.urls import path

from dashboards.views import home, upcoming

app_name = "dashboards"

urlpatterns = [
    path("", home.home, name="home"),
    path("home/<slug:name>/", home.section, name="section"),
    path("upcoming/", upcoming.upcoming, name="upcoming"),
]
