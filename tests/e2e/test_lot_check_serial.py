"""`zhibo lot check` where the devices hang on a serial line, as typed in the car park."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.decode import Block
from gateway.modbus import ModbusLine
from gateway.register_map import Table
from lot_sim.devices import Bus, RtuConnection, lines_of
from lot_sim.field import Field
from lot_sim.scenario import Direction, GroupsPlan, LinkKind, LotPlan
from lot_sim.serial_port import SerialAdapter
from occupancy.join_file import Driver
from occupancy.joining import write_example
from tests.lot_sim.serve import standing
from tests.lot_sim.towns import lane, small_field, small_scenario
from tests.serial_line import serial_link

BUS = 7000
PORT = "ttyUSB0"
GROUP = GroupsPlan(1, (2, 3), "lift_slide_plc", LinkKind.RTU_OVER_TCP, BUS, 1)
LANES = (lane("in", Direction.ENTRY, 11), lane("out", Direction.EXIT, 12))
DEVICES = """
lot_id = "xinyuan"
cars_per_minute_max = 30

[[link]]
link_id = "bus"
kind = "rtu"
serial = {{ device = "{port}" }}

[[device]]
device_id = "g1"
link_id = "bus"
unit = 1
map = "lift_slide_plc"
role = "group"
group_id = "g1"
bays_by_level = [2, 3]
timeout_ms = 2000

[[device]]
device_id = "in"
link_id = "bus"
unit = 11
map = "nice_lp22"
role = "lane"
direction = "entry"
timeout_ms = 2000

[[device]]
device_id = "out"
link_id = "bus"
unit = 12
map = "nice_lp22"
role = "lane"
direction = "exit"
timeout_ms = 2000
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    write_example(Driver.MODBUS, tmp_path)
    text = DEVICES.format(port=tmp_path / PORT)
    (tmp_path / "devices.toml").write_text(text, encoding="utf-8")
    facts = tmp_path / "lot.toml"
    written = facts.read_text(encoding="utf-8")
    for_five_spaces = written.replace("almost_full_free = 8", "almost_full_free = 3")
    assert for_five_spaces != written
    facts.write_text(for_five_spaces, encoding="utf-8")
    return facts


@pytest.fixture
async def field() -> Field:
    lot = LotPlan("xinyuan", 23.15, 112.89, (GROUP,), LANES)
    return small_field(small_scenario(lots=(lot,)))


@pytest.fixture
async def plugged(field: Field, tmp_path: Path) -> AsyncIterator[SerialAdapter]:
    """The simulated bus behind a serial adapter."""
    units = {one.plan.unit: one for one in lines_of(field.instruments)[BUS]}
    bus = Bus(units, standing(field).advance)
    with SerialAdapter(tmp_path / PORT, lambda: RtuConnection(bus, set())) as adapter:
        yield adapter


async def check(file: Path) -> tuple[int, list[str]]:
    """Exit code, and the lines behind `first readings:`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "zhibo", "lot", "check", str(file)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    head, mark, readings = said.decode().partition("first readings:\n")
    assert mark, head
    return process.returncode or 0, readings.splitlines()


def at(file: Path) -> str:
    return str(file.parent / PORT)


@pytest.mark.usefixtures("plugged")
async def test_first_readings_of_a_serial_line_are_shown(files: Path, field: Field) -> None:
    true = field.instruments["xinyuan-g1"].true_values(standing(field).advance())
    assert isinstance(true["pallets"], tuple)
    taken = f"{true['group_state']}: {sum(map(bool, true['pallets']))} of 5 taken"
    code, lines = await check(files)
    assert lines == [
        f"  ok    g1 (unit 1 at {at(files)}, lift_slide_plc): group g1, {taken}",
        f"  ok    in (unit 11 at {at(files)}, nice_lp22): entry counter stands at 65530",
        f"  ok    out (unit 12 at {at(files)}, nice_lp22): exit counter stands at 65530",
    ]
    assert code == 0


async def test_a_port_that_is_not_there_is_named_with_a_way_out(files: Path) -> None:
    code, lines = await check(files)
    assert code == 1
    thing = f"g1 (unit 1 at {at(files)}, lift_slide_plc)"
    why = f"refused: {at(files)} cannot be opened: there is no such port now"
    assert lines[0] == f"  BAD   {thing}: {why}"
    assert "plug the adapter in and write its path from /dev/serial/by-id" in lines[1]


async def test_a_path_that_is_no_serial_port_is_named(files: Path) -> None:
    Path(at(files)).write_text("no adapter", encoding="utf-8")
    code, lines = await check(files)
    assert code == 1
    assert lines[0].endswith(f"{at(files)} cannot be opened: it is no serial port")


@pytest.mark.usefixtures("plugged")
async def test_a_port_that_the_running_gateway_holds_is_told_so(
    files: Path, tmp_path: Path
) -> None:
    running = ModbusLine(serial_link(tmp_path))
    await running.read(11, Block(Table.HOLDING, 0, 1), 5_000)
    code, lines = await check(files)
    running.close()
    assert code == 1
    assert "another program has it open" in lines[0]


@pytest.mark.usefixtures("plugged")
async def test_a_device_that_is_silent_is_named_and_the_others_on_its_line_are_read(
    files: Path, field: Field
) -> None:
    field.switch("xinyuan", "in", "comms_error", on=True)
    code, lines = await check(files)
    assert code == 1
    assert [line[:8].strip() for line in lines] == ["ok", "BAD", "", "ok"]
    thing = f"in (unit 11 at {at(files)}, nice_lp22)"
    assert lines[1] == f"  BAD   {thing}: timeout: asked, no answer in time"
    assert "check its power and unit number, then baud, parity and stop_bits" in lines[2]
