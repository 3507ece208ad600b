"""Importing deals from a CRM export, and people and bookings from a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh

from accounts.models import User
from integrations.imports.access import own_import, require_importer
from integrations.imports.companions import KINDS
from integrations.imports.errors import NeedsAnswer, NotPossible, Unreadable
from integrations.imports.forms import AnswersForm, UploadForm, upload_options
from integrations.imports.models import Import, ImportedRow, Kind, Outcome
from integrations.imports.report import error_lines
from integrations.imports.services import running
from integrations.imports.services.intake import receive
from integrations.imports.services.reverting import revert as revert_import
from integrations.imports.setup import Setup
from integrations.imports.staffing.forms import StaffingAnswersForm, StaffingUploadForm
from integrations.imports.staffing.setup import StaffingSetup
from integrations.imports.states import State
from integrations.imports.words import WORDS
from opportunities.models import Stage
from staffing.models import WorkRole

PAGE = 25
# Small files are read, and their rows checked, while the person waits: that takes no longer than a page.
SMALL = 2 * 1024 * 1024
AT_ONCE_SECONDS = 0.5
SHOWN_PROBLEMS = 8


@login_required
@require_http_methods(["GET", "POST"])
def import_list(request: HttpRequest, kind: str = Kind.DEALS) -> HttpResponse:
    """A file to choose, and the imports of its kind so far."""
    actor = cast(User, request.user)
    require_importer(actor, kind)
    upload = UploadForm if kind == Kind.DEALS else StaffingUploadForm
    form = upload(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        imported = _received(form, actor, Kind(kind))
        if imported is not None:
            return redirect("imports:detail", imported.pk)
    imports = Import.objects.visible_to(actor).filter(kind=kind).select_related("created_by")
    page = Paginator(imports.defer("profile", "companions", "plan", "notices"), PAGE).get_page(request.GET.get("page"))
    status = 422 if request.method == "POST" else 200
    template = "imports/list.html" if kind == Kind.DEALS else "imports/list_staffing.html"
    return render(request, template, {"form": form, "page": page, "words": WORDS[kind]}, status=status)


@login_required
@require_http_methods(["GET", "POST"])
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One import, as far as it is: questions, a check's result, progress, what came of it."""
    actor = cast(User, request.user)
    imported = own_import(actor, pk)
    if imported.state == State.WAITING:
        return _answers(request, imported, actor)
    if request.method == "POST":
        messages.warning(request, _("The import has moved on since. This is how it stands."))
        return redirect("imports:detail", pk)
    return render(request, "imports/detail.html", _shown(imported))


@login_required
@require_GET
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is; once it has ended, the page itself comes anew."""
    imported = own_import(cast(User, request.user), pk)
    if not imported.is_running:
        return HttpResponseClientRefresh()
    return render(request, "imports/_progress.html", {"imported": imported})


@login_required
@require_GET
def errors(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The refused rows as CSV, each with what is wrong with it."""
    imported = own_import(cast(User, request.user), pk)
    lines = (line.encode("utf-8-sig" if number == 0 else "utf-8") for number, line in enumerate(error_lines(imported)))
    headers = {"Content-Disposition": f'attachment; filename="import-{imported.pk}-errors.csv"'}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


@login_required
@require_POST
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Back from a check to the questions."""
    return _do(
        request, pk, lambda actor, imported: running.answer(
            actor=actor, imported=imported, options={}, now=timezone.now()
        ),
    )  # fmt: skip


@login_required
@require_POST
def start(request: HttpRequest, pk: int) -> HttpResponse:
    """Write what was checked."""
    return _do(
        request, pk, lambda _actor, imported: running.start(imported=imported, is_dry_run=False, now=timezone.now())
    )


@login_required
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop; what was written stays."""
    return _do(request, pk, lambda _actor, imported: running.cancel(imported=imported, now=timezone.now()))


@login_required
@require_POST
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Go on after an interruption."""
    return _do(request, pk, lambda _actor, imported: running.resume(imported=imported, now=timezone.now()))


@login_required
@require_POST
def revert(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the new deals back that nobody has touched since."""
    return _do(request, pk, lambda _actor, imported: revert_import(imported=imported, now=timezone.now()))


def _do(request: HttpRequest, pk: int, service: Callable[[User, Import], object]) -> HttpResponse:
    actor = cast(User, request.user)
    imported = own_import(actor, pk)
    try:
        service(actor, imported)
    except (NotPossible, NeedsAnswer) as error:
        messages.warning(request, str(error))
    return redirect("imports:detail", pk)


def _received(form: UploadForm | StaffingUploadForm, actor: User, kind: Kind) -> Import | None:
    """The import, read if that is quick; None with an error at the form's field."""
    files = form.cleaned_data
    beside = {name: files[name].file for name in KINDS if files.get(name)}
    try:
        imported = receive(
            actor=actor, file=files["file"].file, file_name=files["file"].name, companions=beside, options={},
            now=timezone.now(), kind=kind,
        )  # fmt: skip
    except Unreadable as error:
        form.add_error(error.field or "file", str(error))
        return None
    if imported.size <= SMALL:
        imported = running.advance(imported=imported, now=timezone.now(), seconds=0)
    return imported


def _answers(request: HttpRequest, imported: Import, actor: User) -> HttpResponse:
    setup, form = _asked(imported, actor, request.POST or None)
    if request.method == "POST" and form.is_valid():
        imported = running.answer(actor=actor, imported=imported, options=form.options(), now=timezone.now())
        try:
            imported = running.start(imported=imported, is_dry_run=True, now=timezone.now())
        except NeedsAnswer:
            setup, form = _asked(imported, actor, None)
        except NotPossible as error:
            messages.warning(request, str(error))
            return redirect("imports:detail", imported.pk)
        else:
            running.advance(imported=imported, now=timezone.now(), seconds=AT_ONCE_SECONDS)
            return redirect("imports:detail", imported.pk)
    is_answered = request.method == "POST"
    context = {**_shown(imported), "form": form, "questions": setup.questions(), "is_answered": is_answered}
    template = "imports/answers.html" if imported.is_of_deals else "imports/answers_staffing.html"
    return render(request, template, context, status=422 if is_answered else 200)


def _asked(imported: Import, actor: User, data: Any) -> tuple[Setup | StaffingSetup, AnswersForm | StaffingAnswersForm]:
    """What is known and asked about the file, and the form for it."""
    setup = running.setup_of(imported, now=timezone.now())
    if isinstance(setup, Setup):
        return setup, AnswersForm(data, setup=setup, actor=actor)
    return setup, StaffingAnswersForm(data, setup=setup)


def _shown(imported: Import) -> dict[str, Any]:
    ordered = Stage.objects.order_by("position") if imported.is_of_deals else WorkRole.objects.order_by("position")
    order = {name: number for number, name in enumerate(ordered.values_list("name", flat=True))}
    by_stage = sorted(imported.by_stage.items(), key=lambda item: order.get(item[0], len(order)))
    return {
        "imported": imported, "beside": upload_options(imported), "by_stage": by_stage, "State": State,
        "words": WORDS[imported.kind], "problems": _problems(imported),
    }  # fmt: skip


def _problems(imported: Import) -> list[tuple[int, str]]:
    """Line and sentence of the first rows that were refused."""
    if not imported.refused:
        return []
    refused = ImportedRow.objects.filter(imported=imported, outcome=Outcome.REFUSED).order_by("line")
    return list(refused.values_list("line", "problem")[:SHOWN_PROBLEMS])
