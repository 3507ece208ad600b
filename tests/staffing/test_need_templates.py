"""Usual needs by service line: the settings page, and what organisations start with."""

from __future__ import annotations

import importlib
import json
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.urls import reverse

from accounts.models import Organisation, User
from staffing import defaults
from staffing.models import NeedTemplate, Skill, WorkRole
from tests import factories
from tests.cast import Browser
from tests.handoffs.reactions import MONDAY
from tests.staffing import staffed

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
PAGE = "staffing:templates"


@pytest.fixture
def as_ruth(ruth: User) -> Browser:
    return Browser(ruth)


def values(role: WorkRole, **given: Any) -> dict[str, Any]:
    return {"role": role.pk, "hours_per_week": "16", "offset_weeks": "1", "weeks": "5", "service_line": "", **given}


def test_an_empty_page_says_what_would_be_here(as_ruth: Browser) -> None:
    assert "No usual needs yet" in as_ruth.get(reverse(PAGE)).text


def test_a_usual_need_is_added_changed_archived_and_brought_back(as_ruth: Browser, architect: WorkRole) -> None:
    line = factories.service_line()
    added = as_ruth.post(reverse("staffing:add_template"), values(architect, service_line=line.pk), headers=HTMX)
    template = NeedTemplate.objects.get()
    assert (added.status_code, template.service_line, template.total_hours) == (204, line, Decimal(80))
    assert "16 h a week × 5 weeks" in as_ruth.get(reverse(PAGE)).text
    address = reverse("staffing:change_template", args=[template.pk])
    as_ruth.post(address, values(architect, service_line=line.pk, weeks="7", version="1"), headers=HTMX)
    assert "16 h a week × 7 weeks" in as_ruth.get(reverse(PAGE)).text
    archived = as_ruth.post(reverse("staffing:archive_template", args=[template.pk]), headers=HTMX)
    assert "No usual needs yet" in as_ruth.get(reverse(PAGE)).text
    undo = json.loads(archived.headers["HX-Trigger"])["toast"]["undo"]["url"]
    as_ruth.post(undo, headers=HTMX)
    assert "No usual needs yet" not in as_ruth.get(reverse(PAGE)).text


def test_a_collision_keeps_what_was_typed(as_ruth: Browser, architect: WorkRole) -> None:
    template = NeedTemplate.objects.create(role=architect, hours_per_week=8, weeks=4, version=2)
    address = reverse("staffing:change_template", args=[template.pk])
    response = as_ruth.post(address, values(architect, weeks="6", version="1"), headers=HTMX)
    assert response.status_code == 409
    assert "For how many weeks is now: 4" in response.text
    assert 'value="6"' in response.text
    template.refresh_from_db()
    assert template.weeks == 4


def test_nonsense_is_refused(as_ruth: Browser, architect: WorkRole) -> None:
    response = as_ruth.post(reverse("staffing:add_template"), values(architect, weeks="0"), headers=HTMX)
    assert (response.status_code, NeedTemplate.objects.count()) == (422, 0)


def test_the_same_queries_for_two_templates_and_for_forty(as_ruth: Browser, django_assert_max_num_queries: Any) -> None:
    for count in (2, 40):
        for number in range(count):
            role, line = staffed.role(f"Role {number}"), factories.service_line(f"Line {number}")
            NeedTemplate.objects.create(role=role, service_line=line, hours_per_week=8, weeks=4)
        with django_assert_max_num_queries(10):
            as_ruth.get(reverse(PAGE))


def test_a_new_organisation_starts_with_roles_skills_and_usual_needs_once(organisation: Organisation) -> None:
    for _time in range(2):
        defaults.create(organisation=organisation, now=MONDAY)
    counts = (WorkRole.objects.count(), Skill.objects.count(), NeedTemplate.objects.count())
    assert counts == (len(defaults.ROLES), len(defaults.SKILLS), len(defaults.TEMPLATES))


def test_what_an_organisation_made_itself_stays(organisation: Organisation, architect: WorkRole) -> None:
    defaults.create(organisation=organisation, now=MONDAY)
    assert list(WorkRole.objects.all()) == [architect]
    assert [template.role for template in NeedTemplate.objects.all()] == [architect]


def test_organisations_set_up_before_get_the_same(organisation: Organisation) -> None:
    migration = importlib.import_module("staffing.migrations.0003_lists_for_those_set_up_before")
    for _time in range(2):
        migration.give(apps, None)
    assert migration.ROLES == defaults.ROLES
    assert migration.SKILLS == defaults.SKILLS
    assert migration.TEMPLATES == defaults.TEMPLATES
    assert NeedTemplate.objects.count() == len(defaults.TEMPLATES)
