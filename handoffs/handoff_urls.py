"""Handoffs of won deals."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
