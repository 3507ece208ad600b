"""How two texts differ, word by word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

_WORDS = re.compile(r"\S+\s*|\s+")


@dataclass(frozen=True)
class Piece:
    """A run of words; ``kind`` is same, gone or new."""

    kind: str
    text: str


def word_differences(before: str, after: str) -> list[Piece]:
    """The words of both texts in reading order, those that are gone before those that came in their place."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    pieces: list[Piece] = []
    # Frequent words of long texts are passed over (autojunk), which keeps the work bounded for any text.
    for _tag, start, end, new_start, new_end in SequenceMatcher(None, old, new).get_opcodes():
        gone, came = "".join(old[start:end]), "".join(new[new_start:new_end])
        if gone == came:
            pieces.append(Piece("same", came))
            continue
        pieces += [Piece(kind, text) for kind, text in (("gone", gone), ("new", came)) if text]
    return pieces


def has_differences(pieces: list[Piece]) -> bool:
    """Whether there is anything but what stayed."""
    return any(piece.kind != "same" for piece in pieces)
