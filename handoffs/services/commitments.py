"""The commitment ledger: noting promises, delivery's stance to them, and what became of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.queries import organisation
from accounts.text import fault_in, trimmed
from events import names
from events.models import EventData
from events.recording import record
from handoffs.ledger_access import no_side, rests
from handoffs.models import Commitment, CommitmentOutcome, Stance
from handoffs.services.handoff.following import follow_commitments
from handoffs.services.handoff.opening import carry_promises
from handoffs.states import IllegalTransition
from opportunities.models import Contact, Opportunity, StageKind
from opportunities.services.editing import readable
from opportunities.services.versions import locked

FIELDS = (
    "text", "kind", "promised_by", "promised_to", "promised_on", "due_on", "source", "source_note", "is_in_sow",
)  # fmt: skip
# What delivery's answer is about: with other words or another date it has to be given again.
ANSWERED = ("text", "kind", "due_on")
LONGEST_NOTE = 500


class StaleCommitment(Exception):
    """Somebody else changed the promise; ``current`` is how it stands now."""

    def __init__(self, current: Commitment) -> None:
        super().__init__(_("Somebody changed this promise in the meantime. Look at it as it is now and try again."))
        self.current = current


def add_commitment(*, actor: User, opportunity: Opportunity, values: Mapping[str, Any], now: dt.datetime) -> Commitment:
    """Note a promise to the client; the same promise again is the one that is there.

    ``promised_by`` defaults to the actor, ``promised_on`` to today. Raises PermissionDenied, IllegalTransition,
    ValidationError with a sentence per field.
    """
    if not actor.has_perm("handoffs.keep_ledger", opportunity):
        raise no_side()
    with transaction.atomic():
        deal = locked(opportunity)
        _check_awake(deal)
        today = organisation().today(now)
        commitment = Commitment(
            opportunity=deal, promised_by=actor, promised_on=today, added_by=actor, created_at=now, updated_at=now
        )
        for name, value in values.items():
            _set(commitment, name, value)
        _check_values(commitment, set(FIELDS), today)
        known = _twin(commitment)
        if known is not None:
            return known
        commitment.save()
        data: EventData = {"text": commitment.text, "kind": commitment.kind}
        record(names.COMMITMENT_ADDED, actor=actor, about=commitment, within=deal, now=now, data=data)
        carry_promises(deal, now)
    return commitment


def change_commitment(
    *,
    actor: User,
    commitment: Commitment,
    changes: Mapping[str, Any],
    expected_version: int | None,
    now: dt.datetime,
) -> Commitment:
    """Change a promise. Other words or another date take delivery's answer back, as it was given to the old ones.

    Raises StaleCommitment, IllegalTransition for a settled one, PermissionDenied, ValidationError.
    """
    with transaction.atomic():
        current = _locked(commitment)
        if not actor.has_perm("handoffs.change_commitment", current):
            raise PermissionDenied(_("Sales, or whoever noted a promise, can change it."))
        changes = {name: value for name, value in changes.items() if getattr(current, name, None) != value}
        if not changes:
            return current
        _check_there(current)
        if expected_version not in (None, current.version):
            raise StaleCommitment(current)
        if current.outcome != CommitmentOutcome.OPEN:
            raise IllegalTransition(_("The promise is settled. Open it again before changing it."), frozenset())
        diff = {}
        for name, value in changes.items():
            before = getattr(current, name, None)
            _set(current, name, value)
            diff[name] = [readable(before), readable(getattr(current, name))]
        _check_values(current, set(changes), organisation().today(now))
        is_asked_again = current.stance != Stance.PENDING and any(name in changes for name in ANSWERED)
        data: EventData = {"text": current.text, "fields": diff}
        if is_asked_again:
            data["taken_back"] = str(current.get_stance_display())
            _take_stance(current, Stance.PENDING, "", None, None)
        _save(current, now)
        record(names.COMMITMENT_CHANGED, actor=actor, about=current, within=current.opportunity, now=now, data=data)
        follow_commitments(current.opportunity, now, actor)
    return current


def withdraw_commitment(
    *, actor: User, commitment: Commitment, expected_version: int | None, now: dt.datetime
) -> Commitment:
    """Take a promise off the ledger that was entered by mistake; after the win it has to be settled instead.

    Raises StaleCommitment, IllegalTransition, PermissionDenied.
    """
    with transaction.atomic():
        current = _locked(commitment)
        if not actor.has_perm("handoffs.change_commitment", current):
            raise PermissionDenied(_("Sales, or whoever noted a promise, can withdraw it."))
        if current.withdrawn_at is not None:
            return current
        _check_there(current)
        if current.opportunity.kind == StageKind.WON:
            raise IllegalTransition(_("The deal is won: say what became of the promise instead."), frozenset())
        if expected_version not in (None, current.version):
            raise StaleCommitment(current)
        current.withdrawn_at = now
        _save(current, now)
        record(
            names.COMMITMENT_WITHDRAWN, actor=actor, about=current, within=current.opportunity, now=now,
            data={"text": current.text},
        )  # fmt: skip
        follow_commitments(current.opportunity, now, actor)
    return current


def restore_commitment(*, actor: User, commitment: Commitment, now: dt.datetime) -> Commitment:
    """Put a withdrawn promise back. Raises IllegalTransition, PermissionDenied."""
    with transaction.atomic():
        current = _locked(commitment)
        if not actor.has_perm("handoffs.change_commitment", current):
            raise PermissionDenied(_("Sales, or whoever noted a promise, can bring it back."))
        if current.withdrawn_at is None:
            return current
        _check_awake(current.opportunity)
        current.withdrawn_at = None
        _save(current, now)
        record(
            names.COMMITMENT_ADDED, actor=actor, about=current, within=current.opportunity, now=now,
            data={"text": current.text, "kind": current.kind, "restored": True},
        )  # fmt: skip
        follow_commitments(current.opportunity, now, actor)
    return current


def answer_commitment(
    *,
    actor: User,
    commitment: Commitment,
    stance: str,
    note: str,
    expected_version: int | None,
    now: dt.datetime,
) -> Commitment:
    """What delivery says to a promise; “accepted, if” and “disputed” need a note, “not answered” takes an answer back.

    Raises StaleCommitment, IllegalTransition, PermissionDenied, ValidationError.
    """
    note = _note(note)
    if stance not in Stance.values:
        raise ValidationError({"stance": _("Choose one of the answers.")})
    if stance == Stance.ACCEPTED_IF and not note:
        raise ValidationError({"note": _("Say on what it depends, so that sales can see to it.")})
    if stance == Stance.DISPUTED and not note:
        raise ValidationError({"note": _("Say what stands against it, so that sales can talk to the client.")})
    with transaction.atomic():
        current = _locked(commitment)
        if not actor.has_perm("handoffs.answer_commitment", current):
            raise PermissionDenied(_("Delivery’s people on this deal answer its promises."))
        if (current.stance, current.stance_note) == (stance, note):
            return current
        _check_there(current)
        if current.outcome != CommitmentOutcome.OPEN:
            raise IllegalTransition(_("The promise is settled. Open it again before answering it."), frozenset())
        if expected_version not in (None, current.version):
            raise StaleCommitment(current)
        if stance == Stance.PENDING:
            _take_stance(current, Stance.PENDING, "", None, None)
        else:
            _take_stance(current, stance, note, actor, now)
        _save(current, now)
        data: EventData = {"text": current.text, "stance": str(current.get_stance_display()), "note": note}
        record(names.COMMITMENT_ANSWERED, actor=actor, about=current, within=current.opportunity, now=now, data=data)
        follow_commitments(current.opportunity, now, actor)
    return current


def settle_commitment(
    *,
    actor: User,
    commitment: Commitment,
    outcome: str,
    note: str,
    expected_version: int | None,
    now: dt.datetime,
) -> Commitment:
    """What became of a promise after the win; changed and broken need a note, “open” takes it back.

    Raises StaleCommitment, IllegalTransition before the win, PermissionDenied, ValidationError.
    """
    note = _note(note)
    if outcome not in CommitmentOutcome.values:
        raise ValidationError({"outcome": _("Choose what became of it.")})
    if outcome == CommitmentOutcome.CHANGED and not note:
        raise ValidationError({"note": _("Say what was agreed instead, and with whom.")})
    if outcome == CommitmentOutcome.BROKEN and not note:
        raise ValidationError({"note": _("Say what happened.")})
    with transaction.atomic():
        current = _locked(commitment)
        if not actor.has_perm("handoffs.settle_commitment", current):
            raise no_side()
        if (current.outcome, current.outcome_note) == (outcome, note):
            return current
        _check_there(current)
        if current.opportunity.kind != StageKind.WON:
            raise IllegalTransition(_("A promise is settled once the deal is won."), frozenset())
        if expected_version not in (None, current.version):
            raise StaleCommitment(current)
        is_open = outcome == CommitmentOutcome.OPEN
        current.outcome, current.outcome_note = outcome, "" if is_open else note
        current.settled_by, current.settled_at = (None, None) if is_open else (actor, now)
        _save(current, now)
        data: EventData = {"text": current.text, "outcome": str(current.get_outcome_display()), "note": note}
        record(names.COMMITMENT_SETTLED, actor=actor, about=current, within=current.opportunity, now=now, data=data)
        follow_commitments(current.opportunity, now, actor)
    return current


def contacts_for(opportunity: Opportunity) -> list[Contact]:
    """To whom something can be promised: people at the deal's account and those named on it. Up to 200."""
    named = Opportunity.contacts.through.objects.filter(opportunity=opportunity).values("contact")
    near = Q(pk__in=named)
    if opportunity.account_id is not None:
        near |= Q(account_id=opportunity.account_id)
    return list(Contact.objects.filter(near).order_by("name", "pk")[:200])


