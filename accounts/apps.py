"""Accounts: the organisation, its people, and how they sign in."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Organisation, users, teams, roles, calendars and currencies."""

    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make the permissions known in every process, also where no page is loaded."""
        from accounts import access  # noqa: F401
