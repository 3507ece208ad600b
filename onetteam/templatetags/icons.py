"""``{% load lucide %}``: the icon library's own tag, each icon drawn once."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags import lucide as library

register = template.Library()
# Drawn means parsed, copied and written as XML: a page with a hundred icons spent a third of its time on that.
_MOST_KEPT = 1024


@register.simple_tag
@lru_cache(_MOST_KEPT)
def lucide(name: str, *, size: int | None = 24, **attributes: Any) -> SafeString:
    """An icon as inline SVG. Raises lucide.IconDoesNotExist."""
    return mark_safe(library.lucide(name, size=size, **attributes))  # noqa: S308 - drawn by the icon library
