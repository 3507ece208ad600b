"""Files on a deal."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from opportunities.access import readable_file, readable_opportunity
from opportunities.services.files import add_file, remove_file, restore_file
from opportunities.views.answers import Request, done, said, trigger


@login_required
@require_POST
def add(request: Request, pk: int) -> HttpResponse:
    """Keep files with a deal; each that can't be kept is named with the reason, the others are kept."""
    deal = readable_opportunity(request.user, pk)
    back = reverse("opportunities:detail", args=[pk])
    uploads = request.FILES.getlist("file")
    if not uploads:
        return said(request, _("Choose a file first."), status=422, back=back)
    refused, kept = [], 0
    for upload in uploads:
        try:
            add_file(actor=request.user, opportunity=deal, upload=upload, now=timezone.now())
            kept += 1
        except ValidationError as error:
            refused.append(f"{(upload.name or '')[:80]}: {' '.join(error.messages)}")
    if refused:
        response = said(request, " ".join(refused), status=422, back=back)
        return trigger(response, **{"deal-changed": {}}) if request.htmx and kept else response
    response = done(request, _("The file is kept with the deal"), back=back)
    return trigger(response, **{"deal-changed": {}}) if request.htmx else response


@login_required
@require_GET
def download(request: Request, pk: int, file: int) -> HttpResponseBase:
    """A file as a download; no browser shows it as a page."""
    attachment = readable_file(request.user, readable_opportunity(request.user, pk), file)
    try:
        content = attachment.file.open("rb")
    except FileNotFoundError as error:
        raise Http404(_("The file is missing on the server. Tell an administrator.")) from error
    response = FileResponse(content, as_attachment=True, filename=attachment.name, content_type=attachment.content_type)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "private, no-store"
    return response


@login_required
@require_POST
def remove(request: Request, pk: int, file: int) -> HttpResponse:
    """Take a file off the deal."""
    attachment = readable_file(request.user, readable_opportunity(request.user, pk), file)
    remove_file(actor=request.user, attachment=attachment, now=timezone.now())
    undo = reverse("opportunities:file_restore", args=[pk, file])
    sentence = _("“%(file)s” is removed") % {"file": attachment.name}
    response = done(request, sentence, back=reverse("opportunities:detail", args=[pk]), undo=undo)
    return trigger(response, **{"deal-changed": {}}) if request.htmx else response


@login_required
@require_POST
def restore(request: Request, pk: int, file: int) -> HttpResponse:
    """Undo a removal."""
    attachment = readable_file(request.user, readable_opportunity(request.user, pk), file)
    restore_file(actor=request.user, attachment=attachment, now=timezone.now())
    sentence = _("“%(file)s” is back") % {"file": attachment.name}
    response = done(request, sentence, back=reverse("opportunities:detail", args=[pk]))
    return trigger(response, **{"deal-changed": {}}) if request.htmx else response
