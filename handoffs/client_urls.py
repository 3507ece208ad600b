"""Asking the client, and the client's own pages behind private links."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
