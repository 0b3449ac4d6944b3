import datetime as dt
from pathlib import Path

import pytest

from routing.series_file import BadSeriesError, read_series
from tests.routing.series import HEADER

MOMENT = dt.datetime(2016, 10, 14, 7, 59, 42, tzinfo=dt.UTC).replace(tzinfo=None)


def file_of(tmp_path: Path, *lines: str, header: str = HEADER) -> Path:
    path = tmp_path / "series.csv"
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "written",
    [
        "2016-10-14 07:59:42",
        "2016-10-14T07:59:42",
        "2016-10-14T07:59:42Z",
        "2016-10-14T07:59:42+08:00",
        "2016/10/14 7:59:42",
        "14/10/2016 07:59:42",
        "14.10.2016 7:59:42",
        "10/14/2016 07:59:42",
        "1476431982",
    ],
)
def test_times_are_read_as_people_write_them(tmp_path: Path, written: str) -> None:
    (one,) = read_series(file_of(tmp_path, f"a,10,5,{written}")).sightings
    assert one.at == MOMENT


def test_one_row_tells_day_from_month_for_the_whole_file(tmp_path: Path) -> None:
    path = file_of(tmp_path, "a,10,5,04/10/2016 08:00", "a,10,5,14/10/2016 08:00")
    assert [one.at.month for one in read_series(path).sightings] == [10, 10]


def test_columns_are_found_by_name_in_any_order(tmp_path: Path) -> None:
    header = "id,LastUpdated,Occupancy,SystemCodeNumber,Capacity"
    path = file_of(tmp_path, "9,2016-10-14 07:59:42,5,a,10", header=header)
    assert read_series(path).sightings == [("a", 10.0, 5.0, MOMENT)]


def test_what_is_odd_is_counted_and_kept(tmp_path: Path) -> None:
    path = file_of(
        tmp_path,
        "a,10,5,2016-10-14 08:00:00",
        "a,10,5,2016-10-14 08:00:00",
        "",
        "a,10,-3,2016-10-14 08:30:00",
        "a,10,12,2016-10-14 09:00:00",
    )
    series = read_series(path)
    assert len(series.sightings) == 4
    assert series.oddities == {"rows": 4, "duplicates": 1, "negative": 1, "over_capacity": 1}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a,10,5", "fewer columns"),
        (",10,5,2016-10-14 08:00", "SystemCodeNumber is empty"),
        ("a,ten,5,2016-10-14 08:00", "Capacity='ten' is not a number"),
        ("a,nan,5,2016-10-14 08:00", "Capacity='nan' is not a number"),
        ("a,0,5,2016-10-14 08:00", "Capacity='0' must be above 0"),
        ("a,10,,2016-10-14 08:00", "Occupancy='' is not a number"),
        ("a,10,5,yesterday", "LastUpdated='yesterday' is not a time"),
        ("a,10,5,31/02/2016 08:00", "is not a time"),
        ("a,10,5,04/10/2016 08:00", "no row of the file tells day from month"),
    ],
)
def test_what_cannot_be_read_is_named_with_file_and_line(
    tmp_path: Path, line: str, words: str
) -> None:
    path = file_of(tmp_path, "a,10,5,2016-10-14 08:00:00", line)
    with pytest.raises(BadSeriesError) as refusal:
        read_series(path)
    assert f"{path}:3: " in str(refusal.value)
    assert words in str(refusal.value)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSeriesError, match=r"series\.csv:1: no column Occupancy, LastUpdated"):
        read_series(file_of(tmp_path, "a,1", header="SystemCodeNumber,Capacity"))


def test_a_file_without_rows_a_folder_and_a_picture_are_refused(tmp_path: Path) -> None:
    picture = tmp_path / "picture.csv"
    picture.write_bytes(b"\x89PNG\xff\xfe\x00")
    for path in (file_of(tmp_path), tmp_path, tmp_path / "nowhere.csv", picture):
        with pytest.raises(BadSeriesError, match=path.name):
            read_series(path)
