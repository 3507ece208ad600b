"""Where the home page and its parts are reached."""

from django.urls import path

from dashboards.views import home, hygiene, tend, upcoming

app_name = "dashboards"

urlpatterns = [
    path("", home.home, name="home"),
    path("home/<slug:name>/", home.section, name="section"),
    path("home/deals/<int:pk>/<slug:ask>/", tend.tend, name="tend"),
    path("hygiene/", hygiene.hygiene, name="hygiene"),
    path("upcoming/", upcoming.upcoming, name="upcoming"),
]
