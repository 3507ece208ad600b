"""What must hold about needs and bookings; see events/invariants.py."""

from events.invariants import Invariant

# Reactions that are still owed, or that somebody with the right left undone and said why.
_ACCOUNTED_FOR = """
    exists (
        select 1 from events_delivery d join events_event v on v.id = d.event_id
        where v.opportunity_id = o.id and d.handler like 'staffing.handlers.%'
            and d.state in ('pending', 'published', 'discarded')
    )
"""
_RESTS = "(o.kind = 'lost' or o.archived_at is not null)"
# Mondays to Fridays among the days of a booking, as weeks.
_WEEKS = """(
    select count(*) filter (where extract(isodow from b.first_on + number) <= 5) / 5.0
    from generate_series(0, b.last_on - b.first_on) number
)"""

INVARIANTS = (
    Invariant(
        "staffing.lost_deals_book_nobody",
        "Nobody is booked for a deal that was lost or archived.",
        f"""
        select b.id as booking, o.id as deal, o.kind
        from staffing_booking b join opportunities_opportunity o on o.id = b.opportunity_id
        where b.released_at is null and {_RESTS} and not {_ACCOUNTED_FOR} order by b.id
        """,  # noqa: S608 - constants of this module
    ),
    Invariant(
        "staffing.bookings_are_as_hard_as_their_deal",
        "Bookings of open deals are soft, those of won deals are hard.",
        f"""
        select b.id as booking, b.kind, o.id as deal, o.kind as deal_kind
        from staffing_booking b join opportunities_opportunity o on o.id = b.opportunity_id
        where b.released_at is null and not {_RESTS} and (b.kind = 'soft') <> (o.kind = 'open')
            and not {_ACCOUNTED_FOR}
        order by b.id
        """,  # noqa: S608 - constants of this module
    ),
    Invariant(
        "staffing.bookings_are_of_their_deal",
        "A booking and the need that it is for are of one deal.",
        """
        select b.id as booking, b.opportunity_id as deal, n.id as need, n.opportunity_id as deal_of_need
        from staffing_booking b join staffing_staffingneed n on n.id = b.need_id
        where n.opportunity_id <> b.opportunity_id order by b.id
        """,
    ),
    Invariant(
        "staffing.cancelled_needs_book_nobody",
        "Nobody is booked for a need that was cancelled.",
        """
        select b.id as booking, n.id as need
        from staffing_booking b join staffing_staffingneed n on n.id = b.need_id
        where b.released_at is null and n.state = 'cancelled' order by b.id
        """,
    ),
    # A tenth of an hour may be lost to rounding. Whether the first day has come is looked at every hour, so that booked
    # and filled are one here.
    Invariant(
        "staffing.needs_follow_their_bookings",
        "A need is booked or filled by hard bookings of all its hours, proposed by bookings of them, else open.",
        f"""
        with named as (
            select b.need_id, sum(b.hours_per_week * {_WEEKS}) as hours,
                sum(b.hours_per_week * {_WEEKS}) filter (where b.kind = 'hard') as hard
            from staffing_booking b
            where b.released_at is null and b.need_id is not null and b.person_id is not null group by 1
        ), judged as (
            select n.id, n.state, case
                    when n.hours_per_week * n.weeks <= named.hard + 0.1 then 'booked'
                    when n.hours_per_week * n.weeks <= named.hours + 0.1 then 'proposed'
                    else 'open'
                end as by_bookings
            from staffing_staffingneed n left join named on named.need_id = n.id where n.state <> 'cancelled'
        )
        select id as need, state, by_bookings from judged
        where replace(state, 'filled', 'booked') <> by_bookings order by id
        """,  # noqa: S608 - constants of this module
    ),
)
