"""Asking the client, and the client's own pages behind private links."""

from django.urls import path

from handoffs.views import client_pages

urlpatterns = [
    # The client's own pages: whoever has the token is in, nobody signs in here.
    path("c/<str:token>/", client_pages.page, name="client_page"),
    path("c/<str:token>/confirm/<str:subject>/", client_pages.confirm, name="client_confirm"),
    path("c/<str:token>/change/<str:subject>/", client_pages.change, name="client_change"),
    path("c/<str:token>/rate/", client_pages.rate, name="client_rate"),
    path("c/<str:token>/mail/", client_pages.mail, name="client_mail"),
]
