"""A handoff about which there is much to say."""

from __future__ import annotations

import datetime as dt

from django.utils.text import slugify

from accounts.models import User
from handoffs.models import (
    ClientAnswer,
    ClientLink,
    Commitment,
    CommitmentKind,
    CommitmentSource,
    Confirmation,
    DealReview,
    Handoff,
    LinkPurpose,
    QuestionSet,
    RelationshipTransfer,
    ReviewCondition,
    ReviewDecision,
    ReviewState,
    RiskProfile,
    Stance,
    Statement,
    Subject,
    Trigger,
    Verdict,
)
from opportunities.models import Contact, Opportunity, StakeholderRole
from tests.factories import ContactFactory
from tests.handoffs.handing import handoff_of
from tests.handoffs.reactions import MONDAY

TODAY = MONDAY.date()
SCOPE = (
    "The customer portal replaces the three present ones for all 40 branches: orders, invoices, complaints.\n\n"
    "Not in it: the mobile app, and the migration of data from before 2020."
)
CRITERIA = (
    "• Nine of ten orders come in through the portal by the end of June.\n"
    "• The hotline gets half as many calls about invoices.\n"
    "• Branch managers rate it 4 of 5 or better after 90 days."
)
PROMISES = (
    ("Live before the summer fair on 15 June", CommitmentKind.DATE, Stance.ACCEPTED_IF, "interface list by 1 March"),
    ("Two of the team on site in Bergen each week", CommitmentKind.TEAM, Stance.DISPUTED, "nobody lives near"),
    ("Fixed price for the first three interfaces", CommitmentKind.PRICE, Stance.ACCEPTED, ""),
    ("German and Norwegian from the first day", CommitmentKind.SCOPE, Stance.PENDING, ""),
)
RISKS = (
    ("Nobody at the client owns the interface list", 4, 5, "reduce", "Ask the sponsor for a name before the kick-off"),
    ("The single sign-on of the group is being replaced in May", 3, 4, "avoid", "Begin with their present one"),
    ("Key users have their season in April and May", 4, 3, "accept", ""),
    ("The test system is shared with another project", 2, 3, "", ""),
    ("Translations come late", 2, 1, "reduce", "Order them with the screens"),
)


def contact(deal: Opportunity, name: str, title: str, role: str = "") -> Contact:
    """Somebody at the client of the deal."""
    assert deal.account is not None
    made = Contact.objects.filter(account=deal.account, name=name).first() or ContactFactory.make(
        account=deal.account, name=name, title=title, stakeholder_role=role,
        email=f"{slugify(name)}.{deal.pk}@client.example",
    )  # fmt: skip
    deal.contacts.add(made)
    return made


def people_of(deal: Opportunity, sales: User, manager: User) -> Handoff:
    """Three people at the client: one taken over, one introduced, one whom delivery would meet cold."""
    handoff = handoff_of(deal)
    given = (
        ("Ines Holm", "Head of Digital", StakeholderRole.SPONSOR, 2),
        ("Jørgen Aas", "Chief Financial Officer", StakeholderRole.DECISION_MAKER, 1),
        ("Marie Weiß", "Branch manager, Bergen", StakeholderRole.USER, 0),
    )
    for name, title, role, steps in given:
        person = contact(deal, name, title, role)
        handed = {
            "owner_now": sales, "owner_next": manager if steps else None, "introduced_on": TODAY if steps else None,
            "introduced_how": "Lunch at their office" if steps else "",
            "accepted_by": manager if steps == 2 else None, "accepted_at": MONDAY if steps == 2 else None,
        }  # fmt: skip
        RelationshipTransfer.objects.update_or_create(handoff=handoff, contact=person, defaults=handed)
    return handoff


