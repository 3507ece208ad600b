"""Asking the client, and the client's own pages behind private links."""

from django.urls import path

from handoffs.views import client_pages, client_staff

urlpatterns = [
    path("deals/<int:pk>/client/", client_staff.panel, name="client_panel"),
    path("deals/<int:pk>/client/ask/", client_staff.ask, name="ask_client"),
    path("deals/<int:pk>/client/pulse/", client_staff.pulse, name="send_pulse"),
    path("deals/<int:pk>/client/<str:subject>/", client_staff.write, name="write_statement"),
    path("client-links/<int:pk>/revoke/", client_staff.revoke, name="revoke_client_link"),
    path("risk-profiles/<int:pk>/take-over/", client_staff.take_over, name="take_over_profile"),
    # The client's own pages: whoever has the token is in, nobody signs in here.
    path("c/<str:token>/", client_pages.page, name="client_page"),
    path("c/<str:token>/confirm/<str:subject>/", client_pages.confirm, name="client_confirm"),
    path("c/<str:token>/change/<str:subject>/", client_pages.change, name="client_change"),
    path("c/<str:token>/rate/", client_pages.rate, name="client_rate"),
    path("c/<str:token>/mail/", client_pages.mail, name="client_mail"),
]
