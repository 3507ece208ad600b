"""The background process as it runs on one machine: relay, workers and beat together."""

from __future__ import annotations

import time

import pytest

from accounts.models import User
from handoffs import defaults as playbooks
from handoffs.models import Engagement
from tests import factories
from tests.support.servers import OneTeam


@pytest.mark.slow
def test_a_warm_deal_gets_its_engagement(live_app: OneTeam, alice: User, dan: User) -> None:
    playbooks.create(organisation=factories.organisation(), now=factories.timezone.now())
    deal = factories.deal("proposal", owner=alice)
    deadline = time.monotonic() + 10
    while not (engagements := list(Engagement.objects.filter(opportunity=deal))):
        assert time.monotonic() < deadline, "no engagement came"
        time.sleep(0.02)
    assert [engagement.opportunity_id for engagement in engagements] == [deal.pk]
    assert engagements[0].tasks.exists()
