"""The playbooks that a new organisation starts with: before the win, the handoff's checklist, and the ramp."""

from __future__ import annotations

from dataclasses import dataclass, field

from handoffs.models import Anchor, Assignee, RampPhase, Section, TaskAction, TaskSide, Trigger

S, D, SH = TaskSide.SALES, TaskSide.DELIVERY, TaskSide.SHARED
SALES, DELIVERY, PM = Assignee.SALES_OWNER, Assignee.DELIVERY_OWNER, Assignee.PROJECT_MANAGER


@dataclass(frozen=True)
class DefaultTask:
    """A task of a default playbook; ``after`` names keys of earlier ones."""

    key: str
    title: str
    side: TaskSide
    assignee: Assignee
    days: int
    anchor: Anchor = Anchor.TRIGGER
    after: tuple[str, ...] = ()
    evidence: str = ""
    help_text: str = ""
    action: TaskAction = TaskAction.NONE
    section: str = ""
    phase: str = ""
    is_required: bool = True
    conditions: list[dict[str, object]] = field(default_factory=list)


PLAYBOOKS: tuple[tuple[str, str, Trigger, tuple[DefaultTask, ...]], ...] = (
    (
        "warm", "A deal turns warm", Trigger.WARM,
        (
            DefaultTask("brief-delivery", "Brief delivery on client, need and timing", S, SALES, 2,
                        help_text="Who decides, what hurts, what was said about dates, team and price."),
            DefaultTask("read-the-deal", "Read the deal and name open questions", D, DELIVERY, 3,
                        after=("brief-delivery",)),
            DefaultTask("scope-call", "Talk scope through together", SH, DELIVERY, 5,
                        after=("read-the-deal",), help_text="Half an hour; what is in, what is out, what is unknown."),
            DefaultTask("rough-team", "Sketch roles, weeks and hours", D, DELIVERY, 8,
                        after=("scope-call",), evidence="the sketch, or where it is"),
            DefaultTask("first-risks", "Write down the first risks", SH, DELIVERY, 10),
        ),
    ),
    (
        "hot", "A deal turns hot", Trigger.HOT,
        (
            DefaultTask("staffing-needs", "State the staffing needs by role and week", D, DELIVERY, 3,
                        action=TaskAction.STAFFING),
            DefaultTask("check-capacity", "Check capacity for the wanted start", D, Assignee.RESOURCE_MANAGER, 4,
                        after=("staffing-needs",)),
            DefaultTask("deal-review", "Hold the deal review", SH, DELIVERY, 5, action=TaskAction.REVIEW,
                        help_text="Same questions, both sides, before anything is promised."),
            DefaultTask("risk-profile", "Agree the risk profile", SH, DELIVERY, 5,
                        action=TaskAction.RISK_PROFILE,
                        help_text="What could go wrong, how likely, how bad, and what is done about it."),
            DefaultTask("confirm-dates", "Agree the dates that may be promised", SH, SALES, 5,
                        after=("check-capacity",)),
            DefaultTask("large-deal", "Have the price checked against the effort", D, Assignee.DELIVERY_MANAGER, 5,
                        conditions=[{"field": "amount", "op": "at_least", "value": "250000"}]),
            DefaultTask("name-pm", "Name the project manager", D, Assignee.DELIVERY_MANAGER, -5, Anchor.CLOSE_DATE),
        ),
    ),
    (
        "fast-lane", "A deal surfaces un-forecasted", Trigger.UNFORECASTED,
        (
            DefaultTask("express-brief", "Tell delivery what is promised already", S, SALES, 0,
                        help_text="Dates, price, people, scope: whatever the client has heard."),
            DefaultTask("express-answer", "Answer: can we, by when, with whom", D, DELIVERY, 1),
            DefaultTask("express-review", "Hold an express review", SH, DELIVERY, 2,
                        after=("express-brief",), action=TaskAction.EXPRESS_REVIEW),
        ),
    ),
    (
        "handoff", "The handoff's checklist", Trigger.HANDOFF,
        (
            DefaultTask("hand-over-people", "Hand over everybody who matters at the client", SH, SALES, 8,
                        action=TaskAction.RELATIONSHIPS, section=Section.RELATIONSHIP,
                        help_text="Each is introduced to whoever takes over, who then says so."),
            DefaultTask("politics", "Write down who decides, who influences and who doubts", S, SALES, 3,
                        section=Section.RELATIONSHIP, evidence="a few lines, or where they are"),
            DefaultTask("scope-agreed", "Go through the scope together: what is in, what is out", SH, DELIVERY, 5,
                        section=Section.SCOPE, evidence="the scope as agreed, or where it is"),
            DefaultTask("scope-questions", "List the scope questions that are still open, each with an owner", S, SALES,
                        5, section=Section.SCOPE, is_required=False),
            DefaultTask("success-criteria", "Agree how the client will tell that it was a success", SH, DELIVERY, 5,
                        section=Section.SUCCESS_CRITERIA, evidence="the criteria, or where they are",
                        help_text="Few, measurable, in the client's own words."),
            DefaultTask("risks-agreed", "Agree the risk profile as it stands at the win", SH, DELIVERY, 5,
                        action=TaskAction.RISK_PROFILE, section=Section.RISKS),
            DefaultTask("first-weeks", "Say what could hurt in the first six weeks", D, DELIVERY, 5,
                        section=Section.RISKS, is_required=False),
            DefaultTask("promises-noted", "Check that every promise to the client is on the ledger", S, SALES, 3,
                        section=Section.COMMITMENTS,
                        help_text="Dates, prices, people, scope: whatever the client has heard, in writing or not."),
            DefaultTask("contract", "File the signed contract or order", S, SALES, 3, section=Section.COMMERCIALS,
                        evidence="the document, or where it is"),
            DefaultTask("estimate", "Hand over the estimate that the price stands on", S, SALES, 3,
                        section=Section.COMMERCIALS, evidence="the estimate, or where it is"),
            DefaultTask("billing", "Walk finance through billing, terms and margin", S, Assignee.SALES_MANAGER, 5,
                        section=Section.COMMERCIALS,
                        conditions=[{"field": "amount", "op": "at_least", "value": "250000"}]),
            DefaultTask("first-team", "Name the team of the first weeks", D, Assignee.RESOURCE_MANAGER, 5,
                        section=Section.STAFFING, evidence="who, in which role, from when"),
            DefaultTask("dates-hold", "Confirm the promised dates with those who do the work", SH, DELIVERY, 5,
                        section=Section.STAFFING, after=("first-team",)),
            DefaultTask("kickoff-set", "Set the kick-off with the client", D, PM, 5, section=Section.START_UP),
            DefaultTask("day-one", "Ask the client for access, data and contacts needed on day one", D, PM, 8,
                        section=Section.START_UP, is_required=False),
        ),
    ),
    (
        "won", "A deal is won", Trigger.WON,
        (
            DefaultTask("handover-call", "Hand over in a call: people, promises, risks", SH, SALES, 3,
                        phase=RampPhase.INTERNAL_KICKOFF),
            DefaultTask("internal-kickoff", "Hold the internal kick-off", D, PM, -5, Anchor.KICKOFF,
                        phase=RampPhase.INTERNAL_KICKOFF,
                        help_text="Everybody on the team knows the promise, the scope, the risks and the dates."),
            DefaultTask("introduce-pm", "Introduce the project manager to the client", S, SALES, 5,
                        phase=RampPhase.CLIENT_KICKOFF, evidence="when, and with whom"),
            DefaultTask("agenda", "Send the client the agenda of the kick-off", D, PM, -2, Anchor.KICKOFF,
                        phase=RampPhase.CLIENT_KICKOFF),
            DefaultTask("client-kickoff", "Hold the kick-off with the client", SH, PM, 0, Anchor.KICKOFF,
                        phase=RampPhase.CLIENT_KICKOFF, after=("internal-kickoff",)),
            DefaultTask("scope-closed", "Close the scope questions left open by the sale", S, SALES, 5, Anchor.KICKOFF,
                        phase=RampPhase.MOBILISE, evidence="the answers, or where they are"),
            DefaultTask("team-on-board", "Bring the team on board: access, tools, briefing", D,
                        Assignee.RESOURCE_MANAGER, 5, Anchor.KICKOFF, phase=RampPhase.MOBILISE),
            DefaultTask("rhythm", "Agree rhythm, reporting and who decides with the client", D, PM, 5, Anchor.KICKOFF,
                        phase=RampPhase.MOBILISE),
            DefaultTask("expectations", "Reset expectations with those who bought it", S, SALES, 10, Anchor.KICKOFF,
                        phase=RampPhase.MOBILISE, help_text="What they will get first, by when, and what comes later."),
            DefaultTask("first-result", "Deliver a first result that the client can use", D, PM, 20, Anchor.KICKOFF,
                        phase=RampPhase.FIRST_DELIVERY, after=("client-kickoff",),
                        evidence="what it was, and what the client said"),
            DefaultTask("sponsor-call", "Call the sponsor: is it what was bought?", S, SALES, 25, Anchor.KICKOFF,
                        phase=RampPhase.FIRST_DELIVERY),
            DefaultTask("open-points", "Look at open points together, once a week", SH, PM, 30, Anchor.KICKOFF,
                        phase=RampPhase.HYPERCARE),
            DefaultTask("step-back", "Step back as the client's first contact", S, SALES, 40, Anchor.KICKOFF,
                        phase=RampPhase.HYPERCARE),
            DefaultTask("client-scope", "The client confirms the scope", D, PM, 20, Anchor.KICKOFF,
                        phase=RampPhase.EXIT, action=TaskAction.CLIENT_SCOPE),
            DefaultTask("client-criteria", "The client confirms the success criteria", D, PM, 20, Anchor.KICKOFF,
                        phase=RampPhase.EXIT, action=TaskAction.CLIENT_CRITERIA),
            DefaultTask("client-risks", "The client confirms the risk profile", D, PM, 20, Anchor.KICKOFF,
                        phase=RampPhase.EXIT, action=TaskAction.CLIENT_RISKS),
            DefaultTask("client-pulse", "The client rates the start", D, PM, 30, Anchor.KICKOFF,
                        phase=RampPhase.EXIT, action=TaskAction.PULSE),
            DefaultTask("on-its-own", "The project runs without sales", SH, PM, 45, Anchor.KICKOFF,
                        phase=RampPhase.EXIT, evidence="the last report to the client, or where it is"),
        ),
    ),
)  # fmt: skip
