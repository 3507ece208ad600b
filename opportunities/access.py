"""Fetching is authorising: the object, or 404 when it can't be seen, or 403 when it can't be changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import rules
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from accounts.access import audience_of, has_role, is_administrator, is_sales_manager
from accounts.models import Role, Team, User
from opportunities.models import Account, Attachment, Comment, Contact, Opportunity, SavedView

can_sell = has_role(Role.SALES_REP, Role.SALES_MANAGER, Role.ADMINISTRATOR)
can_bypass = is_sales_manager | is_administrator


class Belongs(Protocol):
    """A deal, or as much of one as says whose it is."""

    @property
    def owner_id(self) -> int | None: ...
    @property
    def delivery_owner_id(self) -> int | None: ...
    @property
    def team_id(self) -> int | None: ...


def editor(user: User) -> Callable[[Belongs], bool]:
    """The rule for this person, for asking about many deals.

    Its owner, people of its sales team, its delivery owner, and administrators may change a deal.
    """
    if not user.is_active or user.is_administrator:
        return lambda _deal: user.is_active
    teams = audience_of(user).team_ids if can_sell(user) else frozenset()
    return lambda deal: user.pk in (deal.owner_id, deal.delivery_owner_id) or deal.team_id in teams


@rules.predicate
def may_edit(user: User | AnonymousUser, opportunity: Opportunity | None) -> bool:
    """Whether the person may change the deal."""
    return isinstance(user, User) and opportunity is not None and editor(user)(opportunity)


rules.add_perm("opportunities.add", can_sell)
rules.add_perm("opportunities.edit", may_edit)
rules.add_perm("opportunities.bypass_gate", can_bypass)
rules.add_perm("opportunities.manage_accounts", can_sell)


def readable_opportunity(user: User, pk: int) -> Opportunity:
    """The deal with its people, or 404."""
    found = Opportunity.objects.current().visible_to(user).with_people().filter(pk=_sane(pk)).first()
    if found is None:
        raise Http404(_("There is no such deal."))
    return found


def editable_opportunity(user: User, pk: int) -> Opportunity:
    """The deal, or 404; 403 for those who may only read it."""
    opportunity = readable_opportunity(user, pk)
    if not user.has_perm("opportunities.edit", opportunity):
        raise PermissionDenied(_("Only the deal's own people can change it. Leave a comment instead."))
    return opportunity


def archived_opportunity(user: User, pk: int) -> Opportunity:
    """An archived deal that the person may bring back, or 404; 403 for those who may only read it."""
    found = Opportunity.objects.filter(archived_at__isnull=False, pk=_sane(pk)).visible_to(user).with_people().first()
    if found is None:
        raise Http404(_("There is no such archived deal."))
    if not user.has_perm("opportunities.edit", found):
        raise PermissionDenied(_("Only the deal's own people can bring it back."))
    return found


def own_comment(user: User, opportunity: Opportunity, pk: int) -> Comment:
    """A comment of one's own on the deal (anybody's for administrators), or 404."""
    found = (
        Comment.objects.filter(opportunity=opportunity, pk=_sane(pk)).select_related("author", "opportunity").first()
    )
    if found is None or (found.author_id != user.pk and not user.is_administrator):
        raise Http404(_("There is no such comment of yours."))
    return found


def readable_file(user: User, opportunity: Opportunity, pk: int) -> Attachment:
    """A file of the deal, or 404; removed ones are there for those who may bring them back."""
    found = Attachment.objects.filter(opportunity=opportunity, pk=_sane(pk)).select_related("opportunity").first()
    is_theirs = found is not None and (user.is_administrator or found.uploaded_by_id == user.pk)
    if found is None or (found.removed_at is not None and not is_theirs):
        raise Http404(_("There is no such file."))
    return found


def readable_account(user: User, pk: int) -> Account:
    """The client organisation, or 404."""
    found = Account.objects.visible_to(user).filter(pk=_sane(pk)).select_related("parent", "team", "region").first()
    if found is None:
        raise Http404(_("There is no such account."))
    return found


def editable_account(user: User, pk: int) -> Account:
    """The client organisation, or 404; 403 for those who may only read it."""
    account = readable_account(user, pk)
    if not user.has_perm("opportunities.manage_accounts"):
        raise PermissionDenied(_("Sales keeps the accounts. Ask the owner of one of its deals."))
    return account


def readable_contact(user: User, pk: int) -> Contact:
    """The person at a client, or 404."""
    found = Contact.objects.visible_to(user).filter(pk=_sane(pk)).select_related("account").first()
    if found is None:
        raise Http404(_("There is no such contact."))
    return found


def own_view(user: User, pk: int) -> SavedView:
    """A saved view of one's own, or 404."""
    found = SavedView.objects.filter(owner=user, pk=_sane(pk)).first()
    if found is None:
        raise Http404(_("There is no such view."))
    return found


def assignable_owners(user: User) -> QuerySet[User]:
    """Sales people who may own a deal of this person's teams; all of them for those who see all."""
    people = User.objects.filter(is_active=True, roles__overlap=[Role.SALES_REP, Role.SALES_MANAGER])
    audience = audience_of(user)
    if not audience.sees_all and not audience.is_delivery:
        people = people.filter(Q(teams__in=audience.team_ids) | Q(pk=user.pk)).distinct()
    return people


def sales_team_of(owner: User | None) -> Team | None:
    """The team whose deals this person's are: the first sales team by name."""
    if owner is None:
        return None
    return owner.teams.filter(side="sales").order_by("name").first()


def _sane(pk: int) -> int:
    """A key that fits the column; anything else is simply not there."""
    return pk if 0 < pk < 2**63 else 0
