"""What can be wrong with a file or a row, in sentences that say what to do."""

from __future__ import annotations


class Unreadable(Exception):
    """A file can’t be read; nothing was imported. ``field`` says which, where it is not that of the deals."""

    field = ""


class NeedsAnswer(Exception):
    """Something in the file is ambiguous; ``questions`` says what, each with the option that answers it."""

    def __init__(self, questions: list[str]) -> None:
        super().__init__(" ".join(questions))
        self.questions = questions


class BadRow(Exception):
    """One row can't be imported; the others go on."""


class NotPossible(Exception):
    """The import does not stand where that could be done."""
