"""The settings pages of playbooks, as a browser meets them."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Organisation, Region, Role, User
from handoffs import defaults
from handoffs.models import Playbook, PlaybookTask, RampPhase, Section
from tests import factories
from tests.cast import Browser

NOW = timezone.now()
VALUES = {
    "title": "Ask legal", "side": "delivery", "assignee": "delivery_owner", "offset_days": "2", "anchor": "trigger",
    "help_text": "", "evidence": "",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _defaults(organisation: Organisation) -> None:
    defaults.create(organisation=organisation, now=NOW)


def url(name: str, key: str = "warm") -> str:
    """Address of a page of a default playbook, or of one of its tasks."""
    if name in ("list", "add"):
        return reverse(f"playbooks:{name}")
    if name in ("task", "task_shift", "task_archive", "task_restore"):
        return reverse(f"playbooks:{name}", args=[task(key).pk])
    return reverse(f"playbooks:{name}", args=[Playbook.objects.get(key=key).pk])


def task(key: str) -> PlaybookTask:
    """A task of the default playbooks."""
    return PlaybookTask.objects.get(key=key, playbook__key__in=["warm", "hot", "fast-lane", "handoff", "won"])


def inputs(page: object) -> dict[str, list[str]]:
    """What a task's form would send as it stands."""
    form = page.context["form"]  # type: ignore[attr-defined]
    sent: dict[str, list[str]] = {}
    for name, value in form.seen_values:
        sent.setdefault(name, []).append(value)
    for row in form.condition_rows:
        for part, value in row.items():
            sent.setdefault(f"conditions-{part}", []).append(value)
    for name in form.fields:
        value = form[name].value()
        if name != "conditions":
            sent[name] = (
                [str(each) for each in value] if isinstance(value, list) else ["" if value is None else str(value)]
            )
    return sent


GETS = [("list", "warm"), ("detail", "warm"), ("example", "warm"), ("tasks", "warm"), ("task_add", "warm"),
        ("task", "scope-call")]  # fmt: skip
POSTS = [("add", "warm"), ("rename", "warm"), ("copy", "warm"), ("activate", "warm"), ("order", "warm"),
         ("task_add", "warm"), ("task", "scope-call"), ("task_shift", "scope-call"), ("task_archive", "scope-call"),
         ("task_restore", "scope-call")]  # fmt: skip


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMINISTRATOR])
def test_nobody_but_administrators_gets_in(ada: User, role: Role) -> None:
    browser = Browser(factories.person("Somebody", role))
    before = list(PlaybookTask.objects.values())
    for name, key in GETS:
        assert browser.get(url(name, key)).status_code == 403, name
    for name, key in POSTS:
        assert browser.post(url(name, key), VALUES).status_code == 403, name
    assert list(PlaybookTask.objects.values()) == before


def test_who_is_signed_out_is_asked_to_sign_in(client: object) -> None:
    for name, key in GETS:
        assert client.get(url(name, key)).status_code == 302  # type: ignore[attr-defined]


@pytest.mark.parametrize("pk", [404_404, 2**63, 2**80])
def test_what_does_not_exist_is_not_found(as_ada: Browser, pk: int) -> None:
    for name, _key in GETS[1:]:
        assert as_ada.get(reverse(f"playbooks:{name}", args=[pk])).status_code == 404, name
    for name, _key in POSTS[1:]:
        assert as_ada.post(reverse(f"playbooks:{name}", args=[pk])).status_code == 404, name


def test_wrong_methods_are_refused(as_ada: Browser) -> None:
    for name, key in set(POSTS) - set(GETS):
        assert as_ada.get(url(name, key)).status_code == 405, name


@pytest.mark.parametrize(("name", "key"), GETS)
def test_queries_stay_few(as_ada: Browser, name: str, key: str, django_assert_max_num_queries: object) -> None:
    line = factories.service_line()
    for number in range(5):
        as_ada.post(url("copy"), {"name": f"Copy {number}", "service_line": line.pk if number == 0 else ""})
    with django_assert_max_num_queries(15):  # type: ignore[operator]
        assert as_ada.hx("get", url(name, key)).status_code == 200  # type: ignore[attr-defined]


def test_the_page_says_when_for_whom_and_on_what_condition(as_ada: Browser) -> None:
    page = as_ada.get(url("detail", "hot")).content.decode()
    for words in (
        "5 business days before the close date", "Resource manager", "Only when amount is at least 250,000",
        "After “State the staffing needs by role and week”",
    ):  # fmt: skip
        assert words in page
    assert "Evidence: the sketch, or where it is" in as_ada.get(url("detail", "warm")).content.decode()


