"""The small files beside the deals: accounts, teams, products. Each is read whole, up to a limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO

from django.utils.translation import gettext as _

from integrations.imports.errors import BadRow, Unreadable
from integrations.imports.mapping import checked_header
from integrations.imports.reading import open_rows
from integrations.imports.values import COMMA, POINT, is_missing, key_of, parse_amount, says_decimal_mark

MOST_ROWS = 50_000
_LONGEST = 200
# Kind of file → what is taken from it, with headings that mean it. The first one must be there.
_FIELDS: Mapping[str, Mapping[str, str]] = {
    "accounts": {
        "name": "account accountname name company companyname client customer organisation organization",
        "industry": "sector industry branch",
        "country": "country officelocation location billingcountry headquarters",
        "parent": "subsidiaryof parent parentaccount parentcompany partof",
        "website": "website url web homepage",
        "external_id": "accountid id externalid companyid",
    },
    "teams": {
        "name": "salesagent name salesrep rep agent owner person user employee salesperson",
        "manager": "manager salesmanager teamlead lead boss reportsto",
        "region": "region regionaloffice office territory area",
        "email": "email mail emailaddress",
    },
    "products": {
        "name": "product productname name item",
        "price": "salesprice price listprice unitprice",
    },
}  # fmt: skip
KINDS = tuple(_FIELDS)
Companion = list[dict[str, str]]


def read_companion(kind: str, file: BinaryIO) -> Companion:
    """The rows of a companion file by our field names, values missing left out. Raises Unreadable."""
    fields = _FIELDS[kind]
    with open_rows(file) as rows:
        first = next(rows, None)
        header = checked_header(first.cells) if first else []
        places: dict[str, int] = {}
        for index, name in enumerate(header):
            word = key_of(name)
            target = next((target for target, words in fields.items() if word in words.split()), None)
            if target:
                places.setdefault(target, index)
        needed = next(iter(fields))
        if needed not in places:
            raise Unreadable(
                _("The file of %(kind)s needs a column with the name, such as “%(example)s”.")
                % {"kind": _NAMES()[kind], "example": fields[needed].split()[0]}
            )
        found: Companion = []
        for row in rows:
            values = {
                target: row.cells[index][:_LONGEST]
                for target, index in places.items()
                if index < len(row.cells) and not is_missing(row.cells[index])
            }
            if needed in values:
                found.append({name: value.replace("\0", "") for name, value in values.items()})
            if len(found) > MOST_ROWS:
                raise Unreadable(
                    _("The file of %(kind)s has more than %(most)d rows.") % {"kind": _NAMES()[kind], "most": MOST_ROWS}
                )
    return _priced(found) if kind == "products" else found


def _NAMES() -> dict[str, str]:  # noqa: N802 - a table that needs the reader's language
    return {"accounts": _("accounts"), "teams": _("teams"), "products": _("products")}


def _priced(rows: Companion) -> Companion:
    """List prices in the one form that Decimal reads; those that can't be read are left out."""
    commas = any(says_decimal_mark(row.get("price", "")) and row["price"].rpartition(",")[2].isdigit()
                 and len(row["price"].rpartition(",")[2]) <= 2 and "," in row["price"] for row in rows)  # fmt: skip
    for row in rows:
        if "price" in row:
            try:
                row["price"] = str(parse_amount(row["price"], COMMA if commas else POINT)[0])
            except BadRow:
                del row["price"]
    return rows
