"""Which column means what: a sensible guess from its heading, and what may be chosen instead."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrations.imports.errors import Unreadable
from integrations.imports.values import key_of

MOST_COLUMNS = 500
# Target and its name for people.
TARGETS: Mapping[str, Promise] = {
    "external_id": gettext_lazy("Deal id"),
    "name": gettext_lazy("Deal name"),
    "account": gettext_lazy("Account"),
    "account_id": gettext_lazy("Account id"),
    "stage": gettext_lazy("Stage"),
    "owner": gettext_lazy("Sales owner"),
    "delivery_owner": gettext_lazy("Delivery owner"),
    "created_on": gettext_lazy("Opened on"),
    "stage_on": gettext_lazy("In this stage since"),
    "close_date": gettext_lazy("Close date"),
    "amount": gettext_lazy("Amount"),
    "currency": gettext_lazy("Currency"),
    "product": gettext_lazy("Product"),
    "service_line": gettext_lazy("Service line"),
    "region": gettext_lazy("Region"),
    "probability": gettext_lazy("Probability"),
    "forecast_category": gettext_lazy("Forecast category"),
    "next_step": gettext_lazy("Next step"),
    "next_step_on": gettext_lazy("Next step on"),
    "start_on": gettext_lazy("Expected start"),
    "description": gettext_lazy("What it is about"),
    "loss_reason": gettext_lazy("Loss reason"),
    "loss_note": gettext_lazy("What happened"),
}
# Headings that mean a target, letters and digits only.
_HEADINGS = """
external_id opportunityid dealid recordid id externalid crmid opportunitynumber dealnumber opportunity18digitid oppid
name name dealname opportunityname opportunity deal title subject topic bezeichnung
account account accountname company companyname client customer organisation organization firma kunde associatedcompany
account_id accountid companyid clientid customerid organisationid organizationid
stage stage dealstage stagename status salesstage phase pipelinestage stageid
owner owner salesagent salesrep dealowner opportunityowner ownername owneremail rep agent salesperson accountexecutive
owner assignedto verkaeufer
delivery_owner deliveryowner deliverymanager deliverylead projectmanager pm
created_on engagedate createdate created createdat createdon createddate creationdate opened openedon opendate
created_on datecreated startedon addtime dealcreated
stage_on stagedate stagechangedate laststagechangedate stagesince enteredstage stagechangedon stageentered
close_date closedate closedon closingdate expectedclosedate expectedclose wonon closed estimatedclosedate
close_date actualclosedate
amount amount closevalue value dealvalue dealamount revenue expectedrevenue total price estimatedvalue acv tcv
amount betrag wert
currency currency currencycode currencyisocode dealcurrency waehrung
product product productname products offering item produkt
service_line serviceline service practice businessunit lineofbusiness lob
region region territory area
probability probability dealprobability winprobability probabilitypercent likelihood
forecast_category forecastcategory forecast forecastcategoryname
next_step nextstep nextaction nextactivity
next_step_on nextstepdate nextstepon nextactiondate nextactivitydate
start_on startdate starton projectstart expectedstart deliverystart
description description notes details comment comments beschreibung
loss_reason lossreason lostreason closedlostreason reasonlost reasonforloss
loss_note lossnote lossnotes lostnote lossdetails
"""
DATES = ("created_on", "stage_on", "close_date", "next_step_on", "start_on")


def meanings_of(headings: str) -> dict[str, str]:
    """Heading to target, from lines that begin with the target."""
    lines = (line.split() for line in headings.strip().splitlines())
    return {heading: target for target, *words in lines for heading in words}


_GUESSES = meanings_of(_HEADINGS)


def checked_header(cells: Sequence[str]) -> list[str]:
    """The headings, those of unnamed columns filled in. Raises Unreadable for doubled ones."""
    header = list(cells)
    while header and not header[-1]:
        header.pop()
    if len(header) > MOST_COLUMNS:
        raise Unreadable(
            _("The file has more than %(most)d columns. Export the ones that are needed.") % {"most": MOST_COLUMNS}
        )
    seen: dict[str, str] = {}
    for index, cell in enumerate(cells[: len(header)]):
        name = "".join(char for char in cell[:120] if char.isprintable())
        header[index] = name or _("Column %(number)d") % {"number": index + 1}
        key = header[index].casefold()
        if key in seen:
            raise Unreadable(
                _("The heading “%(name)s” is there twice, and it is not clear which column is meant. Rename one.")
                % {"name": header[index]}
            )
        seen[key] = header[index]
    return header


def signature_of(header: Iterable[str], kind: str = "") -> str:
    """The same for the same headings in any order; ``kind`` keeps files apart that are not of deals."""
    if kind:
        header = [f"of {kind}\n", *header]
    return hashlib.sha256("\n".join(sorted(name.casefold() for name in header)).encode()).hexdigest()


def guess(header: Sequence[str], meanings: Mapping[str, str] = _GUESSES) -> dict[str, str]:
    """Target for each heading that says itself what it is; each target once, the first column wins."""
    found: dict[str, str] = {}
    for name in header:
        target = meanings.get(key_of(name))
        if target and target not in found.values():
            found[name] = target
    return found


def columns_of(header: Sequence[str], chosen: Mapping[str, str]) -> dict[str, int]:
    """Target to the place of its column."""
    return {chosen[name]: index for index, name in enumerate(header) if chosen.get(name)}
