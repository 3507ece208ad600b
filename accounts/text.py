"""What people may type: refuses characters that deceive the eye or that a database can't keep."""

from __future__ import annotations

import unicodedata

from django.utils.translation import gettext as _

# Marks that turn the reading direction, and can make one name look like another.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LINES = frozenset("\n\r\t")
# Seen by nobody, but not counted as space by str.strip; joiners inside a word are legitimate.
INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad\u180e\u3164\u115f\u1160\u2800"


def fault_in(value: str, *, is_multiline: bool = False) -> str | None:
    """What is wrong with a text, in a sentence; None when nothing is."""
    if value.isascii() and value.isprintable():
        return None
    if any("\ud800" <= char <= "\udfff" for char in value):
        return _("This contains half a character, as broken copying leaves it. Type it anew.")
    if any(char in _TURNING for char in value):
        return _("This contains an invisible mark that turns the reading direction. Type it anew without it.")
    allowed = _LINES if is_multiline else frozenset("\t")
    if any(unicodedata.category(char) == "Cc" and char not in allowed for char in value):
        return _("This contains a control character that can't be shown. Type it anew.")
    return None


def trimmed(value: str) -> str:
    """The text without space and invisible characters at its ends."""
    before = None
    while before != value:
        before = value
        value = value.strip().strip(INVISIBLE)
    return value