def test_a_playbook_is_copied_for_a_service_line_and_put_to_use(as_ada: Browser) -> None:
    line = factories.service_line("Cloud")
    answer = as_ada.post(url("copy"), {"name": "Warm: Cloud", "service_line": line.pk}, follow=True)
    assert "Only Cloud" in answer.content.decode() or "only Cloud" in answer.content.decode()
    copy = Playbook.objects.get(name="Warm: Cloud")
    as_ada.post(reverse("playbooks:activate", args=[copy.pk]))
    copy.refresh_from_db()
    assert copy.is_active


def test_the_one_in_use_is_named_before_it_is_replaced(as_ada: Browser) -> None:
    as_ada.post(url("copy"), {"name": "Better", "service_line": ""})
    path = reverse("playbooks:activate", args=[Playbook.objects.get(name="Better").pk])
    asked = as_ada.post(path)
    assert asked.status_code == 409
    assert "“A deal turns warm” is in use" in asked.content.decode()
    assert as_ada.post(path, {"replace": "1"}).status_code == 302
    assert Playbook.objects.get(trigger="warm", is_active=True).name == "Better"


@pytest.mark.parametrize("name", ["", "\u200b ", "A deal is won", "x" * 81, "Wa\u202erm", "A\x00B"])
def test_bad_names_are_told_where_they_were_typed(as_ada: Browser, name: str) -> None:
    for view in ("add", "rename", "copy"):
        answer = as_ada.post(url(view), {"name": name, "trigger": "warm", "service_line": ""})
        assert answer.status_code == 422, view
    assert Playbook.objects.count() == 5


def test_no_playbook_waits_for_being_asked_in_by_hand(as_ada: Browser) -> None:
    assert as_ada.post(url("add"), {"name": "X", "trigger": "asked", "service_line": ""}).status_code == 422


def test_a_task_is_edited_in_place(as_ada: Browser) -> None:
    form = as_ada.hx("get", url("task", "scope-call"))
    assert form.content.decode().lstrip().startswith("<li")  # type: ignore[attr-defined]
    sent = {**inputs(form), "title": "Talk about scope", "offset_days": "6"}
    answer = as_ada.hx("post", url("task", "scope-call"), sent)
    assert answer.headers["HX-Retarget"] == "#tasks"  # type: ignore[attr-defined]
    assert "playbook-changed" in json.loads(answer.headers["HX-Trigger"])  # type: ignore[attr-defined]
    assert "6 business days after the signal" in answer.content.decode()  # type: ignore[attr-defined]
    assert services_waits(task("rough-team")) == {"scope-call"}


def services_waits(one: PlaybookTask) -> set[str]:
    """Keys of what it waits for."""
    return set(one.depends_on.values_list("key", flat=True))


def test_a_task_is_edited_without_script(as_ada: Browser) -> None:
    page = as_ada.get(url("task", "scope-call"))
    assert "<h1" in page.content.decode()
    answer = as_ada.post(url("task", "scope-call"), {**inputs(page), "title": "Talk about scope"})
    assert (answer.status_code, answer["Location"]) == (302, url("detail"))
    assert task("scope-call").title == "Talk about scope"


def test_saving_a_task_as_it_stands_changes_nothing(as_ada: Browser) -> None:
    for key in PlaybookTask.objects.values_list("key", flat=True):
        assert as_ada.post(url("task", key), inputs(as_ada.get(url("task", key)))).status_code == 302
    assert set(Playbook.objects.values_list("version", flat=True)) == {1}


def test_fifty_times_the_same_post_adds_one_task(as_ada: Browser) -> None:
    statuses = [as_ada.post(url("task_add"), VALUES).status_code for _ in range(50)]
    assert statuses == [302] + [422] * 49
    assert PlaybookTask.objects.filter(title="Ask legal").count() == 1


def test_a_refused_form_keeps_what_was_typed(as_ada: Browser) -> None:
    sent = {**VALUES, "side": "sales", "assignee": "resource_manager", "help_text": "Ask early",
            "conditions-field": ["amount"], "conditions-op": ["at_least"], "conditions-value": ["lots"]}  # fmt: skip
    answer = as_ada.hx("post", url("task_add"), sent)
    page = answer.content.decode()  # type: ignore[attr-defined]
    assert answer.status_code == 422  # type: ignore[attr-defined]
    assert "Ask early" in page
    assert 'value="lots"' in page
    assert "Write the amount in figures" in page


