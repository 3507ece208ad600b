"""Comments on a deal."""

from __future__ import annotations

import datetime as dt
import re
import uuid

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.text import fault_in, trimmed
from events import names
from events.recording import record
from opportunities.models import Comment, Opportunity
from opportunities.queries.people import people_who_see

LONGEST = 10_000


def add_comment(
    *, actor: User, opportunity: Opportunity, body: str, now: dt.datetime, request_id: uuid.UUID | None = None
) -> Comment:
    """Say something about a deal; people named with @ are mentioned. The same request comments once.

    Raises ValidationError.
    """
    text = _checked(body)
    request_id = request_id or uuid.uuid4()
    said = Comment.objects.filter(request_id=request_id, author=actor, opportunity=opportunity)
    try:
        with transaction.atomic():
            known = said.first()
            if known is not None:
                return known
            comment = Comment.objects.create(
                opportunity=opportunity, author=actor, body=text, request_id=request_id, created_at=now
            )
            mentioned = mentioned_in(text, opportunity)
            comment.mentions.set(mentioned)
            data = {"comment": comment.pk, "mentions": [person.pk for person in mentioned]}
            record(names.OPPORTUNITY_COMMENTED, actor=actor, about=comment, within=opportunity, now=now, data=data)
    except IntegrityError:
        # The same request in another process was first.
        return said.get()
    return comment


def edit_comment(*, actor: User, comment: Comment, body: str, now: dt.datetime) -> Comment:
    """Change one's own words. Raises PermissionDenied, ValidationError."""
    text = _checked(body)
    with transaction.atomic():
        current = _own(actor, comment)
        if current.body == text:
            return current
        before = set(current.mentions.values_list("pk", flat=True))
        current.body = text
        current.edited_at = now
        current.save(update_fields=["body", "edited_at"])
        mentioned = mentioned_in(text, current.opportunity)
        current.mentions.set(mentioned)
        data = {"comment": current.pk, "mentions": [person.pk for person in mentioned if person.pk not in before]}
        record(
            names.OPPORTUNITY_COMMENT_EDITED, actor=actor, about=current, within=current.opportunity, now=now, data=data
        )
    return current


def remove_comment(*, actor: User, comment: Comment, now: dt.datetime) -> Comment:
    """Take one's own words back; administrators may take away anybody's. Raises PermissionDenied."""
    with transaction.atomic():
        current = _own(actor, comment, or_administrator=True)
        if current.removed_at is not None:
            return current
        current.removed_at = now
        current.save(update_fields=["removed_at"])
        data = {"comment": current.pk}
        record(
            names.OPPORTUNITY_COMMENT_REMOVED,
            actor=actor,
            about=current,
            within=current.opportunity,
            now=now,
            data=data,
        )
    return current


def restore_comment(*, actor: User, comment: Comment) -> Comment:
    """Undo a removal. Raises PermissionDenied."""
    with transaction.atomic():
        current = _own(actor, comment, or_administrator=True)
        current.removed_at = None
        current.save(update_fields=["removed_at"])
    return current


def mentioned_in(text: str, opportunity: Opportunity) -> list[User]:
    """Who is named with @ in the text, among those who may see the deal; the longest name that fits counts."""
    if "@" not in text:
        return []
    found = []
    people = sorted(people_who_see(opportunity), key=lambda person: -len(person.name))
    left = text
    for person in people:
        # The name itself or the e-mail address; what follows must not go on with the word.
        pattern = re.compile(rf"@(?:{re.escape(person.name)}|{re.escape(person.email)})(?!\w)", re.IGNORECASE)
        if person.name and pattern.search(left):
            found.append(person)
            left = pattern.sub(" ", left)
    return found


def _checked(body: str) -> str:
    text = trimmed(body)
    if not text:
        raise ValidationError({"body": _("Write something first.")})
    if len(text) > LONGEST:
        raise ValidationError({"body": _("That is too long by %(count)d characters.") % {"count": len(text) - LONGEST}})
    fault = fault_in(text, is_multiline=True)
    if fault:
        raise ValidationError({"body": fault})
    return text


def _own(actor: User, comment: Comment, *, or_administrator: bool = False) -> Comment:
    current = Comment.objects.select_related("opportunity").select_for_update(of=("self",)).get(pk=comment.pk)
    if current.author_id != actor.pk and not (or_administrator and actor.is_administrator):
        raise PermissionDenied(_("Only the one who wrote a comment can change it."))
    return current
