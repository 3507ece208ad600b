"""Dashboards: the home page and insights."""

from django.apps import AppConfig


class DashboardsConfig(AppConfig):
    """Windows onto what the other apps keep."""

    name = "dashboards"

    def ready(self) -> None:
        """Let board and list filter by what the home page counts."""
        from dashboards.queries import hygiene, zones
        from opportunities.queries.zones import ZONES

        ZONES.update(zones.ZONES)
        ZONES.update(hygiene.BREACHES)