def said_of(deal: Opportunity, by: User) -> list[Statement]:
    """Scope, confirmed by the sponsor, and success criteria, which nobody has confirmed."""
    made = [
        Statement.objects.create(
            opportunity=deal, subject=subject, number=2, text=text, written_by=by, written_at=MONDAY, reason="Said so"
        )
        for subject, text in ((Subject.SCOPE, SCOPE), (Subject.SUCCESS_CRITERIA, CRITERIA))
    ]
    sponsor = deal.contacts.get(name="Ines Holm")
    link = ClientLink.objects.create(
        opportunity=deal, contact=sponsor, purpose=LinkPurpose.CONFIRM, token_hash=f"{deal.pk:064d}", created_by=by,
        created_at=MONDAY, expires_at=MONDAY + dt.timedelta(days=14),
    )  # fmt: skip
    Confirmation.objects.create(
        link=link, opportunity=deal, contact=sponsor, subject=Subject.SCOPE, statement=made[0],
        answer=ClientAnswer.CONFIRMED, at=MONDAY,
    )  # fmt: skip
    return made


def promised(deal: Opportunity, by: User, answered_by: User, times: int = 1) -> None:
    """Promises that delivery answered in every way there is."""
    for turn in range(times):
        for text, kind, stance, note in PROMISES:
            is_answered = stance != Stance.PENDING
            Commitment.objects.create(
                opportunity=deal, text=f"{text} ({turn + 1})" if times > 1 else text, kind=kind, promised_by=by,
                promised_to=deal.contacts.order_by("pk").first(), promised_on=TODAY, source=CommitmentSource.CALL,
                due_on=dt.date(2027, 6, 15) if kind == CommitmentKind.DATE else None, added_by=by,
                is_in_sow=stance == Stance.ACCEPTED, stance=stance, stance_note=note,
                stance_by=answered_by if is_answered else None, stance_at=MONDAY if is_answered else None,
            )  # fmt: skip


def risked(deal: Opportunity, sales: User, delivery: User, times: int = 1) -> RiskProfile:
    """A profile that both sides agreed."""
    items = [
        {
            "id": number * 10 + turn, "kind": "risk", "text": f"{text} ({turn + 1})" if times > 1 else text,
            "likelihood": likelihood, "impact": impact, "response": response, "response_note": note,
            "owner": str(delivery) if response else None,
        }
        for number, (text, likelihood, impact, response, note) in enumerate(RISKS)
        for turn in range(times)
    ]  # fmt: skip
    return RiskProfile.objects.create(
        opportunity=deal, number=1, items=items, proposed_by=sales, proposed_at=MONDAY, sales_agreed_by=sales,
        sales_agreed_at=MONDAY, delivery_agreed_by=delivery, delivery_agreed_at=MONDAY,
    )  # fmt: skip


def decided(deal: Opportunity, by: User) -> ReviewCondition:
    """A verdict with one condition that is open still."""
    review = DealReview.objects.create(
        opportunity=deal, question_set=QuestionSet.objects.create(name=f"Asked about {deal.pk}", is_active=False),
        state=ReviewState.DECIDED, trigger=Trigger.ASKED, requested_at=MONDAY, due_at=MONDAY,
        sales_answered_at=MONDAY, delivery_answered_at=MONDAY,
    )  # fmt: skip
    decision = ReviewDecision.objects.create(
        review=review, number=1, verdict=Verdict.GO_IF, decided_by=by, decided_at=MONDAY
    )
    return ReviewCondition.objects.create(
        decision=decision, text="The client names an owner for the interface list", owner=by,
        due_on=TODAY + dt.timedelta(days=9),
    )  # fmt: skip


def rich(deal: Opportunity, sales: User, delivery: User, manager: User, *, times: int = 1) -> Handoff:
    """Everything that a brief tells about a won deal, ``times`` over for promises and risks."""
    handoff = people_of(deal, sales, manager)
    said_of(deal, sales)
    promised(deal, sales, delivery, times)
    risked(deal, sales, delivery, times)
    decided(deal, sales)
    Handoff.objects.filter(pk=handoff.pk).update(project_manager=manager)
    return handoff_of(deal)
