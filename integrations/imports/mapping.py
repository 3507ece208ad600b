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
# Target, its name for people, and headings that mean it (letters and digits only).
_TARGETS: tuple[tuple[str, Promise, str], ...] = (
    ("external_id", gettext_lazy("Deal id"),
     "opportunityid dealid recordid id externalid crmid opportunitynumber dealnumber opportunity18digitid oppid recid"),
    ("name", gettext_lazy("Deal name"), "name dealname opportunityname opportunity deal title subject topic bezeichnung"),
    ("account", gettext_lazy("Account"),
     "account accountname company companyname client customer organisation organization firma kunde associatedcompany"),
    ("account_id", gettext_lazy("Account id"), "accountid companyid clientid customerid organisationid organizationid"),
    ("stage", gettext_lazy("Stage"), "stage dealstage stagename status salesstage phase pipelinestage stageid"),
    ("owner", gettext_lazy("Sales owner"),
     "owner salesagent salesrep dealowner opportunityowner ownername owneremail rep agent salesperson accountexecutive "
     "assignedto verkaeufer"),
    ("delivery_owner", gettext_lazy("Delivery owner"), "deliveryowner deliverymanager deliverylead projectmanager pm"),
    ("created_on", gettext_lazy("Opened on"),
     "engagedate createdate created createdat createdon createddate creationdate opened openedon opendate datecreated "
     "startedon addtime dealcreated"),
    ("stage_on", gettext_lazy("In this stage since"),
     "stagedate stagechangedate laststagechangedate stagesince enteredstage stagechangedon stageentered"),
    ("close_date", gettext_lazy("Close date"),
     "closedate closedon closingdate expectedclosedate expectedclose wonon closed closedate1 estimatedclosedate "
     "actualclosedate"),
    ("amount", gettext_lazy("Amount"),
     "amount closevalue value dealvalue dealamount revenue expectedrevenue total price estimatedvalue acv tcv betrag wert"),
    ("currency", gettext_lazy("Currency"), "currency currencycode currencyisocode dealcurrency waehrung"),
    ("product", gettext_lazy("Product"), "product productname products offering item produkt"),
    ("service_line", gettext_lazy("Service line"), "serviceline service practice businessunit lineofbusiness lob"),
    ("region", gettext_lazy("Region"), "region territory area"),
    ("probability", gettext_lazy("Probability"), "probability dealprobability winprobability probabilitypercent likelihood"),
    ("forecast_category", gettext_lazy("Forecast category"), "forecastcategory forecast forecastcategoryname"),
    ("next_step", gettext_lazy("Next step"), "nextstep nextaction nextactivity"),
    ("next_step_on", gettext_lazy("Next step on"), "nextstepdate nextstepon nextactiondate nextactivitydate"),
    ("start_on", gettext_lazy("Expected start"), "startdate starton projectstart expectedstart deliverystart"),
    ("description", gettext_lazy("What it is about"), "description notes details comment comments beschreibung"),
    ("loss_reason", gettext_lazy("Loss reason"), "lossreason lostreason closedlostreason reasonlost reasonforloss"),
    ("loss_note", gettext_lazy("What happened"), "lossnote lossnotes lostnote lossdetails"),
)  # fmt: skip
TARGETS: Mapping[str, Promise] = {target: label for target, label, _headings in _TARGETS}
DATES = ("created_on", "stage_on", "close_date", "next_step_on", "start_on")
_GUESSES = {heading: target for target, _label, headings in _TARGETS for heading in headings.split()}


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
    for index, name in enumerate(header):
        name = "".join(char for char in name[:120] if char.isprintable())
        header[index] = name or _("Column %(number)d") % {"number": index + 1}
        key = header[index].casefold()
        if key in seen:
            raise Unreadable(
                _("The heading “%(name)s” is there twice, so it is not clear which column is meant. Rename one of them.")
                % {"name": header[index]}
            )
        seen[key] = header[index]
    return header


def signature_of(header: Iterable[str]) -> str:
    """The same for the same headings in any order."""
    return hashlib.sha256("\n".join(sorted(name.casefold() for name in header)).encode()).hexdigest()


def guess(header: Sequence[str]) -> dict[str, str]:
    """Target for each heading that says itself what it is; each target once, the first column wins."""
    found: dict[str, str] = {}
    for name in header:
        target = _GUESSES.get(key_of(name))
        if target and target not in found.values():
            found[name] = target
    return found


def columns_of(header: Sequence[str], chosen: Mapping[str, str]) -> dict[str, int]:
    """Target to the place of its column."""
    return {chosen[name]: index for index, name in enumerate(header) if chosen.get(name)}
