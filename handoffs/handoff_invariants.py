"""What must hold about handoffs, their items and approvals; see events/invariants.py."""

from events.invariants import Invariant

# Reactions that are still owed, or that somebody with the right left undone and said why.
ACCOUNTED_FOR = """
    exists (
        select 1 from events_delivery d join events_event v on v.id = d.event_id
        where v.opportunity_id = o.id and d.handler like 'handoffs.handlers.%'
            and d.state in ('pending', 'published', 'discarded')
    )
"""
# Deals won before there were handoffs have none, and neither has what a baseline or an undo says.
_WON_SINCE = """
    exists (
        select 1 from events_event v join opportunities_stagechange c on c.id = (v.data ->> 'change')::bigint
        where v.opportunity_id = o.id and v.name = 'opportunities.won'
            and v.data -> 'undoes_change' is null and v.data -> 'baseline' is null
            and c.recorded_at >= (
                select applied from django_migrations
                where app = 'handoffs' and name = '0008_handoffs_ramp_plans_and_the_clients_voice'
            )
    )
"""
_FOLLOWS = "t.state in ('open', 'paused', 'done')"

HANDOFF_INVARIANTS = (
    Invariant(
        "handoffs.won_deals_have_a_handoff",
        "Every deal that was won has one handoff and one ramp plan, and neither rests.",
        f"""
        select o.id as deal, h.id as handoff, p.id as ramp_plan from opportunities_opportunity o
        left join handoffs_handoff h on h.opportunity_id = o.id and h.shelved_at is null
        left join handoffs_rampplan p on p.handoff_id = h.id and p.shelved_at is null
        where o.kind = 'won' and o.archived_at is null and (h.id is null or p.id is null)
            and {_WON_SINCE} and not {ACCOUNTED_FOR}
        order by o.id
        """,  # noqa: S608 - constants of this module
    ),
    Invariant(
        "handoffs.open_deals_have_no_handoff",
        "Handoff and ramp plan rest while their deal is open again, lost or archived.",
        f"""
        select o.id as deal, o.kind, h.id as handoff, p.id as ramp_plan from opportunities_opportunity o
        join handoffs_handoff h on h.opportunity_id = o.id join handoffs_rampplan p on p.handoff_id = h.id
        where (o.kind <> 'won' or o.archived_at is not null)
            and (h.shelved_at is null or p.shelved_at is null) and not {ACCOUNTED_FOR}
        order by o.id
        """,  # noqa: S608 - constants of this module
    ),
    Invariant(
        "handoffs.a_handoff_has_its_plan",
        "A handoff and its ramp plan are of one deal.",
        """
        select h.id as handoff, h.opportunity_id as deal, p.id as ramp_plan, p.opportunity_id as other_deal
        from handoffs_handoff h left join handoffs_rampplan p on p.handoff_id = h.id
        where p.opportunity_id is distinct from h.opportunity_id order by h.id
        """,
    ),
    Invariant(
        "handoffs.items_are_of_their_deal",
        "Items, milestones, their files, conditions and promises are of one deal.",
        """
        select t.id as task, t.opportunity_id as deal from handoffs_task t
        left join handoffs_handoff h on h.id = t.handoff_id
        left join handoffs_rampplan p on p.id = t.ramp_plan_id
        left join opportunities_attachment a on a.id = t.evidence_file_id
        left join handoffs_commitment m on m.id = t.commitment_id
        left join handoffs_reviewcondition c on c.id = t.condition_id
        left join handoffs_reviewdecision d on d.id = c.decision_id
        left join handoffs_dealreview r on r.id = d.review_id
        where t.opportunity_id <> any (
            array_remove(
                array[h.opportunity_id, p.opportunity_id, a.opportunity_id, m.opportunity_id, r.opportunity_id], null
            )
        )
        order by t.id
        """,
    ),
    Invariant(
        "handoffs.approved_handoffs_were_approved",
        "A handoff is approved exactly when its newest submission is, and submitted exactly while one is pending.",
        """
        select h.id as handoff, h.state, s.number, s.state as submission from handoffs_handoff h
        left join lateral (
            select number, state from handoffs_submission where handoff_id = h.id order by number desc limit 1
        ) s on true
        where (h.state = 'approved' and s.state is distinct from 'approved')
            or (h.state = 'submitted') <> (s.state is not distinct from 'pending')
        order by h.id
        """,
    ),
    Invariant(
        "handoffs.approvals_are_complete",
        "A submission is approved exactly when each of its steps is.",
        """
        select s.id as submission, s.state, count(*) filter (where a.state <> 'approved') as open_steps
        from handoffs_submission s join handoffs_approvalstep a on a.submission_id = s.id
        group by s.id having (s.state = 'approved') <> bool_and(a.state = 'approved') order by s.id
        """,
    ),
    Invariant(
        "handoffs.approvals_by_different_people",
        "Nobody has a part in two approvals of one submission, in whoever's name, nor in one of their own.",
        """
        select p.submission_id as submission, p.person, count(*) as parts from (
            select submission_id, decided_by_id as person from handoffs_approvalstep
            union all select submission_id, on_behalf_of_id from handoffs_approvalstep
            union all select id, submitted_by_id from handoffs_submission
        ) p
        where p.person is not null group by 1, 2 having count(*) > 1 order by 1, 2
        """,
    ),
    Invariant(
        "handoffs.pending_submissions_ask_somebody",
        "While a submission waits, the turn of at least one of its steps has come, and none waits past an end.",
        """
        select s.id as submission, s.state from handoffs_submission s
        left join handoffs_approvalstep a on a.submission_id = s.id and a.state in ('pending', 'escalated')
        group by s.id
        having (s.state = 'pending') <> (count(a.opened_at) > 0) or (s.state <> 'pending' and count(a.id) > 0)
        order by s.id
        """,
    ),
    Invariant(
        "handoffs.relationship_items_follow_the_map",
        "An item about the relationships is done exactly while everybody on the map was taken over.",
        f"""
        select t.id as task, t.opportunity_id as deal, t.state from handoffs_task t
        join opportunities_opportunity o on o.id = t.opportunity_id
        left join lateral (
            select coalesce(bool_and(x.accepted_at is not null), false) as is_done from handoffs_relationshiptransfer x
            join handoffs_handoff h on h.id = x.handoff_id
            where h.opportunity_id = t.opportunity_id and x.dropped_at is null
        ) m on true
        where t.action = 'relationships' and {_FOLLOWS} and (t.state = 'done') <> m.is_done and not {ACCOUNTED_FOR}
        order by t.id
        """,  # noqa: S608 - constants of this module
    ),
    Invariant(
        "handoffs.promise_items_follow_the_promise",
        "An item about a promise is done exactly while delivery accepts it, or it was settled or withdrawn.",
        f"""
        select t.id as task, t.opportunity_id as deal, t.state, m.stance, m.outcome from handoffs_task t
        join handoffs_commitment m on m.id = t.commitment_id
        where t.action = 'commitment' and {_FOLLOWS}
            and (t.state = 'done') <> (m.stance = 'accepted' or m.outcome <> 'open' or m.withdrawn_at is not null)
        order by t.id
        """,  # noqa: S608 - constants of this module
    ),
    Invariant(
        "handoffs.condition_items_follow_the_condition",
        "An item about a condition is done exactly while it is met, dropped, or left out of the newest verdict.",
        f"""
        select t.id as task, t.opportunity_id as deal, t.state, c.state as condition from handoffs_task t
        join handoffs_reviewcondition c on c.id = t.condition_id
        join handoffs_reviewdecision d on d.id = c.decision_id
        where t.action = 'condition' and {_FOLLOWS} and (t.state = 'done') <> (
            c.state <> 'open' or exists (
                select 1 from handoffs_reviewdecision l where l.review_id = d.review_id and l.number > d.number
            )
        )
        order by t.id
        """,  # noqa: S608 - constants of this module
    ),
)
