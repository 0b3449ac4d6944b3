import asyncio
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from occupancy import alarm_board, database, embedded
from occupancy.alarm import Alarm, AlarmKind, Key, Severity
from occupancy.alarm_board import AlarmSheet
from occupancy.database import NewerDatabaseError, Pool
from occupancy.doctor import check_alarms, check_postgres, check_redis, check_servers
from occupancy.first_start import prepare
from occupancy.lot_file import BadLotFileError, load_shipped, parse_lots

A_LOT = """
[[lot]]
lot_id = "here"
name = "n"
short_name = "n"
address = "a"
hotline = "1"
entrance = { latitude = 23.0, longitude = 112.0 }
capacity = 12
tariff_id = "here"
thresholds = { almost_full_free = 3, full_free = 1 }
limits = { length_metres = 5.2, width_metres = 2.0, height_metres = 2.0, weight_tonnes = 2.2 }
groups = { count = 2, bays_by_level = [3, 3] }
"""


async def test_a_first_start_brings_the_five_lots(postgres_url: str, connections: Pool) -> None:
    assert await prepare(postgres_url) == 0  # the template has had every migration
    lots = await database.list_lots(connections)
    assert sum(lot.capacity for lot in lots) == 889
    assert {lot.lot_id for lot in lots} == {lot.lot_id for lot in load_shipped()}


async def test_a_database_of_a_newer_version_is_refused(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("INSERT INTO schema_version (number, name) VALUES (9999, 'future')")
    await connection.close()
    with pytest.raises(NewerDatabaseError, match="9999"):
        await database.migrate(postgres_url)


async def test_two_that_migrate_at_once_do_it_once(server_urls: tuple[str, str]) -> None:
    admin = await asyncpg.connect(server_urls[0].replace("/zhibo?", "/postgres?"))
    await admin.execute("CREATE DATABASE twice")
    url = server_urls[0].replace("/zhibo?", "/twice?")
    try:
        steps = await asyncio.gather(database.migrate(url), database.migrate(url))
    finally:
        await admin.execute("DROP DATABASE twice WITH (FORCE)")
        await admin.close()
    assert sorted(steps) == [0, len(database.migrations())]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("capacity = 12", "capacity = 13"), "here: the groups have 12 bays, capacity says 13"),
        (('address = "a"\n', ""), "here: .*address"),
        (("capacity = 12", 'capacity = "many"'), "here: .*int.*capacity"),
        (("groups = { count = 2, bays_by_level = [3, 3] }", ""), "here lacks 'groups'"),
        (("[[lot]]", "[[lot"), "lots.toml: "),
    ],
)
def test_a_wrong_file_of_lots_names_the_lot_and_the_key(
    change: tuple[str, str], words: str
) -> None:
    with pytest.raises(BadLotFileError, match=words):
        parse_lots(A_LOT.replace(*change), "lots.toml")


def test_the_right_file_of_lots_is_read() -> None:
    (lot,) = parse_lots(A_LOT, "lots.toml")
    assert [group.group_id for group in lot.groups] == ["g1", "g2"]


def test_what_nobody_confirmed_is_named_in_the_data() -> None:
    for lot in load_shipped():
        assert {"name", "entrance", "capacity", "tariff_id", "limits"} <= set(lot.placeholders)


async def test_a_data_folder_of_another_postgresql_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("99\n")
    with pytest.raises(embedded.EmbeddedError, match=r"made by PostgreSQL 99.*ZHIBO_DATA"):
        await embedded.prepare_postgres(tmp_path / "postgres", tmp_path / "logs")


async def test_a_long_path_still_gets_a_socket(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    server = embedded.prepare_valkey(folder, tmp_path / "logs")
    assert len(server.url.removeprefix("unix://")) < embedded.SOCKET_PATH_BYTES
    async with embedded.running(server) as url:
        assert (await check_redis(url)).ok


async def test_the_doctor_finds_sound_servers_sound(redis_url: str, postgres_url: str) -> None:
    findings = await check_servers(redis_url, postgres_url)
    assert [finding.line() for finding in findings if not finding.ok] == []


async def test_the_doctor_tells_open_alarms_and_that_nobody_looks(
    redis: Redis, redis_url: str
) -> None:
    (nobody,) = await check_alarms(redis_url)
    assert "zhibo recorder" in nobody.line()
    key = Key(AlarmKind.DEVICE_OFFLINE, "kangle", "kangle-g1")
    alarm = Alarm(key, Severity.MAJOR, "设备离线", 0)
    await alarm_board.write(redis, AlarmSheet(1, (alarm,)))
    watched, found = await check_alarms(redis_url)
    assert watched.ok
    assert "设备离线" in found.line()


@pytest.mark.parametrize("url", ["", "unix:///nowhere/redis.sock"])
async def test_without_redis_the_doctor_says_nothing_of_alarms(url: str) -> None:
    assert await check_alarms(url) == []


@pytest.mark.parametrize("url", ["", "unix:///nowhere/redis.sock"])
async def test_the_doctor_says_how_to_mend_redis(url: str) -> None:
    finding = await check_redis(url)
    assert not finding.ok
    assert "ZHIBO_REDIS_URL" in finding.line()


@pytest.mark.parametrize("url", ["", "postgresql://zhibo@/zhibo?host=/nowhere"])
async def test_the_doctor_says_how_to_mend_postgresql(url: str) -> None:
    finding = await check_postgres(url)
    assert not finding.ok
    assert "ZHIBO_POSTGRES_URL" in finding.line()


async def test_the_doctor_tells_a_missing_database_from_an_old_one(
    server_urls: tuple[str, str],
) -> None:
    nowhere = await check_postgres(server_urls[0].replace("/zhibo?", "/nowhere?"))
    assert "createdb" in nowhere.cure
    empty = await check_postgres(server_urls[0].replace("/zhibo?", "/postgres?"))
    assert "zhibo migrate" in empty.cure
