"""The cast and what they work on. Deals come into being through the services, as they do in life."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any, Generic, TypeVar

import factory
from django.utils import timezone

from accounts.models import Organisation, Role, ServiceLine, Side, Team, User, WorkingCalendar
from opportunities import defaults
from opportunities.models import Account, Contact, Opportunity, Pipeline, Stage
from opportunities.models.history import Source
from opportunities.services.editing import create_opportunity
from opportunities.services.moves import move_to_stage

T = TypeVar("T")

PASSWORD = "correct horse battery"


class _Factory(factory.django.DjangoModelFactory, Generic[T]):
    """A factory whose call is known to give a ``T``."""

    class Meta:
        abstract = True

    @classmethod
    def make(cls, **fields: Any) -> T:
        """A saved row."""
        made: T = cls.create(**fields)
        return made


class UserFactory(_Factory[User]):
    """A person with roles; ``teams`` puts them into teams."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Person {n}")
    email = factory.LazyAttribute(lambda person: f"{person.name.lower().replace(' ', '.')}@example.test")
    roles = factory.LazyFunction(lambda: [Role.SALES_REP.value])

    @factory.post_generation
    def teams(person: User, _create: bool, given: Any, **_: Any) -> None:  # noqa: N805 - factory-boy's convention
        """Teams to join."""
        if given:
            person.teams.add(*given)


class AccountFactory(_Factory[Account]):
    """A client organisation of nobody's team."""

    class Meta:
        model = Account

    name = factory.Sequence(lambda n: f"Client {n}")


class ContactFactory(_Factory[Contact]):
    """A person at a client."""

    class Meta:
        model = Contact

    account = factory.SubFactory(AccountFactory)
    name = factory.Sequence(lambda n: f"Contact {n}")


def organisation(**fields: Any) -> Organisation:
    """The organisation, with a calendar from Monday to Friday and the default pipeline."""
    known = Organisation.objects.filter(pk=1).first()
    if known is not None:
        return known
    calendar = WorkingCalendar.objects.create(name="Standard")
    made = Organisation.objects.create(
        pk=1,
        **{"name": "Northwind Services", "base_currency": "EUR", "time_zone": "UTC", "calendar": calendar, **fields},
    )
    defaults.create(organisation=made, now=timezone.now())
    return made


def team(name: str = "Sales North", *, side: str = Side.SALES, **fields: Any) -> Team:
    """The team of that name."""
    return Team.objects.get_or_create(name=name, defaults={"side": side, **fields})[0]


def person(name: str, *roles: Role, teams: tuple[Team, ...] = ()) -> User:
    """The member of the cast of that name."""
    known = User.objects.filter(email=f"{name.lower()}@example.test").first()
    if known is not None:
        return known
    return UserFactory.make(
        name=name, email=f"{name.lower()}@example.test", roles=[role.value for role in roles], teams=list(teams)
    )


def service_line(name: str = "Cloud") -> ServiceLine:
    """The service line of that name."""
    return ServiceLine.objects.get_or_create(key=name.lower(), defaults={"name": name})[0]


def pipeline() -> Pipeline:
    """The default pipeline."""
    organisation()
    return Pipeline.objects.get(key="sales")


def stage(key: str) -> Stage:
    """A stage of the default pipeline: prospect, qualified, discovery, proposal, negotiation, won, lost."""
    return Stage.objects.select_related("pipeline").get(pipeline=pipeline(), key=key)


def alice() -> User:
    """Alice, sales rep in Sales North."""
    return person("Alice", Role.SALES_REP, teams=(team(),))


def sam() -> User:
    """Sam, sales manager of Sales North."""
    return person("Sam", Role.SALES_MANAGER, teams=(team(),))


def charlie() -> User:
    """Charlie, sales rep of another team, an outsider to Alice's deals."""
    return person("Charlie", Role.SALES_REP, teams=(team("Sales South"),))


def pia() -> User:
    """Pia, project manager in a delivery team that serves every line."""
    return person("Pia", Role.PROJECT_MANAGER, teams=(team("Delivery", side=Side.DELIVERY),))


def dan() -> User:
    """Dan, delivery manager of Pia's team."""
    return person("Dan", Role.DELIVERY_MANAGER, teams=(team("Delivery", side=Side.DELIVERY),))


def ruth() -> User:
    """Ruth, resource manager in Pia's team."""
    return person("Ruth", Role.RESOURCE_MANAGER, teams=(team("Delivery", side=Side.DELIVERY),))


def eve() -> User:
    """Eve, executive; sees everything."""
    return person("Eve", Role.EXECUTIVE)


def ada() -> User:
    """Ada, administrator."""
    return person("Ada", Role.ADMINISTRATOR)


# Everything that a gate of the default pipeline asks for on the way to negotiation.
COMPLETE: dict[str, Any] = {
    "amount": Decimal("120000"),
    "close_date": dt.date(2027, 3, 15),
    "start_on": dt.date(2027, 4, 1),
    "next_step": "Send the offer",
    "next_step_on": dt.date(2027, 1, 15),
}


def deal(
    at: str = "prospect", *, owner: User | None = None, now: dt.datetime | None = None, **values: Any
) -> Opportunity:
    """A complete deal in an open stage of the default pipeline, made through the service that makes deals."""
    now = now or timezone.now()
    owner = owner or alice()
    name = values.pop("name", None) or f"Deal {uuid.uuid4().hex[:8]}"
    given = {"name": name, "owner": owner, "service_line": service_line(), **COMPLETE, **values}
    given.setdefault("account", AccountFactory.make())
    closed = at in ("won", "lost")
    made = create_opportunity(actor=owner, stage=stage("negotiation" if closed else at), values=given, now=now)
    if closed:
        changes = {"loss_reason": "price"} if at == "lost" else {}
        made = move_to_stage(
            actor=owner, opportunity=made, stage=stage(at), expected_version=None, now=now, changes=changes,
            reason="It closed", source=Source.FORM,
        ).opportunity  # fmt: skip
    return made


def deals(count: int, at: str = "prospect", *, owner: User | None = None, **values: Any) -> list[Opportunity]:
    """Many deals of one account, for counting queries."""
    account = values.pop("account", None) or AccountFactory.make()
    return [deal(at, owner=owner, account=account, **values) for _ in range(count)]
