"""Where everything is reached."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("dashboards.urls")),
    path("", include("accounts.urls")),
    path("", include("opportunities.urls")),
    path("", include("handoffs.urls")),
    path("staffing/", include("staffing.urls")),
    path("", include("events.urls")),
    path("settings/pipelines/", include("opportunities.settings_urls")),
    path("settings/playbooks/", include("handoffs.playbook_urls")),
    path("settings/reviews/", include("handoffs.review_settings_urls")),
    path("settings/approvals/", include("handoffs.approval_settings_urls")),
    path("import/", include("integrations.imports.urls")),
    path("api/v1/", include("api.urls")),
    path("profile/tokens/", include("api.page_urls")),
    path("account/", include("allauth.urls")),
]

handler400 = "onetteam.errors.bad_request"
handler403 = "onetteam.errors.forbidden"
handler404 = "onetteam.errors.not_found"
handler500 = "onetteam.errors.server_error"