@pytest.mark.parametrize(
    ("row", "kept"),
    [
        (("amount", "at_least", "1.234.567,50"), "1234567.50"),
        (("amount", "below", "２５０"), "250"),
        (("probability", "at_least", "60 %"), "60"),
        (("temperature", "is", "Hot"), "hot"),
        (("is_unforecasted", "is_not", "Yes"), "yes"),
        (("service_line", "is", "cloud"), "cloud"),
        (("service_line", "is", "CLOUD"), "cloud"),
        (("region", "is", "north"), "North"),
        (("currency", "is", "eur"), "EUR"),
        (("product", "is", "Anything <b>"), "Anything <b>"),
    ],
)
def test_conditions_are_kept_as_deals_hold_them(as_ada: Browser, row: tuple[str, str, str], kept: str) -> None:
    factories.service_line("Cloud")
    Region.objects.create(name="North")
    sent = {**VALUES, **{f"conditions-{part}": [value, ""] for part, value in zip(("field", "op", "value"), row)}}  # noqa: B905
    assert as_ada.post(url("task_add"), sent).status_code == 302
    assert task("ask-legal").conditions == [{"field": row[0], "op": row[1], "value": kept}]
    assert "Anything <b>" not in as_ada.get(url("detail")).content.decode()


@pytest.mark.parametrize(
    "row",
    [
        ("amount", "at_least", "NaN"), ("amount", "at_least", "1e400"), ("amount", "is", "-1"), ("amount", "is", ""),
        ("probability", "is", "60.5"), ("push_count", "is", "9" * 30), ("temperature", "is", "tepid"),
        ("temperature", "at_least", "warm"), ("is_unforecasted", "is", "perhaps"), ("region", "is", "Mars"),
        ("currency", "is", "EURO"), ("owner", "is", "1"), ("amount", "like", "1"), ("", "is", "1"),
        ("product", "is", "a\u202eb"), ("product", "is", "x" * 201),
    ],
)  # fmt: skip
def test_conditions_that_make_no_sense_are_told(as_ada: Browser, row: tuple[str, str, str]) -> None:
    sent = {**VALUES, **{f"conditions-{part}": value for part, value in zip(("field", "op", "value"), row)}}  # noqa: B905
    answer = as_ada.post(url("task_add"), sent)
    assert answer.status_code == 422
    assert answer.context["form"].errors["conditions"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("offset_days", "251"), ("offset_days", "-1e9"), ("offset_days", ""), ("side", "both"), ("anchor", "birth"),
     ("assignee", "executive"), ("depends_on", "99999999"), ("depends_on", "a"), ("title", "\u200b"),
     ("title", "x" * 201), ("evidence", "x" * 201), ("help_text", "\x00")],
)  # fmt: skip
def test_bad_values_are_told_where_they_were_typed(as_ada: Browser, field: str, value: str) -> None:
    sent = {**inputs(as_ada.get(url("task", "scope-call"))), field: [value]}
    answer = as_ada.post(url("task", "scope-call"), sent)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors


def test_tasks_that_would_wait_for_each_other_are_named_in_the_form(as_ada: Browser) -> None:
    sent = {**inputs(as_ada.get(url("task", "brief-delivery"))), "depends_on": [str(task("scope-call").pk)]}
    answer = as_ada.post(url("task", "brief-delivery"), sent)
    assert "These would wait for each other: Brief delivery" in answer.content.decode()


def test_the_second_of_two_administrators_sees_both_values_and_chooses(as_ada: Browser) -> None:
    path, first = url("task", "large-deal"), inputs(as_ada.get(url("task", "large-deal")))
    as_ada.post(path, {**first, "conditions-value": ["300000", ""]})
    answer = as_ada.post(path, {**first, "conditions-value": ["400000", ""], "title": "Have the price checked"})
    assert answer.status_code == 422
    assert "Somebody changed this to “amount is at least 300,000”" in answer.content.decode()
    assert task("large-deal").title != "Have the price checked"
    assert as_ada.post(path, inputs(answer)).status_code == 302
    assert task("large-deal").conditions[0]["value"] == "400000"
    assert task("large-deal").title == "Have the price checked"


