"""The client's voice on a deal, for us: what was written, what the client said to it, and how it goes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from accounts.models import User
from handoffs.ledger_access import rests
from handoffs.models import (
    ClientAnswer,
    ClientLink,
    ClientVoice,
    Confirmation,
    LinkPurpose,
    Pulse,
    RaidItem,
    RampPlan,
    RiskProfile,
    Statement,
    Subject,
)
from handoffs.risk_differences import Difference, compared
from handoffs.services.client.adopting import differs
from handoffs.services.client.links import is_unsent
from handoffs.services.client.pulses import is_asking
from handoffs.text_differences import Piece, word_differences
from opportunities.models import Opportunity, StageKind, Temperature

Version = Statement | RiskProfile


@dataclass(frozen=True)
class VersionLine:
    """A version and the one before it."""

    version: Version
    before: Version | None

    @property
    def author(self) -> str:
        """Who wrote it; the client's people with their part."""
        version = self.version
        if version.amended_by is not None:
            return _("%(name)s (client)") % {"name": version.amended_by.name}
        return str(version.proposed_by if isinstance(version, RiskProfile) else version.written_by)

    @property
    def at(self) -> dt.datetime:
        """When it was written."""
        return self.version.proposed_at if isinstance(self.version, RiskProfile) else self.version.written_at

    @property
    def pieces(self) -> list[Piece]:
        """The words that differ from the version before."""
        if not isinstance(self.version, Statement) or not isinstance(self.before, Statement):
            return []
        return word_differences(self.before.text, self.version.text)

    @property
    def differences(self) -> list[Difference]:
        """The entries that differ from the version before."""
        if not isinstance(self.version, RiskProfile) or not isinstance(self.before, RiskProfile):
            return []
        return compared(self.before.items, self.version.items)


@dataclass(frozen=True)
class SubjectView:
    """Scope, success criteria or risk profile: its versions, newest first, and the client's word on the newest."""

    subject: Subject
    versions: Sequence[Version]
    said: Sequence[Confirmation]
    is_asked: bool
    can_take_over: bool = False

    @property
    def dom_id(self) -> str:
        """The id of the element that shows it."""
        return f"client-{self.subject}"

    @property
    def newest(self) -> VersionLine | None:
        """The version that counts."""
        return self.lines[0] if self.versions else None

    @cached_property
    def lines(self) -> list[VersionLine]:
        """Each version with the one before it, newest first."""
        before: list[Version | None] = [*self.versions[1:], None]
        return [VersionLine(version, earlier) for version, earlier in zip(self.versions, before, strict=True)]

    @property
    def yes(self) -> Confirmation | None:
        """The first yes to the newest version."""
        return next((each for each in self.said if each.answer == ClientAnswer.CONFIRMED), None)

    @property
    def state(self) -> str:
        """missing, amended, confirmed, asked or unasked."""
        if not self.versions:
            return "missing"
        if self.versions[0].amended_by_id is not None:
            return "amended"
        return "confirmed" if self.yes else "asked" if self.is_asked else "unasked"

    @property
    def is_written_here(self) -> bool:
        """Whether it is words of ours, and not the risk profile."""
        return self.subject != Subject.RISK_PROFILE


@dataclass(frozen=True)
class LinkLine:
    """A private link as we see it; its token nobody can."""

    link: ClientLink
    now: dt.datetime

    @property
    def state(self) -> str:
        """revoked, expired, underway (its mail is being made), or open."""
        if self.link.revoked_at is not None:
            return "revoked"
        if self.now >= self.link.expires_at:
            return "expired"
        return "underway" if is_unsent(self.link) else "open"

    @property
    def label(self) -> str:
        """The state for people."""
        return {
            "revoked": _("Taken back"), "expired": _("Expired"), "underway": _("Mail under way"), "open": _("Open"),
        }[self.state]  # fmt: skip

    @property
    def is_live(self) -> bool:
        """Whether it can be taken back."""
        return self.state in ("open", "underway")


