"""Client organisations, the people there, and who of them has a part in a deal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.text import fault_in
from events import names
from events.recording import record
from opportunities.models import Account, Contact, Opportunity
from opportunities.services.versions import locked
from opportunities.together import follow_together

ACCOUNT_FIELDS = ("name", "parent", "team", "region", "industry", "country", "website")
CONTACT_FIELDS = ("name", "title", "email", "phone", "stakeholder_role")
_DEEPEST = 10


class StaleRecord(Exception):
    """Somebody else changed the account or contact in between; ``current`` is how it stands now."""

    def __init__(self, current: Account | Contact) -> None:
        super().__init__(_("Somebody changed this in the meantime. Look at it as it is now and try again."))
        self.current = current


def add_account(*, actor: User, values: Mapping[str, Any], now: dt.datetime, external_id: str = "") -> Account:
    """Add a client organisation. Raises ValidationError with a sentence per field."""
    account = Account(created_by=actor, created_at=now, updated_at=now, external_id=external_id)
    _set(account, values, ACCOUNT_FIELDS)
    _check_account(account)
    with transaction.atomic():
        _save(account, _same_name(account.name))
        record(names.ACCOUNT_CHANGED, actor=actor, about=account, now=now, data={"name": account.name, "is_new": True})
    return account


def update_account(
    *, actor: User, account: Account, changes: Mapping[str, Any], expected_version: int, now: dt.datetime
) -> Account:
    """Change a client organisation. Raises StaleRecord, ValidationError."""
    with transaction.atomic():
        current = Account.objects.select_for_update().get(pk=account.pk)
        if not _set(current, changes, ACCOUNT_FIELDS):
            return current
        if current.version != expected_version:
            raise StaleRecord(Account.objects.get(pk=account.pk))
        _check_account(current)
        current.version += 1
        current.updated_at = now
        _save(current, _same_name(current.name))
        record(names.ACCOUNT_CHANGED, actor=actor, about=current, now=now, data={"name": current.name})
    return current


def add_contact(*, actor: User, account: Account, values: Mapping[str, Any], now: dt.datetime) -> Contact:
    """Add a person at a client. Raises ValidationError with a sentence per field."""
    contact = Contact(account=account, created_at=now, updated_at=now)
    _set(contact, values, CONTACT_FIELDS)
    _check(contact)
    with transaction.atomic():
        _save(contact, _same_email(contact))
        record(names.CONTACT_CHANGED, actor=actor, about=contact, now=now, data={"name": contact.name, "is_new": True})
    return contact


def update_contact(
    *, actor: User, contact: Contact, changes: Mapping[str, Any], expected_version: int, now: dt.datetime
) -> Contact:
    """Change a person at a client. Raises StaleRecord, ValidationError."""
    with transaction.atomic():
        current = Contact.objects.select_for_update().get(pk=contact.pk)
        if not _set(current, changes, CONTACT_FIELDS):
            return current
        if current.version != expected_version:
            raise StaleRecord(Contact.objects.get(pk=contact.pk))
        _check(current)
        current.version += 1
        current.updated_at = now
        _save(current, _same_email(current))
        record(names.CONTACT_CHANGED, actor=actor, about=current, now=now, data={"name": current.name})
    return current


def link_contact(*, actor: User, opportunity: Opportunity, contact: Contact, now: dt.datetime) -> None:
    """Name a person at the client as part of a deal; linking twice changes nothing."""
    with transaction.atomic():
        current = locked(opportunity)
        links = Opportunity.contacts.through.objects
        _row, is_new = links.get_or_create(opportunity_id=current.pk, contact_id=contact.pk)
        if is_new:
            linked = record(
                names.OPPORTUNITY_CONTACT_LINKED, actor=actor, about=contact, within=current, now=now,
                data={"name": contact.name},
            )  # fmt: skip
            follow_together([linked], now)


def unlink_contact(*, actor: User, opportunity: Opportunity, contact: Contact, now: dt.datetime) -> None:
    """Take a person off a deal; the person stays with the account."""
    with transaction.atomic():
        current = locked(opportunity)
        gone, _rows = Opportunity.contacts.through.objects.filter(opportunity=current, contact=contact).delete()
        if gone:
            unlinked = record(
                names.OPPORTUNITY_CONTACT_UNLINKED, actor=actor, about=contact, within=current, now=now,
                data={"name": contact.name},
            )  # fmt: skip
            follow_together([unlinked], now)


def _set(record_: models.Model, values: Mapping[str, Any], allowed: tuple[str, ...]) -> bool:
    """Put the values on the record; whether that changed anything."""
    changed = False
    for name, value in values.items():
        if name not in allowed:
            raise ValidationError({name: _("This can't be set.")})
        if getattr(record_, name) != value:
            setattr(record_, name, value)
            changed = True
    return changed


def _check_account(account: Account) -> None:
    _check(account)
    above, steps = account.parent, 0
    while above is not None:
        steps += 1
        if above.pk == account.pk or steps > _DEEPEST:
            raise ValidationError({"parent": _("An account can't be part of itself, over others either.")})
        above = above.parent


def _check(row: Account | Contact) -> None:
    problems: dict[str, str] = {}
    if not row.name.strip():
        problems["name"] = _("Give it a name.")
    for field in row._meta.fields:
        value = getattr(row, field.attname)
        fault = fault_in(value) if isinstance(value, str) else None
        if fault:
            problems[field.name] = fault
    if problems:
        raise ValidationError(problems)
    relations = {field.name for field in row._meta.fields if field.is_relation}
    row.clean_fields(exclude=relations)


def _save(row: models.Model, duplicate: dict[str, str]) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        if "unique" not in str(error):
            raise
        raise ValidationError(duplicate) from error


def _same_name(name: str) -> dict[str, str]:
    return {"name": _("There is an account called “%(name)s” already.") % {"name": name}}


def _same_email(contact: Contact) -> dict[str, str]:
    return {"email": _("Somebody at %(account)s has this address already.") % {"account": contact.account.name}}
