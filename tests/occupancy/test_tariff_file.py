"""The tariffs we ship: each worked example comes out, and placeholders say so."""

import tomllib
from pathlib import Path

import pytest

from occupancy.calendar import Calendar
from occupancy.tariff_entry import price_versions
from occupancy.tariff_file import GALLERY, OUR_TARIFFS, read_folder
from occupancy.tariff_quote import quote
from occupancy.tariff_toml import Example, TariffFile

OURS = read_folder(OUR_TARIFFS)
SHOWN = read_folder(GALLERY)
FILES = OURS | SHOWN
EXAMPLES = [
    pytest.param(file, example, id=f"{name}-{number}")
    for name, file in FILES.items()
    for number, example in enumerate(file.examples)
]


@pytest.mark.parametrize(("file", "example"), EXAMPLES)
def test_a_worked_example_comes_out(file: TariffFile, example: Example) -> None:
    priced = price_versions([file.tariff], Calendar())
    answer = quote(priced, example.stay())
    assert answer.total_fen == example.fee_fen, example.why
    assert sum(line.amount_fen for line in answer.lines) == example.fee_fen


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_named_after_its_tariff_has_examples_and_a_source(name: str) -> None:
    file = FILES[name]
    assert file.tariff.tariff_id == name
    assert file.examples
    assert file.tariff.source


def test_every_lot_has_its_tariff_and_all_of_it_is_marked_unconfirmed() -> None:
    lots = tomllib.loads((Path(OUR_TARIFFS).parent / "lots.toml").read_text("utf-8"))["lot"]
    assert {lot["tariff_id"] for lot in lots} == set(OURS)
    for file in OURS.values():
        assert {"rates", "complaints", "valid_from"} <= set(file.tariff.placeholders)
        assert "待核实" in file.tariff.source


def test_the_gallery_holds_at_least_ten_tariffs() -> None:
    assert len(SHOWN) >= 10
