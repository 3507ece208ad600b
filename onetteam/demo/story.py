"""How the present deals came to stand where they stand: told day by day through the services that people use.

Each step carries its own time, and delivery reacts right after it, as it would have.
"""

from __future__ import annotations

import datetime as dt
import heapq
import itertools
import random
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.module_loading import import_string

from accounts.models import Role, Side, Team, User
from events.deliveries import is_outside
from events.models import Delivery, DeliveryState
from handoffs.models import Engagement, EngagementState, Task, TaskSide
from handoffs.services.actions import FOLLOWING_ACTIONS
from handoffs.services.engagements import accept_engagement, decline_engagement, reassign_engagement
from handoffs.services.tasks import complete_task
from onetteam.demo import clients, handovers, ledger, past, reviews, texts
from onetteam.demo.company import Company
from onetteam.demo.pursuits import CLOSED_LATELY, OPEN, STAGES, Pursuit
from onetteam.demo.reviews import Stop, hold_review
from opportunities.models import Account, Contact, LossReason, Opportunity, Stage
from opportunities.services.closing import snooze
from opportunities.services.conversation import add_comment
from opportunities.services.editing import create_opportunity, update_opportunity
from opportunities.services.files import add_file
from opportunities.services.forecast import lock_snapshot
from opportunities.services.moves import move_to_stage, set_temperature

WEEKS = 21  # how far back the oldest present deal reaches
_WARM = STAGES.index("discovery")
Act = Callable[[dt.datetime], object]


