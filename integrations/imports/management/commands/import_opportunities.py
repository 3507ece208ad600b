"""Importing a CRM export from the command line."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.prompt import Prompt
from rich.table import Table

from accounts.models import Role, User
from integrations.imports.companions import KINDS
from integrations.imports.errors import NeedsAnswer, NotPossible, Unreadable
from integrations.imports.mapping import TARGETS
from integrations.imports.models import Import
from integrations.imports.report import write_error_file
from integrations.imports.services import running
from integrations.imports.services.intake import read, receive
from integrations.imports.services.stages import new_stage
from integrations.imports.setup import Setup
from integrations.imports.states import State
from integrations.imports.values import COMMA, DATE_READINGS, DECIMAL_MARKS, POINT
from opportunities.models import Stage


class Command(BaseCommand):
    """`manage.py import_opportunities FILE`."""

    help = (
        "Import deals from a CRM export (CSV or XLSX). Deals are known again by their id, so that a repeat updates "
        "them. Rows that can't be imported go into a file beside FILE; the others are imported."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The same answers as the page takes."""
        parser.add_argument("file", metavar="FILE", type=Path)
        for kind in KINDS:
            parser.add_argument(f"--{kind}", metavar="FILE", type=Path, help=f"a file of {kind} to go with the deals")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, change nothing")
        parser.add_argument(
            "--baseline", action="store_true", help="the first load: nothing counts as un-forecasted because of it"
        )
        parser.add_argument(
            "--shift-dates-to-today", action="store_true", help="move all dates so that the newest becomes today"
        )
        parser.add_argument(
            "--column", metavar="HEADING=TARGET", action="append", default=[],
            help=f"what a column means, repeatable; targets: {', '.join(TARGETS)}, or nothing to leave it out",
        )  # fmt: skip
        parser.add_argument(
            "--stage", metavar="VALUE=STAGE", action="append", default=[],
            help="which stage a value means, repeatable; VALUE=new:open:warm adds the stage (open, won or lost; "
            "cold, warm or hot)",
        )  # fmt: skip
        parser.add_argument("--date-format", choices=list(DATE_READINGS), help="day or month first (dmy, mdy)")
        parser.add_argument("--decimal-mark", choices=[POINT, COMMA])
        parser.add_argument("--pipeline", metavar="KEY", help="where the deals go; the first one by default")
        parser.add_argument("--service-line", metavar="KEY", help="for new deals, where the file names none")
        parser.add_argument("--currency", metavar="CODE", help="for amounts that name none")
        parser.add_argument("--opened-in", metavar="STAGE", help="the stage that the opening date stands for")
        parser.add_argument("--team", metavar="NAME", help="for owners that are new here (default: Sales)")
        parser.add_argument("--team-by", choices=["manager", "region"], help="how --teams makes teams")
        parser.add_argument(
            "--as", dest="email", metavar="EMAIL", help="whose import it is; an administrator's by default"
        )
        parser.add_argument("--errors", metavar="FILE", type=Path, help="where rows with errors go")

    def handle(self, **options: Any) -> None:
        """Read, ask, check or write, and say what happened."""
        self.console = Console(file=cast("IO[str]", self.stdout), width=100 if not sys.stdout.isatty() else None)
        imported = self._interrupted(options) or self._received(options)
        if imported.state == State.WAITING:
            imported = self._answered(imported)
            try:
                imported = running.start(imported=imported, is_dry_run=options["dry_run"], now=timezone.now())
            except (NeedsAnswer, NotPossible) as error:
                raise CommandError(str(error)) from error
        imported = self._work(imported)
        self._report(imported, options)

    # --- before -----------------------------------------------------------------------------------------------------

    def _interrupted(self, options: dict[str, Any]) -> Import | None:
        """An import of the same file that was interrupted in the middle of writing."""
        if options["dry_run"] or not options["file"].is_file():
            return None
        checksum = _checksum(options["file"])
        found = Import.objects.filter(checksum=checksum, state__in=[State.WRITING, State.FAILED], row__gt=0)
        imported = found.order_by("-pk").first()
        if imported is None or (imported.state == State.FAILED and imported.resume_state != State.WRITING):
            return None
        if imported.state == State.FAILED:
            imported = running.resume(imported=imported, now=timezone.now())
        self.console.print(f"Going on with the import that was interrupted after row {imported.row:,}.")
        return imported

    def _received(self, options: dict[str, Any]) -> Import:
        with ExitStack() as stack:
            try:
                file = _opened(stack, options["file"])
                companions = {kind: _opened(stack, options[kind]) for kind in KINDS if options[kind]}
                imported = receive(
                    actor=_actor(options["email"]), file=file, file_name=options["file"].name, companions=companions,
                    options=_answers(options), now=timezone.now(), largest=None,
                )  # fmt: skip
            except Unreadable as error:
                raise CommandError(str(error)) from error
        imported = read(imported=imported, now=timezone.now())
        if imported.state == State.REFUSED:
            raise CommandError(imported.message)
        return self._with_columns_and_stages(imported, options)

    def _with_columns_and_stages(self, imported: Import, options: dict[str, Any]) -> Import:
        columns = dict(imported.options["columns"])
        headings = {heading.casefold(): heading for heading in imported.header}
        for heading, target in (_pair(text, "--column") for text in options["column"]):
            if heading.casefold() not in headings:
                raise CommandError(f"There is no column “{heading}”. There are: {', '.join(imported.header)}.")
            if target and target not in TARGETS:
                raise CommandError(f"“{target}” is not a target. Targets are: {', '.join(TARGETS)}.")
            columns = {name: known for name, known in columns.items() if known != target}
            columns[headings[heading.casefold()]] = target
        stages, added = dict(imported.options.get("stages", {})), dict(imported.options.get("new_stages", {}))
        known = _stages(imported)
        for value, stage in (_pair(text, "--stage") for text in options["stage"]):
            stages[value] = self._stage(value, stage, known, added)
        answers: dict[str, Any] = {"columns": columns, "stages": stages, "new_stages": added}
        if options["opened_in"]:
            answers["opened_in"] = self._stage("", options["opened_in"], known, {})
        return running.answer(actor=imported.created_by, imported=imported, options=answers, now=timezone.now())

    def _stage(self, value: str, wanted: str, known: dict[str, Stage], added: dict[str, Any]) -> str:
        if wanted.startswith("new:"):
            parts = wanted.split(":")
            try:
                new = new_stage(value, kind=parts[1], temperature=parts[2] if len(parts) > 2 else "cold")
            except (IndexError, ValueError) as error:
                raise CommandError(f"Write “{value}=new:open:warm”: open, won or lost; cold, warm or hot.") from error
            added[value] = new
            return str(new["key"])
        for stage in known.values():
            if wanted.casefold() in (stage.key, stage.name.casefold()):
                return stage.key
        raise CommandError(f"There is no stage “{wanted}”. There are: {', '.join(known)}.")

    def _answered(self, imported: Import) -> Import:
        """Ask at a terminal what is still open; elsewhere stop with the options that answer it."""
        while questions := Setup(imported, now=timezone.now()).questions():
            if not sys.stdin.isatty() or questions[0].key == "columns":
                raise CommandError("\n".join(self._how_to_answer(imported, question) for question in questions))
            answers: dict[str, Any] = {"stages": dict(imported.options.get("stages", {}))}
            for question in questions:
                kind, _colon, value = question.key.partition(":")
                choices = {
                    "stage": list(_stages(imported)),
                    "date_reading": list(DATE_READINGS),
                    "decimal_mark": list(DECIMAL_MARKS),
                }[kind]
                given = Prompt.ask(question.sentence, choices=choices, console=self.console)
                if kind == "stage":
                    answers["stages"][value] = given
                else:
                    answers[kind] = given
            imported = running.answer(actor=imported.created_by, imported=imported, options=answers, now=timezone.now())
        return imported

    def _how_to_answer(self, imported: Import, question: Any) -> str:
        kind, _colon, value = question.key.partition(":")
        hints = {
            "columns": f"Say it with --column HEADING=TARGET. The headings are: {', '.join(imported.header)}.",
            "stage": f'Say it with --stage "{value}=STAGE", where STAGE is one of {", ".join(_stages(imported))}; '
            f'or --stage "{value}=new:open:warm" to add it.',
            "date_reading": "Say it with --date-format dmy or --date-format mdy.",
            "decimal_mark": "Say it with --decimal-mark point or --decimal-mark comma.",
        }
        return f"{question.sentence} {hints[kind]}"

    # --- the work ---------------------------------------------------------------------------------------------------

    def _work(self, imported: Import) -> Import:
        runner = running.Runner(imported.pk)
        label = "Checking" if imported.state == State.CHECKING else "Importing"
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self.console, disable=not self.console.is_terminal) as progress:
            task = progress.add_task(label, total=imported.rows, completed=imported.row)
            while imported.is_running:
                step = runner.step(now=timezone.now())
                if step is None:
                    raise CommandError(
                        "Another import is at work. Wait until it has ended; this one goes on with the same command."
                    )
                imported = step
                progress.update(task, completed=imported.row)
        return imported

    def _report(self, imported: Import, options: dict[str, Any]) -> None:
        is_dry_run = imported.state == State.CHECKED
        table = Table("Stage", "Rows", title="Would be imported" if is_dry_run else "Imported", title_justify="left")
        for stage, count in imported.by_stage.items():
            table.add_row(stage, f"{count:,}")
        self.console.print(table)
        would = "would be " if is_dry_run else ""
        self.console.print(
            f"{imported.created:,} {would}created, {imported.changed:,} {would}changed, "
            f"{imported.unchanged:,} unchanged, {imported.refused:,} {would}refused.", highlight=False, soft_wrap=True,
        )  # fmt: skip
        self.console.print(
            f"New: {imported.accounts_created:,} accounts, {imported.people_created:,} people, "
            f"{imported.teams_created:,} teams.",
            highlight=False,
        )
        for sentence, count in imported.notices.items():
            self.console.print(f"  {count:,} × {sentence}", highlight=False, markup=False, soft_wrap=True)
        if imported.refused:
            target = options["errors"] or options["file"].with_name(f"{options['file'].stem}-errors.csv")
            with target.open("w", encoding="utf-8-sig", newline="") as file:
                write_error_file(imported, file)
            self.console.print(f"The refused rows are in {target}, each with what is wrong with it.", soft_wrap=True)
        if is_dry_run:
            running.cancel(imported=imported, now=timezone.now())


