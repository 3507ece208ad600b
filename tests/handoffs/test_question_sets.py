"""The settings of deal reviews: sets of questions, and who is told when an express review runs late."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role, User
from events.models import Event
from handoffs.models import Escalation, EscalationStep, PlaybookTask, Question, QuestionSet
from handoffs.services import question_sets as services
from opportunities.services.merging import Collision
from tests import factories
from tests.cast import Browser

NOW = timezone.now()


@pytest.fixture
def common(ada: User) -> QuestionSet:
    """Three questions for every service line, in use; sets that came with the organisation are out of the way."""
    QuestionSet.objects.update(is_active=False)
    made = services.create_question_set(actor=ada, name="For every deal", service_line=None, now=NOW)
    for text in ("Scope clear?", "Dates fixed?", "Team known?"):
        values = {"text": text, "hint": "", "is_express": text[0] == "D"}
        services.add_question(actor=ada, question_set=made, values=values, now=NOW)
    return services.set_question_set_active(actor=ada, question_set=made, is_active=True, now=NOW)


def asked(question_set: QuestionSet) -> list[str]:
    """The texts in order."""
    return list(question_set.questions.filter(archived_at__isnull=True).values_list("text", flat=True))


def first(question_set: QuestionSet) -> Question:
    """The first question of the set."""
    return question_set.questions.filter(archived_at__isnull=True)[0]


def url(name: str, *args: int) -> str:
    """Address of a settings page."""
    return reverse(f"review_settings:{name}", args=args)


# --- who gets in ---


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMINISTRATOR])
def test_nobody_but_administrators_changes_questions(common: QuestionSet, role: Role) -> None:
    browser = Browser(factories.person("Somebody", role))
    question = first(common)
    step = EscalationStep.objects.create(position=90, hours=2, role=Role.EXECUTIVE)
    gets = [url("home"), url("detail", common.pk), url("questions", common.pk), url("question_add", common.pk),
            url("question", question.pk)]  # fmt: skip
    posts = [
        url("add"), url("rename", common.pk), url("copy", common.pk), url("activate", common.pk),
        url("order", common.pk), url("question_add", common.pk), url("question", question.pk),
        url("question_shift", question.pk), url("question_archive", question.pk),
        url("question_restore", question.pk), url("step_add"), url("step", step.pk), url("step_remove", step.pk),
    ]  # fmt: skip
    assert {browser.get(address).status_code for address in gets} == {403}
    assert {browser.post(address, {"text": "Mine?", "hours": 1}).status_code for address in posts} == {403}
    assert asked(common) == ["Scope clear?", "Dates fixed?", "Team known?"]
    assert EscalationStep.objects.filter(pk=step.pk).exists()


@pytest.mark.parametrize("pk", [404_404, 2**63, 2**80])
def test_what_does_not_exist_is_not_found(as_ada: Browser, pk: int) -> None:
    for name in ("detail", "questions", "question_add", "question"):
        assert as_ada.get(url(name, pk)).status_code == 404, name
    for name in ("rename", "copy", "activate", "order", "question_shift", "question_archive", "question_restore",
                 "step", "step_remove"):  # fmt: skip
        assert as_ada.post(url(name, pk)).status_code == 404, name


# --- sets ---


def test_a_set_is_begun_filled_and_put_to_use(as_ada: Browser, common: QuestionSet) -> None:
    line = factories.service_line()
    as_ada.post(url("add"), {"name": "Cloud questions", "service_line": line.pk})
    made = QuestionSet.objects.get(name="Cloud questions")
    refused = as_ada.post(url("activate", made.pk), follow=True)
    assert "Add a question first" in refused.content.decode()
    as_ada.post(url("question_add", made.pk), {"text": "Accounts open?", "hint": "Somebody can sign in"})
    as_ada.post(url("activate", made.pk))
    made.refresh_from_db()
    assert (made.is_active, made.service_line, asked(made)) == (True, line, ["Accounts open?"])


def test_a_name_is_taken_once(as_ada: Browser, common: QuestionSet) -> None:
    answer = as_ada.post(url("add"), {"name": "FOR EVERY DEAL", "service_line": ""})
    assert answer.status_code == 422
    assert "There are already questions called" in answer.content.decode()


def test_a_copy_for_a_service_line_brings_the_questions(as_ada: Browser, common: QuestionSet) -> None:
    line = factories.service_line()
    as_ada.post(url("copy", common.pk), {"name": "Cloud", "service_line": line.pk})
    copy = QuestionSet.objects.get(name="Cloud")
    assert (copy.is_active, copy.service_line, asked(copy)) == (False, line, asked(common))
    assert [each.is_express for each in copy.questions.all()] == [False, True, False]


def test_only_one_set_is_in_use_and_the_other_can_be_replaced(as_ada: Browser, ada: User, common: QuestionSet) -> None:
    other = services.create_question_set(actor=ada, name="Shorter", service_line=None, like=common, now=NOW)
    answer = as_ada.post(url("activate", other.pk))
    assert answer.status_code == 409
    assert "“For every deal” is in use here" in answer.content.decode()
    as_ada.post(url("activate", other.pk), {"replace": "1"})
    assert set(QuestionSet.objects.filter(is_active=True)) == {other}


def test_deals_are_never_left_without_questions(as_ada: Browser, common: QuestionSet) -> None:
    answer = as_ada.post(url("activate", common.pk), {"retire": "1"}, follow=True)
    assert "Reviews need questions" in answer.content.decode()
    common.refresh_from_db()
    assert common.is_active


def test_two_administrators_rename_at_once(ada: User, common: QuestionSet) -> None:
    services.rename_question_set(actor=ada, question_set=common, name="First", seen="For every deal", now=NOW)
    with pytest.raises(Collision):
        services.rename_question_set(actor=ada, question_set=common, name="Second", seen="For every deal", now=NOW)
    common.refresh_from_db()
    assert common.name == "First"


# --- questions ---


def test_a_question_is_changed_in_place(as_ada: Browser, common: QuestionSet) -> None:
    question = first(common)
    form = as_ada.hx("get", url("question", question.pk))
    assert 'value="Scope clear?"' in form.content.decode()
    seen = dict(form.context["form"].seen_values)
    sent = {**seen, "text": "Is the scope clear?", "hint": "Written and agreed", "is_express": "on"}
    answer = as_ada.hx("post", url("question", question.pk), sent)
    assert answer.headers["HX-Retarget"] == "#questions"
    question.refresh_from_db()
    assert (question.text, question.hint, question.is_express) == ("Is the scope clear?", "Written and agreed", True)


def test_a_colliding_change_shows_both_and_keeps_what_was_typed(
    as_ada: Browser, ada: User, common: QuestionSet
) -> None:
    question = first(common)
    seen = dict(as_ada.hx("get", url("question", question.pk)).context["form"].seen_values)
    services.change_question(actor=ada, question=question, wanted={"text": "Theirs?"}, base={}, now=NOW)
    answer = as_ada.hx("post", url("question", question.pk), {**seen, "text": "Mine?"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Theirs?" in page
    assert 'value="Mine?"' in page
    question.refresh_from_db()
    assert question.text == "Theirs?"


def test_the_same_is_not_asked_twice(as_ada: Browser, common: QuestionSet) -> None:
    answer = as_ada.hx("post", url("question_add", common.pk), {"text": "scope CLEAR?"})
    assert answer.status_code == 422
    assert "This is asked here already." in answer.content.decode()


def test_questions_are_put_in_order(as_ada: Browser, common: QuestionSet) -> None:
    as_ada.hx("post", url("question_shift", first(common).pk), {"by": "1"})
    assert asked(common) == ["Dates fixed?", "Scope clear?", "Team known?"]
    keys = [str(each.pk) for each in common.questions.all()]
    as_ada.hx("post", url("order", common.pk), {"seen": ",".join(keys), "order": ",".join(reversed(keys))})
    assert asked(common) == ["Team known?", "Scope clear?", "Dates fixed?"]


@pytest.mark.parametrize("is_complete", [True, False])
def test_a_stale_order_changes_nothing(as_ada: Browser, ada: User, common: QuestionSet, is_complete: bool) -> None:
    keys = [str(each.pk) for each in common.questions.all()]
    services.shift_question(actor=ada, question=first(common), by=1, now=NOW)
    wanted = list(reversed(keys if is_complete else keys[:2]))
    answer = as_ada.hx("post", url("order", common.pk), {"seen": ",".join(keys), "order": ",".join(wanted)})
    assert "Somebody changed the questions" in answer.headers["HX-Trigger"]
    assert asked(common) == ["Dates fixed?", "Scope clear?", "Team known?"]


def test_a_question_is_left_out_and_brought_back_at_the_end(as_ada: Browser, common: QuestionSet) -> None:
    question = first(common)
    answer = as_ada.hx("post", url("question_archive", question.pk))
    assert url("question_restore", question.pk) in answer.headers["HX-Trigger"]
    assert asked(common) == ["Dates fixed?", "Team known?"]
    as_ada.hx("post", url("question_restore", question.pk))
    assert asked(common) == ["Dates fixed?", "Team known?", "Scope clear?"]


def test_the_last_question_of_a_set_in_use_stays(ada: User, common: QuestionSet) -> None:
    for question in list(common.questions.all())[1:]:
        services.archive_question(actor=ada, question=question, now=NOW)
    with pytest.raises(ValidationError, match="only question"):
        services.archive_question(actor=ada, question=first(common), now=NOW)


def test_every_change_is_in_the_history(ada: User, common: QuestionSet) -> None:
    services.archive_question(actor=ada, question=first(common), now=NOW)
    told = Event.objects.filter(name="settings.changed", actor=ada).latest("id")
    assert told.text == "changed the review questions For every deal: left out “Scope clear?”"


def test_without_script_forms_are_pages_of_their_own(as_ada: Browser, common: QuestionSet) -> None:
    page = as_ada.get(url("question_add", common.pk))
    assert "<h1" in page.content.decode()
    answer = as_ada.post(url("question_add", common.pk), {"text": "Price holds?"})
    assert answer.headers["Location"] == url("detail", common.pk)
    assert asked(common)[-1] == "Price holds?"


# --- the chain ---


def test_the_chain_grows_changes_and_shrinks(as_ada: Browser, common: QuestionSet) -> None:
    EscalationStep.objects.all().delete()
    as_ada.hx("post", url("step_add"), {"hours": "2", "role": "executive"})
    as_ada.hx("post", url("step_add"), {"hours": "0", "role": "delivery_manager"})
    page = as_ada.get(url("home")).content.decode()
    assert page.index("as it runs out") < page.index("2 hours late")
    executive = EscalationStep.objects.get(role="executive")
    as_ada.hx("post", url("step", executive.pk), {"hours": "4", "role": "executive"})
    as_ada.hx("post", url("step_remove", EscalationStep.objects.get(role="delivery_manager").pk))
    assert list(EscalationStep.objects.values_list("hours", "role")) == [(4, "executive")]


def test_nobody_is_told_twice_at_the_same_hour(as_ada: Browser, common: QuestionSet) -> None:
    EscalationStep.objects.all().delete()
    for _time in range(2):
        answer = as_ada.hx("post", url("step_add"), {"hours": "2", "role": "executive"})
    assert answer.status_code == 422
    assert "They are told at that hour already." in answer.content.decode()
    assert EscalationStep.objects.count() == 1


def test_a_place_that_reviews_remember_is_not_given_again(ada: User, common: QuestionSet) -> None:
    from handoffs.models import DealReview

    EscalationStep.objects.all().delete()
    step = services.add_escalation_step(actor=ada, hours=1, role=Role.EXECUTIVE, now=NOW)
    review = DealReview.objects.create(
        opportunity=factories.deal(), question_set=common, is_express=True, trigger="hot", requested_at=NOW, due_at=NOW
    )  # fmt: skip
    Escalation.objects.create(review=review, position=step.position, role=step.role, told=[ada.pk], at=NOW)
    services.remove_escalation_step(actor=ada, step=step, now=NOW)
    again = services.add_escalation_step(actor=ada, hours=1, role=Role.EXECUTIVE, now=NOW)
    assert again.position > step.position


@pytest.mark.parametrize("hours", ["-1", "721", "1e3", "", "२४०००"])
def test_hours_make_sense(as_ada: Browser, hours: str) -> None:
    before = EscalationStep.objects.count()
    assert as_ada.hx("post", url("step_add"), {"hours": hours, "role": "executive"}).status_code == 422
    assert EscalationStep.objects.count() == before


# --- what a playbook's task starts ---


def test_a_task_says_what_it_starts(as_ada: Browser, organisation: object) -> None:
    from handoffs import defaults

    defaults.create(organisation=organisation, now=NOW)  # type: ignore[arg-type]
    task = PlaybookTask.objects.get(key="scope-call")
    values = {"title": task.title, "side": "shared", "assignee": "delivery_owner", "offset_days": "5",
              "anchor": "trigger", "help_text": "", "evidence": ""}  # fmt: skip
    page = reverse("playbooks:detail", args=[task.playbook_id])
    named = as_ada.get(page).content.decode().count("</svg> Hold the deal review")
    as_ada.post(reverse("playbooks:task", args=[task.pk]), {**values, "action": "review"})
    task.refresh_from_db()
    assert task.action == "review"
    assert as_ada.get(page).content.decode().count("</svg> Hold the deal review") == named + 1
    refused = as_ada.post(reverse("playbooks:task", args=[task.pk]), {**values, "side": "delivery", "action": "review"})
    assert "Both sides sign this" in refused.content.decode()


# --- cost ---


@pytest.mark.parametrize("name", ["home", "detail"])
def test_queries_stay_the_same_with_many(
    as_ada: Browser, ada: User, common: QuestionSet, name: str, django_assert_max_num_queries: object
) -> None:
    for number in range(12):
        services.create_question_set(actor=ada, name=f"Set {number}", service_line=None, like=common, now=NOW)
        services.add_question(actor=ada, question_set=common, values={"text": f"Question {number}?"}, now=NOW)
    for hour in range(6):
        services.add_escalation_step(actor=ada, hours=100 + hour, role=Role.EXECUTIVE, now=NOW)
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        assert as_ada.get(url(name, *([common.pk] if name == "detail" else []))).status_code == 200
