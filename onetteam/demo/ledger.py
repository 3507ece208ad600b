"""What was promised to clients, what could go wrong, and which versions of the risks both sides agreed."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from accounts.models import User
from handoffs.models import Commitment, RaidItem, RiskProfile
from handoffs.services.commitments import add_commitment, answer_commitment, change_commitment, settle_commitment
from handoffs.services.risk_profiles import agree_profile, propose_profile
from handoffs.services.risks import add_raid_item, change_raid_item, close_raid_item
from onetteam.demo.pursuits import Pursuit
from opportunities.models import Contact, Opportunity

# kind, what, for when in days from the win (or none), in the SOW
PROMISES: tuple[tuple[str, str, int | None, bool], ...] = (
    ("date", "A first part is live before the summer holidays", 150, False),
    ("date", "The team starts in the second week after signature", 14, True),
    ("price", "The price holds whatever the detailed design brings", None, False),
    ("team", "The architect from the reference project leads the design", None, False),
    ("scope", "Single sign-on is part of the first release", 90, True),
    ("scope", "The old archive is migrated too", 120, False),
    ("price", "Two days of training for the night shift at no charge", None, False),
    ("team", "Somebody of ours is on site two days a week until go-live", None, False),
    ("date", "Their auditors see a working pilot by the end of the quarter", 60, False),
    ("scope", "The interface to the order system works in both directions", 100, True),
    ("other", "They may visit a reference in January", None, False),
)
CONDITIONS = {
    "date": "their test data is here by the start, and one of their planners has a day a week for us",
    "price": "the scope stays as the offer describes it",
    "team": "every other week may be remote",
    "scope": "their IT writes the export, as talked over in the workshop",
    "other": "the other client agrees",
}
OBJECTIONS = {
    "date": "The list of interfaces isn’t there before March. Nobody can hold this date from today’s position.",
    "price": "We have not seen the data yet. Fixed for the first part, yes; for the rest we need a look first.",
    "team": "She is booked until May. We can name somebody with the same experience.",
    "scope": "In the workshop nobody could open that format. This is a project of its own.",
    "other": "That client has asked for a quiet half-year.",
}
SETTLED = {
    "changed": "Moved by three weeks in the first steering meeting; their sponsor agreed by mail.",
    "broken": "We found out two days before. Their sponsor heard it from us, late.",
}
# kind, what, likelihood, impact, response, what is done
REGISTER: tuple[tuple[str, str, int | None, int | None, str, str], ...] = (
    ("risk", "Their interface to the order system is not documented", 4, 3, "reduce", "Half a day with their IT"),
    ("risk", "The sponsor changes post in spring", 3, 4, "reduce", "A second friend: the head of operations"),
    ("risk", "Test data arrives late", 4, 4, "share", "A date for it in the contract"),
    ("assumption", "Their planners have one day a week for us", None, None, "", ""),
    ("risk", "Night shift does not take to the new screens", 2, 3, "reduce", "Two of them join the trials"),
    ("dependency", "The network in the second building is renewed first", 3, 5, "accept", "We begin in building one"),
    ("issue", "Two master data sets contradict each other", None, None, "reduce", "One owner, named by them"),
    ("risk", "The one engineer who knows this product is booked", 3, 3, "", ""),
    ("risk", "Procurement wants a penalty for delay", 2, 5, "avoid", "Capped at a twentieth, or no fixed date"),
    ("risk", "Works council asks for a say in the rota", 1, 4, "accept", ""),
)
NEWS = ("risk", "Their security review takes six weeks, not two", 4, 4, "", "")
Act = Callable[[dt.datetime], object]


class Teller(Protocol):
    """As much of the story as is needed here."""

    today: dt.date
    now: dt.datetime
    deals: dict[Pursuit, Opportunity]

    def at(self, when: dt.datetime, act: Act, *, is_quiet: bool = False) -> None: ...


@dataclass
class Ledger:
    """What one deal's people promise, fear and agree."""

    story: Teller
    pursuit: Pursuit
    seller: User
    chance: random.Random
    promises: list[Commitment] = field(default_factory=list)
    register: list[RaidItem] = field(default_factory=list)
    profile: RiskProfile | None = None

    def promise(self, number: int, when: dt.datetime) -> None:
        """Sales promises something."""
        kind, text, days, is_in_sow = PROMISES[number]
        deal = self._deal()
        closes = deal.close_date or self.story.today
        to = Contact.objects.filter(opportunities=deal).order_by("pk").first()
        values = {
            "text": text, "kind": kind, "promised_by": self.seller, "promised_to": to, "promised_on": when.date(),
            "due_on": closes + dt.timedelta(days=days) if days else None, "is_in_sow": is_in_sow,
            "source": self.chance.choice(("call", "meeting", "meeting", "email", "proposal")),
        }  # fmt: skip
        self.promises.append(add_commitment(actor=self.seller, opportunity=deal, values=values, now=when))

    def answer(self, index: int, stance: str, when: dt.datetime) -> None:
        """Delivery says something to it."""
        owner = self._deal().delivery_owner
        if owner is None or index >= len(self.promises):
            return
        promise = self.promises[index]
        note = {"accepted_if": CONDITIONS, "disputed": OBJECTIONS}.get(stance, {}).get(promise.kind, "")
        answer_commitment(actor=owner, commitment=promise, stance=stance, note=note, expected_version=None, now=when)

    def reword(self, when: dt.datetime) -> None:
        """Sales gives way on the date; delivery is asked again."""
        promise = self.promises[0]
        due_on = (promise.due_on or self.story.today) + dt.timedelta(days=42)
        self.promises[0] = change_commitment(
            actor=self.seller, commitment=promise, changes={"due_on": due_on}, expected_version=None, now=when
        )

    def settle(self, index: int, outcome: str, when: dt.datetime) -> None:
        """What became of it."""
        note = SETTLED.get(outcome, "")
        settle_commitment(
            actor=self.seller, commitment=self.promises[index], outcome=outcome, note=note, expected_version=None,
            now=when,
        )  # fmt: skip

    def fear(self, entry: tuple[str, str, int | None, int | None, str, str], when: dt.datetime) -> None:
        """Somebody writes down what could go wrong."""
        kind, text, likelihood, impact, response, note = entry
        deal = self._deal()
        owner = deal.delivery_owner if self.chance.random() < 0.6 else self.seller
        values = {
            "kind": kind, "text": text, "likelihood": likelihood, "impact": impact, "response": response,
            "response_note": note, "owner": owner, "due_on": self.story.today + dt.timedelta(days=14),
        }  # fmt: skip
        actor = deal.delivery_owner or self.seller
        self.register.append(add_raid_item(actor=actor, opportunity=deal, values=values, now=when))

    def propose(self, when: dt.datetime) -> None:
        """Delivery puts the register up."""
        deal = self._deal()
        actor = deal.delivery_owner or self.seller
        reason = "As we see it after the workshop" if self.profile is None else "The security review came up"
        self.profile = propose_profile(actor=actor, opportunity=deal, reason=reason, agrees=True, now=when)

    def agree(self, when: dt.datetime) -> None:
        """Sales agrees what delivery put up."""
        if self.profile is not None:
            agree_profile(actor=self.seller, profile=self.profile, now=when)

    def drift(self, when: dt.datetime) -> None:
        """One got graver, one is dealt with."""
        first, second = self.register[:2]
        change_raid_item(actor=self.seller, item=first, changes={"likelihood": 5}, expected_version=None, now=when)
        close_raid_item(
            actor=self.seller, item=second, note="Their head of operations is with us now", expected_version=None,
            now=when,
        )  # fmt: skip

    def _deal(self) -> Opportunity:
        return Opportunity.objects.with_people().get(pk=self.story.deals[self.pursuit].pk)


