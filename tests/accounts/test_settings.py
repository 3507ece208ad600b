"""The organisation's own settings, and who may open them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import urls
from accounts.models import CalendarDay, CurrencyRate, Organisation, Region, ServiceLine, Team, User
from accounts.services import organisation as services
from tests.cast import Browser

NOW = timezone.now()
FOR_EVERYBODY = {"welcome", "profile", "appearance", "end_session"}
FOR_ADMINISTRATORS = [pattern for pattern in urls.urlpatterns if pattern.name not in FOR_EVERYBODY]


@pytest.mark.parametrize("pattern", FOR_ADMINISTRATORS, ids=lambda pattern: pattern.name)
@pytest.mark.parametrize("method", ["get", "post"])
def test_settings_are_for_administrators(pattern: object, method: str, as_sam: Browser) -> None:
    arguments = [1] if "pk" in str(pattern.pattern) else []  # type: ignore[attr-defined]
    path = reverse(f"accounts:{pattern.name}", args=arguments)  # type: ignore[attr-defined]
    assert getattr(as_sam, method)(path).status_code == 403
    signed_out = getattr(Client(), method)(path)
    assert (signed_out.status_code, signed_out["Location"]) == (302, f"/account/login/?next={path}")


def test_the_first_page_leads_to_every_other(as_ada: Browser) -> None:
    page = as_ada.get("/settings/").content.decode()
    for name in ("organisation", "calendar", "rates", "lines", "people", "teams"):
        assert f'href="{reverse(f"accounts:{name}")}"' in page


def organisation_data(**changes: object) -> dict[str, object]:
    """What the page sends for the organisation as it is."""
    return {
        "name": "Northwind Services", "base_currency": "EUR", "time_zone": "UTC", "surprise_pull_in_days": 14,
        "start_after_close_days": 14, "review_days": 5, "express_review_hours": 8, **changes,
    }  # fmt: skip


def test_changing_the_organisation(as_ada: Browser) -> None:
    data = organisation_data(name="Northwind", base_currency="usd", time_zone="Asia/Tokyo", surprise_pull_in_days=7)
    assert as_ada.post("/settings/organisation/", data).status_code == 302
    changed = Organisation.objects.get()
    assert (changed.name, changed.base_currency) == ("Northwind", "USD")
    assert (changed.time_zone, changed.surprise_pull_in_days) == ("Asia/Tokyo", 7)


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("base_currency", "EURO"), ("time_zone", "Nowhere"), ("surprise_pull_in_days", "-1"),
     ("start_after_close_days", "9" * 30)],
)  # fmt: skip
def test_a_bad_value_changes_nothing(as_ada: Browser, field: str, value: str) -> None:
    assert as_ada.post("/settings/organisation/", organisation_data(**{field: value})).status_code == 422
    assert getattr(Organisation.objects.get(), field) != value


def test_the_base_currency_stays_while_rates_are_written_in_it(as_ada: Browser) -> None:
    CurrencyRate.objects.create(currency="USD", on=dt.date(2026, 1, 1), rate=Decimal("0.9"))
    response = as_ada.post("/settings/organisation/", organisation_data(base_currency="USD"))
    assert "Delete them first" in response.content.decode()
    assert Organisation.objects.get().base_currency == "EUR"


def test_changing_the_calendar(as_ada: Browser) -> None:
    data = {"country": "DE", "subdivision": "BY", "weekdays": ["0", "1", "2", "3"]}
    assert as_ada.post("/settings/calendar/", data).status_code == 302
    calendar = Organisation.objects.get().calendar
    assert (calendar.country, calendar.subdivision, calendar.weekdays) == ("DE", "BY", [0, 1, 2, 3])
    assert "Epiphany" in as_ada.get("/settings/calendar/").content.decode()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [({"subdivision": "ZZ"}, "No public holidays are known"), ({"weekdays": []}, "at least one working day"),
     ({"country": "QQ"}, "not one of the available"), ({"weekdays": ["9"]}, "not one of the available")],
)  # fmt: skip
def test_a_calendar_that_makes_no_sense(as_ada: Browser, change: dict[str, object], sentence: str) -> None:
    response = as_ada.post("/settings/calendar/", {"country": "DE", "weekdays": ["0"], **change})
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert Organisation.objects.get().calendar.country == ""


def test_an_exception_replaces_the_one_of_its_day_and_can_be_removed(as_ada: Browser) -> None:
    for name, working in (("Bridge day", "no"), ("Inventory", "yes")):
        data = {"on": "2026-12-28", "name": name, "is_working": working}
        assert as_ada.post("/settings/calendar/days/add/", data).status_code == 302
    day = CalendarDay.objects.get()
    assert (day.name, day.is_working) == ("Inventory", True)
    assert as_ada.post(f"/settings/calendar/days/{day.pk}/remove/").status_code == 302
    assert not CalendarDay.objects.exists()


@pytest.mark.parametrize("on", ["2027-02-29", "9999-12-31", "0001-01-01", "soon", ""])
def test_an_exception_on_a_day_that_is_none(as_ada: Browser, on: str) -> None:
    response = as_ada.post("/settings/calendar/days/add/", {"on": on, "name": "Bridge day", "is_working": "no"})
    assert response.status_code == 422
    assert 'value="Bridge day"' in response.content.decode()
    assert not CalendarDay.objects.exists()


def test_a_rate_replaces_the_one_of_its_day(as_ada: Browser) -> None:
    for rate in ("0.91", "0.92"):
        as_ada.post("/settings/rates/", {"currency": "usd", "on": "2026-11-02", "rate": rate})
    assert CurrencyRate.objects.get().rate == Decimal("0.92")
    as_ada.post(f"/settings/rates/{CurrencyRate.objects.get().pk}/remove/")
    assert not CurrencyRate.objects.exists()


@pytest.mark.parametrize("rate", ["0", "-1", "NaN", "1e400", "Infinity", "1.234,56", ""])
def test_a_rate_that_is_none(as_ada: Browser, rate: str) -> None:
    response = as_ada.post("/settings/rates/", {"currency": "USD", "on": "2026-11-02", "rate": rate})
    assert response.status_code == 422
    assert not CurrencyRate.objects.exists()


def test_the_base_currency_needs_no_rate(ada: User) -> None:
    with pytest.raises(ValidationError, match="base currency"):
        services.add_rate(actor=ada, currency="EUR", on=dt.date(2026, 1, 1), rate=Decimal(2), now=NOW)


def test_service_lines_get_keys_of_their_own(ada: User) -> None:
    first = services.add_service_line(actor=ada, name="Cloud & Data", now=NOW)
    second = services.add_service_line(actor=ada, name="Cloud Data", now=NOW)
    third = services.add_service_line(actor=ada, name="日本", now=NOW)
    assert [first.key, second.key, third.key] == ["cloud-data", "cloud-data-2", "line"]
    assert [first.position, second.position, third.position] == [0, 1, 2]


def test_a_service_line_is_renamed_and_retired(as_ada: Browser, ada: User) -> None:
    line = services.add_service_line(actor=ada, name="Cloud", now=NOW)
    as_ada.post(f"/settings/lines/{line.pk}/", {"name": "Cloud services"})
    changed = ServiceLine.objects.get()
    assert (changed.name, changed.key, changed.is_active) == ("Cloud services", "cloud", False)


@pytest.mark.parametrize(("path", "prefix"), [("/settings/lines/add/", "line"), ("/settings/regions/add/", "region")])
def test_a_second_one_of_the_same_name_is_refused(as_ada: Browser, path: str, prefix: str) -> None:
    assert as_ada.post(path, {f"{prefix}-name": "Alps"}).status_code == 302
    response = as_ada.post(path, {f"{prefix}-name": "alps"})
    assert response.status_code == 422
    assert "of this name" in response.content.decode()


def test_a_region_in_use_stays(as_ada: Browser, alice: User) -> None:
    region = Region.objects.create(name="DACH")
    Team.objects.update(region=region)
    page = as_ada.post(f"/settings/regions/{region.pk}/remove/", follow=True).content.decode()
    assert "Teams or deals are in DACH" in page
    Team.objects.update(region=None)
    as_ada.post(f"/settings/regions/{region.pk}/remove/")
    assert not Region.objects.exists()


def test_only_an_administrator_changes_the_organisation(sam: User, organisation: Organisation) -> None:
    line = ServiceLine.objects.create(key="x", name="X")
    region = Region.objects.create(name="R")
    day = CalendarDay.objects.create(calendar=organisation.calendar, on=dt.date(2026, 1, 2), name="Bridge")
    rate = CurrencyRate.objects.create(currency="USD", on=dt.date(2026, 1, 1), rate=1)
    known = services.OrganisationDetails("N", "EUR", "UTC", 1, 1, 5, 8)
    calendar = organisation.calendar
    for attempt in (
        lambda: services.change_organisation(actor=sam, organisation=organisation, details=known, now=NOW),
        lambda: services.change_calendar(
            actor=sam, calendar=calendar, country="", subdivision="", weekdays=[0], now=NOW
        ),
        lambda: services.add_calendar_day(actor=sam, calendar=calendar, on=day.on, name="Y", is_working=True, now=NOW),
        lambda: services.remove_calendar_day(actor=sam, day=day, now=NOW),
        lambda: services.add_rate(actor=sam, currency="USD", on=rate.on, rate=Decimal(2), now=NOW),
        lambda: services.remove_rate(actor=sam, rate=rate, now=NOW),
        lambda: services.add_service_line(actor=sam, name="Y", now=NOW),
        lambda: services.change_service_line(actor=sam, service_line=line, name="Y", is_active=True, now=NOW),
        lambda: services.add_region(actor=sam, name="Y", now=NOW),
        lambda: services.change_region(actor=sam, region=region, name="Y", now=NOW),
        lambda: services.remove_region(actor=sam, region=region, now=NOW),
    ):
        with pytest.raises(PermissionDenied):
            attempt()
