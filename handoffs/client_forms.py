"""Forms of the client's own pages, and those with which we ask the client."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from handoffs.client_page_queries import IMPACTS, LIKELIHOODS, RiskLine
from handoffs.models import Language, RiskProfile
from handoffs.services.client import FurtherRisk, RiskWord
from handoffs.services.client.answering import MOST_FURTHER
from handoffs.services.client.pulse_answers import CSAT, LONGEST_COMMENT, RECOMMEND
from handoffs.services.client.words import LONGEST_NOTE, LONGEST_TEXT
from opportunities.models import Contact, Opportunity

_RATINGS = range(1, 6)


class VersionForm(forms.Form):
    """Which version the contact saw."""

    number = forms.IntegerField(min_value=0, max_value=32_767)


class WordsForm(VersionForm):
    """A text of the client's own."""

    text = forms.CharField(max_length=LONGEST_TEXT, strip=False)
    reason = forms.CharField(max_length=LONGEST_NOTE, required=False)


class RisksForm(VersionForm):
    """What the client says to each entry of a risk profile, and further risks."""

    reason = forms.CharField(max_length=LONGEST_NOTE, required=False)
    rows = forms.IntegerField(min_value=1, max_value=MOST_FURTHER, required=False)

    def __init__(self, profile: RiskProfile, data: Any = None, *, more: bool = False) -> None:
        super().__init__(data)
        self.profile = profile
        given = str(data.get("rows", "")) if data else ""
        rows = int(given) if given.isascii() and given.isdigit() and len(given) < 3 else 1
        self.row_count = max(1, min(MOST_FURTHER, rows + more))
        for entry in profile.items:
            key = entry["id"]
            self.fields[f"likelihood_{key}"] = _rating(entry["likelihood"])
            self.fields[f"impact_{key}"] = _rating(entry["impact"])
            self.fields[f"remark_{key}"] = forms.CharField(
                max_length=LONGEST_NOTE, required=False, initial=entry.get("remark", "")
            )
        for row in range(self.row_count):
            self.fields[f"further_text_{row}"] = forms.CharField(max_length=LONGEST_NOTE, required=False)
            self.fields[f"further_likelihood_{row}"] = _rating(3)
            self.fields[f"further_impact_{row}"] = _rating(3)

    @property
    def entries(self) -> list[dict[str, Any]]:
        """Each entry with its fields."""
        return [
            {
                "line": RiskLine(entry), "likelihood": self[f"likelihood_{entry['id']}"],
                "impact": self[f"impact_{entry['id']}"], "remark": self[f"remark_{entry['id']}"],
            }
            for entry in self.profile.items
        ]  # fmt: skip

    @property
    def further_rows(self) -> list[dict[str, Any]]:
        """The fields for risks that the client adds."""
        return [
            {name: self[f"further_{name}_{row}"] for name in ("text", "likelihood", "impact")}
            for row in range(self.row_count)
        ]

    @property
    def may_add(self) -> bool:
        """Whether there is room for one more."""
        return self.row_count < MOST_FURTHER

    @property
    def likelihoods(self) -> list[tuple[int, Any]]:
        """Ratings with their words."""
        return list(zip(_RATINGS, LIKELIHOODS, strict=True))

    @property
    def impacts(self) -> list[tuple[int, Any]]:
        """Ratings with their words."""
        return list(zip(_RATINGS, IMPACTS, strict=True))

    @property
    def risks(self) -> dict[int, RiskWord]:
        """What was said to the entries that are there."""
        given = self.cleaned_data
        return {
            entry["id"]: RiskWord(
                given.get(f"likelihood_{entry['id']}"), given.get(f"impact_{entry['id']}"),
                given.get(f"remark_{entry['id']}", ""),
            )
            for entry in self.profile.items
        }  # fmt: skip

    @property
    def further(self) -> list[FurtherRisk]:
        """The risks that were added."""
        given = self.cleaned_data
        return [
            FurtherRisk(text, given.get(f"further_likelihood_{row}") or 3, given.get(f"further_impact_{row}") or 3)
            for row in range(self.row_count)
            if (text := given.get(f"further_text_{row}", "").strip())
        ]

    @property
    def values(self) -> list[tuple[str, Any]]:
        """All that was sent, to be carried on to the next step."""
        skipped = ("number", "reason", "rows")
        return [(name, self[name].value() or "") for name in self.fields if name not in skipped]


class PulseForm(forms.Form):
    """How it goes."""

    csat = forms.TypedChoiceField(
        coerce=int, choices=[(value, value) for value in CSAT],
        error_messages={"required": gettext_lazy("Choose one of the five faces.")},
    )  # fmt: skip
    recommend = forms.TypedChoiceField(
        coerce=int, empty_value=None, required=False, choices=[(value, value) for value in RECOMMEND]
    )
    comment = forms.CharField(max_length=LONGEST_COMMENT, required=False, strip=False)


class StatementForm(forms.Form):
    """Scope or success criteria, written by us."""

    text = forms.CharField(
        label=gettext_lazy("What the client reads"), max_length=LONGEST_TEXT, strip=False,
        widget=forms.Textarea(attrs={"rows": 8}),
    )  # fmt: skip
    reason = forms.CharField(
        label=gettext_lazy("What changed (optional)"), max_length=LONGEST_NOTE, required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    number = forms.IntegerField(min_value=0, max_value=32_767, widget=forms.HiddenInput)


class AskForm(forms.Form):
    """Whom to ask, in which language, and how the link gets there."""

    contact = forms.ModelChoiceField(Contact.objects.none(), label=gettext_lazy("Whom"))
    language = forms.ChoiceField(label=gettext_lazy("In"), choices=Language.choices)
    how = forms.ChoiceField(
        label=gettext_lazy("How"), initial="mail", widget=forms.RadioSelect,
        choices=[
            ("mail", gettext_lazy("Send a mail with the link")),
            ("copy", gettext_lazy("Show me the link once, I hand it over myself")),
        ],
    )  # fmt: skip

    def __init__(self, opportunity: Opportunity, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = Contact.objects.filter(opportunities=opportunity) | Contact.objects.filter(
            account=opportunity.account_id
        )
        field = self.fields["contact"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = people.distinct().order_by("name")
        field.label_from_instance = _labelled  # type: ignore[method-assign, assignment]


def _labelled(contact: Any) -> str:
    return f"{contact.name} ({contact.email or _('no e-mail')})"


def _rating(initial: int | None) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        coerce=int, empty_value=None, required=False, initial=initial,
        choices=[("", "–"), *[(value, value) for value in _RATINGS]],
    )  # fmt: skip
