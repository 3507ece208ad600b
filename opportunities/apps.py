"""Opportunities: clients, pipelines, and the deals that sales pursues."""

from django.apps import AppConfig


class OpportunitiesConfig(AppConfig):
    """Deal flow."""

    name = "opportunities"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make the permissions known in every process, also where no page is loaded."""
        from opportunities import access  # noqa: F401
