"""Client organisations in a file: matched by external id or name whatever the capitals, or added."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db import connection

from accounts.models import User
from accounts.text import fault_in
from integrations.imports.models import Import, ImportedRow
from opportunities.models import Account

_BY_NAME = """
select given.name, account.id from unnest(%s::text[]) as given(name)
join opportunities_account account on lower(account.name) = lower(given.name)
"""
# With the length that fits the column.
_COMPANION_FIELDS = {"industry": 120, "country": 80, "website": 200, "external_id": 120}


@dataclass(frozen=True)
class Given:
    """A client as a row names it; at least one of the two is filled."""

    name: str
    external_id: str


def find(given: Collection[Given]) -> dict[Given, Account]:
    """Those of the given clients that are known here; two queries."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_NAME, [sorted({client.name for client in given if client.name})])
        by_name: dict[str, int] = dict(cursor.fetchall())
    ids = {client.external_id for client in given if client.external_id}
    by_id = (
        dict(Account.objects.filter(external_id__in=ids).exclude(external_id="").values_list("external_id", "pk"))
        if ids
        else {}
    )
    keys = {client: by_id.get(client.external_id) or by_name.get(client.name) for client in given}
    accounts = Account.objects.in_bulk({key for key in keys.values() if key})
    return {client: accounts[key] for client, key in keys.items() if key}


def new(client: Given, *, actor: User | None, now: dt.datetime) -> Account:
    """An unsaved account for a client that is not known here."""
    return Account(
        name=client.name, external_id=client.external_id, created_by=actor, created_at=now, updated_at=now
    )  # fmt: skip


def save(accounts: Iterable[Account]) -> None:
    """Add accounts; where somebody else added one of that name this moment, theirs is taken."""
    wanted = list(accounts)
    Account.objects.bulk_create(wanted, ignore_conflicts=True)
    found = find([Given(account.name, account.external_id) for account in wanted])
    for account in wanted:
        account.pk = found[Given(account.name, account.external_id)].pk
        account._state.adding = False


def counted_before(imported: Import, keys: Collection[str]) -> set[str]:
    """Which of the names in lower case an earlier row of this pass adds already."""
    rows = ImportedRow.objects.filter(imported=imported, new_account__in=keys).exclude(new_account="")
    return set(rows.values_list("new_account", flat=True))


@dataclass
class Companions:
    """The accounts file against what is known: both by the name in lower case."""

    rows: dict[str, dict[str, str]]
    known: dict[str, Account]
    fresh: dict[str, Account]


def companions_of(imported: Import, *, actor: User | None, now: dt.datetime) -> Companions:
    """What the accounts file adds and fills, nothing saved."""
    rows: dict[str, dict[str, str]] = {}
    for row in imported.companions.get("accounts", ()):
        if not any(fault_in(value) for value in row.values()):
            rows.setdefault(row["name"].lower(), row)
    found = find([Given(row["name"], "") for row in rows.values()])
    known = {given.name.lower(): account for given, account in found.items()}
    fresh = {key: new(Given(row["name"], ""), actor=actor, now=now) for key, row in rows.items() if key not in known}
    return Companions(rows, known, fresh)


def save_companions(companions: Companions, *, now: dt.datetime) -> None:
    """Add the new accounts, fill empty fields of all, and set the parents that are named and not set yet."""
    taken = set(Account.objects.exclude(external_id="").values_list("external_id", flat=True))
    for key, account in companions.fresh.items():
        _fill(account, companions.rows[key], taken)
    Account.objects.bulk_create(companions.fresh.values(), batch_size=1000)
    changed = {account.pk for key, account in companions.known.items() if _fill(account, companions.rows[key], taken)}
    everyone = companions.known | companions.fresh
    for key, row in companions.rows.items():
        parent, child = everyone.get(row.get("parent", "").lower()), everyone[key]
        if parent is not None and child.parent_id is None and not _is_below(parent, child, everyone.values()):
            child.parent_id = parent.pk
            changed.add(child.pk)
    for account in companions.known.values():
        if account.pk in changed:
            account.version += 1
            account.updated_at = now
    Account.objects.bulk_update(
        [account for account in everyone.values() if account.pk in changed],
        [*_COMPANION_FIELDS, "parent", "version", "updated_at"],
        batch_size=1000,
    )


def _is_below(parent: Account, child: Account, everyone: Iterable[Account]) -> bool:
    """Whether the child is already above its parent-to-be; a circle of accounts has no top."""
    above = {account.pk: account.parent_id for account in everyone}
    step: int | None = parent.pk
    for _ in range(len(above) + 1):
        if step == child.pk:
            return True
        if step is None:
            return False
        step = above.get(step)
    return True


def _fill(account: Account, row: dict[str, str], taken: set[str]) -> bool:
    """Fill empty fields from the row; whether there were any."""
    filled = False
    for name, longest in _COMPANION_FIELDS.items():
        value = row.get(name, "")[:longest]
        if not value or getattr(account, name):
            continue
        if (name == "website" and not value.startswith(("http://", "https://"))) or (
            name == "external_id" and value in taken
        ):
            continue
        if name == "external_id":
            taken.add(value)
        setattr(account, name, value)
        filled = True
    return filled