class Story:
    """Acts waiting for their moment."""

    def __init__(
        self,
        company: Company,
        accounts: Mapping[str, Account],
        stages: Mapping[str, Stage],
        chance: random.Random,
        *,
        today: dt.date,
        now: dt.datetime,
    ) -> None:
        self.company, self.accounts, self.stages, self.chance = company, accounts, stages, chance
        self.today, self.now = today, now
        self.deals: dict[Pursuit, Opportunity] = {}
        self.tokens: dict[Pursuit, str] = {}  # of the clients' private links
        self._waiting: list[tuple[dt.datetime, int, Act, bool]] = []
        self._order = itertools.count()
        self._project_managers = {
            key: itertools.cycle(_taking_turns([p for p in company.managers(key) if p.has_role(Role.PROJECT_MANAGER)]))
            for key in company.lines
        }

    # --- telling ----------------------------------------------------------------------------------------------------

    def tell(self) -> None:
        """Plan every deal's life and let it happen, in the order of time."""
        for monday in past.mondays(self.today, WEEKS):
            self.at(
                dt.datetime.combine(monday, dt.time(5), dt.UTC), lambda when: lock_snapshot(now=when), is_quiet=True
            )
        for pursuit in (*OPEN, *CLOSED_LATELY):
            self._plan(pursuit)
        reviews.plan(self)
        while self._waiting:
            when, _order, act, is_quiet = heapq.heappop(self._waiting)
            act(when)
            if not is_quiet:
                self.catch_up(when)

    def at(self, when: dt.datetime, act: Act, *, is_quiet: bool = False) -> None:
        """Let something happen; what would lie ahead of us doesn't. Nobody reacts to what is quiet."""
        if when <= self.now:
            heapq.heappush(self._waiting, (when, next(self._order), act, is_quiet))

    def day(self, ago: float, hour: int | None = None) -> dt.datetime:
        """A working hour so many days ago; weekends move to the Friday before. At most now."""
        day = self.today - dt.timedelta(days=round(ago))
        day -= dt.timedelta(days=max(0, day.weekday() - 4))
        clock = dt.time(hour or self.chance.randint(8, 15), self.chance.randrange(60))
        return min(dt.datetime.combine(day, clock, dt.UTC), self.now - dt.timedelta(minutes=self.chance.randint(5, 90)))

    def catch_up(self, when: dt.datetime) -> None:
        """Delivery and the rest of the machinery do what they owe, half a minute later."""
        soon = min(when + dt.timedelta(seconds=30), self.now)
        while owed := list(Delivery.objects.filter(state=DeliveryState.PENDING).select_related("event").order_by("pk")):
            for delivery in owed:
                handler = import_string(delivery.handler)
                # Nobody in the demo has a mailbox, and without a mail server mail would fill the terminal.
                if not is_outside(handler):
                    handler(event=delivery.event, now=soon)
            Delivery.objects.filter(pk__in=[delivery.pk for delivery in owed]).update(
                state=DeliveryState.DONE, attempts=1, done_at=soon
            )

    # --- one deal's life --------------------------------------------------------------------------------------------

    def _plan(self, pursuit: Pursuit) -> None:
        """Everything that happens to a deal."""
        goal = STAGES.index(pursuit.stage) if pursuit.stage in STAGES else len(STAGES) - 1
        first = max(goal - 1, _WARM) if pursuit.has("express") else 0
        path = [STAGES[first], STAGES[goal]] if pursuit.has("leap") else list(STAGES[first : goal + 1])
        if path[0] == path[-1]:
            path = path[:1]
        is_closed = pursuit.stage in ("won", "lost")
        end = -pursuit.closes if is_closed else self._days_in_stage(pursuit)
        days = _spread(pursuit.age, end + 6 if is_closed else end, len(path), self.chance)
        self.at(self.day(days[0]), partial(self._open, pursuit, path[0]))
        for stage, ago in zip(path[1:], days[1:], strict=True):
            self.at(self.day(ago), partial(self._move, pursuit, stage))
        warm_since = next((ago for stage, ago in zip(path, days, strict=True) if STAGES.index(stage) >= _WARM), None)
        if warm_since is not None:
            self._plan_engagement(pursuit, warm_since, end if is_closed else 0)
        if STAGES[goal] == "negotiation" and not pursuit.has("leap"):
            self._plan_review(pursuit, days[-1], end)
        if is_closed:
            self.at(self.day(end), partial(self._close, pursuit))
        self._plan_particulars(pursuit)
        if pursuit.stage == "won":
            handovers.plan(self, pursuit)
        ledger.plan(self, pursuit, self.seller(pursuit), warm_since=warm_since, until=end if is_closed else 0)

    def _plan_engagement(self, pursuit: Pursuit, warm_since: float, until: float) -> None:
        if pursuit.traits & {"fresh", "express", "leap", "unanswered"}:  # delivery has not answered yet
            if pursuit.has("fresh") and pursuit.line == "cloud":
                self.at(self.day(warm_since, 16), partial(self._hand_to_pm, pursuit))
            return
        if pursuit.has("accepted"):  # and not begun yet
            self.at(self.day(1, 16), partial(self._accept, pursuit))
            return
        answered = max(warm_since - self.chance.choice((1, 1, 2)), until)
        if pursuit.has("declined"):
            self.at(self.day(answered, 16), partial(self._decline, pursuit))
            return
        self.at(self.day(answered, 16), partial(self._accept, pursuit))
        if self.chance.random() < 0.6:
            self.at(self.day(max(answered - 2, until), 11), partial(self._hand_to_pm, pursuit))
        ago = answered - 3
        while ago > until:
            self.at(self.day(ago, 15), partial(self._work, pursuit), is_quiet=True)
            ago -= 5

    def _plan_review(self, pursuit: Pursuit, hot_since: float, end: float) -> None:
        """Agreed before a win; of the deals still open some are further than others."""
        if pursuit.stage == "lost":
            return
        if pursuit.stage == "won":
            self.at(self.day(end + 4, 16), partial(self._review, pursuit, Stop.AGREED))
            return
        stops = [stop for stop in Stop for _time in range(2)]
        stop = stops[len(pursuit.name) % len(stops)]
        self.at(self.day(max(hot_since - 3, 1), 16), partial(self._review, pursuit, stop))

    def _plan_particulars(self, pursuit: Pursuit) -> None:
        talk = 3 if pursuit.has("chatty") else self.chance.choice((0, 1, 1))
        for ago in sorted((self.chance.uniform(1, pursuit.age * 0.6) for _ in range(talk)), reverse=True):
            self.at(self.day(ago), partial(self._comment, pursuit), is_quiet=True)
        if pursuit.has("files"):
            for number, ago in enumerate((pursuit.age * 0.4, pursuit.age * 0.2)):
                self.at(self.day(ago), partial(self._file, pursuit, number), is_quiet=True)
        if pursuit.has("pushed"):
            for ago, days in ((pursuit.age * 0.3, -21), (pursuit.age * 0.2, 0)):
                self.at(self.day(ago), partial(self._redate, pursuit, days))
        if pursuit.has("pulled"):
            self.at(self.day(2), lambda when: self._redate(pursuit, 0, when))
        for trait, ago, act in (
            ("cooled", 15, self._cool), ("snoozed", 9, self._snooze), ("override", 6, self._warm_up),
        ):  # fmt: skip
            if pursuit.has(trait):
                self.at(self.day(ago), partial(act, pursuit))

    def _days_in_stage(self, pursuit: Pursuit) -> int:
        """For how many days an open deal has stood where it stands; some for too long."""
        for trait, days in (
            ("fresh", 1),
            ("leap", 1),
            ("express", 1),
            ("unanswered", 6),
            ("accepted", 3),
            ("cooled", 32),
        ):
            if pursuit.has(trait):
                return days
        return min(self.chance.choice((5, 8, 12, 16, 24, 34)), pursuit.age // 3)

    # --- sales ------------------------------------------------------------------------------------------------------

    def _open(self, pursuit: Pursuit, stage: str, when: dt.datetime) -> None:
        region = clients.region_of(pursuit.client)
        team = self.company.sales_team(region)
        owner = self.company.people.get(pursuit.owner)
        closes = self.today + dt.timedelta(days=pursuit.closes)
        currency = self._currency(pursuit)
        values: dict[str, Any] = {
            "name": pursuit.name, "account": self.accounts[pursuit.client], "owner": owner, "team": team,
            "service_line": self.company.lines[pursuit.line], "region": self.company.regions[region],
            "amount": None if pursuit.amount is None else Decimal(pursuit.amount * 1000) * clients.scale(currency),
            "currency": currency, "description": self.chance.choice(texts.ABOUT),
            "close_date": closes + dt.timedelta(days=self._first_guess(pursuit)),
            "start_on": closes + dt.timedelta(days=self._first_guess(pursuit) + self.chance.choice((14, 21, 28))),
        }  # fmt: skip
        if not pursuit.has("no_step"):
            values |= self._next_step(pursuit, stage)
        actor = owner or self._manager(team)
        deal = create_opportunity(actor=actor, stage=self.stages[stage], values=values, now=when)
        people = list(Contact.objects.filter(account=self.accounts[pursuit.client]))
        deal.contacts.set(self.chance.sample(people, min(len(people), self.chance.choice((1, 2, 2, 3)))))
        self.deals[pursuit] = deal

    def _move(self, pursuit: Pursuit, stage: str, when: dt.datetime) -> None:
        changes = {} if pursuit.has("no_step") else self._next_step(pursuit, stage)
        move_to_stage(
            actor=self.seller(pursuit), opportunity=self.deals[pursuit], stage=self.stages[stage],
            expected_version=None, now=when, changes=changes,
            reason="They asked us to go straight to terms." if pursuit.has("leap") else "",
        )  # fmt: skip

    def _close(self, pursuit: Pursuit, when: dt.datetime) -> None:
        reason = self.chance.choice((LossReason.NO_DECISION, LossReason.COMPETITOR, LossReason.PRICE)).value
        lost = {"loss_reason": reason, "loss_note": texts.LOSS_NOTES[reason]}
        move_to_stage(
            actor=self.seller(pursuit), opportunity=self.deals[pursuit], stage=self.stages[pursuit.stage],
            expected_version=None, now=when, changes=lost if pursuit.stage == "lost" else {},
        )  # fmt: skip

    def _cool(self, pursuit: Pursuit, when: dt.datetime) -> None:
        """Warm for a week, then the sponsor fell ill."""
        self._move(pursuit, "discovery", when)
        self.catch_up(when)
        later = min(when + dt.timedelta(days=7), self.now)
        move_to_stage(
            actor=self.seller(pursuit), opportunity=self.deals[pursuit], stage=self.stages["qualified"],
            expected_version=None, now=later, reason="Their sponsor is on leave until January.",
        )  # fmt: skip

    def _warm_up(self, pursuit: Pursuit, when: dt.datetime) -> None:
        deal = self._fresh(pursuit)
        set_temperature(
            actor=self.seller(pursuit), opportunity=deal, temperature="hot", expected_version=deal.version, now=when,
            reason="An inspection is due in February; they want to sign before Christmas.",
        )  # fmt: skip

    def _snooze(self, pursuit: Pursuit, when: dt.datetime) -> None:
        deal = self._fresh(pursuit)
        snooze(
            actor=self.seller(pursuit), opportunity=deal, until=self.today + dt.timedelta(days=24),
            reason="They decide on next year’s budget first.", expected_version=deal.version, now=when,
        )  # fmt: skip

    def _redate(self, pursuit: Pursuit, days: int, when: dt.datetime) -> None:
        deal = self._fresh(pursuit)
        closes = self.today + dt.timedelta(days=pursuit.closes + days)
        start = closes + dt.timedelta(days=21)
        update_opportunity(
            actor=self.seller(pursuit), opportunity=deal, changes={"close_date": closes, "start_on": start},
            expected_version=deal.version, now=when,
        )  # fmt: skip

    # --- delivery ---------------------------------------------------------------------------------------------------

    def _accept(self, pursuit: Pursuit, when: dt.datetime) -> None:
        engagement = self._engagement(pursuit)
        if engagement is not None and engagement.state == EngagementState.REQUESTED:
            owner = engagement.opportunity.delivery_owner or self.company.managers(pursuit.line)[0]
            accept_engagement(actor=owner, engagement=engagement, expected_version=None, now=when)

    def _decline(self, pursuit: Pursuit, when: dt.datetime) -> None:
        engagement = self._engagement(pursuit)
        if engagement is not None:
            decline_engagement(
                actor=self.company.managers(pursuit.line)[0], engagement=engagement, expected_version=None, now=when,
                reason="Both architects are booked until March. Ask again with a later start.",
            )  # fmt: skip

    def _hand_to_pm(self, pursuit: Pursuit, when: dt.datetime) -> None:
        engagement = self._engagement(pursuit)
        if engagement is not None and engagement.is_open:
            reassign_engagement(
                actor=self.company.managers(pursuit.line)[0], engagement=engagement, expected_version=None, now=when,
                delivery_owner=self.project_manager(pursuit.line),
            )  # fmt: skip

    def _work(self, pursuit: Pursuit, when: dt.datetime) -> None:
        """Whoever has something due tomorrow mostly does it today; some things stay behind."""
        soon = when.date() + dt.timedelta(days=9 if pursuit.has("busy") else 4)
        tasks = Task.objects.open().filter(opportunity=self.deals[pursuit], due_on__lte=soon).order_by("position")
        tasks = tasks.exclude(action__in=FOLLOWING_ACTIONS)
        people = ("assignee", "opportunity__owner", "opportunity__delivery_owner")
        for task in tasks.select_related(*people).prefetch_related("depends_on"):
            blocked = any(earlier.state != "done" for earlier in task.depends_on.all())
            if blocked or self.chance.random() > 0.9:
                continue
            for person in self.doers(task):
                evidence = self.chance.choice(texts.EVIDENCE) if task.evidence_wanted else ""
                complete_task(actor=person, task=task, evidence=evidence, now=when)

    def doers(self, task: Task) -> list[User]:
        """Who says done: the assignee, or for a shared task somebody of each side."""
        seller = task.opportunity.owner or self.company.people["Sam"]
        deliverer = task.opportunity.delivery_owner or self.company.people["Dan"]
        if task.side == TaskSide.SHARED:
            return [seller, deliverer]
        return [task.assignee or (seller if task.side == Side.SALES else deliverer)]

    def project_manager(self, line: str) -> User:
        """The next in turn."""
        return next(self._project_managers[line])

    # --- both -------------------------------------------------------------------------------------------------------

    def _review(self, pursuit: Pursuit, stop: Stop, when: dt.datetime) -> None:
        deal = self._fresh(pursuit)
        deliverer = deal.delivery_owner or self.company.managers(pursuit.line)[0]
        hold_review(deal, deal.owner or self.seller(pursuit), deliverer, stop=stop, when=when)

    def _comment(self, pursuit: Pursuit, when: dt.datetime) -> None:
        deal = self._fresh(pursuit)
        body = self.chance.choice(texts.COMMENTS)
        seller, deliverer = self.seller(pursuit), deal.delivery_owner or self.company.managers(pursuit.line)[0]
        author = deliverer if "@{sales}" in body else seller
        add_comment(actor=author, opportunity=deal, body=body.format(delivery=deliverer, sales=seller), now=when)

    def _file(self, pursuit: Pursuit, number: int, when: dt.datetime) -> None:
        name, content = texts.FILES[(number + len(pursuit.name)) % len(texts.FILES)]
        upload = SimpleUploadedFile(name, content.encode(), content_type="text/plain")
        add_file(actor=self.seller(pursuit), opportunity=self.deals[pursuit], upload=upload, now=when)

    def _fresh(self, pursuit: Pursuit) -> Opportunity:
        return Opportunity.objects.select_related("owner", "delivery_owner", "stage").get(pk=self.deals[pursuit].pk)

    def _engagement(self, pursuit: Pursuit) -> Engagement | None:
        found = Engagement.objects.filter(opportunity=self.deals[pursuit])
        return found.select_related("opportunity__delivery_owner").order_by("-pk").first()

    def seller(self, pursuit: Pursuit) -> User:
        known = self.company.people.get(pursuit.owner)
        return known or self._manager(self.company.sales_team(clients.region_of(pursuit.client)))

    def _manager(self, team: Team) -> User:
        return next(p for p in self.company.people.values() if p.has_role(Role.SALES_MANAGER) and team in p.teams.all())

    def _currency(self, pursuit: Pursuit) -> str:
        given = next((trait.upper() for trait in pursuit.traits if trait in ("sek", "usd")), None)
        return given or clients.currency_of(pursuit.client)

    def _first_guess(self, pursuit: Pursuit) -> int:
        """By how many days the first close date differs from the present one."""
        return -45 if pursuit.has("pushed") else 40 if pursuit.has("pulled") else 0

    def _next_step(self, pursuit: Pursuit, stage: str) -> dict[str, Any]:
        days = -self.chance.randint(2, 6) if pursuit.has("late_step") else self.chance.randint(1, 14)
        return {
            "next_step": self.chance.choice(texts.STEPS[stage]),
            "next_step_on": self.today + dt.timedelta(days=days),
        }


def _taking_turns(people: list[User]) -> list[User]:
    """The first one takes every other turn."""
    return [person for other in people[1:] for person in (people[0], other)]


def _spread(first: float, last: float, count: int, chance: random.Random) -> list[float]:
    """So many days ago, from the first to the last, unevenly but at least a week apart where there is room."""
    if count == 1:
        return [first]
    gap = (first - last) / (count - 1)
    inner = [first - gap * number + chance.uniform(-0.2, 0.2) * gap for number in range(1, count - 1)]
    return [first, *inner, last]
