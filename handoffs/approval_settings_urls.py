"""Settings of approval chains."""

from django.urls import URLPattern

app_name = "approval_settings"

urlpatterns: list[URLPattern] = []