def _opened(stack: ExitStack, path: Path) -> BinaryIO:
    try:
        return stack.enter_context(path.open("rb"))
    except OSError as error:
        raise CommandError(f"{path} can't be read: {error.strerror}.") from error


def _checksum(path: Path) -> str:
    import hashlib

    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _actor(email: str | None) -> User | None:
    if email:
        found = User.objects.filter(email__iexact=email).first()
        if found is None:
            raise CommandError(f"There is nobody with the address {email}.")
        if not found.has_perm("imports.use"):
            raise CommandError(f"{found} may not import: sales managers and administrators may.")
        return found
    return User.objects.filter(is_active=True, roles__contains=[Role.ADMINISTRATOR]).order_by("pk").first()


def _answers(options: dict[str, Any]) -> dict[str, Any]:
    given = {
        "baseline": options["baseline"], "shift_to_today": options["shift_dates_to_today"],
        "date_reading": options["date_format"], "decimal_mark": options["decimal_mark"],
        "pipeline": options["pipeline"], "service_line": options["service_line"], "currency": options["currency"],
        "team": options["team"], "team_by": options["team_by"],
    }  # fmt: skip
    return {name: value for name, value in given.items() if value}


def _pair(text: str, option: str) -> tuple[str, str]:
    left, equals, right = text.rpartition("=")
    if not equals:
        raise CommandError(f"Write {option} as “{text or 'THIS'}=THAT”.")
    return left.strip(), right.strip()


def _stages(imported: Import) -> dict[str, Stage]:
    return {stage.key: stage for stage in Setup(imported, now=timezone.now()).stages}
