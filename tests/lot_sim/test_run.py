import asyncio
import dataclasses
import os

import aiohttp
import pytest

from lot_sim.config import LOOPBACK, SimSettings
from lot_sim.devices import PortTakenError, listen
from lot_sim.run import run_sim
from tests.lot_sim.serve import client
from tests.lot_sim.towns import MAPS, MONDAY_NOON_MS, small_scenario
from tests.waiting import until

MODBUS_PORTS = (7000, 7001, 7002)


def free_settings() -> SimSettings:
    """Settings whose ports nobody uses right now."""
    first = 3_000 + os.getpid() % 1_000 * 7  # what runs beside us begins elsewhere
    offset = next(o for o in range(first, 40_000, 7) if _all_free(o))
    with listen(0, "a test", "nothing") as probe:
        truth_port = probe.getsockname()[1]
    scenario = small_scenario(cars_a_day=5_000)
    return SimSettings(scenario, MAPS, 300.0, "1", "none", MONDAY_NOON_MS, truth_port, offset)


def _all_free(offset: int) -> bool:
    for port in MODBUS_PORTS:
        try:
            listen(port + offset, "a test", "nothing").close()
        except PortTakenError:
            return False
    return True


async def test_a_running_field_moves_with_the_clock_and_stops_when_told() -> None:
    settings = free_settings()
    stopping = asyncio.Event()
    url = f"http://{LOOPBACK}:{settings.truth_port}/truth"
    async with asyncio.TaskGroup() as tasks, aiohttp.ClientSession() as web:
        running = tasks.create_task(run_sim(settings, stopping), name="sim")

        async def truth() -> dict[str, list[dict[str, int]]]:
            async with web.get(url) as answer:
                content: dict[str, list[dict[str, int]]] = await answer.json()
            return content

        async def is_up() -> bool:
            try:
                return bool(await truth())
            except aiohttp.ClientConnectionError:
                return False

        async def has_traffic() -> bool:
            return (await truth())["lots"][0]["entries"] > 2

        await until(is_up)
        await until(has_traffic)
        async with client(7001 + settings.port_offset) as modbus:
            assert not (await modbus.read_input_registers(0, count=1)).isError()
            stopping.set()
            await running
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(LOOPBACK, 7001 + settings.port_offset)


async def test_a_taken_truth_port_ends_the_start_with_its_setting() -> None:
    settings = free_settings()
    words = r"GET /truth is taken.*ZHIBO_SIM_PORT"
    with listen(settings.truth_port, "a test", "x"), pytest.raises(PortTakenError, match=words):
        await run_sim(settings, asyncio.Event())


async def test_a_taken_device_port_leaves_no_other_port_open() -> None:
    settings = free_settings()
    taken, words = 7002 + settings.port_offset, "ZHIBO_MODBUS_PORT_OFFSET"
    with listen(taken, "a test", "x"), pytest.raises(PortTakenError, match=words):
        await run_sim(settings, asyncio.Event())
    assert _all_free(settings.port_offset)


async def test_a_field_listens_on_the_address_it_is_told_and_says_when_that_is_not_ours() -> None:
    settings = dataclasses.replace(free_settings(), host="127.0.0.2")
    stopping = asyncio.Event()

    async def answers(host: str) -> bool:
        try:
            _, writer = await asyncio.open_connection(host, 7001 + settings.port_offset)
        except ConnectionRefusedError:
            return False
        writer.close()
        return True

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(run_sim(settings, stopping), name="sim")
        await until(lambda: answers("127.0.0.2"))
        assert not await answers("127.0.0.3")  # where nobody else listens either
        stopping.set()
    elsewhere = dataclasses.replace(settings, host="203.0.113.9")
    with pytest.raises(PortTakenError, match=r"203\.0\.113\.9 is no address.*ZHIBO_SIM_HOST"):
        await run_sim(elsewhere, asyncio.Event())
