"""Where everything is reached."""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path


def _apps() -> list[URLResolver]:
    included = [
        ("", "dashboards.urls"),
        ("", "accounts.urls"),
        ("", "opportunities.urls"),
        ("", "handoffs.urls"),
        ("", "events.urls"),
        ("settings/pipelines/", "opportunities.settings_urls"),
        ("settings/playbooks/", "handoffs.playbook_urls"),
        ("import/", "integrations.imports.urls"),
        ("api/v1/", "api.urls"),
        ("profile/tokens/", "api.page_urls"),
        ("account/", "allauth.urls"),
    ]
    return [path(prefix, include(module)) for prefix, module in included if find_spec(module)]


urlpatterns: list[URLPattern | URLResolver] = _apps()

handler400 = "onetteam.errors.bad_request"
handler403 = "onetteam.errors.forbidden"
handler404 = "onetteam.errors.not_found"
handler500 = "onetteam.errors.server_error"
