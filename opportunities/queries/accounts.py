"""Accounts by name, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count

from accounts.models import User
from opportunities.models import Account, Opportunity
from opportunities.queries.filters import matching_accounts

PAGE = 50


@dataclass(frozen=True)
class AccountPage:
    """Some accounts with the number of their open deals, and the names to go on from."""

    rows: Sequence[tuple[Account, int]]
    before: str
    after: str


def account_page(user: User, *, search: str = "", after: str = "", before: str = "") -> AccountPage:
    """A page of the accounts whose name matches, after or before a name. Two queries."""
    accounts = Account.objects.visible_to(user).filter(matching_accounts(search)).select_related("parent", "team")
    if before:
        found = list(accounts.filter(name__lt=before).order_by("-name")[: PAGE + 1])
        if len(found) <= PAGE:
            return account_page(user, search=search)
        shown, is_first, is_last = found[:PAGE][::-1], False, False
    else:
        found = list((accounts.filter(name__gt=after) if after else accounts).order_by("name")[: PAGE + 1])
        shown, is_first, is_last = found[:PAGE], not after, len(found) <= PAGE
    counts = dict(
        Opportunity.objects.open().visible_to(user).filter(account__in=shown).order_by()
        .values_list("account").annotate(Count("pk"))
    )  # fmt: skip
    return AccountPage(
        [(account, counts.get(account.pk, 0)) for account in shown],
        before="" if is_first or not shown else shown[0].name,
        after="" if is_last or not shown else shown[-1].name,
    )
