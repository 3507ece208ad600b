"""The product's addresses, and an empty page in the same frame to measure against."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from onetteam.urls import urlpatterns as product


@login_required
def empty(request: HttpRequest) -> HttpResponse:
    """Nothing but what every page has."""
    return render(request, "base.html")


urlpatterns = [path("empty/", empty), *product]
