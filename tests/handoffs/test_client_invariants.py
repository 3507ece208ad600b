"""What must hold about the client's voice is found when it doesn't."""

from __future__ import annotations

import pytest
from django.db import connection

from accounts.models import User
from handoffs.client_invariants import CLIENT_INVARIANTS
from handoffs.models import RiskProfile, Subject
from handoffs.services.client import FurtherRisk, amend, confirm, link_of, opt_out
from tests.handoffs.asking import asked, contact_of, pulsed, ready
from tests.handoffs.reactions import MONDAY, TUESDAY


def broken() -> set[str]:
    """Names of those that don't hold."""
    found = set()
    with connection.cursor() as cursor:
        for invariant in CLIENT_INVARIANTS:
            cursor.execute(f"select count(*) from ({invariant.sql}) found")
            if cursor.fetchone()[0]:
                found.add(invariant.name.removeprefix("handoffs."))
    return found


DONE_BY_HAND = "update handoffs_task set state = 'done', done_at = now() where action = 'client_criteria'"


@pytest.mark.parametrize(
    ("name", "breaking"),
    [
        ("client_tasks_follow_the_client", "update handoffs_task set state = 'open' where action = 'client_scope'"),
        ("client_tasks_follow_the_client", DONE_BY_HAND),
        ("agreed_profiles_have_a_word", "update handoffs_riskprofile set client_agreed_at = null where number = 2"),
        ("amendments_are_the_next_version", "update handoffs_riskprofile set number = 9 where number = 2"),
        ("silence_is_kept", "update handoffs_clientvoice set opted_out_at = '2026-11-01'"),
    ],
)  # fmt: skip
def test_what_is_broken_is_found(alice: User, dan: User, name: str, breaking: str) -> None:
    deal, nora = ready(alice, dan)
    link, _ = asked(deal, alice, nora)
    confirm(link=link, subject=Subject.SCOPE, number=1, now=MONDAY)
    number = RiskProfile.objects.get().number
    amend(link=link, subject=Subject.RISK_PROFILE, number=number, further=[FurtherRisk("Snow", 2, 2)], now=MONDAY)
    _, token = pulsed(deal, contact_of(deal, "Olga"))
    pulse_link = link_of(token)
    assert pulse_link is not None
    opt_out(link=pulse_link, now=TUESDAY)
    assert broken() == set()
    with connection.cursor() as cursor:
        cursor.execute(breaking)
    assert broken() == {name}
