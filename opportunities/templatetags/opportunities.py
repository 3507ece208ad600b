"""What deal pages draw."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from django import template
from django.template.defaultfilters import linebreaksbr, truncatechars
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from lucide.templatetags.lucide import lucide

from accounts.formats import money, short_date
from accounts.models import User
from opportunities.models import Opportunity
from opportunities.queries.listing import COLUMNS

register = template.Library()

_TEMPERATURE_ICONS = {"hot": "flame", "warm": "thermometer-sun", "cold": "snowflake"}


@register.simple_tag
def icon_symbol(name: str, icon: str) -> SafeString:
    """An icon as an SVG symbol, to be drawn many times by ``<use href="#name">``."""
    drawn = lucide(icon)
    inside = drawn[drawn.index(">") + 1 : drawn.rindex("</svg>")]
    return mark_safe(  # noqa: S308 - both parts are our own
        f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75"'
        f' stroke-linecap="round" stroke-linejoin="round">{inside}</symbol>'
    )


@register.simple_tag
def deal_cell(deal: Opportunity, key: str, today: dt.date) -> SafeString:
    """One cell of the deal list. Plain functions, because a page has hundreds of cells."""
    draw = _CELLS.get(key)
    return draw(deal, today) if draw else conditional_escape(COLUMNS[key].value(deal) or "")


@register.simple_tag
def field_value(value: Any) -> SafeString:
    """A field's value as people read it."""
    if value in (None, ""):
        return _nothing()
    if isinstance(value, Decimal):
        return conditional_escape(number_format(value, use_l10n=True, force_grouping=True))
    return linebreaksbr(str(date_format(value) if isinstance(value, dt.date) else value))


@cache
def _icon(name: str) -> SafeString:
    return mark_safe(lucide(name, size=13))  # noqa: S308 - drawn by the icon library


def _name(deal: Opportunity, today: dt.date) -> SafeString:
    address = reverse("opportunities:detail", args=[deal.pk])
    account = format_html('<span class="deal-of">{}</span>', deal.account.name) if deal.account else ""
    return format_html('<a class="deal-link" href="{}">{}</a>{}', address, deal.name, account)


def _account(deal: Opportunity, today: dt.date) -> SafeString:
    if deal.account is None:
        return _nothing()
    address = reverse("opportunities:account", args=[deal.account.pk])
    return format_html('<a class="deal-account" href="{}">{}</a>', address, deal.account.name)


def _temperature(deal: Opportunity, today: dt.date) -> SafeString:
    badge = format_html(
        '<span class="ot-badge ot-badge-{}">{}{}</span>',
        deal.temperature, _icon(_TEMPERATURE_ICONS[deal.temperature]), deal.get_temperature_display(),
    )  # fmt: skip
    if not deal.is_unforecasted:
        return badge
    return format_html(
        '{} <span class="ot-badge ot-badge-flag ot-badge-icon" title="{}">{}'
        '<span class="visually-hidden">{}</span></span>',
        badge, ", ".join(deal.unforecasted_labels), _icon("radar"), _("Un-forecasted"),
    )  # fmt: skip


def _amount(deal: Opportunity, today: dt.date) -> SafeString:
    return _nothing() if deal.amount is None else format_html(
        '<span class="ot-money">{}</span>', money(deal.amount, deal.currency)
    )  # fmt: skip


def _weighted(deal: Opportunity, today: dt.date) -> SafeString:
    weighted = deal.weighted_amount
    return _nothing() if weighted is None else format_html(
        '<span class="ot-money">{}</span>', money(round(weighted), deal.currency)
    )  # fmt: skip


def _day(day: dt.date | None, today: dt.date, *, late: bool = False) -> SafeString:
    if day is None:
        return _nothing()
    if late and day < today:
        return format_html(
            '<time class="ot-date ot-date-late" datetime="{}">{} <span class="ot-date-hint">{}</span></time>',
            day.isoformat(), short_date(day, today), _("past"),
        )  # fmt: skip
    return format_html('<time class="ot-date" datetime="{}">{}</time>', day.isoformat(), short_date(day, today))


def _closes(deal: Opportunity, today: dt.date) -> SafeString:
    if not deal.is_open and deal.closed_on:
        return format_html('{} <span class="ot-soft">{}</span>', _day(deal.closed_on, today), _("closed"))
    return _day(deal.close_date, today, late=True)


def _person(person: User | None) -> SafeString:
    if person is None:
        return _nothing()
    side = person.side
    return format_html(
        '<span class="ot-person"><span class="ot-avatar ot-avatar-sm{}" aria-hidden="true">{}</span>'
        '<span class="ot-person-name">{}</span></span>',
        f" ot-avatar-{side.value}" if side else "", person.initials, person.name,
    )  # fmt: skip


def _next_step(deal: Opportunity, today: dt.date) -> SafeString:
    if not deal.next_step:
        return _nothing()
    text = format_html('<span title="{}">{}</span>', deal.next_step, truncatechars(deal.next_step, 60))
    if not deal.next_step_on or not deal.is_open:
        return text
    return format_html_join(" · ", "{}", [(text,), (_day(deal.next_step_on, today, late=True),)])


def _since(deal: Opportunity, today: dt.date) -> SafeString:
    entered = timezone.localdate(deal.stage_entered_at)
    days = max((today - entered).days, 0)
    words = ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
    return format_html('<time class="ot-date" datetime="{}" title="{}">{}</time>', entered.isoformat(), entered, words)


def _percent(deal: Opportunity, today: dt.date) -> SafeString:
    return format_html("{} %", deal.probability)


def _nothing() -> SafeString:
    return mark_safe('<span class="ot-soft">–</span>')


_CELLS: Mapping[str, Callable[[Opportunity, dt.date], SafeString]] = {
    "name": _name,
    "account": _account,
    "temperature": _temperature,
    "amount": _amount,
    "weighted": _weighted,
    "probability": _percent,
    "close_date": _closes,
    "start_on": lambda deal, today: _day(deal.start_on, today),
    "next_step_on": lambda deal, today: _day(deal.next_step_on, today, late=deal.is_open),
    "changed": lambda deal, today: _day(timezone.localdate(deal.updated_at), today),
    "owner": lambda deal, today: _person(deal.owner),
    "delivery_owner": lambda deal, today: _person(deal.delivery_owner),
    "next_step": _next_step,
    "entered": _since,
}
