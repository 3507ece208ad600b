"""The running API against its own description: generated requests, good and bad, and every answer checked.

Usually a few requests per operation, the same ones each time. For a long search with new ones, which goes through the
limits of every parameter as well and takes half an hour:

    ONETEAM_SCHEMA_EXAMPLES=200 .venv/bin/pytest tests/api/test_against_schema.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db.models import Model
from django.utils import timezone

from accounts.models import User
from events.deliveries import OPEN
from events.models import Delivery
from handoffs import defaults
from handoffs.models import DealReview, Delegation, Engagement, Handoff, Pulse, RampPlan, Task
from handoffs.services.approvals import delegate
from opportunities.models import Account, Contact, Opportunity, Pipeline, Stage
from staffing.models import (
    Booking,
    NeedTemplate,
    Person,
    Scenario,
    ScenarioChange,
    Skill,
    StaffingNeed,
    TimeOff,
    WorkRole,
)
from staffing.services.bookings import book
from tests import factories
from tests.api.conftest import Program
from tests.handoffs.approving import ready, submitted
from tests.support.servers import OneTeam

HERE = Path(__file__).parent
LONG = os.environ.get("ONETEAM_SCHEMA_EXAMPLES")
HOW = (
    f"--phases coverage,fuzzing --max-examples {LONG} --generation-database none --workers 2 --continue-on-failure"
    if LONG
    else "--phases fuzzing --max-examples 4 --generation-deterministic --no-shrink"
)


def things() -> dict[str, list[int]]:
    """Deals in all stages with what follows from them; ids by resource."""
    defaults.create(organisation=factories.organisation(), now=timezone.now())
    factories.dan()
    for key in ("prospect", "discovery", "discovery", "negotiation", "won", "lost"):
        factories.ContactFactory.make(account=factories.deal(key, account=factories.AccountFactory.make()).account)
    _staffing()
    deadline = time.monotonic() + 30
    while Delivery.objects.filter(state__in=OPEN).exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    _handoffs()
    kinds: dict[str, type[Model]] = {
        "accounts": Account, "contacts": Contact, "deal-reviews": DealReview, "delegations": Delegation,
        "engagements": Engagement, "handoffs": Handoff,
        "opportunities": Opportunity, "people": User, "pipelines": Pipeline, "pulses": Pulse,
        "ramp-plans": RampPlan, "stages": Stage, "tasks": Task, "staffing-roles": WorkRole,
        "staffing-skills": Skill, "staffing-people": Person, "staffing-time-off": TimeOff,
        "staffing-need-templates": NeedTemplate, "staffing-needs": StaffingNeed, "staffing-bookings": Booking,
        "staffing-scenarios": Scenario,
        "staffing-scenario-changes": ScenarioChange,
    }  # fmt: skip
    return {name: [row.pk for row in kind._default_manager.order_by("pk")] for name, kind in kinds.items()}


def _staffing() -> None:
    """A role that a deal needs, and somebody who has a skill, a day off and a booking."""
    role, day = WorkRole.objects.create(name="Architect"), timezone.now().date()
    person = Person.objects.create(name="Nils", role=role)
    person.skills.create(skill=Skill.objects.create(name="Kafka"), proficiency=3)
    TimeOff.objects.create(person=person, first_on=day, last_on=day)
    deal = Opportunity.objects.filter(kind="open").earliest("pk")
    NeedTemplate.objects.create(role=role, hours_per_week=20, weeks=4)
    StaffingNeed.objects.create(opportunity=deal, role=role, hours_per_week=20, weeks=4)
    book(
        actor=factories.ruth(), now=timezone.now(),
        values={"opportunity": deal, "person": person, "hours_per_week": 20, "first_on": day, "last_on": day},
    )  # fmt: skip
    scenario = Scenario.objects.create(name="What if", created_by=factories.ruth())
    scenario.changes.create(kind="shift", opportunity=deal, weeks=4, added_by=factories.ruth())


def _handoffs() -> None:
    """One that waits for the sales manager, beside those of the deals; who stands in; and a pulse."""
    now, sam, dan = timezone.now(), factories.sam(), factories.dan()
    submitted(ready(Handoff.objects.earliest("pk").opportunity, now=now), now=now)
    today = now.date()
    contact = factories.ContactFactory.make()
    Pulse.objects.create(plan=RampPlan.objects.earliest("pk"), contact=contact, occasion="kickoff", due_on=today)
    delegate(actor=sam, delegator=sam, delegate=dan, starts_on=today, ends_on=today, reason="Away", now=now)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("role", ["administrator", "sales_rep"])
def test_answers_as_described(live_app: OneTeam, role: str, tmp_path: Path) -> None:
    ids = things()
    person = factories.ada() if role == "administrator" else factories.alice()
    command = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(HERE / "schemathesis.toml")]
    command += ["--no-color", "run", f"{live_app.url}/api/v1/schema/", "--checks", "all"]
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": str(HERE / "schemathesis_hooks.py"),
        "ONETEAM_TOKEN": Program(person).token,
        "ONETEAM_IDS": json.dumps(ids),
    }
    done = subprocess.run(
        [*command, *HOW.split()], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    found = done.stdout.partition("= FAILURES =")[2].partition("= WARNINGS =")[0]
    assert done.returncode == 0, (found or done.stdout)[:10_000] + done.stderr[-2000:]
