"""What happened: stage history and timeline of one deal, and the feed of everything that the caller may know."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import audience_of
from accounts.models import User
from api.endpoints import Endpoint
from api.errors import invalid
from api.fields import Brief, Id, Input, Moment
from api.lists import MOST, ListEndpoint, ListQuery, Ordering
from api.openapi import documented
from api.pipelines import StageBrief
from events.models import Event
from opportunities.access import readable_opportunity
from opportunities.models import Account, Contact, StageChange
from opportunities.models.history import Source


class StageChangeOut(serializers.ModelSerializer[StageChange]):
    """One step of a deal through its pipeline."""

    to = StageBrief(source="to_stage")
    at = Moment()
    by = Brief(allow_null=True)
    source = serializers.ChoiceField(Source.choices)
    days_in_stage = serializers.SerializerMethodField()

    class Meta:
        model = StageChange
        fields = ("id", "number", "to", "at", "by", "source", "reason", "days_in_stage", "skipped")

    def get_fields(self) -> dict[str, Any]:
        """``from`` is no name for an attribute."""
        return {**super().get_fields(), "from": StageBrief(source="from_stage", allow_null=True)}

    def get_days_in_stage(self, change: StageChange) -> float:
        """Days spent in ``to``: until the next change, or until now."""
        until: dt.datetime = getattr(change, "left_at", None) or self.context["now"]
        return round(max((until - change.at).total_seconds(), 0) / 86_400, 2)


class Subject(serializers.Serializer[Any]):
    """What an event is about."""

    kind = serializers.CharField(source="subject_kind")
    id = serializers.IntegerField(source="subject_id")


class EventOut(serializers.ModelSerializer[Event]):
    """Something that happened. ``text`` in lower case goes on after the actor's name."""

    text = serializers.CharField()
    at = Moment()
    recorded_at = Moment()
    actor = Brief(allow_null=True)
    subject = Subject(source="*")
    opportunity = serializers.IntegerField(source="opportunity_id", allow_null=True)
    data = serializers.DictField()

    class Meta:
        model = Event
        fields = ("id", "name", "text", "at", "recorded_at", "actor", "subject", "opportunity", "data")


class HistoryQuery(ListQuery):
    """Order of the history."""

    ordering = Ordering("number")


class TimelineQuery(ListQuery):
    """Order of the timeline."""

    ordering = Ordering("id", default="-id")


class EventQuery(Input):
    """Where to go on in the feed."""

    after = Id(help_text="Id of the last event that you have: what was committed since follows, each event once.")
    page_size = serializers.IntegerField(min_value=1, max_value=MOST, default=50)
    opportunity = Id()


class OpportunityHistory(ListEndpoint):
    """The stage changes of a deal."""

    output = StageChangeOut
    query = HistoryQuery

    @documented("List the stage changes of a deal", gives=StageChangeOut, query=HistoryQuery)
    def get(self, request: Request, pk: int) -> Response:
        """Oldest first, with true dates."""
        deal = readable_opportunity(self.user, pk)
        later = StageChange.objects.filter(opportunity=deal, number=OuterRef("number") + 1).values("at")
        changes = deal.stage_changes.select_related("from_stage", "to_stage", "by").annotate(left_at=Subquery(later))
        return self.page(changes, self.parameters())


class OpportunityTimeline(ListEndpoint):
    """Everything that happened to a deal."""

    output = EventOut
    query = TimelineQuery

    @documented("List what happened to a deal", gives=EventOut, query=TimelineQuery)
    def get(self, request: Request, pk: int) -> Response:
        """Newest first."""
        deal = readable_opportunity(self.user, pk)
        return self.page(Event.objects.filter(opportunity_id=deal.pk).select_related("actor"), self.parameters())


class Events(Endpoint):
    """What the caller may know of, in the order in which it became certain."""

    output = EventOut
    query = EventQuery

    @documented("List events", gives=EventOut, query=EventQuery)
    def get(self, request: Request) -> Response:
        """Those after another one, oldest first; ask again with the last id for what came since."""
        given = self.parameters()
        events = known_to(self.user).select_related("actor")
        if "opportunity" in given:
            events = events.filter(opportunity_id=given["opportunity"])
        size = given["page_size"]
        found = list(settled(events, after=given.get("after"))[: size + 1])
        following = {**request.query_params.dict(), "after": found[size - 1].pk} if len(found) > size else None
        return Response(
            {
                "next": request.build_absolute_uri(f"{request.path}?{urlencode(following)}") if following else None,
                "previous": None,
                "results": self.output(found[:size], many=True, context=self.context()).data,
            }
        )


def known_to(user: User) -> QuerySet[Event]:
    """Events with their content: those of visible deals, accounts and contacts, and one's own doings.

    Narrower than what wakes up open pages, because those learn a name and no more.
    """
    audience = audience_of(user)
    events = Event.objects.visible_to(audience)
    if audience.sees_all:
        return events
    clients = Q(subject_kind="account", subject_id__in=Account.objects.visible_to(user).values("pk"))
    clients |= Q(subject_kind="contact", subject_id__in=Contact.objects.visible_to(user).values("pk"))
    return events.filter(Q(opportunity_id__isnull=False) | clients | Q(actor=user))


_SNAPSHOT = """
select pg_snapshot_xmin(now)::text::bigint, pg_snapshot_xmax(now)::text::bigint,
    (select max(transaction_id) from events_event)
from pg_current_snapshot() now
"""


def settled(events: QuerySet[Event], *, after: int | None) -> QuerySet[Event]:
    """The events that nothing can come before any more, in the order of their transactions. Raises Problem.

    Ids are taken before a transaction commits, so a lower id may appear after a higher one; a reader who went on from
    the highest id seen would miss it. Transactions below the oldest running one have all ended, so that going on from
    (transaction, id) misses nothing and repeats nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SNAPSHOT)
        oldest_running, next_one, newest_known = cursor.fetchone()
    position = Event.objects.filter(pk=after).values_list("transaction_id", flat=True).first() if after else 0
    if position is None:
        raise invalid({"after": [_("There is no such event. Leave “after” out to begin with the first one.")]})
    if (newest_known or 0) >= next_one:
        # Restored into a younger server: its transactions are numbered below those in the table for a while.
        ended = Q(transaction_id__lt=oldest_running) | Q(transaction_id__gte=next_one)
        return events.filter(ended, pk__gt=after or 0).order_by("pk")
    beyond = Q(transaction_id__gt=position) | Q(pk__gt=after or 0)
    return events.filter(beyond, transaction_id__gte=position, transaction_id__lt=oldest_running).order_by(
        "transaction_id", "pk"
    )