def plan(story: Teller, pursuit: Pursuit, seller: User, *, warm_since: float | None, until: float) -> None:
    """Let the people of a deal make promises and mind its risks, from when it was warm to so many days ago."""
    if warm_since is None or warm_since - until < 4 or pursuit.stage == "lost":
        return
    chance = random.Random(f"{pursuit.client}: {pursuit.name}")  # noqa: S311 - the same demo every time
    ledger = Ledger(story, pursuit, seller, chance)

    def at(share: float, act: Act, hour: int, *, is_quiet: bool = True) -> None:
        """At a share of the time between warm and now, or the win; a deal may only just have been opened then."""
        moment = _moment(ledger, warm_since - (warm_since - until) * share, hour)
        story.at(moment, lambda when: act(when) if pursuit in story.deals else None, is_quiet=is_quiet)

    _plan_promises(ledger, at)
    _plan_risks(ledger, at)
    if pursuit.stage == "won" and until >= 3:
        for index, outcome in enumerate(("kept", "changed", "broken")[: chance.choice((1, 2, 3))]):
            story.at(_moment(ledger, 0, 13 + index), partial(_settle, ledger, index, outcome), is_quiet=True)


def _moment(ledger: Ledger, ago: float, hour: int) -> dt.datetime:
    """That hour so many days ago; weekends move to the Friday before. What is planned for later stays later."""
    story, chance = ledger.story, ledger.chance
    day = story.today - dt.timedelta(days=round(ago))
    day -= dt.timedelta(days=max(0, day.weekday() - 4))
    planned = dt.datetime.combine(day, dt.time(hour, chance.randrange(60)), dt.UTC)
    return min(planned, story.now - dt.timedelta(minutes=10 * (20 - hour)))


def _plan_promises(ledger: Ledger, at: Callable[..., None]) -> None:
    chance, is_answered = ledger.chance, not ledger.pursuit.traits & {"unanswered", "declined", "accepted"}
    numbers = chance.sample(range(len(PROMISES)), 5 if ledger.pursuit.has("chatty") else chance.choice((1, 2, 3)))
    for index, (number, share) in enumerate(zip(numbers, (0.02, 0.1, 0.45, 0.6, 0.75), strict=False)):
        at(share, partial(ledger.promise, number), 8 + index)
        stance = chance.choice(("accepted", "accepted", "accepted_if", "disputed", ""))
        if is_answered and stance:
            at(share + 0.2, partial(ledger.answer, index, stance), 16)
    if is_answered and ledger.pursuit.has("pushed"):
        at(0.85, ledger.reword, 17)


def _plan_risks(ledger: Ledger, at: Callable[..., None]) -> None:
    chance, stage = ledger.chance, ledger.pursuit.stage
    entries = chance.sample(REGISTER, 6 if ledger.pursuit.has("chatty") else chance.choice((3, 3, 4)))
    # Those that drift are rated, so they come first.
    for entry in sorted(entries, key=lambda entry: entry[2] is None):
        at(0.35, partial(ledger.fear, entry), 8)
    if stage == "discovery" or ledger.pursuit.traits & {"unanswered", "declined", "accepted"}:
        return
    at(0.5, ledger.propose, 10)
    if stage in ("negotiation", "won") or chance.random() < 0.6:
        at(0.6, ledger.agree, 11, is_quiet=False)
    if chance.random() < 0.5:
        at(0.75, ledger.drift, 13)
        at(0.8, partial(ledger.fear, NEWS), 14)
        if stage == "negotiation" and chance.random() < 0.5:
            at(0.9, ledger.propose, 16)


def _settle(ledger: Ledger, index: int, outcome: str, when: dt.datetime) -> None:
    if index < len(ledger.promises):
        ledger.settle(index, outcome, when)
