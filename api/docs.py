"""The schema, and a page to read it on."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.views import SpectacularAPIView


class Schema(SpectacularAPIView):
    """OpenAPI as JSON, for everybody."""

    authentication_classes = ()
    permission_classes = ()
    renderer_classes = (OpenApiJsonRenderer,)


def page(request: HttpRequest) -> HttpResponse:
    """What can be asked and what comes back."""
    return HttpResponse("")