def test_leaving_a_task_out_can_be_undone(as_ada: Browser) -> None:
    answer = as_ada.hx("post", url("task_archive", "scope-call"))
    undo = json.loads(answer.headers["HX-Trigger"])["toast"]["undo"]["url"]  # type: ignore[attr-defined]
    assert task("scope-call").archived_at is not None
    back = as_ada.hx("post", undo)
    assert (back.status_code, back.headers["HX-Reswap"]) == (200, "outerHTML")  # type: ignore[attr-defined]
    assert task("scope-call").archived_at is None


def test_arrows_and_drags_work_with_and_without_script(as_ada: Browser) -> None:
    assert as_ada.post(url("task_shift", "scope-call"), {"by": "-1"}).status_code == 302
    answer = as_ada.hx("post", url("task_shift", "scope-call"), {"by": "-1"})
    assert "is now 1 of 5" in answer.headers["HX-Trigger"]  # type: ignore[attr-defined]
    seen = [str(pk) for pk in Playbook.objects.get(key="warm").tasks.values_list("pk", flat=True)]
    drag = {"order": ",".join(seen[::-1]), "seen": ",".join(seen)}
    assert as_ada.hx("post", url("order"), drag).status_code == 200  # type: ignore[attr-defined]
    late = as_ada.hx("post", url("order"), drag)
    assert "Somebody changed the tasks" in late.headers["HX-Trigger"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("order", ["", "1,,2", "a", "9" * 30, "1;2"])
def test_a_made_up_order_is_refused(as_ada: Browser, order: str) -> None:
    assert as_ada.hx("post", url("order"), {"order": order, "seen": order}).status_code == 422  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"day": "2027-01-15", "amount": "1.000.000,00"}, "Have the price checked"),
        ({"day": "", "amount": ""}, "only when amount is at least 250,000"),
        ({"day": "29.02.2027", "amount": ""}, "There is no such day"),
        ({"day": "9999-12-31", "amount": "1e400"}, "in figures"),
    ],
)
def test_the_preview_answers_whatever_is_typed(as_ada: Browser, query: dict[str, str], words: str) -> None:
    for name in ("example", "detail"):
        answer = as_ada.get(url(name, "hot"), query)
        assert answer.status_code == 200
        assert words in answer.content.decode()


def test_the_checklist_is_shown_by_section(as_ada: Browser) -> None:
    page = as_ada.get(url("detail", "handoff"))
    assert [group.label for group in page.context["groups"]] == [str(label) for label in Section.labels]
    assert "If it were won today." in page.content.decode()
    assert {row.task.key for row in page.context["preview"].tasks} == {
        each.key for each in Playbook.objects.get(key="handoff").tasks.all()
    } - {"billing"}


def test_the_ramp_is_shown_by_phase(as_ada: Browser) -> None:
    page = as_ada.get(url("detail", "won"))
    assert [group.label for group in page.context["groups"]] == [str(label) for label in RampPhase.labels]


@pytest.mark.parametrize(
    ("key", "there", "gone"),
    [("scope-call", set(), {"section", "phase", "is_required"}), ("contract", {"section", "is_required"}, {"phase"}),
     ("agenda", {"phase", "is_required"}, {"section"})],
)  # fmt: skip
def test_a_task_has_the_fields_of_its_signal(as_ada: Browser, key: str, there: set[str], gone: set[str]) -> None:
    fields = set(as_ada.get(url("task", key)).context["form"].fields)
    assert there <= fields
    assert not gone & fields


@pytest.mark.parametrize(
    ("key", "offered", "not_offered"),
    [("scope-call", {"review", "risk_profile"}, {"relationships", "client_scope", "condition"}),
     ("contract", {"relationships", "risk_profile"}, {"review", "client_scope", "commitment"}),
     ("agenda", {"client_scope", "client_criteria", "client_risks", "pulse"}, {"review", "condition"})],
)  # fmt: skip
def test_only_what_fits_is_offered(as_ada: Browser, key: str, offered: set[str], not_offered: set[str]) -> None:
    choices = {value for value, _label in as_ada.get(url("task", key)).context["form"].fields["action"].choices}
    assert offered <= choices
    assert not not_offered & choices


def test_an_optional_item_of_a_section_is_added(as_ada: Browser) -> None:
    answer = as_ada.post(url("task_add", "handoff"), {**VALUES, "section": "risks", "action": ""})
    assert answer.status_code == 302
    made = PlaybookTask.objects.get(title="Ask legal")
    assert (made.section, made.is_required) == ("risks", False)
