"""The settings pages of pipelines and stages, as a browser meets them."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role, User
from events import names
from events.models import Event
from opportunities.models import Opportunity, Pipeline, Stage
from opportunities.services import pipelines, stages
from tests import factories
from tests.cast import Browser

NOW = timezone.now()


def inputs(page: object) -> dict[str, list[str]]:
    """What the main form of a stage page would send as it stands."""
    form = page.context["form"]  # type: ignore[attr-defined]
    sent: dict[str, list[str]] = {}
    for name, value in form.seen_values:
        sent.setdefault(name, []).append(value)
    for name in form.fields:
        value = form[name].value()
        sent[name] = [str(each) for each in value] if isinstance(value, list) else ["" if value is None else str(value)]
    return sent


def stage_url(key: str, name: str = "stage") -> str:
    """Address of a stage of the default pipeline."""
    return reverse(f"pipelines:{name}", args=[factories.stage(key).pk])


def every_address() -> list[tuple[str, str]]:
    """Method and path of each page and action."""
    pipeline, stage = factories.pipeline().pk, factories.stage("proposal").pk
    return [
        ("get", reverse("pipelines:list")),
        ("post", reverse("pipelines:add")),
        *[("post", reverse(f"pipelines:{name}", args=[pipeline])) for name in ("change", "shift", "activate", "order")],
        ("get", reverse("pipelines:detail", args=[pipeline])),
        ("post", reverse("pipelines:stage_add", args=[pipeline])),
        ("get", reverse("pipelines:stage", args=[stage])),
        *[("post", reverse(f"pipelines:{name}", args=[stage])) for name in (
            "stage", "stage_shift", "stage_archive", "stage_restore")],
    ]  # fmt: skip


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMINISTRATOR])
def test_nobody_but_administrators_gets_in(ada: User, role: Role) -> None:
    browser = Browser(factories.person("Somebody", role))
    before = list(Stage.objects.values())
    for method, path in every_address():
        assert getattr(browser, method)(path, {"name": "X"}).status_code == 403, path
    assert list(Stage.objects.values()) == before


def test_who_is_signed_out_is_asked_to_sign_in(client: object, ada: User) -> None:
    for method, path in every_address():
        assert getattr(client, method)(path).status_code == 302, path


@pytest.mark.parametrize(
    "name", ["detail", "change", "shift", "activate", "order", "stage_add", "stage", "stage_shift"]
)
@pytest.mark.parametrize("pk", [404_404, 2**63, 2**80])
def test_what_does_not_exist_is_not_found(as_ada: Browser, name: str, pk: int) -> None:
    method = "get" if name in ("detail", "stage") else "post"
    assert getattr(as_ada, method)(reverse(f"pipelines:{name}", args=[pk])).status_code == 404


def test_wrong_methods_are_refused(as_ada: Browser) -> None:
    for method, path in every_address():
        if method == "post" and not path.endswith(f"/stages/{factories.stage('proposal').pk}/"):
            assert as_ada.get(path).status_code == 405, path


def test_the_page_shows_the_gate_as_a_sentence(as_ada: Browser) -> None:
    page = as_ada.get(reverse("pipelines:detail", args=[factories.pipeline().pk])).content.decode()
    assert "To enter Proposal a deal needs: amount, close date and next step." in page
    assert "To enter Lost a deal needs: the reason why." in page


@pytest.mark.parametrize("path", ["pipelines:list", "pipelines:detail", "pipelines:stage"])
def test_queries_do_not_grow_with_deals_and_stages(
    as_ada: Browser, path: str, django_assert_max_num_queries: object
) -> None:
    args = {"pipelines:detail": [factories.pipeline().pk], "pipelines:stage": [factories.stage("prospect").pk]}
    for number in range(5):
        pipelines.create_pipeline(
            actor=factories.person("Ada"), name=f"P{number}", like=factories.pipeline(), now=NOW
        )  # fmt: skip
    factories.deals(20)
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        assert as_ada.get(reverse(path, args=args.get(path))).status_code == 200


def test_a_pipeline_is_added_with_the_stages_of_another(as_ada: Browser) -> None:
    answer = as_ada.post(reverse("pipelines:add"), {"name": "  Renewals ", "like": factories.pipeline().pk})
    assert answer.status_code == 302
    assert Pipeline.objects.get(name="Renewals").stages.count() == 7


@pytest.mark.parametrize(
    "name",
    ["", "   ", "\u200b", "sales", "x" * 81, "Sal\u202ees", "A\x00B"],
)
def test_bad_names_are_told_where_they_were_typed(as_ada: Browser, name: str) -> None:
    for path in (reverse("pipelines:add"), reverse("pipelines:change", args=[factories.pipeline().pk])):
        answer = as_ada.post(path, {"name": name, "skip_policy": "allow", "back_policy": "allow", "like": ""})
        assert answer.status_code in (422, 302)
        if name != "sales":
            assert answer.status_code == 422
    assert Pipeline.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("probability", "101"), ("probability", "-1"), ("probability", "NaN"), ("temperature", "tepid"),
     ("expected_days", "0"), ("expected_days", "1e9"), ("forecast_category", "closed"), ("criteria", "field {}"),
     ("criteria", "nonsense"), ("name", "Proposal")],
)  # fmt: skip
def test_bad_values_of_a_stage_are_told_where_they_were_typed(as_ada: Browser, field: str, value: str) -> None:
    sent = {**inputs(as_ada.get(stage_url("discovery"))), field: [value]}
    answer = as_ada.post(stage_url("discovery"), sent)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors


def test_saving_a_stage_as_it_stands_changes_nothing(as_ada: Browser) -> None:
    factories.deals(2, "proposal", probability=75)
    answer = as_ada.post(stage_url("proposal"), inputs(as_ada.get(stage_url("proposal"))))
    assert answer.status_code == 302
    assert not Event.objects.filter(name__in=[names.SETTINGS_CHANGED, names.STAGE_REDEFINED]).exists()


def test_what_deals_would_do_is_shown_before_it_happens(as_ada: Browser) -> None:
    factories.deals(3, "qualified")
    sent = {**inputs(as_ada.get(stage_url("qualified"))), "temperature": "warm", "name": "Wanted"}
    asked = as_ada.post(stage_url("qualified"), sent)
    assert asked.status_code == 200
    assert "3 open deals turn warm" in asked.content.decode()
    assert factories.stage("qualified").name == "Qualified"
    answer = as_ada.post(stage_url("qualified"), {**sent, "confirmed": "1"})
    assert answer.status_code == 302
    assert (factories.stage("qualified").name, factories.stage("qualified").temperature) == ("Wanted", "warm")
    assert Event.objects.filter(name=names.STAGE_REDEFINED).count() == 1


def test_a_change_that_touches_no_deal_is_saved_at_once(as_ada: Browser) -> None:
    sent = {**inputs(as_ada.get(stage_url("qualified"))), "temperature": "warm", "criteria": []}
    assert as_ada.post(stage_url("qualified"), sent).status_code == 302
    assert factories.stage("qualified").temperature == "warm"
    assert not factories.stage("qualified").criteria.exists()


def test_the_second_of_two_administrators_sees_both_values_and_chooses(as_ada: Browser) -> None:
    first = inputs(as_ada.get(stage_url("discovery")))
    as_ada.post(stage_url("discovery"), {**first, "probability": "45", "expected_days": "9"})
    answer = as_ada.post(stage_url("discovery"), {**first, "probability": "50", "name": "Exploration"})
    assert answer.status_code == 422
    assert "changed this to “45” in the meantime" in answer.content.decode()
    assert (factories.stage("discovery").probability, factories.stage("discovery").name) == (45, "Discovery")
    again = inputs(answer)
    assert again["probability"] == ["50"]
    assert as_ada.post(stage_url("discovery"), again).status_code == 302
    stage = factories.stage("discovery")
    assert (stage.probability, stage.name, stage.expected_days) == (50, "Exploration", 9)


def test_a_page_without_what_was_seen_still_saves(as_ada: Browser) -> None:
    sent = {name: value for name, value in inputs(as_ada.get(stage_url("discovery"))).items() if "seen" not in name}
    assert as_ada.post(stage_url("discovery"), {**sent, "probability": "41"}).status_code == 302
    assert factories.stage("discovery").probability == 41


def test_policies_are_saved(as_ada: Browser) -> None:
    path = reverse("pipelines:change", args=[factories.pipeline().pk])
    assert as_ada.post(path, {"name": "Sales", "skip_policy": "forbid", "back_policy": "allow"}).status_code == 302
    assert (factories.pipeline().skip_policy, factories.pipeline().back_policy) == ("forbid", "allow")


def test_a_stage_is_added_and_found_on_the_page(as_ada: Browser) -> None:
    path = reverse("pipelines:stage_add", args=[factories.pipeline().pk])
    values = {"name": "Legal check", "kind": "open", "temperature": "hot", "probability": "70"}
    answer = as_ada.post(path, values, follow=True)
    assert "Legal check" in answer.content.decode()
    assert as_ada.post(path, values).status_code == 422


def test_dragging_answers_with_the_new_list(as_ada: Browser) -> None:
    pipeline = factories.pipeline()
    seen = [str(pk) for pk in pipeline.stages.order_by("position").values_list("pk", flat=True)]
    order = [seen[1], seen[0], *seen[2:]]
    sent = {"order": ",".join(order), "seen": ",".join(seen)}
    path = reverse("pipelines:order", args=[pipeline.pk])
    answer = as_ada.hx("post", path, sent)
    assert answer.content.decode().index("Qualified") < answer.content.decode().index("Prospect")  # type: ignore[attr-defined]
    late = as_ada.hx("post", path, {"order": ",".join(seen), "seen": ",".join(seen)})
    assert "Somebody changed the stages" in late.headers["HX-Trigger"]  # type: ignore[attr-defined]
    assert pipeline.stages.order_by("position").first().key == "qualified"  # type: ignore[union-attr]


@pytest.mark.parametrize("order", ["", "1,,2", "1;2", "a", "9" * 30, "٣"])
def test_a_made_up_order_is_refused(as_ada: Browser, order: str) -> None:
    path = reverse("pipelines:order", args=[factories.pipeline().pk])
    assert as_ada.hx("post", path, {"order": order, "seen": order}).status_code == 422  # type: ignore[attr-defined]


def test_arrows_work_with_and_without_script(as_ada: Browser) -> None:
    assert as_ada.post(stage_url("proposal", "stage_shift"), {"by": "-1"}).status_code == 302
    assert factories.stage("proposal").position == 2
    answer = as_ada.hx("post", stage_url("proposal", "stage_shift"), {"by": "1"})
    assert (answer.status_code, factories.stage("proposal").position) == (200, 3)  # type: ignore[attr-defined]
    assert "4 of 5" in answer.headers["HX-Trigger"]  # type: ignore[attr-defined]


def test_an_archived_stage_stays_where_it_is(as_ada: Browser) -> None:
    as_ada.post(stage_url("qualified", "stage_archive"), {"move_to": ""})
    answer = as_ada.hx("post", stage_url("qualified", "stage_shift"), {"by": "1"})
    assert "out of use" in answer.headers["HX-Trigger"]  # type: ignore[attr-defined]
    assert "Bring back" in as_ada.get(stage_url("qualified")).content.decode()


def test_archiving_asks_where_deals_go(as_ada: Browser) -> None:
    deal = factories.deal("qualified")
    asked = as_ada.post(stage_url("qualified", "stage_archive"), {"move_to": ""})
    assert asked.status_code == 422
    assert "Choose where it goes" in asked.content.decode()
    answer = as_ada.post(stage_url("qualified", "stage_archive"), {"move_to": factories.stage("prospect").pk})
    assert answer.status_code == 302
    deal.refresh_from_db()
    assert deal.stage.key == "prospect"
    back = as_ada.post(stage_url("qualified", "stage_restore"))
    assert (back.status_code, factories.stage("qualified").archived_at) == (302, None)


def test_too_many_deals_are_counted_and_linked(as_ada: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "MAX_MOVED_ALONG", 1)
    factories.deals(2, "qualified")
    page = as_ada.get(stage_url("qualified")).content.decode()
    assert "2 open deals are here; that is too many" in page
    assert f"{reverse('opportunities:list')}?{urlencode({'stage': factories.stage('qualified').pk})}" in page
    answer = as_ada.post(stage_url("qualified", "stage_archive"), {"move_to": factories.stage("discovery").pk})
    assert answer.status_code == 422
    assert Opportunity.objects.filter(stage__key="qualified").count() == 2


def test_a_pipeline_in_use_is_not_retired(as_ada: Browser) -> None:
    path = reverse("pipelines:activate", args=[factories.pipeline().pk])
    answer = as_ada.post(path, {"retire": "1"}, follow=True)
    assert "This is the only pipeline in use" in answer.content.decode()
    assert factories.pipeline().is_active