def _locked(commitment: Commitment) -> Commitment:
    """The deal first, so that winning and settling wait for each other, then the promise."""
    deal = locked(commitment.opportunity)
    current = Commitment.objects.select_for_update().get(pk=commitment.pk)
    current.opportunity = deal
    return current


def _check_awake(deal: Opportunity) -> None:
    if rests(deal):
        raise IllegalTransition(_("The deal is closed; its promises are kept as they are."), frozenset())


def _check_there(commitment: Commitment) -> None:
    _check_awake(commitment.opportunity)
    if commitment.withdrawn_at is not None:
        raise IllegalTransition(_("The promise was withdrawn."), frozenset())


def _set(commitment: Commitment, name: str, value: Any) -> None:
    if name not in FIELDS:
        raise ValidationError({name: _("This can't be changed here.")})
    setattr(commitment, name, trimmed(value) if isinstance(value, str) else value)


def _check_values(commitment: Commitment, names_given: set[str], today: dt.date) -> None:
    problems = _faulty_texts(commitment) | _faulty_days(commitment, today)
    if getattr(commitment, "promised_by_id") is None:  # noqa: B009 - typed as never empty, which a caller may overrule
        problems["promised_by"] = _("Say who promised it.")
    to = commitment.promised_to if "promised_to" in names_given else None
    if to is not None and to not in contacts_for(commitment.opportunity):
        problems["promised_to"] = _("Choose somebody at the deal’s account.")
    if problems:
        raise ValidationError(problems)
    commitment.clean_fields(exclude=_NOT_STATED)


