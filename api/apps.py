"""API: REST v1, a window onto the same services as the pages."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """Tokens, errors, pages and one module per domain."""

    name = "api"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Teach the OpenAPI generator our conventions."""
        from api import openapi  # noqa: F401
