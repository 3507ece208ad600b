"""The public CRM sample, if it lies beside the checkout: 8,800 deals as a CRM exports them."""

from __future__ import annotations

import io
import os
from collections import Counter
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db.models import Count

from accounts.models import Team, User
from events.models import Delivery
from opportunities.models import Account, Opportunity, StageChange

SAMPLE = Path(os.environ.get("ONETEAM_SAMPLE_DIR") or settings.BASE_DIR.parent / "shared" / "data" / "crm-sales")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SAMPLE.is_dir(), reason=f"the CRM sample is not at {SAMPLE}; ONETEAM_SAMPLE_DIR says where"),
    pytest.mark.usefixtures("ada"),
]


def load(*arguments: str) -> str:
    said = io.StringIO()
    call_command(
        "import_opportunities", str(SAMPLE / "sales_pipeline.csv"), "--accounts", SAMPLE / "accounts.csv",
        "--teams", SAMPLE / "sales_teams.csv", "--products", SAMPLE / "products.csv", "--baseline",
        "--shift-dates-to-today", "--stage", "Engaging=discovery", *arguments, stdout=said,
    )  # fmt: skip
    return said.getvalue()


def test_the_sample_arrives_whole_and_once(organisation: object) -> None:
    assert "8,800 would be created, 0 would be changed, 0 unchanged, 0 would be refused." in load("--dry-run")
    assert "8,800 created, 0 changed, 0 unchanged, 0 refused." in load()
    by_stage = dict(Opportunity.objects.values_list("stage__key").annotate(Count("pk")).order_by())
    assert by_stage == {"prospect": 500, "discovery": 1589, "won": 4238, "lost": 2473}
    # True dates: opened, then closed; the newest lies on the day of the import.
    steps = Counter(StageChange.objects.values_list("number", flat=True))
    assert steps == {1: 8800, 2: 6711}
    opened, closed = Opportunity.objects.get(external_id="1C1I7A6R").stage_changes.order_by("number")
    assert (closed.at.date() - opened.at.date()).days == 132
    # Missing accounts, joined spellings, list prices.
    assert Opportunity.objects.filter(account=None).count() == 1425
    assert Account.objects.count() == 85
    assert Opportunity.objects.filter(product="GTX Pro").count() == 1480
    assert not Opportunity.objects.filter(product="GTXPro").exists()
    assert not Opportunity.objects.filter(kind="open", amount=0).exists()
    assert (Team.objects.count(), User.objects.filter(is_active=False).count()) == (6, 41)
    # A baseline asks delivery in and flags nothing.
    assert not Opportunity.objects.filter(is_unforecasted=True).exists()
    assert Delivery.objects.filter(handler="handoffs.handlers.request_engagement").count() == 1589
    assert "0 created, 0 changed, 8,800 unchanged, 0 refused." in load()
