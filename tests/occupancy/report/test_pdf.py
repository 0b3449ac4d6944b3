"""The PDF says what report.json says, whoever reads it: with eyes, with ears, by program."""

import io
import os
import re
import shutil
import subprocess
from typing import Any

import msgspec
import pytest
from pypdf import PdfReader

from occupancy.report.document import Report
from occupancy.report.figures import write_cell, write_figure
from occupancy.report.pdf import NoPdfError, load, pdf
from occupancy.report.sections import tables_of
from tests.report_builder import sample_report


@pytest.fixture(scope="module")
def made() -> bytes:
    try:
        load()
    except NoPdfError as trouble:
        if os.environ.get("CI"):  # noqa: TID251  # CI must have it
            pytest.fail(f"CI must install Pango: see .ci/run ({trouble})")
        pytest.skip(str(trouble))
    return pdf(sample_report())


@pytest.fixture(scope="module")
def reader(made: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(made))


def plain(thing: Any) -> Any:  # noqa: ANN401 -- a PDF is a tree of anything
    return thing


def bare(text: str) -> str:
    return re.sub(r"\s+", "", text)


def test_every_figure_of_the_document_is_in_the_text(reader: PdfReader) -> None:
    text = bare("".join(page.extract_text() for page in reader.pages))
    report = msgspec.json.decode(msgspec.json.encode(sample_report()), type=Report)
    for kpi in report.kpis:
        assert bare(kpi.name) in text
        assert bare(write_figure(kpi.value, kpi.kind, kpi.decimals)) in text
    for table in tables_of(report):
        for row in table.rows:
            told = "".join(
                write_cell(cell, column) for cell, column in zip(row, table.columns, strict=True)
            )
            assert bare(told) in text
    for section in report.sections:
        assert bare(f"{section.number}{section.title}") in text
    assert bare(report.headline.replace("**", "")) in text


def test_every_font_is_embedded_as_a_subset_and_nothing_is_type_3(reader: PdfReader) -> None:
    fonts = [
        font.get_object()
        for page in reader.pages
        for font in plain(page)["/Resources"]["/Font"].values()
    ]
    assert fonts
    names = set()
    for font in fonts:
        assert font["/Subtype"] == "/Type0"
        descendant = font["/DescendantFonts"][0].get_object()
        described = descendant["/FontDescriptor"].get_object()
        assert any(f"/FontFile{kind}" in described for kind in ("", "2", "3"))
        assert re.match(r"/[A-Z]{6}\+", font["/BaseFont"])
        assert "/ToUnicode" in font
        names.add(font["/BaseFont"].partition("+")[2])
    assert names
    assert all("Noto" in name for name in names)


def test_it_is_tagged_in_chinese_with_bookmarks_and_alternatives(reader: PdfReader) -> None:
    root = plain(reader.trailer)["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "zh-CN"
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()
    title, sections, *_ = plain(reader.outline)
    assert title["/Title"] == sample_report().title
    assert len(sections) >= 12
    assert reader.metadata is not None
    assert "2026 年 10 月" in (reader.metadata.title or "")


def test_the_same_report_is_the_same_file(made: bytes) -> None:
    assert pdf(sample_report()) == made


def test_other_readers_find_the_words(made: bytes) -> None:
    if shutil.which("pdftotext") is None:
        if os.environ.get("CI"):  # noqa: TID251  # CI must have it
            pytest.fail("CI must install poppler-utils: see .ci/run")
        pytest.skip("no pdftotext here: apt-get install poppler-utils")
    read = subprocess.run(  # ours
        ["pdftotext", "-", "-"],  # noqa: S607
        input=made,
        capture_output=True,
        check=True,
    )
    text = bare(read.stdout.decode())
    assert "结论与建议" in text
    assert bare("日均约 212 辆车到场无位") in text
