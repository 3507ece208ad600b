"""Handoffs: what sales and delivery own together."""

from django.apps import AppConfig


class HandoffsConfig(AppConfig):
    """Engagements, playbooks and tasks."""

    name = "handoffs"
    default_auto_field = "django.db.models.BigAutoField"
