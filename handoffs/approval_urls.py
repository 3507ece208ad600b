"""Approving handoffs, and standing in for each other."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
