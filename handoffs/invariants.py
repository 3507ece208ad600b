"""What must hold about engagements and tasks; see events/invariants.py."""

from events.invariants import Invariant

# Reactions that are still owed, or that somebody with the right left undone and said why.
_ACCOUNTED_FOR = """
    exists (
        select 1 from events_delivery d join events_event v on v.id = d.event_id
        where v.opportunity_id = o.id and d.handler like 'handoffs.handlers.%'
            and d.state in ('pending', 'published', 'discarded')
    )
"""
_OPEN = "('requested', 'accepted', 'active')"
_SIGNALS = """(
    'opportunities.turned_warm', 'opportunities.turned_hot', 'opportunities.surfaced_unforecasted', 'opportunities.won'
)"""

INVARIANTS = (
    Invariant(
        "handoffs.warm_deals_are_engaged",
        "Delivery was asked in on every open deal that is warm or hot.",
        f"""
        select o.id as deal, o.temperature from opportunities_opportunity o
        where o.archived_at is null and o.kind = 'open' and o.temperature in ('warm', 'hot')
            and not exists (
                select 1 from handoffs_engagement e where e.opportunity_id = o.id and e.outcome <> 'withdrawn'
            )
            and not {_ACCOUNTED_FOR}
        order by o.id
        """,  # noqa: S608 - constants of this module
    ),
    Invariant(
        "handoffs.one_open_engagement",
        "A deal has at most one open engagement.",
        f"""
        select opportunity_id as deal, count(*) as engagements from handoffs_engagement
        where state in {_OPEN} group by 1 having count(*) > 1 order by 1
        """,  # noqa: S608 - constants of this module
    ),
    Invariant(
        "handoffs.one_engagement_per_signal",
        "A signal asks delivery in once.",
        """
        select trigger_event_id as event, count(*) as engagements from handoffs_engagement
        where trigger_event_id is not null group by 1 having count(*) > 1 order by 1
        """,
    ),
    Invariant(
        "handoffs.engagements_have_a_signal",
        "Every engagement stems from a signal of its own deal, or was asked for by a person.",
        f"""
        select e.id as engagement, e.opportunity_id as deal, e.trigger, e.trigger_event_id as event
        from handoffs_engagement e left join events_event v
            on v.id = e.trigger_event_id and v.opportunity_id = e.opportunity_id and v.name in {_SIGNALS}
        where e.trigger <> 'asked' and v.id is null order by e.id
        """,  # noqa: S608 - constants of this module
    ),
    Invariant(
        "handoffs.closed_deals_are_let_go",
        "No engagement is open on a deal that is won, lost or archived.",
        f"""
        select o.id as deal, o.kind, e.state from opportunities_opportunity o
        join handoffs_engagement e on e.opportunity_id = o.id and e.state in {_OPEN}
        where (o.kind <> 'open' or o.archived_at is not null) and not {_ACCOUNTED_FOR}
        order by o.id
        """,  # noqa: S608 - constants of this module
    ),
    Invariant(
        "handoffs.tasks_come_once",
        "A playbook's task is on a deal once.",
        """
        select opportunity_id as deal, template_id as playbook_task, count(*) as tasks from handoffs_task
        group by 1, 2 having count(*) > 1 order by 1, 2
        """,
    ),
)
