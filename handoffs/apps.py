"""Handoffs: what sales and delivery own together."""

from django.apps import AppConfig


class HandoffsConfig(AppConfig):
    """Engagements, playbooks, tasks, deal reviews, promises and risks."""

    name = "handoffs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make permissions and gates known in every process, and put panels on the deal page."""
        from handoffs import access, gates, handoff_access, panels, ramp_access  # noqa: F401
        from handoffs.services import signals
        from opportunities import together

        gates.register_all()
        together.register("handoffs", signals.follow_together)
