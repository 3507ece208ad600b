"""What must hold about the client's voice; see events/invariants.py."""

from events.invariants import Invariant

# The newest version of each subject of a deal, and whether a contact of the client's stands behind it.
_NEWEST = """(
    select s.opportunity_id, s.action, s.is_theirs from (
        select distinct on (v.opportunity_id, v.subject) v.opportunity_id,
            case v.subject when 'scope' then 'client_scope' else 'client_criteria' end as action,
            v.amended_by_id is not null or exists (
                select 1 from handoffs_confirmation c where c.statement_id = v.id and c.answer = 'confirmed'
            ) as is_theirs
        from handoffs_statement v order by v.opportunity_id, v.subject, v.number desc
    ) s
    union all
    select p.opportunity_id, 'client_risks', p.is_theirs from (
        select distinct on (v.opportunity_id) v.opportunity_id,
            v.amended_by_id is not null or exists (
                select 1 from handoffs_confirmation c where c.risk_profile_id = v.id and c.answer = 'confirmed'
            ) as is_theirs
        from handoffs_riskprofile v order by v.opportunity_id, v.number desc
    ) p
)"""

CLIENT_INVARIANTS = (
    Invariant(
        "handoffs.client_tasks_follow_the_client",
        "A task about the client's word is done when the newest version is the client's word, and open otherwise.",
        f"""
        select t.id as task, t.opportunity_id as deal, t.state from handoffs_task t
        left join {_NEWEST} n on n.opportunity_id = t.opportunity_id and n.action = t.action
        where t.action in ('client_scope', 'client_criteria', 'client_risks')
            and (t.state in ('open', 'paused') and coalesce(n.is_theirs, false)
                 or t.state = 'done' and not coalesce(n.is_theirs, false))
        order by t.id
        """,  # noqa: S608 - constants of this module
    ),
    Invariant(
        "handoffs.agreed_profiles_have_a_word",
        "A risk profile is agreed by the client exactly when a contact confirmed or wrote it.",
        """
        select p.id as profile, p.opportunity_id as deal from handoffs_riskprofile p
        where (p.client_agreed_at is not null) <> (
            p.amended_by_id is not null or exists (
                select 1 from handoffs_confirmation c where c.risk_profile_id = p.id and c.answer = 'confirmed'
            )
        ) order by p.id
        """,
    ),
    Invariant(
        "handoffs.amendments_are_the_next_version",
        "What a contact amended became the next version, by that contact.",
        """
        select c.id as confirmation from handoffs_confirmation c
        left join handoffs_statement was on was.id = c.statement_id
        left join handoffs_statement new on new.id = c.new_statement_id
        left join handoffs_riskprofile was_profile on was_profile.id = c.risk_profile_id
        left join handoffs_riskprofile new_profile on new_profile.id = c.new_risk_profile_id
        where c.answer = 'amended' and (
            coalesce(new.number, new_profile.number) is distinct from coalesce(was.number, was_profile.number) + 1
            or coalesce(new.amended_by_id, new_profile.amended_by_id) is distinct from c.contact_id
        ) order by c.id
        """,
    ),
    Invariant(
        "handoffs.silence_is_kept",
        "Nobody is asked or reminded by itself after opting out.",
        """
        select p.id as pulse from handoffs_pulse p join handoffs_clientvoice v on v.contact_id = p.contact_id
        where p.asked_by_id is null and greatest(p.sent_at, p.reminded_at) > v.opted_out_at order by p.id
        """,
    ),
)
