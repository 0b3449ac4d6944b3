"""Against a real PostgreSQL: published versions never change, and files seed only once."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import asyncpg
import pytest
from msgspec.structs import replace

from occupancy import database, embedded
from occupancy.calendar import DayType, day_of
from occupancy.database_tariffs import (
    VersionExistsError,
    list_overrides,
    list_tariffs,
    override_day,
    publish_tariff,
    seed_tariffs,
)
from occupancy.tariff_check import BadTariffError
from occupancy.tariff_file import OUR_TARIFFS, read_folder

OURS = [file.tariff for file in read_folder(OUR_TARIFFS).values()]
KANGLE = next(tariff for tariff in OURS if tariff.tariff_id == "kangle")
NEXT = replace(KANGLE, version=2, valid_from=KANGLE.valid_from + 1440)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tariffs")


@pytest.fixture
async def connections(folder: Path) -> AsyncIterator[asyncpg.Pool]:
    server = await embedded.prepare_postgres(folder / "postgres", folder / "logs")
    async with embedded.running(server) as url:
        await database.migrate(url)
        async with database.pool(url) as pool:
            await pool.execute("ALTER TABLE tariff_version DISABLE TRIGGER USER")
            await pool.execute("TRUNCATE tariff_version, calendar_override")
            await pool.execute("ALTER TABLE tariff_version ENABLE TRIGGER USER")
            yield pool


async def test_files_seed_a_tariff_once_and_what_was_published_stays(
    connections: asyncpg.Pool,
) -> None:
    await seed_tariffs(connections, OURS)
    await publish_tariff(connections, NEXT, "approver")
    await seed_tariffs(connections, [replace(KANGLE, name="edited file"), *OURS])
    stored = await list_tariffs(connections)
    assert [one for one in stored if one.tariff_id == "kangle"] == [KANGLE, NEXT]
    assert len(stored) == len(OURS) + 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tariff_version SET version = 9",
        "DELETE FROM tariff_version",
        "TRUNCATE tariff_version",
    ],
)
async def test_a_published_version_cannot_be_changed(
    connections: asyncpg.Pool, statement: str
) -> None:
    await seed_tariffs(connections, [KANGLE])
    with pytest.raises(asyncpg.RaiseError, match="never changes"):
        await connections.execute(statement)
    assert await list_tariffs(connections) == [KANGLE]


async def test_a_version_is_published_once_and_only_if_it_is_sound_and_fits(
    connections: asyncpg.Pool,
) -> None:
    await publish_tariff(connections, KANGLE, "approver")
    with pytest.raises(VersionExistsError):
        await publish_tariff(connections, KANGLE, "approver")
    with pytest.raises(BadTariffError, match="no_rate"):
        await publish_tariff(connections, replace(NEXT, rates=()), "approver")
    with pytest.raises(BadTariffError, match="version_twice"):
        await publish_tariff(connections, replace(KANGLE, version=3), "approver")
    assert await list_tariffs(connections) == [KANGLE]


async def test_the_operators_calendar_keeps_the_last_word_on_a_date(
    connections: asyncpg.Pool,
) -> None:
    new_year = date(2027, 1, 1)
    for day_type in (DayType.WEEKEND, DayType.PUBLIC_HOLIDAY):
        await override_day(connections, new_year, day_type, reason="国办通知", changed_by="duty")
    assert await list_overrides(connections) == {day_of(new_year): DayType.PUBLIC_HOLIDAY}
