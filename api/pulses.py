"""How it goes, as the client's contacts say; and the words that they confirm or amend."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from api.commitments import deals_of
from api.endpoints import Endpoint
from api.errors import invalid
from api.fields import Brief, Choice, Id, Input, Moment, Scoped, Url
from api.idempotency import idempotent
from api.lists import ListEndpoint, ListQuery, Ordering
from api.openapi import documented
from handoffs.client_access import readable_pulse
from handoffs.models import Language, Pulse, PulseOccasion, RampPlan, Statement, Subject
from handoffs.services.client import send_pulse
from opportunities.access import readable_opportunity
from opportunities.models import Contact


def _contacts_of(user: User) -> QuerySet[Contact]:
    return Contact.objects.visible_to(user)


class PulseOut(serializers.ModelSerializer[Pulse]):
    """One question to one contact. Once answered, nobody can alter it; the contact answers through a private link."""

    url = Url("api:pulse")
    created_at = Moment()
    opportunity = Brief(source="plan.opportunity")
    account = Brief(source="plan.opportunity.account", allow_null=True)
    contact = Brief()
    occasion = serializers.ChoiceField(PulseOccasion.choices)
    asked_by = Brief(allow_null=True)
    sent_at = Moment(allow_null=True)
    reminded_at = Moment(allow_null=True)
    cancelled_at = Moment(allow_null=True)
    csat = serializers.IntegerField(allow_null=True, help_text="1 (very unhappy) to 5 (very happy).")
    recommend = serializers.IntegerField(allow_null=True, help_text="0 to 10; null where it was left out.")
    answered_at = Moment(allow_null=True)

    class Meta:
        model = Pulse
        fields = (
            "id", "url", "created_at", "opportunity", "account", "contact", "occasion", "due_on", "asked_by", "sent_at",
            "reminders", "reminded_at", "cancelled_at", "csat", "recommend", "comment", "answered_at",
        )  # fmt: skip


class PulseQuery(ListQuery):
    """Filters of the pulses."""

    ordering = Ordering("id", "due_on", "answered_at", default="-id")
    opportunity = Id()
    account = Id()
    answered = serializers.BooleanField(required=False)


class PulseNew(Input):
    """Whom to ask now how it goes."""

    opportunity = Scoped(deals_of)
    contact = Scoped(_contacts_of)
    language = Choice(Language.choices, required=False)


class StatementOut(serializers.ModelSerializer[Statement]):
    """A version of scope or success criteria, by one of ours or by the client's contact."""

    opportunity = Brief()
    subject = serializers.ChoiceField([(kind.value, kind.label) for kind in (Subject.SCOPE, Subject.SUCCESS_CRITERIA)])
    written_by = Brief(allow_null=True)
    amended_by = Brief(allow_null=True, help_text="The client's contact, who thereby confirmed it.")
    written_at = Moment()

    class Meta:
        model = Statement
        fields = ("id", "opportunity", "subject", "number", "text", "reason", "written_by", "amended_by", "written_at")


class StatementQuery(ListQuery):
    """Order of the versions."""

    ordering = Ordering("id", "number", default="-id")


class Pulses(ListEndpoint):
    """Pulses on the deals that the caller may see."""

    output = PulseOut
    query = PulseQuery

    @documented("List pulses", gives=PulseOut, query=PulseQuery)
    def get(self, request: Request) -> Response:
        """A page of them."""
        given = self.parameters()
        columns = {"opportunity": "plan__opportunity", "account": "plan__opportunity__account"}
        wanted: dict[str, Any] = {column: given[name] for name, column in columns.items() if name in given}
        if "answered" in given:
            wanted["answered_at__isnull"] = not given["answered"]
        pulses = Pulse.objects.visible_to(self.user).filter(plan__opportunity__archived_at__isnull=True, **wanted)
        return self.page(pulses.select_related("plan__opportunity__account", "contact", "asked_by"), given)


class PulseDetail(Endpoint):
    """One pulse."""

    output = PulseOut

    @documented("Show a pulse", gives=PulseOut)
    def get(self, request: Request, pk: int) -> Response:
        """The question and what became of it."""
        return self.answer(readable_pulse(self.user, pk))


class PulseSend(Endpoint):
    """Asking by hand."""

    output = PulseOut

    @documented("Ask a contact by mail how it goes", takes=PulseNew, gives=PulseOut, status=201)
    @idempotent
    def post(self, request: Request) -> Response:
        """Ask now; a question of the same day without an answer is the one that is there."""
        given = self.read(PulseNew)
        pulse, _token = send_pulse(
            actor=self.user, plan=_plan(self.user, given["opportunity"].pk), contact=given["contact"],
            language=given.get("language"), now=self.now,
        )  # fmt: skip
        return self.answer(readable_pulse(self.user, pulse.pk), 201)


class Statements(ListEndpoint):
    """Scope and success criteria of a deal."""

    output = StatementOut
    query = StatementQuery

    @documented("List versions of scope and success criteria of a deal", gives=StatementOut, query=StatementQuery)
    def get(self, request: Request, pk: int) -> Response:
        """A page of them."""
        deal = readable_opportunity(self.user, pk)
        versions = Statement.objects.filter(opportunity=deal).select_related("opportunity", "written_by", "amended_by")
        return self.page(versions, self.parameters())


def _plan(user: User, opportunity_id: int) -> RampPlan:
    plan = RampPlan.objects.visible_to(user).filter(opportunity=opportunity_id).select_related("opportunity").first()
    if plan is None:
        sentence = _("This deal has no ramp plan; it comes with the win.")
        raise invalid({"opportunity": [sentence]}, sentence)
    return plan
