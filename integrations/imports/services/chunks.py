"""One chunk of rows: planned, compared with what is here, and (unless it is a dry run) written.

A dry run goes the same way and stops before saving, so its counts are those of the write.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection
from django.utils.translation import gettext as _

from accounts.models import User
from events.copying import copy_rows
from integrations.imports import clients
from integrations.imports.clients import Given
from integrations.imports.errors import BadRow
from integrations.imports.models import Import, ImportedRow, Outcome
from integrations.imports.planning import Planned, Planner
from integrations.imports.setup import Setup
from opportunities.gates import missing_for
from opportunities.models import Account, LossReason, Opportunity, StageChange, StageKind
from opportunities.models.history import Source
from opportunities.services.editing import check_values
from opportunities.services.loading import Arrival, Statement, add_many, place, save_many, state


@dataclass
class _Result:
    """What becomes of one row."""

    line: int
    outcome: Outcome
    external_id: str = ""
    deal: Opportunity | None = None
    new_account: str = ""
    problem: str = ""
    cells: Sequence[str] | None = None


@dataclass
class Chunk:
    """A chunk at work. ``process`` fills the results; the caller writes the import's counters."""

    imported: Import
    setup: Setup
    planner: Planner
    actor: User | None
    is_dry_run: bool
    companion_accounts: frozenset[str] = frozenset()
    arrivals: list[Arrival] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    results: list[_Result] = field(default_factory=list)
    notices: Counter[str] = field(default_factory=Counter)
    by_stage: Counter[str] = field(default_factory=Counter)
    accounts_added: int = 0
    # Not known here, by name in lower case: those that rows name, and of these the ones that accepted rows need.
    _fresh_accounts: dict[str, Account] = field(default_factory=dict)
    _new_accounts: dict[str, Account] = field(default_factory=dict)

    def process(self, rows: Iterable[tuple[int, list[str]]]) -> None:
        """Read, compare and write the rows. Runs in the caller's transaction."""
        planned = self._plan(rows)
        self._find_accounts(planned)
        existing, newest = self._find_deals(planned)
        for row in planned:
            try:
                self._take(row, existing.get(row.external_id), newest)
            except (BadRow, ValidationError) as problem:
                self._refuse(row.line, row.cells, _sentence(problem))
        self.accounts_added = self._count_accounts()
        if not self.is_dry_run:
            self._write()
        self._keep_results()

    @property
    def counts(self) -> Counter[str]:
        """Rows by outcome."""
        return Counter(result.outcome.value for result in self.results)

    def _count_accounts(self) -> int:
        """Accounts that rows of this chunk are the first to need."""
        keys = {result.new_account for result in self.results if result.new_account}
        return len(keys - clients.counted_before(self.imported, keys) - self.companion_accounts)

    # --- reading ----------------------------------------------------------------------------------------------------

    def _plan(self, rows: Iterable[tuple[int, list[str]]]) -> list[Planned]:
        planned: list[Planned] = []
        for line, cells in rows:
            try:
                planned.append(self.planner.plan(line, cells))
            except BadRow as problem:
                self._refuse(line, cells, str(problem))
        self._seen = _seen_before(self.imported, [row.external_id for row in planned])
        return planned

    def _find_accounts(self, planned: Sequence[Planned]) -> None:
        given = {row.client for row in planned if row.client}
        self._accounts = clients.find(given)

    def _find_deals(self, planned: Sequence[Planned]) -> tuple[dict[str, Opportunity], dict[int, StageChange]]:
        keys = _keys_of([row.external_id for row in planned])
        if not self.is_dry_run:
            # Apart from the joins: a row that changes its stage while it is waited for would be missing.
            list(Opportunity.objects.filter(pk__in=keys).select_for_update().order_by("pk").values_list("pk"))
        deals = Opportunity.objects.filter(pk__in=keys).select_related(
            "account", "stage", "pipeline", "owner", "team", "delivery_owner", "service_line", "region"
        )
        existing = {deal.external_id: deal for deal in deals}
        moving = [
            deal.pk for row in planned
            if (deal := existing.get(row.external_id)) is not None and deal.stage_id != row.stage.pk
        ]  # fmt: skip
        changes = StageChange.objects.filter(opportunity__in=moving).order_by("opportunity", "-number")
        return existing, {change.opportunity_id: change for change in changes.distinct("opportunity")}

    # --- comparing --------------------------------------------------------------------------------------------------

    def _take(self, row: Planned, deal: Opportunity | None, newest: dict[int, StageChange]) -> None:
        if row.external_id in self._seen:
            raise BadRow(_("An earlier row of this file has the same deal id."))
        account, new_account = self._account(row.client)
        if deal is None:
            result = _Result(row.line, Outcome.CREATED, row.external_id, self._arrive(row, account))
        elif deal.archived_at is not None:
            self.notices[_("The deal is archived here and was left alone.")] += 1
            result = _Result(row.line, Outcome.UNCHANGED, row.external_id, deal)
        else:
            statement = self._compare(row, account, deal, newest.get(deal.pk))
            outcome = Outcome.CHANGED if statement else Outcome.UNCHANGED
            result = _Result(row.line, outcome, row.external_id, deal)
        if new_account and account is not None and result.outcome != Outcome.UNCHANGED:
            self._new_accounts[new_account] = account
            result.new_account = new_account
        self._seen.add(row.external_id)
        self.results.append(result)
        self.by_stage[row.stage.name] += 1
        self.notices.update(row.notices)

    def _account(self, given: Given | None) -> tuple[Account | None, str]:
        """The account, and its key where nobody knew it before this chunk."""
        if given is None:
            return None, ""
        known = self._accounts.get(given)
        if known is not None:
            return known, ""
        key = given.name.lower()
        if key not in self._fresh_accounts:
            self._fresh_accounts[key] = clients.new(given, actor=self.actor, now=self.setup.now)
        return self._fresh_accounts[key], key

    def _arrive(self, row: Planned, account: Account | None) -> Opportunity:
        related = {
            "created_by": self.actor, "account": account, "owner": row.owner, "team": row.team,
            "service_line": self.setup.default_service_line,
        }  # fmt: skip
        deal = Opportunity(
            external_id=row.external_id, source="import", currency=self.setup.currency,
            **{name: value for name, value in related.items() if value is not None},
        )  # fmt: skip
        arrival = place(deal, row.steps, home=self.setup.home, now=self.setup.now)
        for name, value in row.values.items():
            setattr(deal, name, value)
        if not deal.name:
            deal.name = self.planner.name_for(row)
        if deal.kind == StageKind.LOST and not deal.loss_reason:
            deal.loss_reason = LossReason.UNKNOWN
        check_values(deal)
        for item in missing_for(deal, row.stage, self.setup.criteria[row.stage.key]):
            self.notices[f"{row.stage.name}: {item.sentence}"] += 1
        self.arrivals.append(arrival)
        return deal

    def _compare(
        self, row: Planned, account: Account | None, deal: Opportunity, newest: StageChange | None
    ) -> Statement | None:
        if deal.pipeline_id != self.setup.pipeline.pk:
            raise BadRow(_("The deal is in another pipeline here."))
        if self.actor is not None and not self.actor.has_perm("opportunities.edit", deal):
            raise BadRow(_("The deal belongs to a team whose deals you can't change."))
        changes = dict(row.values)
        if account is not None:
            changes["account"] = account
        if row.owner is not None and row.owner != deal.owner:
            changes |= {"owner": row.owner, "team": row.team or deal.team}
        if row.stage.kind == StageKind.LOST and not deal.loss_reason:
            changes.setdefault("loss_reason", LossReason.UNKNOWN)
        statement = state(
            deal, {name: value for name, value in changes.items() if getattr(deal, name) != value},
            step=row.steps[-1], newest=newest, closed_on=row.closed_on, stages=self.setup.stages, home=self.setup.home,
            source=Source.IMPORT, is_baseline=self.imported.is_baseline, actor=self.actor, now=self.setup.now,
        )  # fmt: skip
        if statement is not None:
            self.statements.append(statement)
        return statement

    # --- writing ----------------------------------------------------------------------------------------------------

    def _write(self) -> None:
        clients.save(self._new_accounts.values())
        for deal in (*(a.opportunity for a in self.arrivals), *(s.opportunity for s in self.statements)):
            if deal.account_id is None and deal.account is not None:
                deal.account = deal.account  # its key is known only now
        add_many(
            actor=self.actor, arrivals=self.arrivals, source=Source.IMPORT, is_baseline=self.imported.is_baseline,
            now=self.setup.now,
        )  # fmt: skip
        save_many(actor=self.actor, statements=self.statements, now=self.setup.now)

    def _refuse(self, line: int, cells: Sequence[str], problem: str) -> None:
        self.results.append(_Result(line, Outcome.REFUSED, problem=problem[:500], cells=cells))

    def _keep_results(self) -> None:
        copy_rows(ImportedRow, _COLUMNS, (self._kept(result) for result in self.results))

    def _kept(self, result: _Result) -> list[Any]:
        deal = result.deal
        cells = None if result.cells is None else json.dumps(list(result.cells)).replace("\\u0000", "\\ufffd")
        return [
            self.imported.pk, result.line, result.external_id, result.outcome.value, deal and deal.pk,
            deal and deal.version, result.new_account, result.problem, cells,
        ]  # fmt: skip


