"""Who may decide which approval step, on a given day.

People are the step's role, or those named in it, as far as they see the deal; after escalation a second role too; and
whoever stands in for one of them, over any number of links. Four eyes: the submitter never, in nobody's name, and
nobody twice within one submission, be it in their own name or somebody else's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from django.db.models import Q

from accounts.access import remember_audiences
from accounts.models import Role, User
from handoffs.access import sees
from handoffs.models import ApprovalRule, ApprovalStep, Delegation, StepState
from opportunities.models import Opportunity

DECIDED = frozenset({StepState.APPROVED, StepState.CHANGES_REQUESTED, StepState.REJECTED})
# Looked at before giving up the search for different people; far above what chains of a few steps need.
_MOST_TRIES = 20_000


class Option(NamedTuple):
    """Somebody who may decide, and in whose name, where that is not their own."""

    person: User
    on_behalf_of: User | None


@dataclass(frozen=True)
class Ask:
    """A step, as far as it matters for who may decide it.

    ``spent`` are those who decided another step of the submission, and those in whose name somebody did.
    """

    deal: Opportunity
    submitter_id: int
    role: str
    named: frozenset[int]
    escalate_to: str
    is_escalated: bool = False
    spent: frozenset[int] = frozenset()

    @property
    def barred(self) -> frozenset[int]:
        """Those who may have no part in it."""
        return self.spent | {self.submitter_id}


def ask_of_rule(rule: ApprovalRule, deal: Opportunity, submitter: User) -> Ask:
    """What a rule would ask if the person submitted the deal's handoff; ``rule.people`` should be prefetched."""
    named = frozenset(person.pk for person in rule.people.all())
    return Ask(deal, submitter.pk, rule.role, named, rule.escalate_to)


def ask_of_step(step: ApprovalStep, siblings: Iterable[ApprovalStep]) -> Ask:
    """What a step asks; needs its submission, handoff and deal joined, and ``people`` prefetched."""
    spent: set[int] = set()
    for other in siblings:
        if other.pk != step.pk and other.state in DECIDED:
            spent |= {pk for pk in (other.decided_by_id, other.on_behalf_of_id) if pk}
    return Ask(
        step.submission.handoff.opportunity, step.submitted_by_id, step.role,
        frozenset(person.pk for person in step.people.all()), step.escalate_to,
        step.state == StepState.ESCALATED, frozenset(spent),
    )  # fmt: skip


class Approvers:
    """Answers for any number of steps; reads people, their teams and delegations once: three queries."""

    def __init__(self, asks: Iterable[Ask], *, today: dt.date) -> None:
        asks = list(asks)
        self._delegate_of = stand_ins(today)
        roles = {ask.role for ask in asks if ask.role} | {ask.escalate_to for ask in asks} | {Role.ADMINISTRATOR.value}
        named = frozenset().union(*(ask.named for ask in asks))
        linked = {*self._delegate_of, *self._delegate_of.values()}
        wanted = Q(roles__overlap=sorted(roles)) | Q(pk__in=named | linked)
        people = User.objects.filter(wanted, is_active=True).order_by("name", "pk")
        self._people = {person.pk: person for person in people}
        remember_audiences(self._people.values())

    def options(self, ask: Ask) -> list[Option]:
        """Everybody who may decide; those in their own name first, and each person once."""
        principals = list(self._principals(ask))
        found = {person.pk: Option(person, None) for person in principals}
        for principal in principals:
            for stand_in in self._stand_ins(principal, ask):
                found.setdefault(stand_in.pk, Option(stand_in, principal))
        return list(found.values())

    def option_for(self, user: User, ask: Ask) -> Option | None:
        """How this person may decide, or None."""
        person = self._people.get(user.pk)
        if person is None or not self._is_free(person, ask):
            return None
        behind = [person, *self._behind(person, ask)]
        asked = self._asked(ask)
        for principal in behind:
            if asked(principal) and self._is_free(principal, ask):
                return Option(person, None if principal is person else principal)
        fits = [one for one in behind if self._is_fallback(one, ask) and self._is_free(one, ask)]
        if fits and self.is_orphaned(ask):
            return Option(person, None if fits[0] is person else fits[0])
        return None

    def is_orphaned(self, ask: Ask) -> bool:
        """Whether nobody who is asked can decide; then those it escalates to, and administrators, may."""
        asked = self._asked(ask)
        return not any(asked(person) and self._is_free(person, ask) for person in self._people.values())

    def is_within(self, user: User, ask: Ask) -> bool:
        """Whether the person would be asked, were it not for four eyes."""
        person = self._people.get(user.pk)
        return person is not None and self._asked(ask)(person) and sees(person, ask.deal)

    def _principals(self, ask: Ask) -> Iterator[User]:
        fits = partial(self._is_fallback, ask=ask) if self.is_orphaned(ask) else self._asked(ask)
        return (person for person in self._people.values() if fits(person) and self._is_free(person, ask))

    @staticmethod
    def _asked(ask: Ask) -> Callable[[User], bool]:
        def fits(person: User) -> bool:
            if ask.is_escalated and ask.escalate_to in person.roles:
                return True
            return person.pk in ask.named if ask.named else bool(ask.role) and ask.role in person.roles

        return fits

    @staticmethod
    def _is_fallback(person: User, ask: Ask) -> bool:
        return ask.escalate_to in person.roles or Role.ADMINISTRATOR in person.roles

    def _is_free(self, person: User, ask: Ask) -> bool:
        return person.pk not in ask.barred and sees(person, ask.deal)

    def _stand_ins(self, principal: User, ask: Ask) -> Iterator[User]:
        """Whoever stands in for them today, and for those in turn; nobody barred passes it on."""
        met = {principal.pk}
        person: User | None = principal
        while person is not None:
            person = self._people.get(self._delegate_of.get(person.pk, 0))
            if person is None or person.pk in met or person.pk in ask.barred:
                return
            met.add(person.pk)
            if sees(person, ask.deal):
                yield person

    def _behind(self, person: User, ask: Ask) -> list[User]:
        """Everybody for whom the person stands in, nearest first."""
        reached, met = [person], {person.pk}
        for current in reached:
            for delegator_id, delegate_id in self._delegate_of.items():
                delegator = self._people.get(delegator_id)
                if delegate_id != current.pk or delegator is None or delegator_id in met:
                    continue
                if delegator_id in ask.barred:
                    continue
                met.add(delegator_id)
                reached.append(delegator)
        return reached[1:]


def stand_ins(today: dt.date) -> dict[int, int]:
    """Who stands in for whom on that day, by key of the one who is away."""
    standing = Delegation.objects.standing().filter(starts_on__lte=today, ends_on__gte=today)
    return dict(standing.values_list("delegator_id", "delegate_id"))


def are_enough(choices: Sequence[Sequence[Option]]) -> bool:
    """Whether every step can be decided by people of its own, with nobody taking part in two of them."""
    tries = 0

    def fill(position: int, taken: frozenset[int]) -> bool:
        nonlocal tries
        if position == len(ordered):
            return True
        for person, principal in ordered[position]:
            tries += 1
            if tries > _MOST_TRIES:
                return True
            parts = {person.pk} | ({principal.pk} if principal else set())
            if not parts & taken and fill(position + 1, taken | parts):
                return True
        return False

    ordered = sorted(choices, key=len)
    return fill(0, frozenset())
