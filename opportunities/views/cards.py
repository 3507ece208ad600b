"""Cards of the board, drawn once for each look of a deal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.template.loader import get_template
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from accounts.models import User
from opportunities.access import editor
from opportunities.models import Opportunity
from opportunities.queries.board import Brief, brief_of

_MOST_KEPT = 10_000  # about 2 kB each


@dataclass(frozen=True)
class Card:
    """Everything that a card shows besides the deal's own fields. Equal cards are the same text."""

    pk: int
    version: int
    updated_at: dt.datetime
    today: dt.date
    language: str | None
    may_move: bool
    account: str | None
    owner: str | None
    delivery_owner: str | None
    days_in_stage: int
    order: str


_kept: dict[Card, SafeString] = {}


def drawn_cards(briefs: Iterable[Brief], *, user: User, today: dt.date) -> list[SafeString]:
    """The cards' HTML, in order. One query for those that were not drawn before, none otherwise."""
    may_move, language = editor(user), get_language()
    cards = [_card(brief, may_move=may_move(brief), today=today, language=language) for brief in briefs]
    drawn = {card: text for card in cards if (text := _kept.get(card)) is not None}
    missing = [card for card in cards if card not in drawn]
    if missing:
        drawn |= _draw(missing)
    return [drawn[card] for card in cards]


def drawn_card(deal: Opportunity, *, user: User, today: dt.date) -> SafeString:
    """One card's HTML."""
    return drawn_cards([brief_of(deal)], user=user, today=today)[0]


def replacing(card: SafeString) -> SafeString:
    """The card as it replaces itself on an open page, wherever it stands there."""
    return mark_safe(card.replace("<li ", '<li hx-swap-oob="true" ', 1))  # noqa: S308 - drawn by our template


def _card(brief: Brief, *, may_move: bool, today: dt.date, language: str | None) -> Card:
    return Card(
        pk=brief.pk,
        version=brief.version,
        updated_at=brief.updated_at,
        today=today,
        language=language,
        may_move=may_move,
        account=brief.account,
        owner=brief.owner,
        delivery_owner=brief.delivery_owner,
        days_in_stage=max((today - timezone.localdate(brief.stage_entered_at)).days, 0),
        order=brief.order,
    )


def _draw(cards: list[Card]) -> dict[Card, SafeString]:
    deals = Opportunity.objects.select_related("owner", "delivery_owner").in_bulk([card.pk for card in cards])
    template = get_template("opportunities/_card.html")
    drawn = {
        card: mark_safe(template.render({"deal": deals[card.pk], "card": card}))  # noqa: S308 - our template
        for card in cards
        if card.pk in deals
    }
    if len(_kept) + len(cards) > _MOST_KEPT:
        _kept.clear()
    # A deal that changed since its brief was read is not kept under a look that it had before.
    _kept.update((card, text) for card, text in drawn.items() if deals[card.pk].version == card.version)
    return drawn | {card: SafeString() for card in cards if card not in drawn}
