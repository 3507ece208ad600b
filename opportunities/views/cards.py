"""Cards of the board, rendered once for each look of a deal."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from accounts.models import User
from opportunities.models import Opportunity
from opportunities.queries.board import order_key

_MOST_KEPT = 10_000  # about 2 kB each


@dataclass(frozen=True)
class Card:
    """Everything that a card shows besides the deal's own fields. Equal cards of one version are the same text."""

    pk: int
    version: int
    today: dt.date
    language: str | None
    may_move: bool
    account: str
    owner: str
    delivery_owner: str
    days_in_stage: int
    order: str


_kept: dict[Card, SafeString] = {}


def rendered_card(deal: Opportunity, *, user: User, today: dt.date) -> SafeString:
    """One card's HTML."""
    card = Card(
        pk=deal.pk,
        version=deal.version,
        today=today,
        language=get_language(),
        may_move=user.has_perm("opportunities.edit", deal),
        account=deal.account.name if deal.account else "",
        owner=deal.owner.name if deal.owner else "",
        delivery_owner=deal.delivery_owner.name if deal.delivery_owner else "",
        days_in_stage=max((today - timezone.localdate(deal.stage_entered_at)).days, 0),
        order=order_key(deal),
    )
    text = _kept.get(card)
    if text is None:
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        text = _kept[card] = render_to_string("opportunities/_card.html", {"deal": deal, "card": card})
    return text


def replacing(card: SafeString) -> SafeString:
    """The card as it replaces itself on an open page, wherever it stands there."""
    return mark_safe(card.replace("<li ", '<li hx-swap-oob="true" ', 1))  # noqa: S308 - rendered by our template