@dataclass(frozen=True)
class PulseLine:
    """A question to a contact and what became of it."""

    pulse: Pulse

    @property
    def state(self) -> str:
        """answered, cancelled, sent or planned."""
        if self.pulse.answered_at is not None:
            return "answered"
        if self.pulse.cancelled_at is not None:
            return "cancelled"
        return "sent" if self.pulse.sent_at is not None else "planned"

    @property
    def icon(self) -> str:
        """The face of the rating."""
        return ("angry", "frown", "meh", "smile", "laugh")[self.pulse.csat - 1] if self.pulse.csat else "clock"


@dataclass(frozen=True)
class Planned:
    """Who will be asked how it goes on a day."""

    label: str
    due_on: dt.date
    names: Sequence[str]


@dataclass(frozen=True)
class ClientPanel:
    """Everything that the client was asked and said on a deal."""

    opportunity: Opportunity
    may_speak: bool
    subjects: Sequence[SubjectView]
    links: Sequence[LinkLine]
    pulses: Sequence[PulseLine]
    silent: Sequence[str] = field(default_factory=list)
    plan: RampPlan | None = None

    @property
    def is_due(self) -> bool:
        """Whether the deal is far enough: hot or won, or something was written already."""
        deal = self.opportunity
        is_far = deal.kind == StageKind.WON or (deal.kind == StageKind.OPEN and deal.temperature == Temperature.HOT)
        return is_far or any(view.versions for view in self.subjects if view.is_written_here) or bool(self.links)

    @property
    def may_ask(self) -> bool:
        """Whether there is something to confirm, and the reader may ask for it."""
        return self.may_speak and any(view.versions for view in self.subjects)

    @property
    def is_unasked(self) -> bool:
        """Whether the client knows nothing of a newest version yet."""
        return any(view.state == "unasked" for view in self.subjects)

    @property
    def may_pulse(self) -> bool:
        """Whether the reader may ask how it goes."""
        return self.may_speak and self.plan is not None and is_asking(self.plan)

    @property
    def live_links(self) -> list[LinkLine]:
        """Links that open their page."""
        return [line for line in self.links if line.is_live]

    @property
    def past_links(self) -> list[LinkLine]:
        """Links that don't any more."""
        return [line for line in self.links if not line.is_live]

    @property
    def answered(self) -> list[Pulse]:
        """Questions with an answer."""
        return [line.pulse for line in self.pulses if line.pulse.answered_at is not None]

    @property
    def told_pulses(self) -> list[PulseLine]:
        """Those that were sent; answers first, newest first."""
        sent = [line for line in self.pulses if line.state in ("answered", "sent")]
        return sorted(sent, key=lambda line: (line.state != "answered", -line.pulse.pk))

    @property
    def planned(self) -> list[Planned]:
        """Those that will be sent, one line for each occasion."""
        lines: dict[tuple[dt.date, str], list[str]] = {}
        for line in self.pulses:
            if line.state == "planned":
                key = (line.pulse.due_on, line.pulse.get_occasion_display())
                lines.setdefault(key, []).append(line.pulse.contact.name)
        return [Planned(label, due_on, names) for (due_on, label), names in sorted(lines.items())]

    @property
    def csat(self) -> float | None:
        """The mean rating, 1 to 5."""
        return csat_of(self.answered)

    @property
    def nps(self) -> int | None:
        """Net promoter score, −100 to 100."""
        return nps_of(self.answered)

    @property
    def summary(self) -> str:
        """One line about it all."""
        written = [view for view in self.subjects if view.versions]
        if not written:
            return ""
        said = sum(view.state in ("confirmed", "amended") for view in written)
        parts = [_("%(said)d of %(count)d confirmed by the client") % {"said": said, "count": len(written)}]
        if self.csat is not None:
            parts.append(_("satisfaction %(csat).1f of 5") % {"csat": self.csat})
        return " · ".join(parts)


