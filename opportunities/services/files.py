"""Files on a deal."""

from __future__ import annotations

import datetime as dt
import unicodedata
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.text import fault_in, trimmed
from events import names
from events.recording import record
from opportunities.models import Attachment, Opportunity
from opportunities.sniffing import Kind, kind_of

_LONGEST_NAME = 200


def add_file(*, actor: User, opportunity: Opportunity, upload: UploadedFile[Any], now: dt.datetime) -> Attachment:
    """Keep a file with a deal, if it is of an allowed kind and size. Raises ValidationError."""
    size = upload.size or 0
    try:
        kind = kind_of(upload, size)  # type: ignore[arg-type]
        name = shown_name(upload.name or "", kind)
    except ValidationError as error:
        raise ValidationError({"file": error.messages}) from error
    attachment = Attachment(
        opportunity=opportunity,
        name=name,
        size=size,
        content_type=kind.content_type,
        uploaded_by=actor,
        uploaded_at=now,
    )
    attachment.file.save(name, upload, save=False)
    try:
        with transaction.atomic():
            attachment.save()
            told = {"file": name, "attachment": attachment.pk}
            record(names.OPPORTUNITY_FILE_ADDED, actor=actor, about=attachment, within=opportunity, now=now, data=told)
    except BaseException:
        # A file that no row knows of would stay for ever.
        attachment.file.delete(save=False)
        raise
    return attachment


def remove_file(*, actor: User, attachment: Attachment, now: dt.datetime) -> Attachment:
    """Take a file off the deal; for the one who added it, and administrators. Raises PermissionDenied."""
    with transaction.atomic():
        current = Attachment.objects.select_related("opportunity").select_for_update(of=("self",)).get(pk=attachment.pk)
        if not may_remove(actor, current):
            raise PermissionDenied(_("Only the one who added a file, or an administrator, can remove it."))
        if current.removed_at is not None:
            return current
        current.removed_at = now
        current.save(update_fields=["removed_at"])
        told = {"file": current.name, "attachment": current.pk}
        record(
            names.OPPORTUNITY_FILE_REMOVED, actor=actor, about=current, within=current.opportunity, now=now, data=told
        )
    return current


def restore_file(*, actor: User, attachment: Attachment, now: dt.datetime) -> Attachment:
    """Undo a removal. Raises PermissionDenied."""
    with transaction.atomic():
        current = Attachment.objects.select_related("opportunity").select_for_update(of=("self",)).get(pk=attachment.pk)
        if not may_remove(actor, current):
            raise PermissionDenied(_("Only the one who added a file, or an administrator, can bring it back."))
        if current.removed_at is None:
            return current
        current.removed_at = None
        current.save(update_fields=["removed_at"])
        told = {"file": current.name, "attachment": current.pk}
        record(names.OPPORTUNITY_FILE_ADDED, actor=actor, about=current, within=current.opportunity, now=now, data=told)
    return current


def may_remove(actor: User, attachment: Attachment) -> bool:
    """Whether this person may take the file away."""
    return actor.is_administrator or attachment.uploaded_by_id == actor.pk


def shown_name(given: str, kind: Kind) -> str:
    """The name that people see: the last part of the path, without deceiving marks, with an ending that is true."""
    plain = unicodedata.normalize("NFC", given.replace("\\", "/").rsplit("/", 1)[-1])
    plain = "".join(char for char in plain if fault_in(char) is None)
    stem, dot, ending = trimmed(plain).rpartition(".")
    if not dot:
        stem, ending = ending, ""
    if ending.lower() not in kind.endings:
        stem, ending = (f"{stem}.{ending}" if ending else stem), kind.endings[0]
    stem = stem.strip(". ") or _("file")
    return f"{stem[: _LONGEST_NAME - len(ending) - 1]}.{ending}"
