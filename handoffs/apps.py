"""Handoffs: what sales and delivery own together."""

from django.apps import AppConfig


class HandoffsConfig(AppConfig):
    """Engagements, playbooks and tasks."""

    name = "handoffs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make the permissions known in every process, also where no page is loaded; put panels on the deal page."""
        from handoffs import access, panels  # noqa: F401
