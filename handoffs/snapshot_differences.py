"""What changed on a handoff's checklist between two submissions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from handoffs.models import TaskSide, TaskState

Item = Mapping[str, Any]
_LONGEST = 120


@dataclass(frozen=True)
class ItemChange:
    """One item that is new, gone or different; ``sentences`` say how."""

    kind: str  # added, removed, changed
    section: str
    title: str
    sentences: Sequence[str]


def differences(before: Sequence[Item], after: Sequence[Item]) -> list[ItemChange]:
    """From the items of one submission to those of the next: added, then changed, then removed ones."""
    old, new = {item["id"]: item for item in before}, {item["id"]: item for item in after}
    added = [_change("added", item, _first_words(item)) for key, item in new.items() if key not in old]
    removed = [_change("removed", item, []) for key, item in old.items() if key not in new]
    changed = []
    for key, item in new.items():
        if key in old and (sentences := _sentences(old[key], item)):
            changed.append(_change("changed", item, sentences))
    return [*added, *changed, *removed]


def _change(kind: str, item: Item, sentences: Sequence[str]) -> ItemChange:
    return ItemChange(kind, str(item.get("section", "")), str(item.get("title", "")), sentences)


def _first_words(item: Item) -> list[str]:
    if item.get("waived_reason"):
        return [_("waived: %(reason)s") % {"reason": item["waived_reason"]}]
    return [str(TaskState(item["state"]).label).lower()] if item.get("state") in TaskState.values else []


def _sentences(old: Item, new: Item) -> list[str]:
    found = []
    if old.get("title") != new.get("title"):
        found.append(_("was “%(title)s”") % {"title": old.get("title")})
    if new.get("waived_reason") and old.get("waived_reason") != new.get("waived_reason"):
        found.append(_("waived: %(reason)s") % {"reason": new["waived_reason"]})
    elif old.get("waived_reason") and not new.get("waived_reason"):
        found.append(_("no longer waived, now %(state)s") % {"state": _told_state(new)})
    elif old.get("state") != new.get("state"):
        found.append(_("%(old)s → %(new)s") % {"old": _told_state(old), "new": _told_state(new)})
    for name, label in (("evidence", _("evidence")), ("link", _("link")), ("file", _("file"))):
        if (old.get(name) or "") != (new.get(name) or ""):
            found.append(_told_text(label, old.get(name), new.get(name)))
    if bool(old.get("is_required")) != bool(new.get("is_required")):
        found.append(_("now required") if new.get("is_required") else _("no longer required"))
    if old.get("side") != new.get("side") and new.get("side") in TaskSide.values:
        found.append(_("now for %(side)s") % {"side": TaskSide(new["side"]).label})
    return found


def _told_state(item: Item) -> str:
    state = item.get("state")
    return str(TaskState(state).label).lower() if state in TaskState.values else str(state)


def _told_text(label: str, old: object, new: object) -> str:
    if not new:
        return _("%(what)s removed") % {"what": label}
    told = {"what": label, "text": _short(new)}
    return _("%(what)s added: %(text)s") % told if not old else _("%(what)s changed: %(text)s") % told


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
