"""A field line on a pseudo-terminal pair, as a serial adapter would bring it."""

from pathlib import Path

from gateway.bus_timing import SerialSettings
from gateway.config import Link, LinkKind
from lot_sim.serial_port import SerialAdapter
from tests.field_line import Connection, FieldLine


def adapter(line: FieldLine, folder: Path) -> SerialAdapter:
    return SerialAdapter(folder / "ttyUSB0", lambda: Connection(line))


def serial_link(folder: Path, baud: int = 115_200) -> Link:
    settings = SerialSettings(str(folder / "ttyUSB0"), baud)
    return Link("bus", LinkKind.RTU, serial=settings)
