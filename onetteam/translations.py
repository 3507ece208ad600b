"""Compiles translations where they are missing or older than their source: `python -m onetteam.translations`.

Pure Python, so that no machine needs GNU gettext. Needs no Django: it runs before anything is set up.
"""

import os
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE = Path(__file__).resolve().parent.parent / "locale"


def compile_all(root: Path = LOCALE) -> list[Path]:
    """The files that were written anew. Whoever does so at the same moment writes the same."""
    written = []
    for source in sorted(root.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as file:
            catalog = read_po(file, locale=source.parent.parent.name, abort_invalid=True)
        new = target.with_name(f"{target.name}.{os.getpid()}")
        with new.open("wb") as file:
            write_mo(file, catalog)
        new.replace(target)
        written.append(target)
    return written


if __name__ == "__main__":
    compile_all()
