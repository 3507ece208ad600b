"""What all measurements share: a database of their own, and where and with what they were made."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def use_database(name: str, *, fresh: bool = False) -> bool:
    """Point Django at a database of the embedded server, made and migrated if need be; True when it is new.

    Call before anything of Django is used.
    """
    os.environ["ONETEAM_STATEMENT_TIMEOUT"] = "0"
    import psycopg2
    from psycopg2 import sql

    from onetteam import embedded

    base = os.environ.get("DATABASE_URL") or embedded.database_url()
    connection = psycopg2.connect(base)
    connection.autocommit = True
    with connection.cursor() as cursor:
        if fresh:
            cursor.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
        cursor.execute("select 1 from pg_database where datname = %s", [name])
        is_new = cursor.fetchone() is None
        if is_new:
            cursor.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    connection.close()
    parts = base.partition("?")
    os.environ["DATABASE_URL"] = parts[0].rsplit("/", 1)[0] + "/" + name + parts[1] + parts[2]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onetteam.settings")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    return is_new


def circumstances() -> dict[str, Any]:
    """Machine, commit and command."""
    model = next(
        (line.split(":", 1)[1].strip() for line in _read("/proc/cpuinfo").splitlines() if "model name" in line),
        platform.processor(),
    )
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    load = os.getloadavg()
    return {
        "machine": f"{os.cpu_count()} × {model}, {_memory()} GB, {platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "commit": commit.stdout.strip(),
        "command": " ".join(["python", "-m", f"benchmarks.{Path(sys.argv[0]).stem}", *sys.argv[1:]]),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "load_average": [round(value, 1) for value in load],
    }


def keep(name: str, title: str, results: dict[str, Any], table: str) -> None:
    """Write the results as JSON and as a page to read, and print the page."""
    RESULTS.mkdir(exist_ok=True)
    about = circumstances()
    (RESULTS / f"{name}.json").write_text(json.dumps({**about, **results}, indent=2, default=str) + "\n")
    lines = [f"# {title}", "", *(f"- {key.replace('_', ' ')}: {value}" for key, value in about.items()), "", table, ""]
    text = "\n".join(lines)
    (RESULTS / f"{name}.md").write_text(text)
    print(text)


def rows_as_table(heading: list[str], rows: list[list[Any]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(heading) + " |", "|" + "---|" * len(heading)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def _memory() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
