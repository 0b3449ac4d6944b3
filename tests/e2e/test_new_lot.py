"""A sixth car park joins a town that runs, is there for everybody, and leaves again."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from dotenv import dotenv_values

from occupancy.config import RUNNING_FILE
from occupancy.database import pool
from occupancy.database_lots import list_lots_since
from occupancy.lot_stage import DAY_MS
from tests.e2e.town import RunningTown, shell_environ, stop, town
from tests.free_port import free_port
from tests.waiting import until

SIXTH = Path(__file__).parent / "sixth"
FACTS = {
    "thresholds = { almost_full_free = 8, full_free = 2 }": (
        "thresholds = { almost_full_free = 3, full_free = 1 }"
    )
}


@asynccontextmanager
async def running(command: tuple[str, ...], environ: Mapping[str, str]) -> AsyncIterator[None]:
    """A part of the service as its own process, ended with Ctrl-C."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "zhibo", *command),
        env={**shell_environ(), **environ},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        await stop(process)


async def zhibo(environ: Mapping[str, str], *words: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "zhibo", *words),
        env={**shell_environ(), **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


@asynccontextmanager
async def sixth_field(folder: Path) -> AsyncIterator[None]:
    """Simulated devices of one more car park, and the files that describe it."""
    port, lanes, truth = 0, free_port(), free_port()
    while True:  # two ports side by side
        port = free_port()
        if port + 1 != lanes and port < 65_000:
            break
    places = {"{port}": str(port), "{port_2}": str(port + 1), "{lanes}": str(lanes)}
    for name in ("town.toml", "devices.toml"):
        text = (SIXTH / name).read_text(encoding="utf-8")
        for hole, value in places.items():
            text = text.replace(hole, value)
        (folder / name).write_text(text, encoding="utf-8")
    environ = {"ZHIBO_SIM_PORT": str(truth), "ZHIBO_SIM_SPEED": "20"}
    async with (
        running(("sim", str(folder / "town.toml")), environ),
        aiohttp.ClientSession() as http,
    ):

        async def answers() -> bool:
            try:
                async with http.get(f"http://127.0.0.1:{truth}/truth") as answer:
                    return answer.status == 200
            except aiohttp.ClientError:
                return False

        await until(answers, within_seconds=60)
        yield


async def lot_ids(running: RunningTown) -> set[str]:
    return {lot["id"] for lot in (await running.get("/v1/lots"))["lots"]}


async def open_names(running: RunningTown) -> set[str]:
    sites = await running.get("/open/parkapi/v3/parking-sites")
    return {site["name"] for site in sites["items"]}


async def recommended(running: RunningTown) -> set[str]:
    """Everything that is ranked for a driver who wants to go next door."""
    place = {"wgs84": {"lat": 23.1552, "lng": 112.8917}}
    async with running.http.post(
        running.web + "/v1/recommendations", json={"place": place, "stay": "PT1H"}
    ) as answer:
        told = await answer.json(content_type=None)
        assert answer.status == 200, told
    return {one["lot"] for one in (*told["recommendations"], *told["left_out"])}


async def stream_roster(running: RunningTown) -> str:
    async with asyncio.timeout(20), running.http.get(running.web + "/v1/stream") as stream:
        async for line in stream.content:
            if line.startswith(b"data: ") and b'"ids"' in line:
                return line.decode()
    raise EOFError


@pytest.mark.timeout(300)
async def test_a_sixth_car_park_joins_is_there_for_everybody_and_leaves(tmp_path: Path) -> None:
    data, files = tmp_path / "data", tmp_path / "files"
    async with town(data, "--speed", "20", "--seed", "7") as running_town:
        own = {"ZHIBO_DATA": str(data)}
        code, said = await zhibo(own, "lot", "example", "modbus", str(files))
        assert code == 0, said
        (files / "devices.toml").unlink()  # ours are at other places
        answers = files / "lot.toml"
        text = answers.read_text(encoding="utf-8")
        for before, after in FACTS.items():
            assert before in text
            text = text.replace(before, after)
        answers.write_text(text, encoding="utf-8")
        async with sixth_field(files):
            await joins_and_leaves(running_town, own, answers, data)


async def joins_and_leaves(
    running_town: RunningTown, own: Mapping[str, str], answers: Path, data: Path
) -> None:
    code, said = await zhibo(own, "lot", "check", str(answers))
    assert code == 0, said
    assert said.count("  ok    xinyuan-") == 4, said
    assert "counter stands at" in said

    new = ("lot", "new", str(answers), "--reason", "接入新源路")
    code, said = await zhibo(own, *new)
    assert code == 0, said
    assert "then: zhibo lot live xinyuan" in said
    assert "xinyuan" not in await lot_ids(running_town)
    code, said = await zhibo(own, "lot", "live", "xinyuan", "--reason", "太早")
    assert code == 2, said
    assert "还没有收到网关的数据" in said

    file = data / "car_parks" / "xinyuan.modbus.toml"
    environ = {name: value or "" for name, value in dotenv_values(data / RUNNING_FILE).items()}
    async with running(("gateway", str(file)), {**environ, "ZHIBO_MODBUS_PORT_OFFSET": "0"}):
        code, said = await zhibo(own, *new, "--live", "--wait", "60")
        assert code == 0, said
        assert "is live" in said

        async def is_there() -> bool:
            if "xinyuan" not in await lot_ids(running_town):
                return False
            lot = await running_town.get("/v1/lots/xinyuan")
            return lot["live"]["free"] is not None and lot["tariff"] is not None

        await until(is_there, within_seconds=20)
        lot = await running_town.get("/v1/lots/xinyuan")
        assert lot["live"]["capacity"] == 14
        assert "新源路立体停车场" in await open_names(running_town)
        assert "xinyuan" in await recommended(running_town)
        assert "xinyuan" in await stream_roster(running_town)

        async def has_history() -> bool:
            history = await running_town.get("/v1/lots/xinyuan/history?step=PT1M")
            return any(point["occupied"] is not None for point in history["points"])

        await until(has_history, within_seconds=60)
        code, said = await zhibo(own, *new)
        assert code == 2, said
        assert "已上线" in said

        code, said = await zhibo(own, "lot", "remove", "xinyuan", "--reason", "合同到期")
        assert code == 0, said
        assert not file.exists()

        async def is_gone() -> bool:
            return "xinyuan" not in await lot_ids(running_town)

        await until(is_gone, within_seconds=20)
    assert "新源路立体停车场" not in await open_names(running_town)
    assert "xinyuan" not in await recommended(running_town)
    assert "xinyuan" not in await stream_roster(running_town)
    await past_stays(own, environ["ZHIBO_POSTGRES_URL"])


async def past_stays(own: Mapping[str, str], postgres_url: str) -> None:
    async with pool(postgres_url) as connections:
        rows = await connections.fetchval(
            "SELECT count(*) FROM observation WHERE lot_id = 'xinyuan'"
        )
        assert rows > 0
        moment = await connections.fetchval("SELECT extract(epoch FROM now())::bigint * 1000")
        lots = await list_lots_since(connections, moment - DAY_MS)
        assert "xinyuan" in {lot.lot_id for lot in lots}  # so reports of these days count it
    code, said = await zhibo(own, "audit", "export")
    assert code == 0
    for action in ("join_lot", "live_lot", "remove_lot"):
        assert action in said
    code, said = await zhibo(own, "lot", "list")
    assert "removed" in said
