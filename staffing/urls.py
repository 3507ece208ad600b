"""Where people, bookings, needs and the horizon are reached."""

from django.urls import URLPattern

app_name = "staffing"

urlpatterns: list[URLPattern] = []
