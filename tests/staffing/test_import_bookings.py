"""Bookings from files: who and for what, repeated, checked first, downloaded and uploaded again."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Organisation, User
from integrations.imports.models import Import, Kind
from opportunities.models import Opportunity
from staffing.models import Booking, Person, WorkRole
from tests.handoffs.reactions import MONDAY
from tests.handoffs.reactions import deal as made
from tests.staffing import staffed
from tests.staffing.importing import counts, downloaded, outcomes, problems, run, taken

HEADING = "Id,Person,Role,Deal,Own work,Kind,Hours a week,First day,Last day,Note"
FIRST, LAST = dt.date(2027, 3, 1), dt.date(2027, 4, 30)


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Any, organisation: Organisation) -> None:
    settings.MEDIA_ROOT = tmp_path


def take(content: bytes | str, actor: User, **options: Any) -> Import:
    return taken(content, kind=Kind.BOOKINGS, actor=actor, **options)


def lines(*rows: str) -> str:
    return "\r\n".join([HEADING, *rows, ""])


def test_people_and_roles_are_booked_for_deals_and_own_work(dan: User, nils: Person, deal: Opportunity) -> None:
    Opportunity.objects.update(delivery_owner=dan)
    text = lines(
        f"B1,Nils,,{deal.name},,,24,2027-03-01,2027-04-30,On site",
        f"B2,,Architect,{deal.name.upper()},,soft,40,2027-03-01,2027-04-30,",
        'B3,nils,,,Training,hard,"7,5",2027-03-01,2027-03-05,',
    )
    assert counts(run(take(text, dan))) == (3, 0, 0, 0)
    one, two, three = Booking.objects.order_by("external_id")
    assert (one.person, one.role, one.opportunity, one.kind) == (nils, nils.role, deal, "soft")
    assert (one.first_on, one.last_on, one.hours_per_week, one.note) == (FIRST, LAST, 24, "On site")
    assert (two.person, two.role, two.opportunity) == (None, nils.role, deal)
    assert (three.title, three.kind, three.hours_per_week) == ("Training", "hard", Decimal("7.5"))
    assert counts(run(take(text, dan))) == (0, 0, 3, 0)


def test_without_ids_a_booking_is_known_by_who_what_and_the_first_day(ruth: User, nils: Person) -> None:
    row = ",Nils,,,Training,,{},2027-03-01,2027-03-12,"
    assert counts(run(take(lines(row.format(8)), ruth))) == (1, 0, 0, 0)
    assert counts(run(take(lines(row.format(8)), ruth))) == (0, 0, 1, 0)
    assert counts(run(take(lines(row.format(16)), ruth))) == (0, 1, 0, 0)
    assert Booking.objects.get().hours_per_week == 16


def test_people_are_found_by_id_e_mail_or_a_name_of_their_own(ruth: User, dan: User, architect: WorkRole) -> None:
    first = staffed.worker("Nils", architect, external_id="E1")
    second = staffed.worker("Nils", architect, user=dan)
    text = lines(
        "1,e1,,,Training,,8,2027-03-01,2027-03-05,",
        f"2,{dan.email.upper()},,,Training,,8,2027-03-01,2027-03-05,",
        "3,Nils,,,Training,,8,2027-03-01,2027-03-05,",
        "4,Nobody,,,Training,,8,2027-03-01,2027-03-05,",
    )
    done = run(take(text, ruth))
    assert {each.person for each in Booking.objects.all()} == {first, second}
    assert "Several people are called “Nils”" in problems(done)[4]
    assert "Nobody here is called “Nobody”" in problems(done)[5]


def test_deals_are_found_by_id_or_a_name_of_their_own(dan: User, alice: User, nils: Person, deal: Opportunity) -> None:
    other = made("qualified", owner=alice, now=MONDAY)
    Opportunity.objects.filter(pk=other.pk).update(external_id="D2", name=deal.name)
    Opportunity.objects.update(delivery_owner=dan)
    done = run(take(lines(
        "1,Nils,,d2,,,8,2027-03-01,2027-03-05,",
        f"2,Nils,,{deal.name},,,8,2027-03-01,2027-03-05,",
        "3,Nils,,No such deal,,,8,2027-03-01,2027-03-05,",
    ), dan))  # fmt: skip
    assert Booking.objects.get().opportunity_id == other.pk
    assert "Several deals" in problems(done)[3]
    assert "There is no deal “No such deal”, or you may not see it." in problems(done)[4]


def test_what_services_refuse_is_named_by_row(ruth: User, nils: Person) -> None:
    Person.objects.update(leaves_on=dt.date(2027, 3, 3))
    done = run(take(lines(
        "1,Nils,,,Training,,8,2027-03-01,2027-03-05,",
        "2,,Architect,,Training,,8,2027-03-05,2027-03-01,",
        "3,,Architect,,,,8,2027-03-01,2027-03-05,",
        "4,,Architect,,Training,,900,2027-03-01,2027-03-05,",
        "5,,Architect,,Training,,8,31.02.2027,2027-03-05,",
        "6,,Architect,,Training,,8,,,",
        "7,,,,Training,,8,2027-03-01,2027-03-05,",
    ), ruth))  # fmt: skip
    assert counts(done) == (0, 0, 0, 7)
    found = problems(done)
    assert "leaves on 2027-03-03" in found[2]
    assert "can't end before it begins" in found[3]
    assert "Name a deal, or say what it is for." in found[4]
    assert found[5].startswith("Hours a week:")
    assert "31.02.2027" in found[6]
    assert "First day: This is needed." in found[7]
    assert "Role: This is needed." in found[8]


def test_a_booking_twice_is_made_once(ruth: User, nils: Person) -> None:
    row = ",Nils,,,Training,,8,2027-03-01,2027-03-05,"
    done = run(take(lines(row, row), ruth))
    assert counts(done) == (1, 0, 0, 1)
    assert problems(done)[3] == "Row 2 is about the same already."


def test_a_booking_keeps_its_deal(dan: User, nils: Person, deal: Opportunity) -> None:
    Opportunity.objects.update(delivery_owner=dan)
    staffed.booking(FIRST, LAST, 8, person=nils, external_id="B1")
    done = run(take(lines(f"B1,Nils,,{deal.name},,,8,,,"), dan))
    assert "Release it there" in problems(done)[2]


def test_released_bookings_are_left_alone(ruth: User, nils: Person) -> None:
    staffed.booking(FIRST, LAST, 8, person=nils, external_id="B1", released_at=timezone.now())
    assert counts(run(take(lines("B1,Nils,,,,,30,,,"), ruth))) == (0, 0, 1, 0)


def test_soft_and_hard_follow_the_deal_and_a_file_that_says_otherwise_is_told(
    dan: User, nils: Person, deal: Opportunity
) -> None:
    Opportunity.objects.update(delivery_owner=dan)
    done = run(take(lines(f"B1,Nils,,{deal.name},,hard,8,2027-03-01,2027-03-05,"), dan))
    assert Booking.objects.get().kind == "soft"
    assert any("follows the deal" in sentence for sentence in done.notices)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_what_is_downloaded_and_uploaded_again_changes_nothing(
    dan: User, alice: User, nils: Person, deal: Opportunity, form: str
) -> None:
    Opportunity.objects.update(delivery_owner=dan)
    hidden = made("qualified", owner=alice, now=MONDAY)
    staffed.worker("Nora", nils.role)
    namesake = staffed.worker("Nora", nils.role)
    for person in (nils, namesake, None):
        staffed.booking(FIRST, LAST, 8, person=person, opportunity=deal, kind="soft", note="+1 day")
        staffed.booking(FIRST, LAST, 8, person=person, opportunity=hidden, kind="soft")
        staffed.booking(FIRST, LAST, 8, person=person, title="=1+1")
    file = downloaded(dan, f"/import/bookings/export.{form}")
    assert counts(run(take(file, dan, name=f"bookings.{form}"))) == (0, 0, 9, 0)


def test_a_download_that_was_changed_changes_just_that(ruth: User, nils: Person, nora: Person) -> None:
    booking = staffed.booking(FIRST, LAST, 8, person=nils)
    staffed.booking(FIRST, LAST, 8, person=nora)
    file = downloaded(ruth, "/import/bookings/export.csv").decode()
    moved = file.replace("Nils,Architect,,Own work,hard,8,2027-03-01", "Nora,Architect,,Own work,hard,12,2027-03-08")
    assert counts(run(take(moved, ruth))) == (0, 1, 1, 0)
    booking.refresh_from_db()
    assert (booking.person, booking.hours_per_week, booking.first_on) == (nora, 12, dt.date(2027, 3, 8))


_cells = st.tuples(
    st.sampled_from(["", "", "B1", "B2", "B3"]), st.sampled_from(["", "Nils", "Nora", "Kim"]),
    st.sampled_from(["", "Architect"]), st.sampled_from(["", "", "#deal"]), st.sampled_from(["", "Training"]),
    st.sampled_from(["", "soft", "hard"]), st.sampled_from(["", "8", '"7,5"', "x", "600"]),
    st.sampled_from(["", "2027-03-01", "31.02.2027"]), st.sampled_from(["", "2027-02-01", "2027-04-30"]), st.just(""),
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(_cells, min_size=1, max_size=9), chunk_rows=st.integers(1, 4))
def test_the_check_says_of_each_row_what_the_import_does(
    dan: User, nils: Person, nora: Person, deal: Opportunity, rows: list[tuple[str, ...]], chunk_rows: int
) -> None:
    Booking.objects.all().delete()
    Opportunity.objects.update(delivery_owner=dan)
    staffed.booking(FIRST, LAST, 8, person=nils, title="Training")
    staffed.booking(FIRST, LAST, 8, person=nora, opportunity=deal, kind="soft", external_id="B3")
    imported = take(lines(*(",".join(row).replace("#deal", f"#{deal.pk}") for row in rows)), dan)
    if imported.state != "waiting":
        return
    checked = run(imported, dry=True, chunk_rows=chunk_rows)
    said, counted = outcomes(checked), counts(checked)
    done = run(checked, chunk_rows=chunk_rows)
    assert (outcomes(done), counts(done)) == (said, counted)
