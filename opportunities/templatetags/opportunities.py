"""What deal pages draw."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, cast

from django import forms, template
from django.template.defaultfilters import linebreaksbr
from django.utils.formats import date_format, number_format
from django.utils.html import conditional_escape, format_html_join
from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags.lucide import lucide

register = template.Library()


@register.simple_tag
@cache
def icon_symbol(name: str, icon: str) -> SafeString:
    """An icon as an SVG symbol, to be drawn many times by ``<use href="#name">``."""
    drawn = lucide(icon)
    inside = drawn[drawn.index(">") + 1 : drawn.rindex("</svg>")]
    return mark_safe(  # noqa: S308 - both parts are our own
        f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75"'
        f' stroke-linecap="round" stroke-linejoin="round">{inside}</symbol>'
    )


@register.simple_tag
def options(field: forms.BoundField) -> SafeString:
    """The options of a select, the present one chosen; one function call for hundreds of people."""
    value = field.value()
    choices = cast(Iterable[tuple[Any, Any]], cast(forms.ChoiceField, field.field).choices)
    chosen = {str(each) for each in (value if isinstance(value, list) else [value]) if each is not None} or {""}
    return _options(tuple((str(key), str(label)) for key, label in choices), frozenset(chosen))


@lru_cache(64)
def _options(choices: tuple[tuple[str, str], ...], chosen: frozenset[str]) -> SafeString:
    return format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        ((key, mark_safe(" selected") if key in chosen else "", label) for key, label in choices),
    )


@register.simple_tag
def field_value(value: Any) -> SafeString:
    """A field's value as people read it."""
    if value in (None, ""):
        return mark_safe('<span class="ot-soft">–</span>')
    if isinstance(value, Decimal):
        return conditional_escape(number_format(value, use_l10n=True, force_grouping=True))
    return linebreaksbr(str(date_format(value) if isinstance(value, dt.date) else value))
