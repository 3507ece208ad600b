"""Addresses of the pages about tokens, for people."""

from django.urls import path

from api import pages

urlpatterns = [
    path("", pages.tokens, name="api_tokens"),
    path("<slug:digest>/revoke/", pages.revoke, name="api_token_revoke"),
]
