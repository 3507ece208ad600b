"""The demo company: there at once, alive for everybody, and the same after a second load."""

from __future__ import annotations

import io

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db.models import Count
from django.test import Client
from django.utils import timezone

from accounts.models import Organisation, User
from accounts.queries import organisation as home
from dashboards.queries.needs import needs_of
from events.invariants import all_invariants, verify
from events.models import Delivery, Event
from handoffs.models import Engagement, Task
from onetteam.demo import company
from opportunities.models import ForecastSnapshot, Opportunity
from staffing.replay_queries import replay_of
from tests import factories


def load() -> str:
    said = io.StringIO()
    call_command("load_demo", stdout=said)
    return said.getvalue()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_demo_is_alive_and_loads_once() -> None:
    said = load()
    now = timezone.now()
    assert all(company.address(name) in said for name in company.CAST)
    assert Client().login(email=company.address("Alice"), password=company.PASSWORD)
    # Believable in size.
    deals = Opportunity.objects
    assert 55 <= deals.open().count() <= 65
    assert 240 <= deals.exclude(kind="open").count() <= 270
    assert 38 <= User.objects.count() <= 45
    assert ForecastSnapshot.objects.count() >= 52
    by_line = dict(deals.open().values_list("service_line__key").annotate(Count("pk")).order_by())
    assert len(by_line) == 3
    # Every kind of thing is there once at least.
    assert deals.open().filter(is_unforecasted=True).count() >= 4
    assert deals.open().filter(snoozed_until__isnull=False).exists()
    assert deals.open().filter(push_count__gt=0).exists()
    assert deals.open().filter(close_date__lt=home().today(now)).exists()
    assert {"requested", "accepted", "active", "done", "declined"} <= set(
        Engagement.objects.values_list("state", flat=True)
    )
    assert {"open", "done", "paused", "cancelled"} == set(Task.objects.values_list("state", flat=True))
    # Nothing lies ahead of us, nothing is owed, nothing is wrong.
    assert not Event.objects.filter(at__gt=now).exists()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"done"}
    assert [finding for finding in verify(all_invariants()) if finding.count] == []
    assert mail.outbox == []
    # There is something to look back on, and nothing that history can't tell.
    ruth = User.objects.get(email=company.address("Ruth"))
    replayed = replay_of(ruth, home(), today=home().today(now))
    assert replayed.has_figures
    assert len(replayed.lines) >= 20
    assert replayed.test.untold == 0
    # Something waits for everybody who does the work.
    for name in ("Alice", "Sam", "Pia", "Dan", "Ruth", "Charlie"):
        person = User.objects.get(email=company.address(name))
        assert needs_of(person, home=home(), now=now).count, name
    before = (deals.count(), Event.objects.count(), User.objects.count())
    assert load() == said
    assert before == (deals.count(), Event.objects.count(), User.objects.count())


@pytest.mark.django_db
def test_it_does_not_mix_with_other_data() -> None:
    factories.organisation()
    with pytest.raises(CommandError, match="Northwind Services"):
        load()
    assert Organisation.objects.count() == 1
    assert not Opportunity.objects.exists()
