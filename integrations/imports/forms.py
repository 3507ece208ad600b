"""What people send in: files, and answers about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import ServiceLine, User
from integrations.imports.basis import Basis
from integrations.imports.errors import NeedsAnswer
from integrations.imports.models import Import
from integrations.imports.services.stages import new_stage
from integrations.imports.setup import Setup, StageValue
from integrations.imports.values import DATE_READINGS, DECIMAL_MARKS
from opportunities.models import Opportunity, Pipeline, StageKind, Temperature


class UploadForm(forms.Form):
    """The deals, and the files that may come with them."""

    file = forms.FileField(
        label=gettext_lazy("Deals"),
        help_text=gettext_lazy("CSV or XLSX, up to 50 MB. One row per deal, with a heading."),
        error_messages={
            "required": gettext_lazy("Choose the file with the deals."),
            "empty": gettext_lazy("The file is empty. Export it again, with a heading and at least one row."),
        },
    )  # fmt: skip
    accounts = forms.FileField(
        label=gettext_lazy("Accounts"), required=False,
        help_text=gettext_lazy("Name, and perhaps sector, country and the account that it is part of."),
    )  # fmt: skip
    teams = forms.FileField(
        label=gettext_lazy("Sales teams"), required=False,
        help_text=gettext_lazy("Salesperson, manager, region: makes teams for owners that are new here."),
    )  # fmt: skip
    products = forms.FileField(
        label=gettext_lazy("Products"), required=False,
        help_text=gettext_lazy("Name and list price: prices open deals that have no amount."),
    )  # fmt: skip

    def __init__(self, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files, auto_id="import_%s")
        for field in self.fields.values():
            field.widget.attrs["accept"] = ".csv,.tsv,.txt,.xlsx"
            field.max_length = None  # type: ignore[attr-defined]


class ColumnsForm(forms.Form):
    """What the columns mean."""

    date_reading = forms.ChoiceField(label=gettext_lazy("Dates"), required=False)

    def __init__(self, data: Any, *, setup: Basis, initial: dict[str, Any]) -> None:
        self.imported, self.targets = setup.imported, setup.targets
        chosen = self.imported.options.get("columns", {})
        columns = {f"column_{index}": chosen.get(heading, "") for index, heading in enumerate(self.imported.header)}
        super().__init__(data, initial={**initial, **columns}, auto_id="answer_%s")
        targets = [("", _("Leave out")), *((target, str(label)) for target, label in self.targets.items())]
        for index, heading in enumerate(self.imported.header):
            self.fields[f"column_{index}"] = forms.ChoiceField(label=heading, choices=targets, required=False)

    def columns(self) -> Iterator[tuple[forms.BoundField, list[str]]]:
        """Each column's field with samples."""
        for index, profile in enumerate(self.imported.profile.get("columns", ())):
            yield self[f"column_{index}"], profile["samples"]

    def clean(self) -> dict[str, Any]:
        """Each target once; no place for an answer that is still open."""
        data: dict[str, Any] = super().clean() or {}
        taken: dict[str, str] = {}
        for index, heading in enumerate(self.imported.header):
            target = data.get(f"column_{index}")
            if target and target in taken:
                sentence = _("“%(other)s” is the %(target)s already.")
                names = {"other": taken[target], "target": str(self.targets[target]).lower()}
                self.add_error(f"column_{index}", sentence % names)
            elif target:
                taken[target] = heading
        return data

    def chosen_columns(self) -> dict[str, str]:
        """Target by heading."""
        return {heading: self.cleaned_data[f"column_{index}"] for index, heading in enumerate(self.imported.header)}

    def offer_readings(self, name: str, readings: Mapping[str, Any], setup: Basis) -> None:
        """Ways to read dates or amounts, and the one that was found."""
        is_asked = name in {question.key for question in setup.questions()}
        found = readings.get(setup.recognised().get(name, ""))
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("Choose one") if is_asked else _("as found")), *readings.items()]
        field.help_text = _("Found: %(reading)s.") % {"reading": found} if found else ""


