"""Validation of what people say about deal reviews."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from handoffs.models import AskedQuestion, ConditionState, DealReview, ReviewAnswer, ReviewCondition, Verdict
from handoffs.models.review import BEST, WORST
from handoffs.services.reviews import ConditionDraft, Meeting
from handoffs.services.reviews.deciding import MOST_CONDITIONS
from opportunities.forms.fields import DayField, PickField, TextField

SCORES = {1: _("no"), 2: _("hardly"), 3: _("partly"), 4: _("mostly"), 5: _("fully")}
Answer = tuple[int | None, str]
_NOTHING: Answer = (None, "")
_ROW = ("text", "owner", "due_on", "follows")


class VersionForm(forms.Form):
    """The version that the person saw."""

    data: Any  # a QueryDict once it is bound
    version = forms.IntegerField(min_value=1, max_value=2**31 - 1, required=False, widget=forms.HiddenInput)

    def see(self, version: int) -> None:
        """Go by this version from now on: what somebody else did meanwhile is shown."""
        self.data = self.data.copy()
        self.data["version"] = str(version)


class AskForm(forms.Form):
    """Which kind of review is asked for."""

    is_express = forms.BooleanField(required=False)


class AnswersForm(forms.Form):
    """A score and a note for each question, with what the page showed at first."""

    data: Any  # a QueryDict once it is bound
    do = forms.ChoiceField(choices=[("draft", ""), ("hand_in", "")], required=False)

    def __init__(
        self, data: Any = None, *, questions: Iterable[AskedQuestion], own: Mapping[int, ReviewAnswer]
    ) -> None:  # fmt: skip
        self.questions = list(questions)
        self.own = {key: (answer.score, answer.note) for key, answer in own.items()}
        initial: dict[str, Any] = {}
        for key, (score, note) in self.own.items():
            initial |= {f"score_{key}": score, f"note_{key}": note}
        super().__init__(data, initial=initial)
        for question in self.questions:
            self.fields[f"score_{question.pk}"] = forms.TypedChoiceField(
                label=question.text, required=False, coerce=int, empty_value=None, widget=forms.RadioSelect,
                choices=[(score, SCORES[score]) for score in range(WORST, BEST + 1)],
            )  # fmt: skip
            self.fields[f"note_{question.pk}"] = TextField(
                label=_("Note"), required=False, max_length=1000, is_multiline=True,
                widget=forms.Textarea(attrs={"rows": 1}),
            )  # fmt: skip

    @property
    def is_handing_in(self) -> bool:
        """Whether the answers are final."""
        return self.cleaned_data.get("do") == "hand_in"

    @property
    def rows(self) -> list[dict[str, Any]]:
        """For each question its fields, and hidden inputs that say what the page shows."""
        return [
            {
                "question": question, "score": self[f"score_{question.pk}"], "note": self[f"note_{question.pk}"],
                "seen": self._seen_texts(question.pk),
            }
            for question in self.questions
        ]  # fmt: skip

    @property
    def scored(self) -> int:
        """How many questions have a score."""
        return sum(1 for row in self.rows if row["score"].value() not in (None, ""))

    @property
    def first_open(self) -> int | None:
        """The first question whose answer was refused."""
        refused = (row["question"].pk for row in self.rows if row["score"].errors or row["note"].errors)
        return next(refused, None)

    @property
    def changed(self) -> dict[int, Answer]:
        """What the person changed, by question; the rest stays as somebody else of the side may have left it."""
        return {key: answer for key, answer in self._given.items() if answer != self._seen(key)}

    def tell_clashes(self, names: Mapping[int, str]) -> bool:
        """Say where somebody of the same side changed the same answer meanwhile; sending it again then means: mine."""
        clashes = {
            key: now
            for key, mine in self.changed.items()
            if (now := self.own.get(key, _NOTHING)) not in (mine, self._seen(key))
        }
        if clashes:
            self.data = self.data.copy()
        for key, (score, note) in clashes.items():
            told = {"name": names.get(key, ""), "score": score or "–", "note": f" “{note}”" if note else ""}
            self.add_error(
                f"score_{key}",
                gettext("%(name)s has given this %(score)s in the meantime.%(note)s Save again to have yours.") % told,
            )
            self.data[f"seen_score_{key}"], self.data[f"seen_note_{key}"] = str(score or ""), note
        return bool(clashes)

    def accept_as_seen(self) -> None:
        """What was typed is kept by now, so it is what the page shows."""
        self.data = self.data.copy()
        for key, (score, note) in self._given.items():
            self.data[f"seen_score_{key}"], self.data[f"seen_note_{key}"] = str(score or ""), note

    @property
    def _given(self) -> dict[int, Answer]:
        cleaned = self.cleaned_data
        return {
            question.pk: (cleaned.get(f"score_{question.pk}"), cleaned.get(f"note_{question.pk}", ""))
            for question in self.questions
        }

    def _seen(self, key: int) -> Answer:
        if f"seen_score_{key}" not in self.data:
            return self.own.get(key, _NOTHING)
        score = self.data[f"seen_score_{key}"]
        note = self.data.get(f"seen_note_{key}", "").replace("\r\n", "\n")
        return (int(score) if score in map(str, SCORES) else None, note)

    def _seen_texts(self, key: int) -> list[tuple[str, str]]:
        score, note = self._seen(key) if self.is_bound else self.own.get(key, _NOTHING)
        return [(f"seen_score_{key}", str(score or "")), (f"seen_note_{key}", note)]


class MeetingForm(VersionForm):
    """When and where both sides meet, about what, and who is invited. Times are in the reader's time zone."""

    day = DayField(label=_("Day"))
    time = forms.TimeField(
        label=_("Time"), widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
        error_messages={"invalid": _("Write it like 14:30.")},
    )  # fmt: skip
    minutes = forms.IntegerField(label=_("Minutes"), min_value=5, max_value=480, initial=30)
    place = TextField(label=_("Where"), max_length=300, required=False, help_text=_("A room, or the link of the call."))
    agenda = TextField(label=_("Agenda"), max_length=4000, required=False, is_multiline=True)

    def __init__(self, data: Any = None, *, review: DealReview, people: Iterable[User], invited: Iterable[int],
                 default: dt.datetime) -> None:  # fmt: skip
        local = timezone.localtime(review.starts_at or default)
        super().__init__(
            data,
            initial={
                "version": review.version, "day": local.date(), "time": local.time().replace(second=0, microsecond=0),
                "minutes": review.minutes, "place": review.place, "agenda": review.agenda,
                "attendees": [str(pk) for pk in invited],
            },
        )  # fmt: skip
        self.people = {str(person.pk): person for person in people}
        self.fields["attendees"] = forms.MultipleChoiceField(
            label=_("Invited"), required=False, choices=[(key, str(person)) for key, person in self.people.items()],
            widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
            error_messages={"invalid_choice": _("Choose people of the list.")},
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Day and time as one moment. Raises ValidationError for a time that the clocks skip."""
        cleaned = super().clean() or {}
        day, time = cleaned.get("day"), cleaned.get("time")
        if day is not None and time is not None:
            moment = dt.datetime.combine(day, time, timezone.get_current_timezone())
            try:
                is_real = timezone.localtime(moment.astimezone(dt.UTC)).replace(fold=0) == moment.replace(fold=0)
            except OverflowError:
                raise ValidationError({"day": gettext("Use a year between 2000 and 2100.")})
            if not is_real:
                raise ValidationError({"time": gettext("The clocks go forward then; there is no such time that day.")})
            cleaned["starts_at"] = moment
        return cleaned

    @property
    def meeting(self) -> Meeting:
        """What was given."""
        given = self.cleaned_data
        attendees = [self.people[key] for key in given["attendees"]]
        return Meeting(given["starts_at"], given["minutes"], given["place"], given["agenda"], attendees)

    def take(self, error: ValidationError) -> None:
        """The service's refusal, at the field it belongs to."""
        for name, sentences in _by_field(error).items():
            self.add_error("day" if name == "starts_at" else name if name in self.fields else None, sentences)


class AttendanceForm(forms.Form):
    """Which of those invited came."""

    def __init__(self, data: Any = None, *, invited: Iterable[User]) -> None:
        super().__init__(data)
        self.fields["present"] = forms.MultipleChoiceField(
            required=False, choices=[(str(person.pk), str(person)) for person in invited]
        )

    @property
    def present(self) -> list[int]:
        """Their keys."""
        return [int(key) for key in self.cleaned_data["present"]]


class ConditionForm(forms.Form):
    """One condition of a verdict."""

    text = TextField(label=_("Condition"), max_length=300, required=False)
    due_on = DayField(label=_("Due"), required=False)
    follows = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, people: Sequence[User], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.fields["owner"] = PickField(people, label=_("Owner"), nothing=gettext("Choose"), required=False)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed; an empty row asks nothing."""
        return not any(self.data.get(self.add_prefix(name), "").strip() for name in ("text", "owner", "due_on"))

    def clean(self) -> dict[str, Any]:
        """All three or nothing."""
        cleaned = super().clean() or {}
        if not self.is_empty:
            for name, sentence in (
                ("text", gettext("Say what must come true.")),
                ("owner", gettext("Say who sees to it.")),
                ("due_on", gettext("Say until when.")),
            ):
                if not cleaned.get(name) and name not in self.errors:
                    self.add_error(name, sentence)
        return cleaned

    @property
    def draft(self) -> ConditionDraft:
        """What was given."""
        given = self.cleaned_data
        return ConditionDraft(given["text"], given["owner"], given["due_on"], given["follows"])


class VerdictForm(VersionForm):
    """A verdict with its conditions; conditions belong to “go, if” alone."""

    verdict = forms.ChoiceField(
        label=_("Verdict"), choices=Verdict.choices, widget=forms.RadioSelect,
        error_messages={"required": _("Choose go, go if, or no go.")},
    )  # fmt: skip
    summary = TextField(
        label=_("In a sentence or two"), max_length=1000, required=False, is_multiline=True,
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip
    reason = TextField(label=_("What changed since the verdict before"), max_length=500, required=False)
    do = forms.CharField(max_length=20, required=False)

    def __init__(
        self, data: Any = None, *, version: int, people: Sequence[User], conditions: Iterable[ReviewCondition] = (),
        initial: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(data, initial={"version": version, **(initial or {})})
        self.rows = self._given_rows(people) if self.is_bound else self._first_rows(people, conditions)

    def is_valid(self) -> bool:
        """Whether the verdict and every condition that counts can be read."""
        is_valid = super().is_valid()
        return all(row.is_valid() for row in self._counting) and is_valid

    @property
    def drafts(self) -> list[ConditionDraft]:
        """The conditions given."""
        return [row.draft for row in self._counting]

    @property
    def is_arranging(self) -> bool:
        """Whether a row was asked for or taken away, and nothing else."""
        return self.data.get("do", "").startswith(("add", "remove-"))

    def take(self, error: ValidationError) -> None:
        """The service's refusal, at the field or the row it belongs to."""
        for name, sentences in _by_field(error).items():
            place, _dot, rest = name.partition(".")
            number, _dot, field = rest.partition(".")
            counting = self._counting
            if place == "conditions" and number.isdigit() and int(number) < len(counting):
                counting[int(number)].add_error(field, sentences)
            else:
                self.add_error(name if name in self.fields else None, sentences)

    @property
    def _counting(self) -> list[ConditionForm]:
        if self.data.get("verdict") != Verdict.GO_IF:
            return []
        return [row for row in self.rows if not row.is_empty]

    def _first_rows(self, people: Sequence[User], conditions: Iterable[ReviewCondition]) -> list[ConditionForm]:
        known = [
            {"text": each.text, "owner": each.owner, "due_on": each.due_on, "follows": each.pk} for each in conditions
        ]  # fmt: skip
        return [
            ConditionForm(people=people, prefix=f"condition-{number}", initial=initial)
            for number, initial in enumerate(known or [{}])
        ]

    def _given_rows(self, people: Sequence[User]) -> list[ConditionForm]:
        count = self.data.get("conditions", "")
        numbers = range(min(int(count), 2 * MOST_CONDITIONS) if count.isascii() and count.isdigit() else 0)
        rows = [{name: self.data.get(f"condition-{number}-{name}", "") for name in _ROW} for number in numbers]
        do = self.data.get("do", "")
        if do == "add" and len(rows) < MOST_CONDITIONS:
            rows.append(dict.fromkeys(_ROW, ""))
        number = do.removeprefix("remove-")
        if do.startswith("remove-") and number.isascii() and number.isdigit() and int(number) < len(rows):
            del rows[int(number)]
        return [
            ConditionForm(
                {f"condition-{number}-{name}": value for name, value in row.items()},
                people=people, prefix=f"condition-{number}",
            )
            for number, row in enumerate(rows)
        ]  # fmt: skip


class SignForm(forms.Form):
    """The version of the verdict that the person saw."""

    number = forms.IntegerField(min_value=1, max_value=32_767)


class SettleForm(forms.Form):
    """What became of a condition."""

    state = forms.ChoiceField(
        label=_("What became of it"), choices=ConditionState.choices, widget=forms.RadioSelect,
        initial=ConditionState.MET, error_messages={"required": _("Choose met, dropped or open.")},
    )  # fmt: skip
    note = TextField(
        label=_("Note"), max_length=500, required=False, is_multiline=True, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("How it came true, or why it no longer matters."),
    )  # fmt: skip


class OverrideForm(forms.Form):
    """Why the deal can't wait for its review."""

    reason = TextField(
        label=_("Why the deal can’t wait for its review"), max_length=500, is_multiline=True,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Say why the deal can’t wait for its review.")},
        help_text=_("Everybody on the deal reads this, and it is counted in the team’s figures."),
    )  # fmt: skip


def _by_field(error: ValidationError) -> dict[str, list[str]]:
    return error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
