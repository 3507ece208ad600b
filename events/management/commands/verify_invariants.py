"""Prove that nothing is missing and nothing is double."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from events.invariants import SHOWN, all_invariants, verify


class Command(BaseCommand):
    """Looks at every invariant; exit code 1 if one is broken."""

    help = "Look at every invariant of the data; exit code 1 if one is broken."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line for each, and the first rows that break it."""
        findings = verify(all_invariants())
        for finding in findings:
            mark = "ok    " if not finding.count else "BROKEN"
            self.stdout.write(f"{mark} {finding.invariant.name}: {finding.invariant.sentence}")
            for example in finding.examples:
                self.stdout.write(f"       {example}")
            if finding.count > SHOWN:
                self.stdout.write(f"       … {finding.count} in all")
        if any(finding.count for finding in findings):
            sys.exit(1)