class AnswersForm(ColumnsForm):
    """What the columns mean and all else that a file of deals leaves open."""

    baseline = forms.BooleanField(
        label=gettext_lazy("This is the first load"), required=False,
        help_text=gettext_lazy("Warm and hot deals call delivery in, but none counts as un-forecasted."),
    )  # fmt: skip
    shift_to_today = forms.BooleanField(
        label=gettext_lazy("Move all dates so that the newest becomes today"), required=False,
        help_text=gettext_lazy("For trying OneTeam with an old export."),
    )  # fmt: skip
    decimal_mark = forms.ChoiceField(label=gettext_lazy("Amounts"), required=False)
    currency = forms.CharField(label=gettext_lazy("Currency"), required=False, max_length=3)
    pipeline = forms.ChoiceField(label=gettext_lazy("Pipeline"), required=False)
    service_line = forms.ChoiceField(label=gettext_lazy("Service line"), required=False)
    team_by = forms.ChoiceField(
        label=gettext_lazy("Make one team per"), required=False,
        choices=[("manager", gettext_lazy("manager")), ("region", gettext_lazy("region"))],
    )  # fmt: skip

    def __init__(self, data: Any, *, setup: Setup, actor: User) -> None:
        self.setup, self.actor, self.imported = setup, actor, setup.imported
        super().__init__(data, setup=setup, initial=self._known())
        self._offer_places()
        stages = self._stage_choices()
        for index, value in enumerate(self.stage_values):
            label = value.value or _("(no stage)")
            self.fields[f"stage_{index}"] = forms.ChoiceField(label=label, choices=stages, required=False)

    # --- drawing ----------------------------------------------------------------------------------------------------

    @cached_property
    def stage_values(self) -> list[StageValue]:
        """What stands in the stage column, as far as it is chosen."""
        try:
            return self.setup.stage_values
        except NeedsAnswer:
            return []

    def stages(self) -> Iterator[tuple[forms.BoundField, StageValue]]:
        """Each stage value's field with the value."""
        for index, value in enumerate(self.stage_values):
            yield self[f"stage_{index}"], value

    # --- reading ----------------------------------------------------------------------------------------------------

    def clean_currency(self) -> str:
        """Three capital letters, or nothing."""
        code: str = self.cleaned_data["currency"].strip().upper()
        if code and not (len(code) == 3 and code.isascii() and code.isalpha()):
            raise forms.ValidationError(_("Use a three-letter currency code, such as EUR."))
        return code

    def options(self) -> dict[str, Any]:
        """The answers as an import keeps them."""
        data = self.cleaned_data
        stages = dict(self.imported.options.get("stages", {}))
        added: dict[str, Any] = {}
        for index, value in enumerate(self.stage_values):
            chosen = data.get(f"stage_{index}", "")
            if chosen.startswith("new:"):
                _new, kind, temperature = chosen.split(":")
                added[value.value] = new_stage(value.value, kind=kind, temperature=temperature)
                stages[value.value] = added[value.value]["key"]
            elif chosen:
                stages[value.value] = chosen
        plain = (
            "baseline", "shift_to_today", "date_reading", "decimal_mark", "currency", "pipeline", "service_line",
            "team_by",
        )  # fmt: skip
        return {
            **{name: data[name] for name in plain}, "columns": self.chosen_columns(), "stages": stages,
            "new_stages": added, "shift_days": None,
        }  # fmt: skip

    def _known(self) -> dict[str, Any]:
        options = self.imported.options
        known: dict[str, Any] = {}
        for index, value in enumerate(self.stage_values):
            new = options.get("new_stages", {}).get(value.value)
            if new is not None:
                known[f"stage_{index}"] = f"new:{new['kind']}:{new['temperature']}"
            elif value.stage is not None:
                known[f"stage_{index}"] = value.stage.key
        is_first = not Opportunity.objects.exists()
        defaults = {"baseline": is_first, "currency": self.setup.home.base_currency, "team_by": "manager"}
        return {**defaults, **options, **known}

    def _offer_places(self) -> None:
        pipelines = list(Pipeline.objects.filter(is_active=True))
        self._offer("pipeline", [(pipeline.key, pipeline.name) for pipeline in pipelines], len(pipelines) > 1)
        lines = [(line.key, line.name) for line in ServiceLine.objects.filter(is_active=True)]
        self._offer("service_line", [("", _("None")), *lines], bool(lines) and "service_line" not in self.setup.columns)
        self._offer("team_by", self.fields["team_by"].choices, bool(self.imported.companions.get("teams")))  # type: ignore[attr-defined]
        for name, readings in (("date_reading", DATE_READINGS), ("decimal_mark", DECIMAL_MARKS)):
            self.offer_readings(name, readings, self.setup)

    def _offer(self, name: str, choices: Any, is_asked: bool) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices
        if not is_asked:
            field.widget = forms.HiddenInput()

    def _stage_choices(self) -> list[tuple[str, Any]]:
        known = [(stage.key, stage.name) for stage in self.setup.pipeline.stages.filter(archived_at__isnull=True)]
        choices: list[tuple[str, Any]] = [("", _("Choose a stage")), *known]
        if self.actor.is_administrator:
            added = [
                (
                    f"new:{StageKind.OPEN}:{warmth}",
                    _("as a new stage, %(warmth)s") % {"warmth": str(warmth.label).lower()},
                )
                for warmth in Temperature
            ]
            added += [(f"new:{StageKind.WON}:hot", _("as a new stage for won deals"))]
            added += [(f"new:{StageKind.LOST}:cold", _("as a new stage for lost deals"))]
            choices.append((_("Add it"), added))
        return choices


def upload_options(imported: Import) -> list[tuple[str, int]]:
    """The companion files that came with an import and how many rows they have."""
    names = {"accounts": _("accounts"), "teams": _("people in teams"), "products": _("products")}
    return [(names[kind], len(rows)) for kind, rows in imported.companions.items() if rows]
