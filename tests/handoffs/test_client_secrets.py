"""The token of a private page stays in the mail and in the address: no table, event, log or other page has it."""

from __future__ import annotations

import io
import logging
import logging.config
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from handoffs.services.client import ask_client, send_pulse
from onetteam.logs import logging_config
from tests.cast import Browser
from tests.handoffs.asking import asked, ready, started
from tests.handoffs.reactions import react
from tests.handoffs.test_client_mail import token_in


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged, however fine, as the product writes it."""
    config = logging_config(as_json=True, level="DEBUG")
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(logging.config.DictConfigurator(config).configure_formatter(config["formatters"]["line"]))
    loggers = [logging.getLogger(name) for name in ("", "django.request", "django.server", "django.security.csrf")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    loggers[0].addHandler(handler)
    yield text
    loggers[0].removeHandler(handler)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def dump() -> str:
    """The whole database as text."""
    with connection.cursor() as cursor:
        cursor.execute("select tablename from pg_tables where schemaname = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        rows = []
        for table in tables:
            cursor.execute(f'select t::text from "{table}" t')
            rows += [row for (row,) in cursor.fetchall()]
    return "\n".join(rows)


def test_tokens_are_in_no_table(
    client: Client, as_alice: Browser, alice: User, dan: User, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    deal, nora = ready(alice, dan)
    now = timezone.now()
    tokens = [asked(deal, alice, nora, now=now)[1]]
    ask_client(actor=dan, opportunity=deal, contact=nora, now=now)
    send_pulse(actor=dan, plan=started(deal), contact=nora, now=now)
    react(now)
    tokens += [token_in(message) for message in mailoutbox]
    assert len(set(tokens)) == 3
    for token in tokens:
        client.get(reverse("handoffs:client_page", args=[token]))
        client.post(reverse("handoffs:client_confirm", args=[token, "scope"]), {"number": 1})
        client.post(reverse("handoffs:client_rate", args=[token]), {"csat": 4})
        client.post(reverse("handoffs:client_mail", args=[token]))
    everything = dump() + as_alice.get(reverse("handoffs:client_panel", args=[deal.pk])).content.decode()
    assert "Nora" in everything
    assert [token for token in tokens if token in everything] == []


def test_tokens_are_in_no_log(
    client: Client, alice: User, dan: User, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.clear()
    deal, nora = ready(alice, dan)
    _, token = asked(deal, alice, nora, now=timezone.now())
    client.get(reverse("handoffs:client_page", args=[token]))
    client.put(reverse("handoffs:client_page", args=[token]))
    client.get(reverse("handoffs:client_page", args=[token]) + "nowhere/")
    client.raise_request_exception = False
    monkeypatch.setattr("handoffs.views.client_pages.cards_of", lambda _link: 1 / 0)
    assert client.get(reverse("handoffs:client_page", args=[token])).status_code == 500
    assert "ZeroDivisionError" in log.getvalue()
    assert "/c/…" in log.getvalue()
    assert token not in log.getvalue()
