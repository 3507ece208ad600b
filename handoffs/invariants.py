"""What must hold about engagements, tasks and deal reviews; see events/invariants.py."""

from events.invariants import Invariant
from handoffs.client_invariants import CLIENT_INVARIANTS
from handoffs.handoff_invariants import ACCOUNTED_FOR as _ACCOUNTED_FOR
from handoffs.handoff_invariants import HANDOFF_INVARIANTS

_RUNNING = "('answering', 'comparing', 'decided')"
_REVIEW_TASK = "t.action in ('review', 'express_review')"
# Every deal's newest verdict, and whether both sides signed it.
_NEWEST = """(
    select distinct on (r.opportunity_id) r.opportunity_id, d.id, d.review_id, d.number,
        d.sales_signed_at is not null and d.delivery_signed_at is not null as is_signed
    from handoffs_reviewdecision d join handoffs_dealreview r on r.id = d.review_id
    order by r.opportunity_id, d.id desc
)"""
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
        where template_id is not null group by 1, 2 having count(*) > 1 order by 1, 2
        """,
    ),
    Invariant(
        "handoffs.one_running_review",
        "At most one deal review runs on a deal, and none on a deal that is won, lost or archived.",
        f"""
        select o.id as deal, o.kind, count(*) as reviews from opportunities_opportunity o
        join handoffs_dealreview r on r.opportunity_id = o.id and r.state in {_RUNNING}
        group by o.id having count(*) > 1
            or (o.kind <> 'open' or o.archived_at is not null) and not {_ACCOUNTED_FOR}
        order by o.id
        """,  # noqa: S608 - constants of this module
    ),
    Invariant(
        "handoffs.agreed_reviews_are_signed",
        "A deal review is agreed exactly when both sides have signed its newest verdict.",
        """
        select r.id as review, r.state, d.number from handoffs_dealreview r
        left join lateral (
            select number, sales_signed_at is not null and delivery_signed_at is not null as is_signed
            from handoffs_reviewdecision where review_id = r.id order by number desc limit 1
        ) d on true
        where (r.state = 'agreed') <> coalesce(d.is_signed, false) order by r.id
        """,
    ),
    Invariant(
        "handoffs.handed_in_answers_are_complete",
        "A side that has handed in gave every question a score.",
        """
        select r.id as review, s.side, count(*) as unanswered from handoffs_dealreview r
        cross join lateral (values ('sales', r.sales_answered_at), ('delivery', r.delivery_answered_at)) s (side, at)
        join handoffs_askedquestion q on q.review_id = r.id
        left join handoffs_reviewanswer a on a.question_id = q.id and a.side = s.side and a.score is not null
        where s.at is not null and a.id is null group by 1, 2 order by 1, 2
        """,
    ),
    Invariant(
        "handoffs.nobody_speaks_for_both_sides",
        "Nobody answered or signed for both sides of one deal review.",
        """
        with spoken (review, side, person) as (
            select q.review_id, a.side, a.by_id from handoffs_reviewanswer a
                join handoffs_askedquestion q on q.id = a.question_id
            union select id, 'sales', sales_answered_by_id from handoffs_dealreview
            union select id, 'delivery', delivery_answered_by_id from handoffs_dealreview
            union select review_id, 'sales', sales_signed_by_id from handoffs_reviewdecision
            union select review_id, 'delivery', delivery_signed_by_id from handoffs_reviewdecision
        )
        select review, person from spoken where person is not null
        group by 1, 2 having count(distinct side) > 1 order by 1, 2
        """,
    ),
    Invariant(
        "handoffs.review_tasks_follow_the_review",
        "A task that starts a deal review is done exactly while both sides have signed the newest verdict.",
        f"""
        select t.id as task, t.opportunity_id as deal, t.state, n.number from handoffs_task t
        join opportunities_opportunity o on o.id = t.opportunity_id
        join {_NEWEST} n on n.opportunity_id = t.opportunity_id
        where {_REVIEW_TASK} and t.state <> 'cancelled' and (t.state = 'done') <> n.is_signed
            and not {_ACCOUNTED_FOR}
        order by t.id
        """,  # noqa: S608 - constants of this module
    ),
    Invariant(
        "handoffs.review_tasks_have_a_review",
        "A deal with an open task that starts a deal review has one, where there are questions to ask.",
        f"""
        select t.id as task, t.opportunity_id as deal from handoffs_task t
        join opportunities_opportunity o on o.id = t.opportunity_id
        where {_REVIEW_TASK} and t.state = 'open'
            and not exists (select 1 from handoffs_dealreview r where r.opportunity_id = o.id)
            and exists (
                select 1 from handoffs_question q join handoffs_questionset s on s.id = q.question_set_id
                where s.is_active and q.archived_at is null
                    and (s.service_line_id is null or s.service_line_id = o.service_line_id)
            )
            and not {_ACCOUNTED_FOR}
        order by t.id
        """,  # noqa: S608 - constants of this module
    ),
    *HANDOFF_INVARIANTS,
    *CLIENT_INVARIANTS,
)
