"""A finished month is published once, whole, checkable; a correction is another version."""

import csv
import datetime as dt
import gzip
import hashlib
import io
from typing import Any

import asyncpg
import duckdb
import pytest

from occupancy import database, database_open_history, open_month_files
from occupancy.database_rollup import prepare_months, read_windows
from occupancy.open_history_keeping import (
    LATE_NOTE,
    NoSuchMonthError,
    OpenHistoryKeeper,
    publish_month,
)
from occupancy.open_month import COLUMNS, QUARTER, line_of
from occupancy.report.period import month_of
from occupancy.rollup import Window
from tests.builders import MORNING_MS, a_lot
from tests.occupancy.web.faces import Served, served

OCTOBER = month_of(dt.date(2026, 10, 1))
NOVEMBER_MS = OCTOBER.end_ms + 7 * 3_600_000
LOTS = [a_lot(), a_lot(lot_id="sanda")]
LINES = len(LOTS) * 31 * 96
WINDOWS = """
INSERT INTO rollup_{minutes} (lot_id, start, told_ms, fresh_ms, suspect_ms, full_ms, occupied_ms,
                              free_ms, usable_ms, occupied_most, entries, exits, entries_late,
                              exits_late)
SELECT lot_id, start, ms, ms, 0, ms / 3, ms * 12, ms * 23, ms * 35, 13, number % 5, number % 3, 0, 0
FROM unnest($3::text[]) AS lot_id, CAST({minutes} * 60000 AS bigint) AS ms,
     generate_series($1::timestamptz, $2, interval '{minutes} minutes') WITH ORDINALITY
     AS one(start, number)
"""


async def two_days(connections: asyncpg.Pool) -> None:
    """Two days of two car parks, the rest of the month silent."""
    await database.seed_lots(connections, LOTS)
    start = dt.datetime.fromtimestamp(OCTOBER.start_ms / 1_000, tz=dt.UTC)
    end = start + dt.timedelta(days=2, seconds=-1)
    async with connections.acquire() as connection:
        for minutes in (15, 60):
            await prepare_months(connection, f"rollup_{minutes}", OCTOBER.start_ms, OCTOBER.end_ms)
            names = [one.lot_id for one in LOTS]
            await connection.execute(WINDOWS.format(minutes=minutes), start, end, names)


