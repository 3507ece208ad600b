"""Playbooks as an administrator writes them, through the services."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from accounts.models import Organisation, User
from events import names
from events.models import Event
from handoffs import defaults
from handoffs.models import Playbook, PlaybookTask, Trigger
from handoffs.playbook_queries import Example, due_sentence, preview, task_lines
from handoffs.services import playbook_editing as services
from handoffs.services.playbooks import playbook_for
from opportunities.models import Opportunity
from opportunities.services.merging import Collision
from tests import factories

NOW = timezone.now()
TASK = {
    "title": "Ask legal", "help_text": "", "side": "delivery", "assignee": "delivery_owner", "offset_days": 2,
    "anchor": "trigger", "conditions": [], "evidence": "", "depends_on": frozenset(),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _defaults(organisation: Organisation) -> None:
    defaults.create(organisation=organisation, now=NOW)


def playbook(key: str = "warm") -> Playbook:
    """A default playbook: warm, hot, fast-lane, won."""
    return Playbook.objects.get(key=key)


def task(key: str) -> PlaybookTask:
    """A task of the default playbooks."""
    return PlaybookTask.objects.select_related("playbook").get(key=key, playbook__service_line=None)


def order(of: Playbook) -> list[str]:
    """Keys of the active tasks in order."""
    return list(of.tasks.filter(archived_at__isnull=True).values_list("key", flat=True))


def change(actor: User, key: str, **wanted: object) -> PlaybookTask:
    """Change a task as the only administrator at work."""
    return services.change_task(actor=actor, task=task(key), wanted=wanted, base={}, now=NOW)


def test_only_administrators_change_anything(dan: User) -> None:
    warm, one = playbook(), task("scope-call")
    attempts = [
        lambda: services.create_playbook(actor=dan, name="X", trigger=Trigger.WARM, service_line=None, now=NOW),
        lambda: services.copy_playbook(actor=dan, playbook=warm, name="X", service_line=None, now=NOW),
        lambda: services.rename_playbook(actor=dan, playbook=warm, name="X", seen=None, now=NOW),
        lambda: services.set_playbook_active(actor=dan, playbook=warm, is_active=False, now=NOW),
        lambda: services.add_task(actor=dan, playbook=warm, values=TASK, now=NOW),
        lambda: services.change_task(actor=dan, task=one, wanted={"title": "X"}, base={}, now=NOW),
        lambda: services.shift_task(actor=dan, task=one, by=1, now=NOW),
        lambda: services.order_tasks(actor=dan, playbook=warm, order=[], seen=[], now=NOW),
        lambda: services.archive_task(actor=dan, task=one, now=NOW),
        lambda: services.restore_task(actor=dan, task=one, now=NOW),
    ]
    for attempt in attempts:
        with pytest.raises(PermissionDenied):
            attempt()
    assert not Event.objects.filter(name=names.SETTINGS_CHANGED).exists()


# --- playbooks ------------------------------------------------------------------------------------------------------


def test_a_new_playbook_is_not_in_use_until_it_has_a_task(ada: User) -> None:
    made = services.create_playbook(
        actor=ada, name="Cloud warm", trigger=Trigger.WARM, service_line=factories.service_line(), now=NOW
    )
    with pytest.raises(ValidationError, match="Add a task first"):
        services.set_playbook_active(actor=ada, playbook=made, is_active=True, now=NOW)
    services.add_task(actor=ada, playbook=made, values=TASK, now=NOW)
    services.set_playbook_active(actor=ada, playbook=made, is_active=True, now=NOW)
    deal = Opportunity(service_line=factories.service_line())
    assert playbook_for(Trigger.WARM, deal) == made
    assert playbook_for(Trigger.WARM, Opportunity()) == playbook()


def test_a_copy_has_the_tasks_their_order_and_what_they_wait_for(ada: User) -> None:
    copy = services.copy_playbook(
        actor=ada, playbook=playbook("hot"), name="Hot: Cloud", service_line=factories.service_line(), now=NOW
    )
    assert order(copy) == order(playbook("hot"))
    waiting = copy.tasks.get(key="check-capacity").depends_on.get()
    assert (waiting.playbook, waiting.key) == (copy, "staffing-needs")
    assert copy.tasks.get(key="large-deal").conditions == task("large-deal").conditions
    assert not copy.is_active


def test_a_name_is_there_once(ada: User) -> None:
    with pytest.raises(ValidationError, match="already a playbook"):
        services.rename_playbook(actor=ada, playbook=playbook(), name="a deal IS won", seen=None, now=NOW)


def test_a_name_that_two_change_is_asked(ada: User) -> None:
    services.rename_playbook(actor=ada, playbook=playbook(), name="One", seen="A deal turns warm", now=NOW)
    with pytest.raises(Collision):
        services.rename_playbook(actor=ada, playbook=playbook(), name="Two", seen="A deal turns warm", now=NOW)
    assert playbook().name == "One"


def test_one_playbook_answers_a_signal_for_a_line(ada: User) -> None:
    copy = services.copy_playbook(actor=ada, playbook=playbook(), name="Better", service_line=None, now=NOW)
    with pytest.raises(services.AnotherInUse) as caught:
        services.set_playbook_active(actor=ada, playbook=copy, is_active=True, now=NOW)
    assert caught.value.other == playbook()
    services.set_playbook_active(actor=ada, playbook=copy, is_active=True, is_replacing=True, now=NOW)
    assert set(Playbook.objects.filter(trigger="warm", is_active=True).values_list("name", flat=True)) == {"Better"}


def test_every_change_makes_a_version_and_an_event(ada: User) -> None:
    change(ada, "scope-call", title="Talk about scope")
    services.shift_task(actor=ada, task=task("scope-call"), by=1, now=NOW)
    services.archive_task(actor=ada, task=task("first-risks"), now=NOW)
    assert playbook().version == 4
    assert Event.objects.filter(name=names.SETTINGS_CHANGED, subject_id=playbook().pk).count() == 3


def test_saving_the_same_again_changes_nothing(ada: User) -> None:
    change(ada, "scope-call", title=task("scope-call").title)
    services.shift_task(actor=ada, task=task("brief-delivery"), by=-1, now=NOW)
    services.set_playbook_active(actor=ada, playbook=playbook(), is_active=True, now=NOW)
    assert playbook().version == 1
    assert not Event.objects.filter(name=names.SETTINGS_CHANGED).exists()


# --- tasks ----------------------------------------------------------------------------------------------------------


def test_a_task_is_added_at_the_end(ada: User) -> None:
    values = {**TASK, "depends_on": frozenset({task("scope-call").pk})}
    made = services.add_task(actor=ada, playbook=playbook(), values=values, now=NOW)
    assert order(playbook())[-1] == made.key == "ask-legal"
    assert services.dependencies(made) == {task("scope-call").pk}


def test_the_same_task_is_not_added_twice(ada: User) -> None:
    services.add_task(actor=ada, playbook=playbook(), values=TASK, now=NOW)
    with pytest.raises(ValidationError, match="already a task"):
        services.add_task(actor=ada, playbook=playbook(), values={**TASK, "title": "ASK LEGAL"}, now=NOW)


def test_a_playbook_has_an_end(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MAX_TASKS", 5)
    with pytest.raises(ValidationError, match="at most 5"):
        services.add_task(actor=ada, playbook=playbook(), values=TASK, now=NOW)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"side": "sales", "assignee": "resource_manager"}, "assignee"),
        ({"side": "delivery", "assignee": "sales_owner"}, "assignee"),
        ({"side": "both"}, "side"),
        ({"title": ""}, "title"),
        ({"title": "Talk scope through together"}, "title"),
        ({"offset_days": 40_000}, "offset_days"),
        ({"depends_on": frozenset({2**60})}, "depends_on"),
    ],
)
def test_nonsense_is_refused_at_its_field(ada: User, wanted: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        change(ada, "first-risks", **wanted)
    assert field in caught.value.message_dict


def test_conditions_must_be_possible(ada: User) -> None:
    with pytest.raises(ValidationError, match="with a number"):
        change(ada, "first-risks", conditions=[{"field": "amount", "op": "at_least", "value": "much"}])


def test_tasks_that_would_wait_for_each_other_are_named(ada: User) -> None:
    with pytest.raises(ValidationError) as caught:
        change(ada, "brief-delivery", depends_on=frozenset({task("rough-team").pk}))
    way = caught.value.message_dict["depends_on"][0]
    titles = [
        task(key).title for key in ("brief-delivery", "rough-team", "scope-call", "read-the-deal", "brief-delivery")
    ]
    assert way == f"These would wait for each other: {' → '.join(titles)}."


def test_tasks_of_another_playbook_cannot_be_waited_for(ada: User) -> None:
    with pytest.raises(ValidationError, match="of this playbook"):
        change(ada, "first-risks", depends_on=frozenset({task("deal-review").pk}))


def test_what_two_administrators_change_apart_is_merged(ada: User) -> None:
    base = {"title": "Write down the first risks", "offset_days": 10, "depends_on": frozenset()}
    one = task("first-risks")
    services.change_task(actor=ada, task=one, wanted={**base, "offset_days": 9}, base=base, now=NOW)
    waits = frozenset({task("scope-call").pk})
    services.change_task(actor=ada, task=one, wanted={**base, "depends_on": waits}, base=base, now=NOW)
    assert (task("first-risks").offset_days, services.dependencies(task("first-risks"))) == (9, waits)
    with pytest.raises(Collision):
        services.change_task(actor=ada, task=one, wanted={**base, "offset_days": 8}, base=base, now=NOW)


def test_an_archived_task_leaves_and_comes_back_with_what_it_waited_for(ada: User) -> None:
    gone = task("scope-call")
    services.archive_task(actor=ada, task=gone, now=NOW)
    assert "scope-call" not in order(playbook())
    assert services.dependencies(task("rough-team")) == frozenset()
    services.restore_task(actor=ada, task=gone, now=NOW)
    assert order(playbook())[-1] == "scope-call"
    assert services.dependencies(task("rough-team")) == {gone.pk}


def test_changing_a_task_keeps_what_archived_ones_meant_to_it(ada: User) -> None:
    gone = task("scope-call")
    services.archive_task(actor=ada, task=gone, now=NOW)
    change(ada, "rough-team", depends_on=frozenset({task("read-the-deal").pk}))
    services.restore_task(actor=ada, task=gone, now=NOW)
    assert services.dependencies(task("rough-team")) == {gone.pk, task("read-the-deal").pk}


def test_a_task_that_would_close_a_circle_does_not_come_back(ada: User) -> None:
    gone = task("scope-call")
    services.archive_task(actor=ada, task=gone, now=NOW)
    change(ada, "brief-delivery", depends_on=frozenset({task("rough-team").pk}))
    with pytest.raises(ValidationError, match="wait for each other"):
        services.restore_task(actor=ada, task=gone, now=NOW)
    assert "scope-call" not in order(playbook())


def test_the_only_task_of_a_playbook_in_use_stays(ada: User) -> None:
    for key in ("express-brief", "express-answer"):
        services.archive_task(actor=ada, task=task(key), now=NOW)
    with pytest.raises(ValidationError, match="its only task"):
        services.archive_task(actor=ada, task=task("express-review"), now=NOW)


def test_tasks_take_the_order_of_the_drag(ada: User) -> None:
    warm = playbook()
    seen = list(warm.tasks.values_list("pk", flat=True))
    services.order_tasks(actor=ada, playbook=warm, order=seen[::-1], seen=seen, now=NOW)
    assert order(warm)[0] == "first-risks"
    with pytest.raises(Collision):
        services.order_tasks(actor=ada, playbook=warm, order=seen, seen=seen, now=NOW)


# --- what a deal would get ------------------------------------------------------------------------------------------

MONDAY = dt.date(2026, 11, 23)


def foreseen(key: str, example: Example, organisation: Organisation) -> dict[str, dt.date]:
    """Due dates by task."""
    found = preview(playbook(key), example, today=MONDAY, home=organisation)
    return {row.task.key: row.due_on for row in found.tasks}


def test_the_preview_dates_tasks_as_a_deal_would(organisation: Organisation) -> None:
    dates = foreseen("hot", Example(dt.date(2027, 1, 15), Decimal(300_000)), organisation)
    assert dates["staffing-needs"] == dt.date(2026, 11, 26)
    assert dates["name-pm"] == dt.date(2027, 1, 8)
    assert "large-deal" in dates


def test_the_preview_says_what_is_left_out_and_why(organisation: Organisation) -> None:
    found = preview(playbook("hot"), Example(None, Decimal(1000)), today=MONDAY, home=organisation)
    assert [(each.key, why) for each, why in found.left_out] == [("large-deal", "amount is at least 250,000")]


def test_a_won_deal_is_dated_from_its_start(organisation: Organisation) -> None:
    dates = foreseen("won", Example(dt.date(2027, 2, 1)), organisation)
    assert (dates["client-kickoff"], dates["internal-kickoff"]) == (dt.date(2027, 2, 1), dt.date(2027, 1, 25))


def test_a_task_that_is_due_before_what_it_waits_for_is_told(ada: User, organisation: Organisation) -> None:
    change(ada, "scope-call", offset_days=1)
    found = preview(playbook(), Example(dt.date(2027, 1, 15)), today=MONDAY, home=organisation)
    told = {row.task.key: row.waits_past for row in found.tasks}
    assert (told["scope-call"], told["rough-team"]) == ("Read the deal and name open questions", "")


@pytest.mark.parametrize(
    ("days", "anchor", "sentence"),
    [(0, "trigger", "on the day of the signal"), (1, "kickoff", "1 business day after the kick-off"),
     (-5, "close_date", "5 business days before the close date")],
)  # fmt: skip
def test_when_a_task_is_due_in_words(days: int, anchor: str, sentence: str) -> None:
    assert due_sentence(PlaybookTask(offset_days=days, anchor=anchor)) == sentence


@pytest.mark.parametrize(
    ("key", "values", "field"),
    [("handoff", {}, "section"), ("handoff", {"section": "scope", "phase": "exit"}, "phase"),
     ("won", {"section": "scope"}, "section"), ("warm", {"phase": "exit"}, "phase"),
     ("warm", {"action": "client_scope"}, "action"), ("handoff", {"section": "scope", "action": "review"}, "action"),
     ("won", {"action": "condition"}, "action")],
)  # fmt: skip
def test_what_does_not_fit_the_signal_is_refused(ada: User, key: str, values: dict[str, str], field: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        services.add_task(actor=ada, playbook=playbook(key), values={**TASK, **values}, now=NOW)
    assert set(refusal.value.message_dict) == {field}


def test_a_task_moves_within_its_section(ada: User) -> None:
    first, second = task("scope-agreed"), task("scope-questions")
    services.shift_task(actor=ada, task=first, by=-1, now=NOW)
    assert playbook("handoff").version == 1
    services.shift_task(actor=ada, task=first, by=1, now=NOW)
    keys = order(playbook("handoff"))
    assert keys.index(second.key) + 1 == keys.index(first.key)
    assert keys.index("politics") < keys.index(second.key)


def test_a_task_of_another_section_is_shown_there(ada: User) -> None:
    change(ada, "contract", section="relationship")
    lines, _archived = task_lines(playbook("handoff"))
    assert [line.task.key for line in lines][:3] == ["hand-over-people", "politics", "contract"]


def test_a_copy_keeps_sections_and_what_is_optional(ada: User) -> None:
    copy = services.copy_playbook(actor=ada, playbook=playbook("handoff"), name="Own", service_line=None, now=NOW)
    kept = {each.key: (each.section, each.is_required) for each in copy.tasks.all()}
    assert kept == {each.key: (each.section, each.is_required) for each in playbook("handoff").tasks.all()}
