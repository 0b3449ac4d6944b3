"""`zhibo lot` over its files: what cannot be is told before anything is waited for or written."""

import re
import socket
from argparse import Namespace
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from gateway.config import GatewayConfig
from gateway.process import monotonic_seconds, now_ms
from gateway.settings import BadSettingError
from occupancy import database, database_lots, join_desk, joining
from occupancy.config import RUNNING_FILE
from occupancy.database_tariffs import seed_tariffs
from occupancy.edit import BadEditError, SettledError
from occupancy.join_file import BadAnswersError, Driver, read_answers
from occupancy.joining import Field, Wish, write_example
from occupancy.tariff_file import shipped_tariffs
from tests.builders import a_lot
from tests.occupancy.test_join_file import change
from zhibo.command import FOUND_TROUBLE
from zhibo.commands.lot import COMMAND
from zhibo.environ import gather

FAULTS = [
    (
        "almost_full_free = 8",
        "almost_full_free = -3",
        "lot.toml: facts.thresholds.almost_full_free",
    ),
    ("length_metres = 5.0", "length_metres = nan", "lot.toml: facts.limits.length_metres: 要在"),
    ('"新源路立体停车场"', f'"{"长" * 41}"', "lot.toml: facts.name: 最多 40 个字"),
    ('"0757-00000000"', '"none"', "lot.toml: facts.hotline: 电话只能"),
    ("latitude = 23.155000", "latitude = 63.1", "lot.toml: map.latitude: 纬度不在中国境内"),
]


