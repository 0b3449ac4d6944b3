"""`zhibo report` writes what the page shows; a time without data is a report that says so."""

import re
from html import unescape
from pathlib import Path

import asyncpg
import msgspec
import pytest

from occupancy.database import seed_lots
from occupancy.lot_file import load_shipped
from occupancy.report.document import Missing, Report
from occupancy.report.figures import write_figure
from occupancy.report.folder import BadFolderError, write_folder
from occupancy.report.kept import Subject
from occupancy.report.making import maker
from occupancy.report.pdf import NoPdfError
from occupancy.report.press import CannotBeMadeError, Made
from occupancy.report.sections import charts_of, tables_of
from occupancy.rollup import Window
from tests.report_builder import OCTOBER, sample_report

MADE = Made(sample_report(), {"kangle": [Window("kangle", OCTOBER.start_ms, 15, 900_000)]})


def silent(_: str) -> None:
    """Nobody reads the names of the files."""


def write(folder: Path, made: Made) -> None:
    try:
        write_folder(folder, made, silent)
    except NoPdfError:
        pytest.skip("no Pango here")


def test_every_face_is_written_and_says_the_same(tmp_path: Path) -> None:
    write(tmp_path, MADE)
    report = msgspec.json.decode((tmp_path / "report.json").read_bytes(), type=Report)
    assert report == MADE.report
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    words = unescape(re.sub(r"<[^>]*>", " ", html))
    for kpi in report.kpis:
        assert write_figure(kpi.value, kpi.kind, kpi.decimals) in words
    for chart in charts_of(report):
        assert f'src="charts/{chart.name}.svg"' in html
        assert (tmp_path / "charts" / f"{chart.name}.svg").exists()
        assert (tmp_path / "charts" / f"{chart.name}.png").read_bytes().startswith(b"\x89PNG")
    for table in tables_of(report):
        assert (tmp_path / "tables" / f"{table.name}.csv").exists()
    for name in ("report.pdf", "report.xlsx", "report.csv", "quarters.csv"):
        assert (tmp_path / name).stat().st_size > 100


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    file = tmp_path / "taken"
    file.touch()
    with pytest.raises(BadFolderError, match="taken"):
        write_folder(file, MADE, silent)


async def test_a_time_without_data_is_a_report_that_says_so(connections: asyncpg.Pool) -> None:
    await seed_lots(connections, load_shipped())
    made = await maker(())(connections, Subject(OCTOBER), OCTOBER.end_ms, lambda _: None)
    assert len(made.report.sections) == 12
    missing = [
        b for section in made.report.sections for b in section.blocks if isinstance(b, Missing)
    ]
    assert missing
    assert set(made.raw) == {lot.lot_id for lot in load_shipped()}
    assert {len(windows) for windows in made.raw.values()} == {31 * 96}


async def test_a_car_park_that_is_not_there_is_named(connections: asyncpg.Pool) -> None:
    await seed_lots(connections, load_shipped())
    subject = Subject(OCTOBER, ("nowhere",))
    with pytest.raises(CannotBeMadeError, match="nowhere"):
        await maker(())(connections, subject, OCTOBER.end_ms, lambda _: None)
