"""What deal pages draw."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags.lucide import lucide

register = template.Library()


@register.simple_tag
def icon_symbol(name: str, icon: str) -> SafeString:
    """An icon as an SVG symbol, to be drawn many times by ``<use href="#name">``."""
    drawn = lucide(icon)
    inside = drawn[drawn.index(">") + 1 : drawn.rindex("</svg>")]
    return mark_safe(  # noqa: S308 - both parts are our own
        f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75"'
        f' stroke-linecap="round" stroke-linejoin="round">{inside}</symbol>'
    )