@pytest.fixture
async def seeded(connections: asyncpg.Pool) -> asyncpg.Pool:
    await database.seed_lots(connections, [a_lot()])
    await seed_tariffs(connections, shipped_tariffs())
    return connections


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Of a car park that pushes, with its secret: a trial of it would wait for a minute."""
    write_example(Driver.PUSH, tmp_path)
    (tmp_path / "xinyuan").write_text("sixteen bytes ok")
    return tmp_path


def a_field(folder: Path, seconds: float = 60.0) -> Field:
    return Field("", folder, now_ms, monotonic_seconds, seconds)


def a_wish(folder: Path, reason: str = "接入") -> Wish:
    return Wish("chen", reason, folder / "kept", is_live=False, wait_seconds=0.0)


def listen_at(files: Path, port: int) -> None:
    file = files / "devices.toml"
    text, ports = re.subn(r"(?m)^port = \d+", f"port = {port}", file.read_text(encoding="utf-8"))
    assert ports == 1
    file.write_text(text, encoding="utf-8")


async def check(files: Path, seconds: float = 60.0) -> tuple[bool, list[str]]:
    said: list[str] = []
    answers = read_answers(files / "lot.toml")
    return await joining.check(answers, a_field(files, seconds), said.append), said


@pytest.mark.timeout(20)  # far less than the minute for which a post is waited
@pytest.mark.parametrize(("before", "after", "words"), FAULTS)
async def test_a_check_names_facts_that_cannot_be_and_waits_for_no_device(
    files: Path, before: str, after: str, words: str
) -> None:
    change(files, "lot.toml", before, after)
    is_good, said = await check(files)
    assert not is_good
    assert said[-2].startswith(f"  BAD   {words}")
    assert said[-1] == "no device was read: mend the facts and run it again"


async def test_areas_that_cannot_be_are_named_with_the_devices_file(files: Path) -> None:
    change(files, "devices.toml", "B1 = 120", '"B 1" = 120')
    is_good, said = await check(files)
    assert not is_good
    assert said[-2].startswith("  BAD   devices.toml: groups: 机组编号“B 1”")


@pytest.mark.parametrize("value", ["112.896", "nan", "inf"])
def test_a_latitude_that_is_none_is_refused_by_its_field(files: Path, value: str) -> None:
    change(files, "lot.toml", "latitude = 23.155000", f"latitude = {value}")
    with pytest.raises(BadAnswersError, match=r"^lot\.toml: map\.latitude: .* exchanged\?"):
        read_answers(files / "lot.toml")


async def test_a_tariff_that_does_not_ship_is_told_since_postgresql_alone_knows_it(
    files: Path,
) -> None:
    change(files, "lot.toml", '"kangle"', '"kangel"')
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    listen_at(files, port)
    is_good, said = await check(files, 0.05)
    assert not is_good  # nobody posted
    (note,) = (line for line in said if line.startswith("  note  lot.toml: tariff.same_as: "))
    assert "'kangel' is none of those that ship (kangle," in note.replace("(huochezhan, ", "(")


async def test_a_port_that_a_receiver_holds_is_named_by_file_and_field(files: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        listen_at(files, port)
        words = rf"^devices\.toml: port: {port} at 127\.0\.0\.1 is taken: a receiver that runs"
        with pytest.raises(BadSettingError, match=words):
            await check(files)


@pytest.mark.timeout(60)
async def test_bad_facts_are_refused_before_anything_is_waited_for_and_told_at_the_end(
    redis: Redis, seeded: asyncpg.Pool, files: Path
) -> None:
    change(files, "lot.toml", '"kangle"', '"kangel"')
    change(files, "lot.toml", "full_free = 2", "full_free = -3")
    said: list[str] = []
    answers, field = read_answers(files / "lot.toml"), a_field(files)
    assert not await joining.bring_in(redis, seeded, answers, field, a_wish(files), said.append)
    assert said[-3] == "nothing was written: mend the facts and run it again"
    assert said[-2].startswith("  BAD   lot.toml: facts.thresholds.full_free: ")
    assert said[-1].startswith("  BAD   lot.toml: tariff.same_as: there is no 'kangel'; known are")
    assert await database_lots.find_lot(seeded, "xinyuan") is None


async def test_devices_in_trouble_are_told_again_where_nothing_was_written(
    redis: Redis, seeded: asyncpg.Pool, files: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    listen_at(files, port)
    said: list[str] = []
    answers, field = read_answers(files / "lot.toml"), a_field(files, 0.05)
    assert not await joining.bring_in(redis, seeded, answers, field, a_wish(files), said.append)
    assert said[-2] == "nothing was written: mend this and run it again"
    assert said[-1].startswith("  BAD   posts of P-1 (common): 0 posts in")
    assert await database_lots.find_lot(seeded, "xinyuan") is None


@pytest.mark.timeout(60)
async def test_what_is_live_or_without_a_reason_is_refused_before_anything_is_waited_for(
    redis: Redis, seeded: asyncpg.Pool, files: Path
) -> None:
    answers, field = read_answers(files / "lot.toml"), a_field(files)
    with pytest.raises(BadEditError, match="原因"):
        await joining.bring_in(redis, seeded, answers, field, a_wish(files, " "), print)
    for name in ("lot.toml", "devices.toml"):
        change(files, name, 'lot_id = "xinyuan"', 'lot_id = "kangle"')
    answers = read_answers(files / "lot.toml")
    with pytest.raises(SettledError, match=r"已上线.*请在“车场资料”页修改，或另取一个编号"):
        await joining.bring_in(redis, seeded, answers, field, a_wish(files), print)


async def test_each_refusal_of_a_step_says_the_way_out(seeded: asyncpg.Pool) -> None:
    with pytest.raises(SettledError, match="kangle 已上线，不必再做；不再开放时，请移除它"):
        await join_desk.go_live(seeded, "kangle", None, by="li", reason="错", now_ms=now_ms())
    await join_desk.begin(seeded, a_lot(lot_id="xinyuan"), by="li", reason="错")
    with pytest.raises(
        SettledError, match="没有上线，不必移除：还在接入的，请在“新车场”页放弃接入"
    ):
        await join_desk.remove(seeded, "xinyuan", by="li", reason="错", now_ms=now_ms())


def test_ports_are_shifted_as_its_gateway_is_told(files: Path, tmp_path: Path) -> None:
    folder = tmp_path / "modbus"
    write_example(Driver.MODBUS, folder)

    def ports(offset: int) -> list[int]:
        config = read_answers(folder / "lot.toml", port_offset=offset).config
        assert isinstance(config, GatewayConfig)
        return [one.port for one in config.car_park.links if one.serial is None]

    assert ports(1_000) == [port + 1_000 for port in ports(0)]
    plain = read_answers(files / "lot.toml").config
    assert read_answers(files / "lot.toml", port_offset=1_000).config == plain  # Modbus alone


def test_a_check_shifts_ports_as_its_engineer_says_and_not_as_a_town_that_runs_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_example(Driver.MODBUS, tmp_path)
    change(tmp_path, "devices.toml", "192.168.1.11", "127.0.0.1")
    (tmp_path / RUNNING_FILE).write_text("ZHIBO_MODBUS_PORT_OFFSET='3000'\n")
    monkeypatch.setenv("ZHIBO_DATA", str(tmp_path))
    arguments = Namespace(what="check", file=tmp_path / "lot.toml", listen=0.1)

    assert COMMAND.run(arguments, gather(arguments, joins_running=True)) == FOUND_TROUBLE
    assert "at 127.0.0.1:502," in capsys.readouterr().out
    monkeypatch.setenv("ZHIBO_MODBUS_PORT_OFFSET", "1000")
    assert COMMAND.run(arguments, gather(arguments, joins_running=True)) == FOUND_TROUBLE
    assert "at 127.0.0.1:1502," in capsys.readouterr().out
