"""What clients and we write to one another: checked words, and sentences that are kept in the house's language."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import translation
from django.utils.dateformat import format as formatted
from django.utils.translation import gettext as _

from accounts.queries import organisation
from accounts.text import fault_in, trimmed
from handoffs.models import Subject
from handoffs.states import IllegalTransition

LONGEST_TEXT, LONGEST_NOTE = 10_000, 500


def checked(text: str, *, field: str, most: int, is_required: bool = False) -> str:
    """The text without blanks at its ends and with one kind of line end. Raises ValidationError for the field."""
    text = trimmed(text.replace("\r\n", "\n").replace("\r", "\n"))
    fault = fault_in(text, is_multiline=True)
    if not fault and len(text) > most:
        fault = _("Keep it to %(count)d characters.") % {"count": most}
    if not fault and is_required and not text:
        fault = _("Write something here.")
    if fault:
        raise ValidationError({field: fault})
    return text


def in_house(subject: str) -> str:
    """The subject as the timeline names it, whichever language the page is in."""
    with translation.override(settings.LANGUAGE_CODE):
        return str(Subject(subject).label).lower()


def told_on(moment: dt.datetime) -> str:
    """The organisation's day of a moment, as the timeline writes days."""
    with translation.override(settings.LANGUAGE_CODE):
        return formatted(organisation().today(moment), "j M Y")


class Resting(IllegalTransition):
    """The deal is lost or archived: nothing is asked, answered or written on it."""

    def __init__(self) -> None:
        super().__init__(_("The deal is closed; what was agreed with the client is kept as it is."), frozenset())
