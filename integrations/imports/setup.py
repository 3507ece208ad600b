"""What a file and the answers about it come to: every decision that rows are read by, and the questions still open."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Region, ServiceLine
from integrations.imports.basis import Basis, Question, date_question, mark_question
from integrations.imports.errors import NeedsAnswer
from integrations.imports.mapping import DATES, TARGETS
from integrations.imports.models import Import
from integrations.imports.values import key_of
from opportunities.models import Criterion, Pipeline, Stage, StageKind

MOST_STAGES = 200
# How CRMs call the stages that a new organisation has here.
_STAGE_WORDS = {
    "prospect": "prospect prospecting lead new newlead open identified suspect",
    "qualified": "qualified qualify qualifying qualification salesqualified sql appointmentscheduled meetingscheduled",
    "discovery": "discovery needsanalysis needs demo evaluation presentationscheduled valueproposition solution",
    "proposal": "proposal proposing proposalpricequote proposalquote quote quotation quoted offer proposalsent",
    "negotiation": "negotiation negotiating negotiationreview contract contractsent closing verbal commit",
}
_CLOSED_WORDS = {
    StageKind.WON: "won closedwon closewon closedandwon sold gewonnen abgeschlossengewonnen",
    StageKind.LOST: "lost closedlost closelost closedandlost verloren dead abandoned disqualified",
}


@dataclass(frozen=True)
class StageValue:
    """A value of the stage column, how often it is there, and the stage that it means, if that is known."""

    value: str
    count: int
    stage: Stage | None

    @property
    def is_known(self) -> bool:
        """Whether nobody needs to be asked."""
        return self.stage is not None


class Setup(Basis):
    """Reads an import of deals and the answers about it. What depends on an open question raises NeedsAnswer."""

    targets = TARGETS
    dates = DATES
    amounts = "amount"

    @cached_property
    def today(self) -> dt.date:
        """The organisation's date."""
        return self.home.today(self.now)

    @cached_property
    def pipeline(self) -> Pipeline:
        """The pipeline that deals go into: the chosen one, else the first."""
        active = Pipeline.objects.filter(is_active=True)
        chosen = self.options.get("pipeline")
        found = active.filter(key=chosen).first() if chosen else active.first()
        if found is None:
            raise NeedsAnswer([_("There is no such pipeline. Choose one that is in use.")])
        return found

    @cached_property
    def stages(self) -> list[Stage]:
        """The pipeline's stages in order, those included that the answers add (not yet saved)."""
        found = list(self.pipeline.stages.filter(archived_at__isnull=True).order_by("position"))
        known = {stage.key for stage in found}
        for new in self.options.get("new_stages", {}).values():
            if new["key"] not in known:
                found.append(Stage(pipeline=self.pipeline, position=len(found), **new))
        return found

    @cached_property
    def criteria(self) -> dict[str, list[Criterion]]:
        """Entry criteria by stage key."""
        found: dict[str, list[Criterion]] = {stage.key: [] for stage in self.stages}
        for criterion in Criterion.objects.filter(stage__pipeline=self.pipeline).select_related("stage"):
            if criterion.stage.key in found:
                found[criterion.stage.key].append(criterion)
        return found

    @cached_property
    def service_lines(self) -> dict[str, ServiceLine]:
        """By the letters and digits of name and key."""
        lines = list(ServiceLine.objects.all())
        return {key_of(word): line for line in lines for word in (line.key, line.name)}

    @cached_property
    def regions(self) -> dict[str, Region]:
        """By the letters and digits of the name."""
        return {key_of(region.name): region for region in Region.objects.all()}

    @cached_property
    def default_service_line(self) -> ServiceLine | None:
        """For new deals, where the file names none."""
        return self.service_lines.get(key_of(self.options.get("service_line") or ""))

    @cached_property
    def currency(self) -> str:
        """For amounts that name none."""
        return self.options.get("currency") or self.home.base_currency

    # --- the column profiles --------------------------------------------------------------------------------------

    @cached_property
    def stage_values(self) -> list[StageValue]:
        """What stands in the stage column, most frequent first; an empty value stands for rows without a stage."""
        profile = self.profile_of("stage")
        counts = self.distinct("stage") if profile else {"": self.imported.rows}
        if len(counts) > MOST_STAGES:
            raise NeedsAnswer([_("The column for “Stage” has hundreds of different values. Is it the right one?")])
        if profile and profile["missing"]:
            counts = {**counts, "": profile["missing"]}
        return [StageValue(value, count, self.stage_of(value)) for value, count in counts.items()]

    def stage_of(self, value: str) -> Stage | None:
        """The stage that a value means: as answered, else by its name or the words that CRMs use."""
        by_key = {stage.key: stage for stage in self.stages}
        answered = self.options.get("stages", {}).get(value)
        if answered in by_key:
            return by_key[answered]
        word = key_of(value)
        if not word:
            return None
        for stage in self.stages:
            if word in (key_of(stage.name), key_of(stage.key)):
                return stage
        for kind, words in _CLOSED_WORDS.items():
            of_kind = [stage for stage in self.stages if stage.kind == kind]
            if word in words.split() and len(of_kind) == 1:
                return of_kind[0]
        return next(
            (by_key[key] for key, words in _STAGE_WORDS.items() if word in words.split() and key in by_key), None
        )

    @cached_property
    def stage_map(self) -> dict[str, Stage]:
        """Value to stage. Raises NeedsAnswer while a value's stage is unknown."""
        unknown = [value for value in self.stage_values if value.stage is None]
        if unknown:
            raise NeedsAnswer([_stage_question(value).sentence for value in unknown])
        return {value.value: value.stage for value in self.stage_values if value.stage is not None}

    @cached_property
    def opened_in(self) -> Stage:
        """The open stage that a deal entered on the day it was opened.

        The earliest one in which deals of this file have such a day: where a CRM gives it from a later stage on, that
        stage is what the day stands for.
        """
        chosen = self.options.get("opened_in")
        by_position = [stage for stage in self.stages if stage.kind == StageKind.OPEN]
        for stage in by_position:
            if stage.key == chosen:
                return stage
        beside = self.imported.profile["filled_beside"].get(str(self.columns.get("stage")), {})
        opened = self.columns.get("created_on")
        if opened is not None:
            dated = {
                self.stage_map[value].key
                for value, counts in beside.items()
                if counts[opened] and value in self.stage_map
            }
            by_position = [stage for stage in by_position if stage.key in dated] or by_position
        return by_position[0]

    @cached_property
    def newest_date(self) -> dt.date | None:
        """The newest date of the file, in any of its date columns."""
        profiles = [profile for target in DATES if (profile := self.profile_of(target))]
        found = [profile["newest"].get(self.date_reading) for profile in profiles]
        return max((dt.date.fromisoformat(date) for date in found if date), default=None)

    @cached_property
    def shift(self) -> dt.timedelta:
        """By how much every date moves. The same file moves as far as before, so that a repeat changes nothing."""
        if not self.options.get("shift_to_today"):
            return dt.timedelta(0)
        if self.options.get("shift_days") is not None:
            return dt.timedelta(days=self.options["shift_days"])
        earlier = (
            Import.objects.filter(checksum=self.imported.checksum, options__shift_days__isnull=False)
            .exclude(pk=self.imported.pk)
            .order_by("-pk")
            .first()
        )
        if earlier is not None:
            return dt.timedelta(days=earlier.options["shift_days"])
        return self.today - self.newest_date if self.newest_date else dt.timedelta(0)

    # --- questions --------------------------------------------------------------------------------------------------

    def questions(self) -> list[Question]:
        """All that has to be answered before rows can be read."""
        found: list[Question] = []
        if "external_id" not in self.columns and "name" not in self.columns:
            found.append(
                Question("columns", _("Say which column tells deals apart: their id, or at least their name."))
            )
        for check in (lambda: self.stage_values, lambda: self.distinct("owner"), lambda: self.distinct("product")):
            try:
                check()
            except NeedsAnswer as error:
                found += [Question("columns", sentence) for sentence in error.questions]
        if found:
            return found
        found += [_stage_question(value) for value in self.stage_values if value.stage is None]
        if self.found_date_reading() is None:
            found.append(date_question())
        if self.found_decimal_mark() is None:
            found.append(mark_question())
        return found


def _stage_question(value: StageValue) -> Question:
    said = {"value": value.value, "count": number_format(value.count, force_grouping=True)}
    if not value.value:
        sentence = ngettext(
            "%(count)s row names no stage. Where does it belong?",
            "%(count)s rows name no stage. Where do they belong?",
            value.count,
        )
        return Question("stage:", sentence % said)
    sentence = ngettext(
        "Which stage is “%(value)s” (%(count)s row)?", "Which stage is “%(value)s” (%(count)s rows)?", value.count
    )
    return Question(f"stage:{value.value}", sentence % said)
