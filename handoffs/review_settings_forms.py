"""Forms of the settings pages for deal reviews."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.forms.fields import NameField
from accounts.models import Role, ServiceLine
from handoffs.models import EscalationStep, Question
from handoffs.services.question_sets import CHANGEABLE
from opportunities.forms.fields import PickField, TextField
from opportunities.forms.seen import SeenForm

LONGEST_WAIT = 720


class NewQuestionSetForm(forms.Form):
    """A name, and whether one service line has the questions for itself."""

    name = NameField(label=_("Name"))

    def __init__(self, data: Any = None, *, lines: Iterable[ServiceLine] | None = None, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        self.fields["service_line"] = PickField(
            ServiceLine.objects.filter(is_active=True) if lines is None else lines, label=_("Only for"), required=False,
            nothing=gettext("every other service line"),
        )  # fmt: skip


class QuestionSetNameForm(SeenForm):
    """Another name."""

    SEEN = ("name",)
    name = NameField(label=_("Name"))


class QuestionForm(SeenForm):
    """One question."""

    SEEN = CHANGEABLE

    text = TextField(label=_("Question"), max_length=200, help_text=_("One that is answered from 1, no, to 5, fully."))
    hint = TextField(
        label=_("What a five means"), max_length=500, required=False,
        help_text=_("Shown below the question, so that both sides measure alike."),
    )  # fmt: skip
    is_express = forms.BooleanField(label=_("Asked in express reviews too"), required=False)

    def __init__(self, data: Any = None, *, question: Question | None = None) -> None:
        present = {name: getattr(question, name) for name in CHANGEABLE} if question else {}
        super().__init__(data, present=present, auto_id=f"question_{question.pk if question else 'new'}_%s")
        self.fields["text"].widget.attrs["autofocus"] = True

    def as_texts(self, name: str, value: Any) -> list[str]:
        """A mark as a word that is read back."""
        return ["on" if value else ""] if name == "is_express" else super().as_texts(name, value)

    def readable(self, name: str, value: Any) -> str:
        """A value in words."""
        if name == "is_express":
            return gettext("Yes") if value else gettext("No")
        return super().readable(name, value)


class EscalationStepForm(SeenForm):
    """Who is told, and how long after the clock ran out."""

    SEEN = ("hours", "role")

    hours = forms.IntegerField(label=_("Hours late"), min_value=0, max_value=LONGEST_WAIT, initial=1)
    role = forms.ChoiceField(label=_("Tell"), choices=Role.choices, initial=Role.DELIVERY_MANAGER)

    def __init__(self, data: Any = None, *, step: EscalationStep | None = None) -> None:
        present = {"hours": step.hours, "role": step.role} if step else {}
        super().__init__(data, present=present, auto_id=f"step_{step.pk if step else 'new'}_%s")
