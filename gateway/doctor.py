"""What a check found, and how to mend it: the words of `zhibo doctor`."""

import asyncio
from dataclasses import dataclass


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


async def port_answers(thing: str, host: str, port: int, cure: str) -> Finding:
    """Whether anything accepts a connection there."""
    try:
        async with asyncio.timeout(2.0):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError) as failure:
        reason = str(failure) or "no answer within 2 s"
        return Finding(thing, f"{host}:{port} cannot be reached ({reason})", cure)
    writer.close()
    return Finding(thing)
