import pytest
from msgspec.structs import replace

from occupancy.calendar import DayType
from occupancy.tariff_book import TariffBook, UnknownTariffError
from occupancy.tariff_file import OUR_TARIFFS, read_folder

OURS = {name: file.tariff for name, file in read_folder(OUR_TARIFFS).items()}
KANGLE = OURS["kangle"]


def test_a_book_gives_each_tariff_by_its_id() -> None:
    book = TariffBook(OURS.values(), {20_000: DayType.PUBLIC_HOLIDAY})
    assert [version.tariff for version in book.get_versions("kangle")] == [KANGLE]
    assert book.get_versions("kangle")[0].calendar.day_type(20_000) is DayType.PUBLIC_HOLIDAY


def test_a_tariff_that_breaks_rules_is_left_out_and_named_and_the_others_stay() -> None:
    broken = replace(KANGLE, tariff_id="broken", rates=())
    book = TariffBook([broken, KANGLE])
    assert [finding.rule for finding in book.refused["broken"]] == ["no_rate"]
    with pytest.raises(UnknownTariffError):
        book.get_versions("broken")
    assert book.get_versions("kangle")


def test_the_version_in_force_is_the_newest_that_has_begun_and_not_ended() -> None:
    start = KANGLE.valid_from
    old = replace(KANGLE, valid_to=start + 200)
    new = replace(KANGLE, version=2, valid_from=start + 100, valid_to=start + 300)
    book = TariffBook([new, old])
    versions = [book.find_current("kangle", start + minute) for minute in (-1, 99, 100, 299, 300)]
    assert [one and one.version for one in versions] == [None, 1, 2, 2, None]
    assert book.find_current("nowhere", start) is None
