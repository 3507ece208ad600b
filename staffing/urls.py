"""Where people, bookings, needs and the horizon are reached."""

from django.urls import path

from staffing import horizon_views, people_urls

app_name = "staffing"

urlpatterns = [
    *people_urls.urlpatterns,
    path("horizon/", horizon_views.horizon, name="horizon"),
    path("horizon/<int:role>/", horizon_views.cell, name="horizon_cell"),
    path("deals/<int:pk>/earliest/", horizon_views.earliest, name="earliest"),
]