_COLUMNS = (
    "imported_id", "line", "external_id", "outcome", "opportunity_id", "version", "new_account", "problem", "cells",
)  # fmt: skip


def _keys_of(external_ids: list[str]) -> list[int]:
    """The keys of the deals with these external ids. The inequality lets the planner use the partial index."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select id from opportunities_opportunity where external_id = any(%s) and not external_id = ''",
            [external_ids],
        )
        return [pk for (pk,) in cursor.fetchall()]


def _seen_before(imported: Import, external_ids: list[str]) -> set[str]:
    """Which of the ids an earlier row of this pass has taken."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select external_id from imports_importedrow"
            " where imported_id = %s and external_id = any(%s) and not outcome = 'refused'",
            [imported.pk, external_ids],
        )
        return {external_id for (external_id,) in cursor.fetchall()}


def _sentence(problem: BadRow | ValidationError) -> str:
    if isinstance(problem, BadRow):
        return str(problem)
    if not hasattr(problem, "error_dict"):
        return " ".join(problem.messages)
    parts = []
    for name, sentences in problem.message_dict.items():
        label = str(Opportunity._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
        parts.append(f"{label[:1].upper()}{label[1:]}: {' '.join(sentences)}")
    return " ".join(parts)


def start_of(now: dt.datetime) -> dict[str, Any]:
    """The counters at the beginning of a pass."""
    zero = dict.fromkeys(
        (
            "offset", "row", "created", "changed", "unchanged", "refused", "accounts_created", "people_created",
            "teams_created",
        ), 0
    )  # fmt: skip
    return {**zero, "notices": {}, "by_stage": {}, "started_at": now, "finished_at": None, "message": "", "attempts": 0}