def read_csv(content: bytes) -> list[dict[str, str]]:
    text = gzip.decompress(content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


async def published(connections: asyncpg.Pool) -> list[dict[str, str]]:
    await publish_month(connections, OCTOBER, NOVEMBER_MS, "首次发布")
    return read_csv(await database_open_history.read_csv(connections, OCTOBER.first, 1))


async def test_every_quarter_of_every_car_park_is_there_as_the_rollups_say(
    connections: asyncpg.Pool,
) -> None:
    await two_days(connections)
    lines = await published(connections)
    assert len(lines) == LINES
    windows = await read_windows(connections, "kangle", OCTOBER.start_ms, OCTOBER.end_ms, QUARTER)
    kangle = [line for line in lines if line["lot_id"] == "kangle"]
    assert windows
    for line, window in zip(kangle, windows, strict=False):
        assert dt.datetime.fromisoformat(line["start"]).timestamp() * 1_000 == window.start_ms
        assert float(line["occupied"]) == pytest.approx(window.occupied, abs=5e-4)
        assert int(line["entries"]) == window.entries
    silent = kangle[2 * 96]
    assert (silent["completeness"], silent["stale_share"]) == ("0.0", "1.0")
    assert {silent[name] for name in ("occupied", "free", "entries", "full_minutes")} == {""}


async def test_parquet_says_what_the_csv_says(
    connections: asyncpg.Pool,
    tmp_path: Any,  # noqa: ANN401  # pytest's own
) -> None:
    await two_days(connections)
    lines = await published(connections)
    file = tmp_path / "month.parquet"
    file.write_bytes(await database_open_history.read_parquet(connections, OCTOBER.first, 1))
    names = [one.name for one in COLUMNS if one.name != "start"]
    with duckdb.connect() as engine:
        told = engine.execute(
            f"SELECT epoch_ms(start), {', '.join(names)} FROM '{file}'"  # noqa: S608  # ours
        ).fetchall()
        kinds = engine.execute(f"DESCRIBE SELECT * FROM '{file}'").fetchall()  # noqa: S608
    assert kinds[1][:2] == ("start", "TIMESTAMP WITH TIME ZONE")
    assert len(told) == len(lines)
    for row, line in zip(told, lines, strict=True):
        assert row[0] == dt.datetime.fromisoformat(line["start"]).timestamp() * 1_000
        assert [
            None if line[name] == "" else str(cell)
            for name, cell in zip(names, row[1:], strict=True)
        ] == [line[name] or None for name in names]


async def test_what_has_not_changed_is_not_published_again(connections: asyncpg.Pool) -> None:
    await two_days(connections)
    assert await publish_month(connections, OCTOBER, NOVEMBER_MS, "首次发布") == 1
    assert await publish_month(connections, OCTOBER, NOVEMBER_MS + 1, "again") is None


async def test_a_correction_is_another_version_and_the_first_one_stays(
    connections: asyncpg.Pool,
) -> None:
    await two_days(connections)
    before = await published(connections)
    await connections.execute(
        "UPDATE rollup_15 SET entries = entries + 1 WHERE lot_id = 'kangle' AND start = $1",
        dt.datetime.fromtimestamp(OCTOBER.start_ms / 1_000, tz=dt.UTC),
    )
    assert await publish_month(connections, OCTOBER, NOVEMBER_MS, "补登一辆") == 2
    assert read_csv(await database_open_history.read_csv(connections, OCTOBER.first, 1)) == before
    newest = await database_open_history.find_published(connections, OCTOBER.first, 0)
    assert newest is not None
    assert (newest.version, newest.note) == (2, "补登一辆")


@pytest.mark.parametrize("deed", ["UPDATE open_history SET note = ''", "DELETE FROM open_history"])
async def test_what_is_published_cannot_be_changed(connections: asyncpg.Pool, deed: str) -> None:
    await two_days(connections)
    await published(connections)
    with pytest.raises(asyncpg.RaiseError, match="never changes"):
        await connections.execute(deed)


async def test_a_month_that_is_not_over_or_was_never_observed_is_refused(
    connections: asyncpg.Pool,
) -> None:
    with pytest.raises(NoSuchMonthError, match="not over"):
        await publish_month(connections, OCTOBER, OCTOBER.end_ms - 1, "too soon")
    with pytest.raises(NoSuchMonthError, match="had been heard of"):
        await publish_month(connections, OCTOBER, NOVEMBER_MS, "nothing")


async def test_the_keeper_publishes_a_month_when_it_is_over_and_once(
    connections: asyncpg.Pool,
) -> None:
    await two_days(connections)
    now = [OCTOBER.end_ms]
    keeper = OpenHistoryKeeper(connections, lambda: now[0], "one")
    await keeper.look()
    assert await database_open_history.list_published(connections) == []
    now[0] = NOVEMBER_MS
    await connections.execute(
        "INSERT INTO rollup_due (lot_id, first_at, last_at) VALUES ('kangle', $1, $1)",
        dt.datetime.fromtimestamp(OCTOBER.start_ms / 1_000, tz=dt.UTC),
    )
    await keeper.look()
    assert await database_open_history.list_published(connections) == []
    await connections.execute("DELETE FROM rollup_due")
    for _ in range(3):
        await keeper.look()
    assert [one.version for one in await database_open_history.list_published(connections)] == [1]


async def test_what_comes_late_is_found_the_next_day(connections: asyncpg.Pool) -> None:
    await two_days(connections)
    now = [NOVEMBER_MS]
    keeper = OpenHistoryKeeper(connections, lambda: now[0], "one")
    await keeper.look()
    await connections.execute("UPDATE rollup_15 SET exits = exits + 1")
    await keeper.look()
    assert len(await database_open_history.list_published(connections)) == 1
    now[0] += 86_400_000
    await keeper.look()
    newest, first = await database_open_history.list_published(connections)
    assert (newest.version, newest.note, first.version) == (2, LATE_NOTE, 1)


async def test_without_the_part_for_it_a_month_has_csv_alone(
    connections: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await two_days(connections)
    monkeypatch.setattr(open_month_files, "PARQUET_WRITER", "nothing_of_this_name")
    await publish_month(connections, OCTOBER, NOVEMBER_MS, "首次发布")
    async with served(LOTS, connections=connections) as shown:
        (month,) = (await shown.get("/open/history/index.json"))["months"]
        assert [file["format"] for file in month["files"]] == ["csv.gz"]
        problem = await shown.get("/open/history/2026-10.parquet", 404)
        assert "CSV" in problem["detail"]


def test_counts_told_afterwards_stay_although_nobody_heard_at_the_time() -> None:
    late = line_of(Window("kangle", MORNING_MS, QUARTER, entries=3, entries_late=3))
    named = dict(zip((one.name for one in COLUMNS), late, strict=True))
    assert (named["entries"], named["entries_late"], named["occupied"]) == (3, 3, None)


async def ask(shown: Served, path: str, **headers: str) -> tuple[int, bytes, str]:
    async with shown.http.get(shown.url(path), headers=headers) as answer:
        return answer.status, await answer.read(), answer.headers.get("ETag", "")


async def test_files_are_had_by_month_and_version_with_their_checksum(
    connections: asyncpg.Pool,
) -> None:
    await two_days(connections)
    await published(connections)
    async with served(LOTS, connections=connections) as shown:
        (month,) = (await shown.get("/open/history/index.json"))["months"]
        assert (month["month"], month["version"], month["is_newest"]) == ("2026-10", 1, True)
        assert month["lines"] == LINES
        for file in month["files"]:
            status, body, tag = await ask(shown, file["address"])
            assert (status, len(body)) == (200, file["bytes"])
            assert hashlib.sha256(body).hexdigest() == file["sha256"]
            assert (await ask(shown, file["address"], **{"If-None-Match": tag}))[0] == 304
            plain = f"/open/history/2026-10.{file['format']}"
            assert (await ask(shown, plain))[1] == body
            words = (await ask(shown, f"{plain}.sha256"))[1].decode()
            assert words == f"{file['sha256']}  2026-10.{file['format']}\n"


@pytest.mark.parametrize(
    "name", ["2026-09.csv.gz", "2026-13.csv.gz", "2026-10.v2.csv.gz", "2026-10.xlsx", "moon"]
)
async def test_a_file_that_is_not_there_is_said_in_words(
    connections: asyncpg.Pool, name: str
) -> None:
    await two_days(connections)
    await published(connections)
    async with served(LOTS, connections=connections) as shown:
        problem = await shown.get(f"/open/history/{name}", 404)
        assert problem["field"] == "name"


async def test_while_postgresql_is_away_the_files_say_so() -> None:
    async with served() as shown:
        assert "away" in (await shown.get("/open/history/index.json", 503))["detail"]
        assert "away" in (await shown.get("/open/history/2026-10.csv.gz", 503))["detail"]
