"""What a check found, and how to mend it: the words of `zhibo doctor`."""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.config import Device, GatewayConfig
from gateway.decode import blocks_of, decode_blocks
from gateway.modbus import ModbusFailure, ModbusLine
from gateway.reading import FailureKind


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `trouble` is empty when it is sound."""

    thing: str
    trouble: str = ""
    cure: str = ""

    @property
    def ok(self) -> bool:
        return not self.trouble

    def line(self) -> str:
        if self.ok:
            return f"  ok    {self.thing}"
        return f"  BAD   {self.thing}: {self.trouble}\n        {self.cure}"


async def check_devices(configs: Iterable[GatewayConfig]) -> list[Finding]:
    """Read each device of each car park once; a line that is down is named once a device."""
    findings = []
    for config in configs:
        for link in config.car_park.links:
            line = ModbusLine(link)
            devices = [d for d in config.car_park.devices if d.link_id == link.link_id]
            try:
                findings += [await _check_device(config, device, line) for device in devices]
            finally:
                line.close()
    return findings


async def _check_device(config: GatewayConfig, device: Device, line: ModbusLine) -> Finding:
    link = line.link
    thing = f"{device.device_id} (unit {device.unit} at {link.place}, {device.map})"
    register_map = config.maps[device.map]
    blocks = blocks_of(register_map, register_map.points)
    try:
        answers = {
            block: await line.read(device.unit, block, device.timeout_ms) for block in blocks
        }
    except ModbusFailure as failure:
        return Finding(thing, str(failure), _CURES[failure.kind])
    _, unreadable = decode_blocks(register_map.points, answers)
    return Finding(thing, "; ".join(unreadable), _UNREADABLE_CURE if unreadable else "")


_CURES = {
    FailureKind.REFUSED: "check power and cable, then the link in the car park's file",
    FailureKind.BROKEN: "something else answers there: check that the port speaks Modbus",
    FailureKind.TIMEOUT: "check the unit number, then baud rate and wiring behind a serial server",
    FailureKind.SHORT_REPLY: "the device has fewer registers than its map: check the model",
    FailureKind.STRAY_REPLY: "another question was answered: let nobody else poll this line",
    FailureKind.EXCEPTION: "the device refuses these addresses: check the model and its map",
    FailureKind.BUSY: "the device is overloaded: give it a longer period_ms",
}
_UNREADABLE_CURE = "the model differs from its map: compare gateway/maps with the manual"