def _faulty_texts(commitment: Commitment) -> dict[str, str]:
    problems = {}
    if not commitment.text:
        problems["text"] = _("Write what was promised, in the words the client heard.")
    for name in ("text", "source_note"):
        fault = fault_in(getattr(commitment, name))
        if fault:
            problems[name] = fault
    return problems


def _faulty_days(commitment: Commitment, today: dt.date) -> dict[str, str]:
    problems = {}
    promised_on: dt.date | None = commitment.promised_on
    if promised_on is None:
        problems["promised_on"] = _("Say when it was promised.")
    elif promised_on > today:
        problems["promised_on"] = _("That day is still to come.")
    for name in ("promised_on", "due_on"):
        day = getattr(commitment, name)
        if day is not None and not 2000 <= day.year <= 2100:
            problems[name] = _("Use a year between 2000 and 2100.")
    return problems


# Kept by services; relations are checked by the database.
_NOT_STATED = {field.name for field in Commitment._meta.fields if field.is_relation or field.name not in FIELDS}


def _twin(commitment: Commitment) -> Commitment | None:
    """The same promise as it stands on the ledger, from a form that was sent twice."""
    same = {name: getattr(commitment, name) for name in FIELDS}
    return Commitment.objects.current().filter(opportunity=commitment.opportunity, **same).first()


def _take_stance(commitment: Commitment, stance: str, note: str, by: User | None, at: dt.datetime | None) -> None:
    commitment.stance, commitment.stance_note = stance, note
    commitment.stance_by, commitment.stance_at = by, at


def _note(text: str) -> str:
    """The note without space at its ends. Raises ValidationError."""
    note = trimmed(text)
    fault = fault_in(note, is_multiline=True)
    if fault:
        raise ValidationError({"note": fault})
    if len(note) > LONGEST_NOTE:
        raise ValidationError({"note": _("Keep it to %(most)d characters.") % {"most": LONGEST_NOTE}})
    return note


def _save(commitment: Commitment, now: dt.datetime) -> None:
    commitment.version += 1
    commitment.updated_at = now
    commitment.save()
