"""The app of imports."""

from django.apps import AppConfig


class ImportsConfig(AppConfig):
    """CSV and XLSX exports of a CRM become deals with history."""

    name = "integrations.imports"
    label = "imports"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make the permission known in every process."""
        from integrations.imports import access  # noqa: F401
