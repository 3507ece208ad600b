"""Which column of a file of people or of bookings means what."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from integrations.imports.mapping import meanings_of
from integrations.imports.models import Kind

# Target and its name for people, in the order of the file that can be downloaded.
TARGETS: Mapping[str, Mapping[str, Promise]] = {
    Kind.PEOPLE: {
        "number": gettext_lazy("Number here"),
        "external_id": gettext_lazy("External id"),
        "name": gettext_lazy("Name"),
        "role": gettext_lazy("Role"),
        "weekly_hours": gettext_lazy("Hours a week"),
        "email": gettext_lazy("E-mail of the login"),
        "region": gettext_lazy("Region"),
        "calendar": gettext_lazy("Working calendar"),
        "joins_on": gettext_lazy("Joins on"),
        "leaves_on": gettext_lazy("Leaves on"),
        "skills": gettext_lazy("Skills"),
    },
    Kind.BOOKINGS: {
        "number": gettext_lazy("Number here"),
        "external_id": gettext_lazy("External id"),
        "person": gettext_lazy("Person"),
        "role": gettext_lazy("Role"),
        "deal": gettext_lazy("Deal"),
        "title": gettext_lazy("Own work"),
        "kind": gettext_lazy("Kind"),
        "hours_per_week": gettext_lazy("Hours a week"),
        "first_on": gettext_lazy("First day"),
        "last_on": gettext_lazy("Last day"),
        "note": gettext_lazy("Note"),
    },
}
DATES: Mapping[str, tuple[str, ...]] = {
    Kind.PEOPLE: ("joins_on", "leaves_on"),
    Kind.BOOKINGS: ("first_on", "last_on"),
}
# Headings that mean a target, letters and digits only.
MEANINGS: Mapping[str, dict[str, str]] = {
    Kind.PEOPLE: meanings_of("""
number numberhere oneteamid nummer
external_id externalid id personid employeeid employeenumber staffid personnelnumber personalnummer hrid workdayid
name name fullname person employee employeename staff displayname mitarbeiter mitarbeiterin consultant resource
role role jobtitle title position job function rolle funktion jobrole
weekly_hours hoursaweek hoursperweek weeklyhours hours hoursweek capacity contracthours wochenstunden stunden
weekly_hours stundenprowoche contractedhours
email emailofthelogin email login mail emailaddress workemail user username
region region country office location site land standort niederlassung
calendar workingcalendar calendar holidaycalendar kalender
joins_on joinson joined joindate startdate start hiredate hiredon startson from eintritt eintrittsdatum beginn
leaves_on leaveson leavedate enddate end terminationdate lastday until austritt austrittsdatum ende
skills skills skill competencies expertise kenntnisse faehigkeiten fähigkeiten
"""),
    Kind.BOOKINGS: meanings_of("""
number numberhere oneteamid nummer
external_id externalid id bookingid allocationid assignmentid buchungsnummer
person person name employee employeename email personemail resource consultant who mitarbeiter mitarbeiterin assignee
person employeeid personid wer
role role jobtitle function rolle funktion
deal deal dealname opportunity opportunityname dealid opportunityid project projectname projekt auftrag
title ownwork title whatfor activity task internal titel taetigkeit tätigkeit
kind kind type status bookingtype art
hours_per_week hoursaweek hoursperweek hours hoursweek weeklyhours allocation stunden wochenstunden stundenprowoche
first_on firstday from start startdate startson begins beginn von startdatum
last_on lastday until end enddate endson to ende bis enddatum
note note notes comment comments remark notiz bemerkung
"""),
}
# Rows are written one by one by the services; more are better sent in parts.
MOST_ROWS = 20_000
