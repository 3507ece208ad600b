"""Rows of the deal list, drawn once for each look of a deal. Plain functions, because a page has hundreds of cells."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from django.template.defaultfilters import truncatechars
from django.urls import reverse
from django.utils import timezone
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from lucide.templatetags.lucide import lucide

from accounts.formats import money, short_date
from accounts.models import User
from opportunities.access import editor
from opportunities.models import Opportunity
from opportunities.queries.listing import ColumnKind

_MOST_KEPT = 10_000  # about 2 kB each
_TEMPERATURE_ICONS = {"hot": "flame", "warm": "thermometer-sun", "cold": "snowflake"}
_kept: dict[tuple[Any, ...], SafeString] = {}


def drawn_rows(
    deals: Sequence[Opportunity], columns: Sequence[ColumnKind], *, user: User, today: dt.date
) -> list[SafeString]:
    """The rows' HTML, in order."""
    may_edit = editor(user)
    shared = (tuple(column.key for column in columns), get_language(), timezone.get_current_timezone_name(), today)
    return [_row(deal, columns, shared, may_edit=may_edit(deal), today=today) for deal in deals]


def _row(
    deal: Opportunity, columns: Sequence[ColumnKind], shared: tuple[Any, ...], *, may_edit: bool, today: dt.date
) -> SafeString:
    named = (deal.account, deal.stage, deal.pipeline, deal.service_line, deal.owner, deal.delivery_owner)
    sides = (each.side if each else None for each in (deal.owner, deal.delivery_owner))
    names = (str(each) if each else None for each in named)
    look = (deal.pk, deal.version, deal.updated_at, may_edit, *shared, *names, *sides)
    text = _kept.get(look)
    if text is None:
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        text = _kept[look] = _draw(deal, columns, may_edit, today)
    return text


def _draw(deal: Opportunity, columns: Sequence[ColumnKind], may_edit: bool, today: dt.date) -> SafeString:
    cells = ((column.key, " ot-end" if column.is_figure else "", _cell(deal, column, today)) for column in columns)
    fixed = format_html('disabled title="{}"', _("Only the deal’s own people can change it."))
    return format_html(
        '<tr id="row-{}"><td class="deal-tick"><input class="form-check-input" type="checkbox" name="ids" value="{}"'
        ' aria-label="{}" {}></td>{}</tr>\n',
        deal.pk, deal.pk, _("Tick %(name)s") % {"name": deal.name}, "" if may_edit else fixed,
        format_html_join("", '<td class="deal-cell-{}{}">{}</td>', cells),
    )  # fmt: skip


def _cell(deal: Opportunity, column: ColumnKind, today: dt.date) -> SafeString:
    draw = _CELLS.get(column.key)
    return draw(deal, today) if draw else conditional_escape(column.value(deal) or "")


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
