"""Staffing: who can deliver what sales is about to win."""

from django.apps import AppConfig


class StaffingConfig(AppConfig):
    """Roles, people, needs, bookings and the horizon."""

    name = "staffing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make the permissions known in every process, and put panels on the deal page."""
        from staffing import access, panels  # noqa: F401
