"""What an import makes of its rows."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role, Team, User
from events import names
from events.invariants import all_invariants, verify
from events.models import Delivery, Event
from integrations.imports.errors import NeedsAnswer, NotPossible
from integrations.imports.models import Import, ImportedRow
from integrations.imports.services import running
from integrations.imports.services.reverting import revert
from integrations.imports.services.stages import new_stage
from integrations.imports.setup import Setup
from integrations.imports.states import State
from opportunities.models import Account, Opportunity, Stage, StageChange
from opportunities.queries.totals import kept_totals
from opportunities.services.conversation import add_comment
from opportunities.services.editing import update_opportunity
from opportunities.services.moves import CannotUndo, move_to_stage, undo_move
from tests import factories
from tests.integrations.conftest import HEADING, ROWS, Take, carry_on, counts, csv_of, run


def deal(external_id: str) -> Opportunity:
    return Opportunity.objects.get(external_id=external_id)


def history(external_id: str) -> list[tuple[str, str]]:
    changes = StageChange.objects.filter(opportunity__external_id=external_id).order_by("number")
    return [(change.to_stage.key, change.at.date().isoformat()) for change in changes]


def events_of(external_id: str) -> list[str]:
    found = Event.objects.filter(opportunity_id=deal(external_id).pk).order_by("id")
    return [event.name for event in found]


def refusals(imported: Import) -> list[tuple[int, str]]:
    return [(row.line, row.problem) for row in ImportedRow.objects.filter(imported=imported, outcome="refused")]


# --- history and signals --------------------------------------------------------------------------------------------


def test_history_has_the_dates_of_the_file(load: Take) -> None:
    load(csv_of(*ROWS), baseline=True)
    assert history("D1") == [("discovery", "2026-10-20")]
    assert history("D2") == [("discovery", "2026-10-25"), ("won", "2026-11-11")]
    assert deal("D2").closed_on == dt.date(2026, 11, 11)
    assert deal("D2").created_at.date() == dt.date(2026, 10, 25)
    said = Event.objects.filter(opportunity_id=deal("D2").pk).order_by("id")
    assert [(event.name, event.at.date().isoformat()) for event in said] == [
        (names.OPPORTUNITY_CREATED, "2026-10-25"),
        (names.OPPORTUNITY_MOVED, "2026-11-11"),
    ]


def test_a_baseline_calls_delivery_in_but_flags_nothing(load: Take) -> None:
    load(csv_of(*ROWS), baseline=True)
    assert events_of("D1") == [names.OPPORTUNITY_CREATED, names.OPPORTUNITY_TURNED_WARM]
    assert not Opportunity.objects.filter(is_unforecasted=True).exists()
    asked = Delivery.objects.filter(event__name=names.OPPORTUNITY_TURNED_WARM)
    assert asked.filter(handler="handoffs.handlers.request_engagement").count() == 1


def test_without_baseline_a_new_warm_deal_is_un_forecasted(load: Take) -> None:
    load(csv_of(*ROWS))
    assert deal("D1").unforecasted_reasons == ["first_seen_warm"]
    assert names.OPPORTUNITY_SURFACED_UNFORECASTED in events_of("D1")
    assert not deal("D4").is_unforecasted


@pytest.mark.parametrize("baseline", [True, False])
def test_closed_deals_trigger_nothing(load: Take, baseline: bool) -> None:
    load(csv_of(ROWS[1], ROWS[2]), baseline=baseline)
    assert not Delivery.objects.exists()


def test_a_lost_deal_without_a_reason_says_that_it_is_not_known(load: Take) -> None:
    load(csv_of(ROWS[2]))
    assert deal("D3").loss_reason == "unknown"


@pytest.mark.django_db(transaction=True)
def test_every_invariant_holds_after_an_import(load: Take) -> None:
    load(csv_of(*ROWS))
    load(csv_of("D1,Terminal platform,Moses Frase,GTX Pro,Cancity,Won,20-10-2026,12-11-2026,5000"))
    assert [finding for finding in verify(all_invariants()) if finding.count] == []


def test_totals_are_kept(load: Take, ada: User) -> None:
    from accounts.queries import rates

    load(csv_of(*ROWS))
    total = kept_totals(ada, rates=rates(on=dt.date(2026, 11, 23)), closed_since=dt.date(2026, 1, 1))
    assert sum(each.deals for each in total.values()) == 4
    assert sum(each.amount for each in total.values()) == Decimal("4514")


# --- repeats --------------------------------------------------------------------------------------------------------


def test_a_repeat_changes_nothing(load: Take) -> None:
    load(csv_of(*ROWS))
    before = (Event.objects.count(), StageChange.objects.count(), User.objects.count(), Account.objects.count())
    again = load(csv_of(*ROWS))
    assert counts(again) == (0, 0, 4, 0)
    assert before[0] + 1 == Event.objects.count()  # that the import finished
    assert before[1:] == (StageChange.objects.count(), User.objects.count(), Account.objects.count())


def test_what_differs_is_changed_with_its_history(load: Take) -> None:
    load(csv_of(*ROWS), baseline=True)
    again = load(
        csv_of("D1,Terminal platform,Zane Levy,GTX Pro,Cancity,Negotiation,20-10-2026,01-03-2027,9000", *ROWS[1:])
    )
    assert counts(again) == (0, 1, 3, 0)
    found = deal("D1")
    assert (found.stage.key, found.owner and found.owner.name, found.amount) == ("negotiation", "Zane Levy", 9000)
    assert [change.source for change in found.stage_changes.order_by("number")] == ["import", "import"]
    changed = Event.objects.get(opportunity_id=found.pk, name=names.OPPORTUNITY_CHANGED)
    assert changed.data["fields"]["amount"] == ["0.00", "9000.00"]
    assert names.OPPORTUNITY_TURNED_HOT in events_of("D1")


def test_winning_by_import_is_a_win(load: Take) -> None:
    load(csv_of(ROWS[0]), baseline=True)
    load(csv_of("D1,Terminal platform,Moses Frase,GTX Pro,Cancity,Won,20-10-2026,12-11-2026,5000"))
    assert history("D1")[-1] == ("won", "2026-11-12")
    won = Event.objects.get(opportunity_id=deal("D1").pk, name=names.OPPORTUNITY_WON)
    assert won.data["change"] == deal("D1").stage_changes.order_by("-number")[0].pk
    assert Delivery.objects.filter(event=won).exists()


def test_losing_by_import_says_why(load: Take) -> None:
    load(csv_of(ROWS[0]), baseline=True)
    load(
        csv_of(
            "D1,Lost,20-10-2026,12-11-2026,too expensive", heading="id,stage,created,close_date,loss reason"
        )
    )  # fmt: skip
    found = deal("D1")
    assert (found.loss_reason, found.loss_note) == ("unknown", "too expensive")
    assert Event.objects.get(opportunity_id=found.pk, name=names.OPPORTUNITY_LOST).data["note"] == "too expensive"


def test_a_step_never_lies_before_the_newest_one(load: Take, ada: User) -> None:
    load(csv_of(ROWS[0]), baseline=True)
    found = deal("D1")
    now = timezone.now()
    move_to_stage(
        actor=ada, opportunity=found, stage=factories.stage("proposal"), expected_version=None, now=now,
        changes={"close_date": dt.date(2027, 1, 10), "next_step": "Send it"},
    )  # fmt: skip
    load(csv_of("D1,Terminal platform,Moses Frase,GTX Pro,Cancity,Won,20-10-2026,12-11-2026,5000"))
    at = list(StageChange.objects.filter(opportunity=found).order_by("number").values_list("at", flat=True))
    assert at == sorted(at)


def test_a_stage_that_an_import_stated_cannot_be_undone(load: Take, ada: User) -> None:
    load(csv_of(ROWS[1]))
    change = StageChange.objects.get(opportunity=deal("D2"), number=2)
    with pytest.raises(CannotUndo):
        undo_move(actor=ada, change=change, now=timezone.now())


def test_the_close_date_of_a_closed_deal_can_be_corrected(load: Take) -> None:
    load(csv_of(ROWS[1]))
    again = load(csv_of(ROWS[1].replace("11-11-2026", "12-11-2026")))
    assert counts(again) == (0, 1, 0, 0)
    assert deal("D2").closed_on == dt.date(2026, 11, 12)
    assert history("D2")[-1] == ("won", "2026-11-11")


def test_an_empty_cell_leaves_what_is_here(load: Take, ada: User) -> None:
    load(csv_of(ROWS[0]))
    found = deal("D1")
    update_opportunity(
        actor=ada, opportunity=found, changes={"close_date": dt.date(2027, 2, 1)},
        expected_version=found.version, now=timezone.now(),
    )  # fmt: skip
    assert counts(load(csv_of(ROWS[0]))) == (0, 0, 1, 0)
    assert deal("D1").close_date == dt.date(2027, 2, 1)


def test_an_archived_deal_is_left_alone(load: Take) -> None:
    load(csv_of(ROWS[0]))
    Opportunity.objects.update(archived_at=timezone.now())
    again = load(csv_of(ROWS[0].replace("Discovery", "Negotiation")))
    assert counts(again) == (0, 0, 1, 0)
    assert deal("D1").stage.key == "discovery"


def test_without_ids_name_and_account_tell_deals_apart(load: Take) -> None:
    rows = ("Portal,Cancity,Prospect", "Portal,Isdom,Prospect", "portal,CANCITY,Qualified")
    first = load(csv_of(*rows[:2], heading="Deal name,Company,Stage"))
    again = load(csv_of(*rows[1:], heading="Deal name,Company,Stage"))
    assert (counts(first), counts(again)) == ((2, 0, 0, 0), (0, 1, 1, 0))


# --- matching -------------------------------------------------------------------------------------------------------


def test_spellings_of_a_product_are_joined(load: Take) -> None:
    load(csv_of(*ROWS))
    assert set(Opportunity.objects.values_list("product", flat=True)) == {"GTX Pro", "GTX Basic"}


def test_a_list_price_prices_open_deals_without_an_amount(load: Take) -> None:
    prices = csv_of("GTX Pro,4821", "GTX Basic,550", heading="product,sales_price")
    load(csv_of(*ROWS), companions={"products": prices})
    assert [deal(key).amount for key in ("D1", "D2", "D3", "D4")] == [4821, 4514, 0, 550]
    # Known from now on.
    assert counts(load(csv_of(*ROWS))) == (0, 0, 4, 0)


def test_accounts_are_matched_whatever_their_capitals(load: Take) -> None:
    factories.AccountFactory.make(name="CANCITY")
    done = load(csv_of(*ROWS))
    assert done.accounts_created == 1
    assert deal("D1").account == deal("D2").account == Account.objects.get(name="CANCITY")
    assert deal("D3").account is None


def test_the_accounts_file_gives_sector_country_and_parent(load: Take) -> None:
    known = factories.AccountFactory.make(name="Isdom", industry="kept")
    accounts = csv_of(
        "Cancity,retail,Kenya,", "isdom,medical,Norway,Cancity", "A,,,B", "B,,,A",
        heading="account,sector,office_location,subsidiary_of",
    )  # fmt: skip
    done = load(csv_of(*ROWS), companions={"accounts": accounts})
    known.refresh_from_db()
    assert done.accounts_created == 3
    assert (known.industry, known.country, known.parent and known.parent.name) == ("kept", "Norway", "Cancity")
    # A circle of accounts has no top: one of the two keeps none.
    assert Account.objects.filter(name__in="AB", parent__isnull=True).count() == 1


def test_owners_are_matched_by_address_external_id_or_name(load: Take, alice: User, sam: User) -> None:
    sam.external_id = "0055"
    sam.save()
    load(csv_of("1,Prospect,ALICE@example.test", "2,Prospect,0055", "3,Prospect,alice", heading="id,stage,owner"))
    assert [deal(key).owner for key in "123"] == [alice, sam, alice]
    assert {deal(key).team for key in "123"} == {factories.team()}


def test_new_owners_cannot_sign_in_and_get_a_team(load: Take) -> None:
    done = load(csv_of(*ROWS), team="Field sales")
    moses = User.objects.get(name="Moses Frase")
    assert (moses.is_active, moses.roles, moses.has_usable_password()) == (False, [Role.SALES_REP], False)
    assert moses.email.endswith(".invalid")
    assert [team.name for team in moses.teams.all()] == ["Field sales"]
    assert deal("D1").team == Team.objects.get(name="Field sales")
    assert (done.people_created, done.teams_created) == (2, 1)


@pytest.mark.parametrize(("team_by", "name"), [("manager", "Team Dustin Brinkmann"), ("region", "Central")])
def test_the_teams_file_makes_teams_by_manager_or_region(load: Take, team_by: str, name: str) -> None:
    teams = csv_of("Moses Frase,Dustin Brinkmann,Central", heading="sales_agent,manager,regional_office")
    load(csv_of(*ROWS), companions={"teams": teams}, team_by=team_by)
    team = Team.objects.get(name=name)
    assert {(person.name, *person.roles) for person in team.members.all()} == {
        ("Moses Frase", "sales_rep"),
        ("Dustin Brinkmann", "sales_manager"),
    }
    assert deal("D1").team == team
    assert team.region is not None
    assert team.region.name == "Central"


def test_a_currency_comes_from_its_column_the_amount_or_the_answer(load: Take) -> None:
    load(
        csv_of("1,Prospect,5,chf", "2,Prospect,€ 5,", "3,Prospect,7,", heading="id,stage,amount,currency"),
        currency="USD",
    )
    assert [deal(key).currency for key in "123"] == ["CHF", "EUR", "USD"]


# --- questions ------------------------------------------------------------------------------------------------------


def test_an_unknown_stage_is_asked_and_remembered(take_in: Take, load: Take) -> None:
    imported = take_in(csv_of("1,Engaging", "2,Closed Won", heading="id,stage"))
    assert [question.key for question in Setup(imported, now=timezone.now()).questions()] == ["stage:Engaging"]
    with pytest.raises(NeedsAnswer, match="Engaging"):
        running.start(imported=imported, is_dry_run=True, now=timezone.now())
    options = {"stages": {"Engaging": "discovery"}}
    running.answer(actor=None, imported=imported, options=options, now=timezone.now())
    load(csv_of("3,Engaging", heading="id,stage"))
    assert deal("3").stage.key == "discovery"


def test_a_stage_can_be_added_before_the_closed_ones(load: Take) -> None:
    load(
        csv_of("1,Engaging", "2,Prospect", heading="id,stage"), stages={"Engaging": "engaging"},
        new_stages={"Engaging": new_stage("Engaging", kind="open", temperature="warm")},
    )  # fmt: skip
    keys = list(Stage.objects.active().order_by("position").values_list("key", flat=True))
    assert keys == ["prospect", "qualified", "discovery", "proposal", "negotiation", "engaging", "won", "lost"]
    assert deal("1").temperature == "warm"


def test_only_an_administrator_adds_stages(take_in: Take, sam: User) -> None:
    imported = take_in(
        csv_of("1,Engaging", heading="id,stage"), actor=sam, stages={"Engaging": "engaging"},
        new_stages={"Engaging": new_stage("Engaging", kind="open", temperature="warm")},
    )  # fmt: skip
    with pytest.raises(NotPossible, match="administrator"):
        running.start(imported=imported, is_dry_run=False, now=timezone.now())


def test_dates_that_can_be_read_in_two_ways_are_asked(take_in: Take) -> None:
    heading = "id,stage,created,close_date"
    imported = take_in(csv_of("1,Prospect,03/04/2026,", heading=heading))
    assert [question.key for question in Setup(imported, now=timezone.now()).questions()] == ["date_reading"]
    # One date that leaves no choice decides for all columns.
    clear = take_in(csv_of("1,Prospect,03/04/2026,", "2,Prospect,,12/25/2026", heading=heading))
    assert Setup(clear, now=timezone.now()).questions() == []
    assert Setup(clear, now=timezone.now()).date_reading == "mdy"


def test_amounts_that_can_be_read_in_two_ways_are_asked(take_in: Take, load: Take) -> None:
    imported = take_in(csv_of("1;Prospect;1.234", heading="id;stage;amount"))
    assert [question.key for question in Setup(imported, now=timezone.now()).questions()] == ["decimal_mark"]
    load(csv_of("1;Prospect;1.234", "2;Prospect;1,5", heading="id;stage;amount"))
    assert (deal("1").amount, deal("2").amount) == (1234, Decimal("1.5"))


def test_a_file_without_id_and_name_is_asked_for_one(take_in: Take) -> None:
    imported = take_in(csv_of("Prospect,5", heading="stage,amount"))
    assert [question.key for question in Setup(imported, now=timezone.now()).questions()] == ["columns"]


# --- dates shifted --------------------------------------------------------------------------------------------------


def test_all_dates_move_so_that_the_newest_is_today(load: Take) -> None:
    old = csv_of(*(row.replace("-2026", "-2016") for row in ROWS))
    done = load(old, shift_to_today=True)
    today = Setup(done, now=timezone.now()).today
    assert deal("D3").closed_on == today
    opened = deal("D2").created_at.date()
    assert deal("D2").closed_on == opened + dt.timedelta(days=17)


def test_the_same_file_moves_as_far_as_before(load: Take, time_machine: Any) -> None:
    old = csv_of(*(row.replace("-2026", "-2016") for row in ROWS))
    load(old, shift_to_today=True)
    time_machine.move_to(timezone.now() + dt.timedelta(days=9))
    assert counts(load(old, shift_to_today=True)) == (0, 0, 4, 0)


# --- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (",A,Moses,,,Prospect,,,", "no deal id"),
        ("X,A,Moses,,,Prospect,,,-5", "negative"),
        ("X,A,Moses,,,Prospect,,,1e400", "amount"),
        ("X,A,Moses,,,Prospect,31-02-2026,,", "not a date"),
        ("X,A,Moses,,,Prospect,01-01-1975,,", "between the years"),
        ("X,A,Moses,,,Prospect,01-01-2031,,", "future"),
        ("X,A,Moses,,,Won,01-10-2026,,5", "needs its close date"),
        ("X,A,Moses,,,Won,01-10-2026,01-01-2030,5", "future"),
        ("X,A,Moses,,,Won,01-10-2026,01-09-2026,5", "before it was opened"),
        ("X,A,Moses,,,Prospect,,", "has 8 cells and the heading 9"),
        ("X,A,Moses,,,Prospect,,,5,6", "has 10 cells and the heading 9"),
        ("X,A\0,Moses,,,Prospect,,,", "control character"),
        ("X,\u202eA,Moses,,,Prospect,,,", "reading direction"),
        ("X," + "n" * 201 + ",Moses,,,Prospect,,,", "Name"),
        ("X,\u200b,Moses,,,Prospect,,,", "Give the deal a name"),
        ("X" * 121 + ",A,Moses,,,Prospect,,,", "longer than 120"),
    ],
)
def test_a_bad_row_is_refused_with_its_reason_and_the_rest_imported(load: Take, row: str, sentence: str) -> None:
    done = load(csv_of(ROWS[0], row, ROWS[1]))
    assert counts(done) == (2, 0, 0, 1)
    [(line, problem)] = refusals(done)
    assert line == 3
    assert sentence in problem


def test_a_second_row_of_the_same_deal_is_refused_also_across_chunks(take_in: Take) -> None:
    content = csv_of(ROWS[0], ROWS[1], ROWS[0])
    for chunk_rows in (3, 1):
        done = run(take_in(content), chunk_rows=chunk_rows)
        assert done.refused == 1
        assert refusals(done)[0][0] == 4


def test_a_refused_row_does_not_block_its_deal(load: Take) -> None:
    done = load(csv_of(ROWS[0].replace(",0", ",-1"), ROWS[0]))
    assert counts(done) == (1, 0, 0, 1)


def test_deals_of_other_teams_are_out_of_a_managers_reach(load: Take, sam: User, charlie: User) -> None:
    load(csv_of("X,Prospect,Charlie", heading="id,stage,owner"))
    done = load(csv_of("X,Qualified,Charlie", heading="id,stage,owner"), actor=sam)
    assert counts(done) == (0, 0, 0, 1)
    assert deal("X").stage.key == "prospect"


def test_missing_criteria_are_told_and_do_not_refuse(load: Take) -> None:
    done = load(csv_of(ROWS[0]))
    assert done.created == 1
    assert done.notices["Discovery: The close date is needed here."] == 1


# --- dry run, chunks, interruption ----------------------------------------------------------------------------------

MIXED = (
    *ROWS,
    "D5,Again,Nobody New,GTX Pro,Fresh & Co,Qualified,01-11-2026,,12",
    "D5,Double,Nobody New,GTX Pro,Fresh & Co,Qualified,01-11-2026,,12",
    "D6,Bad amount,Nobody New,GTX Pro,Bad & Co,Qualified,01-11-2026,,-12",
    "D7,Same client,Nobody New,GTX Pro,FRESH & CO,Qualified,01-11-2026,,13",
    "D2,Yard planning,Moses Frase,GTXPro,cancity,Won,25-10-2026,11-11-2026,4514",
)


@pytest.mark.parametrize("chunk_rows", [1, 2, 100])
def test_a_dry_run_predicts_the_write_exactly(load: Take, take_in: Take, chunk_rows: int) -> None:
    load(csv_of(ROWS[0], ROWS[1].replace("4514", "1")))
    imported = take_in(csv_of(*MIXED))
    rows_before = (Opportunity.objects.count(), Event.objects.count(), User.objects.count(), Account.objects.count())
    checked = run(imported, dry=True, chunk_rows=chunk_rows)
    assert rows_before == (
        Opportunity.objects.count(), Event.objects.count(), User.objects.count(), Account.objects.count()
    )  # fmt: skip
    predicted = (counts(checked), checked.accounts_created, checked.people_created, checked.notices, refusals(checked))
    done = run(checked, chunk_rows=chunk_rows)
    assert predicted == (counts(done), done.accounts_created, done.people_created, done.notices, refusals(done))
    assert counts(done) == (4, 1, 1, 3)


def test_an_interrupted_import_goes_on_without_a_row_lost_or_doubled(
    take_in: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [f"K{n},Deal {n},Moses Frase,GTX Pro,Client {n % 3},Qualified,20-10-2026,,{n}" for n in range(10)]
    imported = running.start(imported=take_in(csv_of(*rows)), is_dry_run=False, now=timezone.now())
    runner = running.Runner(imported.pk, chunk_rows=4)
    runner.step(now=timezone.now())

    def die(*_: object, **__: object) -> None:
        raise SystemExit

    # The process dies after its rows were written and before the cursor was.
    with monkeypatch.context() as patched:
        patched.setattr(running, "_count", die)
        with pytest.raises(SystemExit):
            runner.step(now=timezone.now())
    assert Opportunity.objects.count() == 4
    done = carry_on(Import.objects.get(pk=imported.pk), chunk_rows=4)
    assert counts(done) == (10, 0, 0, 0)
    assert Opportunity.objects.count() == 10
    assert Event.objects.filter(name=names.OPPORTUNITY_CREATED).count() == 10


def test_a_failure_is_told_after_some_attempts_and_can_be_resumed(
    take_in: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported = running.start(imported=take_in(csv_of(*ROWS)), is_dry_run=False, now=timezone.now())

    def fail(*_: object, **__: object) -> None:
        raise ValueError("no room")

    with monkeypatch.context() as patched:
        patched.setattr(running, "_count", fail)
        for _ in range(running.MOST_ATTEMPTS):
            imported = running.advance(imported=imported, now=timezone.now(), seconds=0)
    assert (imported.state, imported.message) == (State.FAILED, "no room (ValueError)")
    imported = running.resume(imported=imported, now=timezone.now())
    assert counts(carry_on(imported)) == (4, 0, 0, 0)


def test_a_chunk_needs_the_same_number_of_queries_whatever_its_size(take_in: Take) -> None:
    def queries(count: int) -> int:
        rows = [
            f"{count}-{n},Deal {n},Moses Frase,GTX Pro,Client {count},Qualified,20-10-2026,,{n}" for n in range(count)
        ]
        imported = running.start(imported=take_in(csv_of(*rows)), is_dry_run=False, now=timezone.now())
        with CaptureQueriesContext(
            connection,
        ) as captured:
            carry_on(imported)
        return len(captured)

    queries(5)  # adds the owner, the team and the product
    assert queries(10) == queries(400)


def test_cancelling_keeps_what_was_written(take_in: Take) -> None:
    imported = running.start(imported=take_in(csv_of(*ROWS)), is_dry_run=False, now=timezone.now())
    running.Runner(imported.pk, chunk_rows=2).step(now=timezone.now())
    cancelled = running.cancel(imported=imported, now=timezone.now())
    assert (cancelled.state, cancelled.created, Opportunity.objects.count()) == (State.CANCELLED, 2, 2)


# --- taking back ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_taking_back_archives_new_deals_that_nobody_touched(load: Take, ada: User) -> None:
    done = load(csv_of(*ROWS))
    add_comment(actor=ada, opportunity=deal("D1"), body="Called them", now=timezone.now())
    changed = deal("D4")
    update_opportunity(
        actor=ada, opportunity=changed, changes={"name": "Renamed"}, expected_version=changed.version,
        now=timezone.now(),
    )  # fmt: skip
    reverted = carry_on(revert(imported=done, now=timezone.now()))
    assert (reverted.state, reverted.archived) == (State.REVERTED, 2)
    assert set(Opportunity.objects.current().values_list("external_id", flat=True)) == {"D1", "D4"}
    # They can come again.
    assert counts(load(csv_of(*ROWS))) == (2, 1, 1, 0)


def test_an_import_that_added_nothing_cannot_be_taken_back(load: Take) -> None:
    load(csv_of(*ROWS))
    with pytest.raises(NotPossible):
        revert(imported=load(csv_of(*ROWS)), now=timezone.now())


def test_heading_only_files_are_refused_with_a_sentence(take_in: Take) -> None:
    refused = take_in((HEADING + "\r\n").encode())
    assert refused.state == State.REFUSED
    assert "no rows below" in refused.message
