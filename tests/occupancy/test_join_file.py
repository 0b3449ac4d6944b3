"""The files an engineer fills in: what is right is read, what is wrong is named."""

import shutil
from pathlib import Path

import pytest

from gateway.settings import BadSettingError
from occupancy.coordinates import to_gcj02
from occupancy.join_file import BadAnswersError, Driver, read_answers
from occupancy.joining import write_example
from occupancy.lot import OpeningHours, Place
from occupancy.lot_change import remarks_on_new
from occupancy.tariff_file import OUR_TARIFFS
from tests.builders import a_lot

BAYS = {Driver.MODBUS: 20, Driver.PUSH: 200, Driver.BAYS: 12}


@pytest.fixture(params=list(Driver))
def driver(request: pytest.FixtureRequest) -> Driver:
    chosen: Driver = request.param
    return chosen


def change(folder: Path, name: str, before: str, after: str) -> None:
    file = folder / name
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after), encoding="utf-8")


def test_each_example_is_whole_and_only_its_facts_are_to_be_filled_in(
    driver: Driver, tmp_path: Path
) -> None:
    write_example(driver, tmp_path)
    answers = read_answers(tmp_path / "lot.toml")
    assert (answers.driver, answers.lot.capacity) == (driver, BAYS[driver])
    assert "name" in answers.lot.placeholders
    assert remarks_on_new(answers.lot, [a_lot()]) == {}


def test_an_example_overwrites_nothing(tmp_path: Path) -> None:
    write_example(Driver.PUSH, tmp_path)
    with pytest.raises(BadSettingError, match="is there already"):
        write_example(Driver.PUSH, tmp_path)
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(BadSettingError, match="name a folder"):
        write_example(Driver.PUSH, blocked / "below")


def test_the_entrance_is_kept_as_wgs84_whatever_the_map_counts_in(tmp_path: Path) -> None:
    write_example(Driver.BAYS, tmp_path)
    place = read_answers(tmp_path / "lot.toml").lot.entrance
    shown = to_gcj02(place)
    assert (shown.latitude, shown.longitude) == pytest.approx((23.155, 112.896), abs=1e-6)
    change(tmp_path, "lot.toml", 'datum = "gcj02"', 'datum = "wgs84"')
    assert read_answers(tmp_path / "lot.toml").lot.entrance == Place(23.155, 112.896)


def test_hours_and_a_tariff_of_its_own_are_read(tmp_path: Path) -> None:
    write_example(Driver.BAYS, tmp_path)
    shutil.copy(OUR_TARIFFS / "sanda.toml", tmp_path / "tariff.toml")
    change(tmp_path, "lot.toml", 'opens = ""', 'opens = "06:30"')
    change(tmp_path, "lot.toml", 'closes = ""', 'closes = "22:00"')
    change(tmp_path, "lot.toml", 'same_as = "kangle"', 'file = "tariff.toml"')
    answers = read_answers(tmp_path / "lot.toml")
    assert answers.lot.opening_hours == OpeningHours(390, 1_320)
    assert answers.tariff is not None
    assert answers.lot.tariff_id == "sanda"


@pytest.mark.parametrize(
    ("name", "before", "after", "words"),
    [
        ("lot.toml", 'name = "新源路立体停车场"\n', "", r"lot.toml: .*`name` - at `\$.facts`"),
        ("lot.toml", 'datum = "gcj02"', 'datum = "beijing54"', r"lot.toml: .*beijing54.*map.datum"),
        ("lot.toml", "[map]", "[map", "lot.toml: "),
        ("lot.toml", 'same_as = "kangle"', "", "lot.toml: tariff: give either"),
        (
            "lot.toml",
            'same_as = "kangle"',
            'file = "no.toml"',
            "no.toml: No such file.*tariff.file",
        ),
        ("lot.toml", 'file = "devices.toml"', 'file = "no.toml"', "no.toml: No such file"),
        ("lot.toml", 'opens = ""', 'opens = "six"', "facts.opens.*six"),
        ("lot.toml", '"tariff_id"', '"colour"', "facts.unconfirmed: 'colour' is none of name"),
        ("devices.toml", 'lot_id = "xinyuan"', 'lot_id = "other"', "lot_id: is the file of other"),
        (
            "devices.toml",
            "bays_by_level = [6, 7, 7]",
            "",
            "devices.toml:.*xinyuan-g1.*bays_by_level",
        ),
        ("devices.toml", 'map = "nice_lp22"', 'map = "no"', "devices.toml:.*xinyuan-in.*map"),
    ],
)
def test_what_is_wrong_is_named_by_file_and_field(
    name: str, before: str, after: str, words: str, tmp_path: Path
) -> None:
    write_example(Driver.MODBUS, tmp_path)
    change(tmp_path, name, before, after)
    with pytest.raises(BadAnswersError, match=words):
        read_answers(tmp_path / "lot.toml")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadAnswersError, match="zhibo lot example"):
        read_answers(tmp_path / "lot.toml")
    write_example(Driver.BAYS, tmp_path)
    (tmp_path / "tariff.toml").write_text("tariff_id = 3")
    change(tmp_path, "lot.toml", 'same_as = "kangle"', 'file = "tariff.toml"')
    with pytest.raises(BadAnswersError, match=r"tariff\.toml"):
        read_answers(tmp_path / "lot.toml")