def csat_of(pulses: Sequence[Pulse]) -> float | None:
    """The mean rating of answered pulses, 1 to 5; None without any."""
    ratings = [pulse.csat for pulse in pulses if pulse.csat is not None]
    return sum(ratings) / len(ratings) if ratings else None


def nps_of(pulses: Sequence[Pulse]) -> int | None:
    """Share of those who recommend with 9 or 10 less the share of those with 0 to 6, in points; None without any."""
    given = [pulse.recommend for pulse in pulses if pulse.recommend is not None]
    if not given:
        return None
    return round(100 * (sum(value >= 9 for value in given) - sum(value <= 6 for value in given)) / len(given))


def client_panel(user: User, opportunity: Opportunity, *, now: dt.datetime) -> ClientPanel:
    """The panel of a deal. Eight queries, however much was said."""
    by_subject: dict[str, list[Version]] = {subject.value: [] for subject in Subject}
    statements = Statement.objects.filter(opportunity=opportunity).select_related("written_by", "amended_by")
    for statement in statements.order_by("-number"):
        by_subject[statement.subject].append(statement)
    people = ("proposed_by", "amended_by", "sales_agreed_by", "delivery_agreed_by", "client_agreed_by")
    profiles = RiskProfile.objects.filter(opportunity=opportunity).select_related(*people).order_by("-number")
    by_subject[Subject.RISK_PROFILE] = list(profiles)
    said = list(Confirmation.objects.filter(opportunity=opportunity).select_related("contact").order_by("pk"))
    links = [
        LinkLine(link, now)
        for link in ClientLink.objects.filter(opportunity=opportunity).select_related("contact", "created_by")
    ]
    plan = RampPlan.objects.filter(opportunity=opportunity).first()
    if plan is not None:
        plan.opportunity = opportunity
    pulses = Pulse.objects.filter(plan=plan).select_related("contact", "asked_by") if plan else []
    silent = ClientVoice.objects.filter(contact__account=opportunity.account_id, opted_out_at__isnull=False)
    asked_at = max(
        (line.link.created_at for line in links if line.is_live and line.link.purpose == LinkPurpose.CONFIRM),
        default=None,
    )
    may_speak = user.has_perm("handoffs.speak_to_client", opportunity) and not rests(opportunity)
    return ClientPanel(
        opportunity=opportunity, may_speak=may_speak, links=links, plan=plan,
        pulses=[PulseLine(pulse) for pulse in pulses],
        silent=list(silent.order_by("contact__name").values_list("contact__name", flat=True)),
        subjects=[
            _view(Subject(subject), versions, said, asked_at, opportunity, may_speak)
            for subject, versions in by_subject.items()
        ],
    )  # fmt: skip


def _view(
    subject: Subject,
    versions: Sequence[Version],
    said: Sequence[Confirmation],
    asked_at: dt.datetime | None,
    opportunity: Opportunity,
    may_speak: bool,
) -> SubjectView:
    newest = versions[0] if versions else None
    about = [
        each for each in said
        if newest is not None and each.subject == subject
        and newest.pk == (each.risk_profile_id if subject == Subject.RISK_PROFILE else each.statement_id)
    ]  # fmt: skip
    can_take_over = (
        may_speak and isinstance(newest, RiskProfile) and newest.amended_by_id is not None
        and _is_behind(newest, opportunity)
    )  # fmt: skip
    return SubjectView(subject, versions, about, is_asked=asked_at is not None, can_take_over=can_take_over)


def _is_behind(profile: RiskProfile, opportunity: Opportunity) -> bool:
    register = {item.pk: item for item in RaidItem.objects.open().filter(opportunity=opportunity)}
    texts = {item.text for item in register.values()}
    return any(differs(entry, register, texts) for entry in profile.items)
