"""Forms of the settings pages for pipelines and stages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.forms.fields import NameField
from opportunities.forms.fields import PickField
from opportunities.forms.seen import SeenForm
from opportunities.models import ForecastCategory, Pipeline, Policy, Stage, StageKind, Temperature
from opportunities.services import pipelines, stages
from opportunities.services.criteria import Demanded, Offer, demanded_of, offers_for


class NewPipelineForm(forms.Form):
    """A pipeline's name, and whose stages it starts with."""

    name = NameField(label=_("Name"))

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.fields["like"] = PickField(
            Pipeline.objects.all(), label=_("Start with the stages of"), required=False,
            nothing=gettext("none: just Open, Won and Lost"),
        )  # fmt: skip


class PipelineForm(SeenForm):
    """A pipeline's name and what it says to unusual moves."""

    SEEN = pipelines.CHANGEABLE

    name = NameField(label=_("Name"))
    skip_policy = forms.ChoiceField(label=_("A stage is skipped"), choices=Policy.choices)
    back_policy = forms.ChoiceField(label=_("A deal moves back"), choices=Policy.choices)

    def __init__(self, data: Any = None, *, pipeline: Pipeline) -> None:
        super().__init__(data, present={name: getattr(pipeline, name) for name in self.SEEN})


class NewStageForm(forms.Form):
    """The least that makes a stage; its page has the rest."""

    name = NameField(label=_("Name"))
    kind = forms.ChoiceField(label=_("Kind"), choices=StageKind.choices, initial=StageKind.OPEN)
    temperature = forms.ChoiceField(label=_("Temperature"), choices=Temperature.choices, initial=Temperature.COLD)
    probability = forms.IntegerField(label=_("Probability in %"), min_value=0, max_value=100, initial=0)


class StageForm(SeenForm):
    """Everything about a stage. Won and lost ones have a fixed meaning, so they ask for less."""

    SEEN = stages.CHANGEABLE

    name = NameField(label=_("Name"))
    kind = forms.ChoiceField(
        label=_("Kind"), choices=StageKind.choices,
        help_text=_("Once a deal has been in the stage, this stays as it is."),
    )  # fmt: skip
    temperature = forms.ChoiceField(
        label=_("Temperature"), choices=Temperature.choices,
        help_text=_("Warm and hot deals are in the One Team zone: delivery is asked in."),
    )  # fmt: skip
    probability = forms.IntegerField(label=_("Probability in %"), min_value=0, max_value=100)
    forecast_category = forms.ChoiceField(
        label=_("Forecast category"),
        choices=[choice for choice in ForecastCategory.choices if choice[0] != ForecastCategory.CLOSED],
    )
    expected_days = forms.IntegerField(
        label=_("Expected business days"), min_value=1, max_value=1000, required=False,
        help_text=_("A deal that stays longer is rotting. Empty: it never does."),
    )  # fmt: skip

    def __init__(self, data: Any = None, *, stage: Stage, is_used: bool) -> None:
        self.offers = offers_for(stage)
        present = {name: getattr(stage, name) for name in self.SEEN}
        demanded = sorted(each.key for each in demanded_of(stage))
        super().__init__(data, present={**present, "criteria": demanded})
        self.fields["criteria"] = forms.MultipleChoiceField(
            label=_("To enter, a deal needs"), required=False,
            widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
            choices=[(offer.demanded.key, _label(offer)) for offer in self.offers],
        )  # fmt: skip
        if is_used:
            del self.fields["kind"]
        if not stage.is_open:
            for name in ("temperature", "probability", "forecast_category", "expected_days"):
                del self.fields[name]

    @property
    def seen_values(self) -> list[tuple[str, str]]:
        """Also which criteria were ticked."""
        pairs = super().seen_values
        ticked = self.data.getlist("seen-criteria") if self.is_bound else self.initial["criteria"]
        return pairs + [("seen-criteria", key) for key in ticked] if pairs else []

    @property
    def demanded(self) -> frozenset[Demanded]:
        """What is ticked."""
        return frozenset(Demanded.read(key) for key in self.cleaned_data["criteria"])

    @property
    def demanded_base(self) -> frozenset[Demanded]:
        """What was ticked when the page was made."""
        keys = self.data.getlist("seen-criteria") if "seen" in self.data else self.initial["criteria"]
        return frozenset(Demanded.read(key) for key in keys)


def _label(offer: Offer) -> str:
    label = offer.label[:1].upper() + offer.label[1:]
    return label if offer.is_known else gettext("“%(kind)s”, which nothing here knows any more") % {"kind": label}


class ArchiveForm(forms.Form):
    """Where the open deals of a stage go."""

    def __init__(self, data: Any = None, *, stage: Stage) -> None:
        super().__init__(data)
        self.fields["move_to"] = PickField(
            stages.targets_for(stage), label=_("Move its deals to"), required=False, nothing=gettext("choose a stage")
        )


class OrderForm(forms.Form):
    """An order of stages as dragged, and the order that was on the page."""

    order = forms.CharField(max_length=1000)
    seen = forms.CharField(max_length=1000)

    def clean_order(self) -> list[int]:
        """Ids."""
        return _ids(self.cleaned_data["order"])

    def clean_seen(self) -> list[int]:
        """Ids."""
        return _ids(self.cleaned_data["seen"])


def _ids(text: str) -> list[int]:
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
        raise forms.ValidationError(_("That is no order of stages."))
    return [int(part) for part in parts]


class ShiftForm(forms.Form):
    """One step up or down."""

    by = forms.TypedChoiceField(choices=[("-1", "-1"), ("1", "1")], coerce=int)
