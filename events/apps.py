"""Events: what happened, and who still has to react to it."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    """The append-only timeline and its deliveries."""

    name = "events"
    default_auto_field = "django.db.models.BigAutoField"
