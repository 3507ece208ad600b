"""Client organisations and the people there."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.utils.translation import gettext as _
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Region, User
from api.endpoints import Endpoint
from api.fields import Brief, Choice, Id, Input, Moment, Scoped, Text, Url
from api.idempotency import idempotent
from api.lists import ListEndpoint, ListQuery, Ordering
from api.openapi import documented
from api.opportunities import sales_teams
from api.versions import expected_version
from opportunities.access import editable_account, readable_account, readable_contact
from opportunities.models import Account, Contact, StakeholderRole
from opportunities.queries.filters import matching_accounts
from opportunities.services.clients import add_account, add_contact, update_account, update_contact


class WebAddress(serializers.URLField):
    """An http(s) address."""

    def to_internal_value(self, data: object) -> str:
        """The address as a string."""
        if not isinstance(data, str):
            raise serializers.ValidationError(_("Write this as text, in quotes."))
        return str(super().to_internal_value(data))


class MailAddress(serializers.EmailField):
    """An e-mail address."""

    def to_internal_value(self, data: object) -> str:
        """The address as a string."""
        if not isinstance(data, str):
            raise serializers.ValidationError(_("Write this as text, in quotes."))
        return str(super().to_internal_value(data))


class AccountOut(serializers.ModelSerializer[Account]):
    """A client organisation."""

    url = Url("api:account")
    created_at = Moment()
    updated_at = Moment()
    parent = Brief(allow_null=True)
    team = Brief(allow_null=True)
    region = Brief(allow_null=True)
    # Imported ones may be anything.
    website = serializers.CharField()

    class Meta:
        model = Account
        fields = (
            "id", "version", "created_at", "updated_at", "url", "name", "parent", "team", "region", "industry",
            "country", "website", "external_id",
        )  # fmt: skip


class AccountQuery(ListQuery):
    """Filters of the account list."""

    ordering = Ordering("id", "name", "created_at", "updated_at")
    search = Text(required=False, allow_blank=True, max_length=200, help_text="Beginnings of words of the name.")
    team = Id()
    region = Id()
    parent = Id()
    external_id = Text(required=False, max_length=120)


class AccountChanges(Input):
    """What may be changed on an account."""

    kept = (*Input.kept, "external_id")
    name = Text(required=False, max_length=200)
    parent = Scoped(Account.objects.visible_to, required=False, allow_null=True)
    team = Scoped(sales_teams, required=False, allow_null=True)
    region = Scoped(lambda _user: Region.objects.all(), required=False, allow_null=True)
    industry = Text(required=False, allow_blank=True, max_length=120)
    country = Text(required=False, allow_blank=True, max_length=80)
    website = WebAddress(required=False, allow_blank=True, max_length=200)


class AccountNew(AccountChanges):
    """A new account."""

    kept = Input.kept
    name = Text(max_length=200)
    external_id = Text(required=False, allow_blank=True, max_length=120)


class Accounts(ListEndpoint):
    """The accounts that the caller may see."""

    output = AccountOut
    query = AccountQuery

    @documented("List accounts", gives=AccountOut, query=AccountQuery)
    def get(self, request: Request) -> Response:
        """A page of them."""
        given = self.parameters()
        names = ("team", "region", "parent", "external_id")
        accounts = Account.objects.visible_to(self.user).filter(
            **{name: given[name] for name in names if name in given}
        )
        if given.get("search"):
            accounts = accounts.filter(matching_accounts(given["search"]))
        return self.page(accounts.select_related("parent", "team", "region"), given)

    @documented("Add an account", takes=AccountNew, gives=AccountOut, status=201)
    @idempotent
    def post(self, request: Request) -> Response:
        """Add one."""
        _require_keeper(self.user)
        given = self.read(AccountNew)
        external_id = given.pop("external_id", "")
        account = add_account(actor=self.user, values=given, now=self.now, external_id=external_id)
        return self.answer(account, status.HTTP_201_CREATED)


class AccountDetail(Endpoint):
    """One account."""

    output = AccountOut

    @documented("Show an account", gives=AccountOut)
    def get(self, request: Request, pk: int) -> Response:
        """The account with its ETag."""
        return self.answer(readable_account(self.user, pk))

    @documented("Change an account", takes=AccountChanges, gives=AccountOut, versioned=True)
    def patch(self, request: Request, pk: int) -> Response:
        """Change what is named, leave the rest."""
        account = editable_account(self.user, pk)
        version = expected_version(request, account)
        changes = self.read(AccountChanges)
        changed = update_account(
            actor=self.user, account=account, changes=changes, expected_version=version, now=self.now
        )
        return self.answer(changed)


class ContactOut(serializers.ModelSerializer[Contact]):
    """A person at a client."""

    url = Url("api:contact")
    created_at = Moment()
    updated_at = Moment()
    account = Brief()
    email = serializers.CharField()
    stakeholder_role = serializers.ChoiceField([*StakeholderRole.choices, ("", "not known")])

    class Meta:
        model = Contact
        fields = (
            "id", "version", "created_at", "updated_at", "url", "account", "name", "title", "email", "phone",
            "stakeholder_role",
        )  # fmt: skip


class ContactQuery(ListQuery):
    """Filters of the contact list."""

    ordering = Ordering("id", "name", "created_at", "updated_at")
    search = Text(required=False, allow_blank=True, max_length=200, help_text="A part of name or e-mail.")
    account = Id()
    stakeholder_role = serializers.ChoiceField(StakeholderRole.choices, required=False)


class ContactChanges(Input):
    """What may be changed on a contact."""

    kept = (*Input.kept, "account")
    name = Text(required=False, max_length=160)
    title = Text(required=False, allow_blank=True, max_length=160)
    email = MailAddress(required=False, allow_blank=True, max_length=254)
    phone = Text(required=False, allow_blank=True, max_length=40)
    stakeholder_role = Choice([*StakeholderRole.choices, ("", "not known")], required=False)


class ContactNew(ContactChanges):
    """A new contact."""

    kept = Input.kept
    account = Scoped(Account.objects.visible_to)
    name = Text(max_length=160)


class Contacts(ListEndpoint):
    """People at the accounts that the caller may see."""

    output = ContactOut
    query = ContactQuery

    @documented("List contacts", gives=ContactOut, query=ContactQuery)
    def get(self, request: Request) -> Response:
        """A page of them."""
        given = self.parameters()
        names = ("account", "stakeholder_role")
        contacts = Contact.objects.visible_to(self.user).filter(
            **{name: given[name] for name in names if name in given}
        )
        for word in given.get("search", "").split()[:8]:
            contacts = contacts.filter(Q(name__icontains=word) | Q(email__icontains=word))
        return self.page(contacts.select_related("account"), given)

    @documented("Add a contact", takes=ContactNew, gives=ContactOut, status=201)
    @idempotent
    def post(self, request: Request) -> Response:
        """Add one to an account."""
        _require_keeper(self.user)
        given = self.read(ContactNew)
        contact = add_contact(actor=self.user, account=given.pop("account"), values=given, now=self.now)
        return self.answer(contact, status.HTTP_201_CREATED)


class ContactDetail(Endpoint):
    """One contact."""

    output = ContactOut

    @documented("Show a contact", gives=ContactOut)
    def get(self, request: Request, pk: int) -> Response:
        """The contact with its ETag."""
        return self.answer(readable_contact(self.user, pk))

    @documented("Change a contact", takes=ContactChanges, gives=ContactOut, versioned=True)
    def patch(self, request: Request, pk: int) -> Response:
        """Change what is named, leave the rest."""
        contact = readable_contact(self.user, pk)
        _require_keeper(self.user)
        version = expected_version(request, contact)
        changes = self.read(ContactChanges)
        changed = update_contact(
            actor=self.user, contact=contact, changes=changes, expected_version=version, now=self.now
        )
        return self.answer(changed)


def _require_keeper(user: User) -> None:
    """Raises PermissionDenied for people who don't keep accounts and contacts."""
    if not user.has_perm("opportunities.manage_accounts"):
        raise PermissionDenied(_("Sales keeps accounts and contacts. Ask the owner of one of the account's deals."))
