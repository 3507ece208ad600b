"""What `manage.py import_people` and `import_bookings` have in common."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import Role, User
from integrations.imports.errors import NeedsAnswer, NotPossible, Unreadable
from integrations.imports.models import Import, Kind
from integrations.imports.report import write_error_file
from integrations.imports.services import running
from integrations.imports.services.intake import read, receive
from integrations.imports.staffing.columns import TARGETS
from integrations.imports.staffing.setup import ADD, LEAVE, NEW
from integrations.imports.states import State
from integrations.imports.values import DATE_READINGS
from staffing.models import WorkRole


class StaffingCommand(BaseCommand):
    """Reads a file, asks for what it leaves open by options, checks or writes, and says what happened."""

    kind: ClassVar[Kind]

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The same answers as the page takes."""
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, change nothing")
        parser.add_argument(
            "--column", metavar="HEADING=TARGET", action="append", default=[],
            help=f"what a column means, repeatable; targets: {', '.join(TARGETS[self.kind])}, or nothing",
        )  # fmt: skip
        parser.add_argument(
            "--role", metavar="VALUE=ROLE", action="append", default=[],
            help="which role a value means, repeatable; VALUE=new adds it",
        )  # fmt: skip
        parser.add_argument("--date-format", choices=list(DATE_READINGS), help="day or month first (dmy, mdy)")
        parser.add_argument(
            "--new-skills", choices=[ADD, LEAVE], help="add skills that are not known, or leave them out"
        )
        parser.add_argument(
            "--as", dest="email", metavar="EMAIL", help="whose import it is; an administrator's by default"
        )
        parser.add_argument("--errors", metavar="FILE", type=Path, help="where rows with errors go")

    def handle(self, **options: Any) -> None:
        """Read, check or write, and say what happened."""
        imported = self._received(options)
        try:
            imported = running.start(imported=imported, is_dry_run=options["dry_run"], now=timezone.now())
        except (NeedsAnswer, NotPossible) as error:
            running.cancel(imported=imported, now=timezone.now())
            hint = "Answer with --column, --role VALUE=ROLE (or VALUE=new), --new-skills and --date-format."
            raise CommandError(f"{error} {hint}") from error
        runner = running.Runner(imported.pk)
        while imported.is_running:
            step = runner.step(now=timezone.now())
            if step is None:
                raise CommandError("Another import is at work; this one goes on by itself in the background.")
            imported = step
        self._report(imported, options)

    def _received(self, options: dict[str, Any]) -> Import:
        try:
            with options["file"].open("rb") as file:
                imported = receive(
                    actor=_actor(options["email"]), file=file, file_name=options["file"].name, companions={},
                    options={}, now=timezone.now(), kind=self.kind,
                )  # fmt: skip
        except OSError as error:
            raise CommandError(f"{options['file']} can't be read: {error.strerror}.") from error
        except Unreadable as error:
            raise CommandError(str(error)) from error
        imported = read(imported=imported, now=timezone.now())
        if imported.state == State.REFUSED:
            raise CommandError(imported.message)
        given = {name: options[name] for name in ("new_skills",) if options[name]}
        if options["date_format"]:
            given["date_reading"] = options["date_format"]
        columns, roles = self._columns(imported, options["column"]), self._roles(imported, options["role"])
        answers = {**given, "columns": columns, "roles": roles}
        return running.answer(actor=imported.created_by, imported=imported, options=answers, now=timezone.now())

    def _columns(self, imported: Import, pairs: list[str]) -> dict[str, str]:
        columns = dict(imported.options["columns"])
        headings = {heading.casefold(): heading for heading in imported.header}
        for heading, target in (_pair(text, "--column") for text in pairs):
            if heading.casefold() not in headings:
                raise CommandError(f"There is no column “{heading}”. There are: {', '.join(imported.header)}.")
            if target and target not in TARGETS[self.kind]:
                raise CommandError(f"“{target}” is not a target. Targets are: {', '.join(TARGETS[self.kind])}.")
            columns = {name: known for name, known in columns.items() if known != target}
            columns[headings[heading.casefold()]] = target
        return columns

    def _roles(self, imported: Import, pairs: list[str]) -> dict[str, str]:
        roles = dict(imported.options.get("roles", {}))
        known = {role.name.casefold(): role for role in WorkRole.objects.filter(archived_at__isnull=True)}
        for value, wanted in (_pair(text, "--role") for text in pairs):
            if wanted.casefold() in known:
                roles[value] = str(known[wanted.casefold()].pk)
            elif wanted == NEW:
                roles[value] = NEW
            else:
                there = ", ".join(role.name for role in known.values())
                raise CommandError(f"There is no role “{wanted}”. There are: {there}.")
        return roles

    def _report(self, imported: Import, options: dict[str, Any]) -> None:
        is_dry_run = imported.state == State.CHECKED
        would = "would be " if is_dry_run else ""
        self.stdout.write(
            f"{imported.created:,} {would}created, {imported.changed:,} {would}changed, "
            f"{imported.unchanged:,} unchanged, {imported.refused:,} {would}refused."
        )
        for sentence, count in imported.notices.items():
            self.stdout.write(f"  {count:,} × {sentence}")
        if imported.refused:
            target = options["errors"] or options["file"].with_name(f"{options['file'].stem}-errors.csv")
            with target.open("w", encoding="utf-8-sig", newline="") as file:
                write_error_file(imported, file)
            self.stdout.write(f"The refused rows are in {target}, each with what is wrong with it.")
        if is_dry_run:
            running.cancel(imported=imported, now=timezone.now())


def _actor(email: str | None) -> User:
    users = User.objects.filter(is_active=True)
    found = users.filter(email__iexact=email) if email else users.filter(roles__contains=[Role.ADMINISTRATOR])
    actor = found.order_by("pk").first()
    if actor is None:
        raise CommandError(
            f"There is nobody with the address {email}." if email else "Say whose it is with --as EMAIL."
        )
    if not actor.has_perm("staffing.plan"):
        raise CommandError(f"{actor} may not import: resource and delivery managers and administrators may.")
    return actor


def _pair(text: str, option: str) -> tuple[str, str]:
    left, equals, right = text.rpartition("=")
    if not equals:
        raise CommandError(f"Write {option} as “{text or 'THIS'}=THAT”.")
    return left.strip(), right.strip()
