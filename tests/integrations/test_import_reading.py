"""Files in every shape they come in; what can't be read is refused with a sentence."""

from __future__ import annotations

import codecs
import datetime as dt
import io
import struct
import zipfile

import openpyxl
import pytest

from integrations.imports.errors import Unreadable
from integrations.imports.mapping import checked_header, guess
from integrations.imports.reading import open_rows

TABLE = [["id", "Größe"], ["1", "Øst"], ["2", "é"]]
TEXT = "id,Größe\r\n1,Øst\r\n2,é\r\n"


def cells(content: bytes) -> list[list[str]]:
    with open_rows(io.BytesIO(content)) as rows:
        return [row.cells for row in rows]


def workbook(rows: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        TEXT.encode("cp1252"),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.encode("utf-32"),
        TEXT.replace(",", ";").encode(),
        TEXT.replace(",", "\t").encode(),
        TEXT.replace("\r\n", "\n").encode(),
        TEXT.replace("\r\n", "\r").encode(),
        ("sep=;\r\n" + TEXT.replace(",", ";")).encode(),
        ("\r\n" + TEXT + "\r\n,\r\n").encode(),
    ],
    ids=[
        "utf-8", "bom", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "semicolon", "tab", "lf", "cr", "sep",
        "blank lines",
    ],
)  # fmt: skip
def test_csv_is_read_in_the_usual_encodings_and_dialects(content: bytes) -> None:
    assert cells(content) == TABLE


def test_decimal_commas_do_not_pass_for_delimiters() -> None:
    assert cells(b"id;amount\n1;1.234,56\n2;7,00\n") == [["id", "amount"], ["1", "1.234,56"], ["2", "7,00"]]


def test_lines_are_counted_through_line_breaks_in_cells() -> None:
    with open_rows(io.BytesIO(b'id,note\n1,"a\nb"\n2,c\n')) as rows:
        assert [row.line for row in rows] == [1, 2, 4]


def test_a_workbook_gives_what_people_see() -> None:
    content = workbook(
        [["id", "on", "amount", "odd"], ["1", dt.date(2026, 10, 20), 1054.5, None], ["2", None, 12, True]]
    )
    assert cells(content) == [["id", "on", "amount", "odd"], ["1", "2026-10-20", "1054.5", ""], ["2", "", "12", "True"]]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
        (b"<!DOCTYPE html><table><tr><td>id", "web page"),
        (b"  <?xml version='1.0'?><Workbook/>", "web page or XML"),
        (b"<svg onload='alert(1)'>", "web page"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600, "before 2007"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + "EncryptedPackage".encode("utf-16-le"), "password"),
        (b"PK\x03\x04 cut off", "cut off"),
        (bytes(range(256)) * 8, "text file"),
        (b"id,name\n\x81\x8d\x8f\x90,\xff\xfe\n\x00", "text file"),
        (("id,a\n1," + "x" * 200_000 + "\n").encode(), "131072"),
    ],
    ids=["empty", "blank", "pdf", "png", "html", "xml", "svg", "xls", "encrypted", "cut", "bytes", "nul", "long cell"],
)  # fmt: skip
def test_what_is_no_table_is_refused_with_a_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(Unreadable, match=sentence):
        cells(content)


def test_an_unbalanced_quotation_mark_is_named() -> None:
    with pytest.raises(Unreadable, match=r"line 2 .*quotation mark"):
        cells(b'id,note\n1,"never closed\n' + b"2,more text of other rows\n" * 9_000)


def _archive(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def _changed(content: bytes, part: str, new: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    return _archive(**{**files, part: new})


def test_a_zip_of_something_else_is_named() -> None:
    with pytest.raises(Unreadable, match="ZIP"):
        cells(_archive(**{"deals.csv": b"id"}))


def test_a_workbook_that_unpacks_to_far_more_is_refused_unopened() -> None:
    bomb = _changed(workbook([["id"], ["1"]]), "xl/worksheets/sheet1.xml", b" " * 60 * 1024 * 1024)
    assert len(bomb) < 100_000
    with pytest.raises(Unreadable, match="unpacks"):
        cells(bomb)


def test_billion_laughs_are_refused() -> None:
    laughs = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    sheet = laughs + (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1">'
        b'<c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row></sheetData></worksheet>'
    )
    with pytest.raises(Unreadable, match="entities"):
        cells(_changed(workbook([["id"], ["1"]]), "xl/worksheets/sheet1.xml", sheet))


def test_an_encrypted_part_is_refused() -> None:
    content = bytearray(workbook([["id"], ["1"]]))
    # The first bit of the flags of the first entry of the directory says: encrypted.
    at = content.index(b"PK\x01\x02") + 8
    content[at : at + 2] = struct.pack("<H", 1)
    with pytest.raises(Unreadable, match="password"):
        cells(bytes(content))


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.95])
def test_a_workbook_that_is_cut_off_is_refused(keep: float) -> None:
    content = workbook([["id", "name"], *[[str(n), "x" * 20] for n in range(500)]])
    with pytest.raises(Unreadable):
        cells(content[: int(len(content) * keep)])


def test_doubled_headings_are_refused_by_name() -> None:
    with pytest.raises(Unreadable, match="Amount"):
        checked_header(["id", "amount", "Amount"])


def test_headings_of_the_usual_crms_are_recognised() -> None:
    assert guess(["opportunity_id", "sales_agent", "deal_stage", "engage_date", "close_value", "Colour"]) == {
        "opportunity_id": "external_id",
        "sales_agent": "owner",
        "deal_stage": "stage",
        "engage_date": "created_on",
        "close_value": "amount",
    }
    assert guess(["Record ID", "Deal Name", "Deal owner", "Close Date", "Associated Company"]) == {
        "Record ID": "external_id",
        "Deal Name": "name",
        "Deal owner": "owner",
        "Close Date": "close_date",
        "Associated Company": "account",
    }
