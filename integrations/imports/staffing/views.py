"""Files of people and bookings to take away: everything as it is, or an empty one with examples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.queries import organisation
from integrations.imports.access import require_importer
from integrations.imports.models import Kind
from integrations.imports.staffing.export import booking_rows, people_rows, template_rows
from opportunities.services.export import csv_lines, xlsx_file
from staffing.weeks import monday_of


@login_required
@require_safe
def export(request: HttpRequest, kind: str, form: str) -> HttpResponseBase:
    """Everybody, or the bookings from this week on, in the columns that the import reads."""
    user = cast(User, request.user)
    require_importer(user, kind)
    today = organisation().today(timezone.now())
    rows = people_rows() if kind == Kind.PEOPLE else booking_rows(user, since=monday_of(today))
    return _file(rows, kind, form, f"{kind}-{today.isoformat()}")


@login_required
@require_safe
def template(request: HttpRequest, kind: str, form: str) -> HttpResponseBase:
    """The columns, with a few examples to write over."""
    require_importer(cast(User, request.user), kind)
    return _file(template_rows(kind), kind, form, f"{kind}-template")


def _file(rows: Iterator[list[Any]], kind: str, form: str, name: str) -> HttpResponseBase:
    if form == "csv":
        response = StreamingHttpResponse(csv_lines(rows), content_type="text/csv; charset=utf-8")
        response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
        return response
    if form == "xlsx":
        file = xlsx_file(rows, title=str(Kind(kind).label))
        return FileResponse(file, as_attachment=True, filename=f"{name}.xlsx")
    raise Http404
