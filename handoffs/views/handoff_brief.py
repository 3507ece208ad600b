"""The brief of a handoff: one page, on screen, on paper, and as a PDF."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from handoffs.brief import brief_of
from handoffs.brief_pdf import PdfUnavailable, draw, file_name
from handoffs.handoff_access import readable_handoff
from handoffs.models import Handoff
from opportunities.views.answers import Request

logger = logging.getLogger(__name__)


@require_safe
@login_required
def brief(request: Request, pk: int) -> HttpResponse:
    """Everything that matters, on one page."""
    handoff = readable_handoff(request.user, pk)
    return render(request, "handoffs/handoff/brief.html", _context(request, handoff))


@require_safe
@login_required
def brief_pdf(request: Request, pk: int) -> HttpResponse:
    """The same as a file; where this server can't draw it, the page that can be printed, and why."""
    handoff = readable_handoff(request.user, pk)
    address = request.build_absolute_uri(reverse("handoffs:brief", args=[pk]))
    document = render_to_string(
        "handoffs/handoff/brief_document.html", {**_context(request, handoff), "address": address}
    )
    try:
        drawn = draw(document)
    except PdfUnavailable as error:
        logger.warning("No PDF: %s", error.__cause__)
        messages.warning(request, str(error))
        return redirect("handoffs:brief", pk=pk)
    name = content_disposition_header(as_attachment=True, filename=file_name(handoff.opportunity.name))
    headers = {"Content-Disposition": name or "attachment", "Cache-Control": "private, no-store"}
    return HttpResponse(drawn, content_type="application/pdf", headers=headers)


def _context(request: Request, handoff: Handoff) -> dict[str, Any]:
    now = timezone.now()
    return {
        "brief": brief_of(handoff), "handoff": handoff, "deal": handoff.opportunity, "plan": handoff.ramp_plan,
        "organisation": request.organisation, "today": request.organisation.today(now), "now": now,
    }  # fmt: skip
