"""Playbooks that a new organisation starts with."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from django.db import transaction

from accounts.models import Organisation
from handoffs.models import Anchor, Assignee, Playbook, PlaybookTask, TaskSide, Trigger

S, D, SH = TaskSide.SALES, TaskSide.DELIVERY, TaskSide.SHARED


@dataclass(frozen=True)
class _Task:
    key: str
    title: str
    side: TaskSide
    assignee: Assignee
    days: int
    anchor: Anchor = Anchor.TRIGGER
    after: tuple[str, ...] = ()
    evidence: str = ""
    help_text: str = ""
    conditions: list[dict[str, object]] = field(default_factory=list)


_PLAYBOOKS: tuple[tuple[str, str, Trigger, tuple[_Task, ...]], ...] = (
    (
        "warm", "A deal turns warm", Trigger.WARM,
        (
            _Task("brief-delivery", "Brief delivery on client, need and timing", S, Assignee.SALES_OWNER, 2,
                  help_text="Who decides, what hurts, what was said about dates, team and price."),
            _Task("read-the-deal", "Read the deal and name open questions", D, Assignee.DELIVERY_OWNER, 3,
                  after=("brief-delivery",)),
            _Task("scope-call", "Talk scope through together", SH, Assignee.DELIVERY_OWNER, 5,
                  after=("read-the-deal",), help_text="Half an hour; what is in, what is out, what is unknown."),
            _Task("rough-team", "Sketch roles, weeks and hours", D, Assignee.DELIVERY_OWNER, 8,
                  after=("scope-call",), evidence="the sketch, or where it is"),
            _Task("first-risks", "Write down the first risks", SH, Assignee.DELIVERY_OWNER, 10),
        ),
    ),
    (
        "hot", "A deal turns hot", Trigger.HOT,
        (
            _Task("staffing-needs", "State the staffing needs by role and week", D, Assignee.DELIVERY_OWNER, 3),
            _Task("check-capacity", "Check capacity for the wanted start", D, Assignee.RESOURCE_MANAGER, 4,
                  after=("staffing-needs",)),
            _Task("deal-review", "Hold the deal review", SH, Assignee.DELIVERY_OWNER, 5,
                  evidence="the verdict and its conditions",
                  help_text="Same questions, both sides, before anything is promised."),
            _Task("confirm-dates", "Agree the dates that may be promised", SH, Assignee.SALES_OWNER, 5,
                  after=("check-capacity",)),
            _Task("large-deal", "Have the price checked against the effort", D, Assignee.DELIVERY_MANAGER, 5,
                  conditions=[{"field": "amount", "op": "at_least", "value": "250000"}]),
            _Task("name-pm", "Name the project manager", D, Assignee.DELIVERY_MANAGER, -5, Anchor.CLOSE_DATE),
        ),
    ),
    (
        "fast-lane", "A deal surfaces un-forecasted", Trigger.UNFORECASTED,
        (
            _Task("express-brief", "Tell delivery what is promised already", S, Assignee.SALES_OWNER, 0,
                  help_text="Dates, price, people, scope: whatever the client has heard."),
            _Task("express-answer", "Answer: can we, by when, with whom", D, Assignee.DELIVERY_OWNER, 1),
            _Task("express-review", "Hold an express review", SH, Assignee.DELIVERY_OWNER, 2,
                  after=("express-brief",)),
        ),
    ),
    (
        "won", "A deal is won", Trigger.WON,
        (
            _Task("handover-call", "Hand over in a call: people, promises, risks", SH, Assignee.SALES_OWNER, 3),
            _Task("introduce-pm", "Introduce the project manager to the client", S, Assignee.SALES_OWNER, 5,
                  evidence="when, and with whom"),
            _Task("internal-kickoff", "Hold the internal kick-off", D, Assignee.DELIVERY_OWNER, -5, Anchor.KICKOFF),
            _Task("client-kickoff", "Hold the kick-off with the client", SH, Assignee.DELIVERY_OWNER, 0,
                  Anchor.KICKOFF, after=("internal-kickoff",)),
            _Task("expectations", "Reset expectations on open scope questions", S, Assignee.SALES_OWNER, 10,
                  Anchor.KICKOFF),
        ),
    ),
)  # fmt: skip


def create(*, organisation: Organisation, now: dt.datetime) -> None:
    """Make the default playbooks, unless there are some already."""
    with transaction.atomic():
        if Playbook.objects.exists():
            return
        for key, name, trigger, tasks in _PLAYBOOKS:
            playbook = Playbook.objects.create(key=key, name=name, trigger=trigger)
            made: dict[str, PlaybookTask] = {}
            for position, task in enumerate(tasks):
                made[task.key] = PlaybookTask.objects.create(
                    playbook=playbook, key=task.key, title=task.title, help_text=task.help_text, side=task.side,
                    assignee=task.assignee, offset_days=task.days, anchor=task.anchor, evidence=task.evidence,
                    conditions=task.conditions, position=position,
                )  # fmt: skip
                made[task.key].depends_on.set([made[earlier] for earlier in task.after])
