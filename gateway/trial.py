"""The field devices of one car park read once, before anything depends on them."""

from collections.abc import Mapping
from typing import NamedTuple

from gateway.config import Device, GatewayConfig, Link, LinkKind, Role
from gateway.decode import Value, blocks_of, decode_blocks
from gateway.modbus import ModbusFailure, ModbusLine
from gateway.reading import FailureKind


class FirstReading(NamedTuple):
    """What one thing said at the first try; `trouble` is empty when it is sound."""

    thing: str
    words: str = ""
    trouble: str = ""
    cure: str = ""

    def line(self) -> str:
        if not self.trouble:
            return f"  ok    {self.thing}: {self.words}"
        return f"  BAD   {self.thing}: {self.trouble}\n        {self.cure}"


async def read_devices(config: GatewayConfig) -> list[FirstReading]:
    """Each device once, through the driver that will poll it."""
    readings = []
    for link in config.car_park.links:
        line = ModbusLine(link)
        devices = [d for d in config.car_park.devices if d.link_id == link.link_id]
        try:
            readings += [await _read(config, device, line) for device in devices]
        finally:
            line.close()
    return readings


async def _read(config: GatewayConfig, device: Device, line: ModbusLine) -> FirstReading:
    link = line.link
    thing = f"{device.device_id} (unit {device.unit} at {link.place}, {device.map})"
    register_map = config.maps[device.map]
    blocks = blocks_of(register_map, register_map.points)
    try:
        answers = {
            block: await line.read(device.unit, block, device.timeout_ms) for block in blocks
        }
    except ModbusFailure as failure:
        return FirstReading(thing, trouble=str(failure), cure=_cure(failure.kind, link))
    values, unreadable = decode_blocks(register_map.points, answers)
    if unreadable:
        return FirstReading(thing, trouble="; ".join(unreadable), cure=_UNREADABLE_CURE)
    return FirstReading(thing, _words(device, values))


def _words(device: Device, values: Mapping[str, Value]) -> str:
    if device.role is Role.LANE:
        return f"{device.direction} counter stands at {values['count']}"
    if device.role is Role.GROUP:
        pallets = values["pallets"]
        cars = sum(map(bool, pallets[: device.bays])) if isinstance(pallets, tuple) else 0
        return f"group {device.group_id}, {values['group_state']}: {cars} of {device.bays} taken"
    return f"shows {values['numbers']}"


def _cure(kind: FailureKind, link: Link) -> str:
    if link.kind is LinkKind.RTU and kind in _SERIAL_CURES:
        return _SERIAL_CURES[kind]
    return _CURES[kind]


_CURES = {
    FailureKind.REFUSED: "check power and cable, then the link in the car park's file",
    FailureKind.BROKEN: "something else answers there: check that the port speaks Modbus",
    FailureKind.TIMEOUT: "check the unit number, then baud rate and wiring behind a serial server",
    FailureKind.SHORT_REPLY: "the device has fewer registers than its map: check the model",
    FailureKind.STRAY_REPLY: "another question was answered: let nobody else poll this line",
    FailureKind.EXCEPTION: "the device refuses these addresses: check the model and its map",
    FailureKind.BUSY: "the device is overloaded: give it a longer period_ms",
}
_SERIAL_CURES = {
    FailureKind.REFUSED: (
        "plug the adapter in and write its path from /dev/serial/by-id; stop what else uses it "
        "(zhibo gateway); the user must be in the group dialout"
    ),
    FailureKind.BROKEN: "the adapter was unplugged, or hears noise: check its plug and the wiring",
    FailureKind.TIMEOUT: (
        "check its power and unit number, then baud, parity and stop_bits, then the two wires "
        "(A and B exchanged?)"
    ),
}
_UNREADABLE_CURE = "the model differs from its map: compare gateway/maps with the manual"
