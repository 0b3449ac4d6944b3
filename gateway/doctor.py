"""What a check found, and how to mend it: the words of `zhibo doctor`."""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.address import hide_passwords
from gateway.config import GatewayConfig
from gateway.trial import FirstReading, read_devices


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
        return f"  BAD   {self.thing}: {hide_passwords(self.trouble)}\n        {self.cure}"


async def check_devices(configs: Iterable[GatewayConfig]) -> list[Finding]:
    """Read each device of each car park once; a line that is down is named once a device."""
    return [_found(one) for config in configs for one in await read_devices(config)]


def _found(reading: FirstReading) -> Finding:
    return Finding(reading.thing, reading.trouble, reading.cure)
