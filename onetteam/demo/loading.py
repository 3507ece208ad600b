"""Making the demo company, once."""

from __future__ import annotations

import contextlib
import datetime as dt
import random

from django.db import connection, transaction

from accounts.models import Organisation, Team
from accounts.queries import organisation
from accounts.services.setup import AlreadySetUp, FirstAdministrator, set_up_organisation
from onetteam.demo import clients, company, earlier, past, staffing
from onetteam.demo.story import Story
from opportunities.models import Stage
from opportunities.services.totals import compact_totals
from opportunities.services.views import save_view

SEED = 20
_LOCK = 7_202_620  # any number that nothing else uses


class OtherData(Exception):
    """There is an organisation here that is not the demo's."""


def load(*, now: dt.datetime) -> bool:
    """Make the demo company relative to now; False when it is there already. Raises OtherData.

    All of its people and deals or nothing: whoever is interrupted starts anew.
    """
    known = Organisation.objects.filter(pk=1).first()
    if known is None:
        _set_up(now)
    elif known.name != company.NAME:
        raise OtherData(known.name)
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
        if Team.objects.exists():
            return False
        _make(now)
    compact_totals(fold_from=1)
    return True


def _set_up(now: dt.datetime) -> None:
    administrator = FirstAdministrator("Ada Novakova", company.address("Ada"), company.PASSWORD)
    with contextlib.suppress(AlreadySetUp):
        set_up_organisation(
            name=company.NAME, base_currency="EUR", country="DE", time_zone="Europe/Berlin",
            administrator=administrator, now=now - dt.timedelta(days=500),
        )  # fmt: skip


def _make(now: dt.datetime) -> None:
    chance = random.Random(SEED)  # noqa: S311 - the same demo every time
    home = organisation()
    today = home.today(now)
    made = company.make(home, today=today)
    accounts = clients.make(made, chance, now=now)
    stages = {stage.key: stage for stage in Stage.objects.select_related("pipeline")}
    closed = past.make(made, accounts, stages, chance, today=today, now=now)
    staffing.hire(made, random.Random(SEED), today=today)  # noqa: S311 - of its own, so that the deals stay as they are
    earlier.tell(made, closed, random.Random(SEED), today=today, now=now)  # noqa: S311 - likewise
    story = Story(made, accounts, stages, chance, today=today, now=now)
    story.tell()
    staffing.plan(made, today=today, now=now)
    story.catch_up(now)
    past.add_to_snapshots(closed, chance, today=today)
    save_view(actor=made.people["Sam"], name="Hot, by amount", query="temperature=hot&sort=-amount", is_shared=True)
