"""The simulated bus behind a simulated serial adapter, as a gateway reads it."""

from pathlib import Path

import pytest

from gateway.decode import Block
from gateway.modbus import ModbusFailure, ModbusLine
from gateway.register_map import Table
from lot_sim.devices import Bus, RtuConnection, lines_of
from lot_sim.serial_port import SerialAdapter
from tests.lot_sim.serve import standing
from tests.lot_sim.towns import small_field
from tests.serial_line import serial_link

BUS = 7000
COUNT = Block(Table.HOLDING, 0, 1)
PATIENT_MS = 5_000


async def test_the_units_of_a_bus_answer_on_a_serial_port_until_it_is_pulled(
    tmp_path: Path,
) -> None:
    field = small_field()
    units = {one.plan.unit: one for one in lines_of(field.instruments)[BUS]}
    bus = Bus(units, standing(field).advance)
    line = ModbusLine(serial_link(tmp_path))
    with SerialAdapter(tmp_path / "ttyUSB0", lambda: RtuConnection(bus, set())) as adapter:
        for unit in (11, 12):
            assert len(await line.read(unit, COUNT, PATIENT_MS)) == 1
        adapter.pull_out()
        with pytest.raises(ModbusFailure):
            await line.read(11, COUNT, PATIENT_MS)
    line.close()
