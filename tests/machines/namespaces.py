"""Machines of a test's own: network namespaces on one switch, each with an address and a cable."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


class NoNamespacesError(Exception):
    """Network namespaces cannot be had here: they need root, Linux and iproute2."""


class ForbiddenHereError(NoNamespacesError):
    """The tools are there and we are root, but this kernel or container lets nobody make them."""


@dataclass
class Network:
    """Machines by their names. Ours is `HOST`, from where the test looks at all of them."""

    tag: str
    subnet: str
    machines: dict[str, str] = field(default_factory=dict)
    wires: int = 0

    @property
    def switch(self) -> str:
        return f"{self.tag}-sw"

    async def add(self, name: str) -> str:
        """A machine; its address."""
        address = f"{self.subnet}.{10 + len(self.machines)}"
        place, outer = self._place(name), f"p{len(self.machines)}"
        await _ip("netns", "add", place)
        self.machines[name] = address
        inner = ("peer", "name", "eth0", "netns", place)
        await _ip("-n", self.switch, "link", "add", outer, "type", "veth", *inner)
        await _ip("-n", self.switch, "link", "set", outer, "master", "br0", "up")
        await _ip("-n", place, "addr", "add", f"{address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            await _ip("-n", place, "link", "set", device, "up")
        return address

    async def wire(self, far: str, near: str) -> str:
        """A cable from one machine to another, past the switch; the address of the far end."""
        self.wires += 1
        port, net = f"w{self.wires}", f"{self.subnet.rpartition('.')[0]}.{100 + self.wires}"
        ends = ("peer", "name", "field0", "netns", self._place(near))
        await _ip("-n", self._place(far), "link", "add", port, "type", "veth", *ends)
        for place, device, last in ((far, port, 1), (near, "field0", 2)):
            await _ip("-n", self._place(place), "addr", "add", f"{net}.{last}/24", "dev", device)
            await _ip("-n", self._place(place), "link", "set", device, "up")
        return f"{net}.1"

    async def part(self, name: str, others: Sequence[str]) -> None:
        """These do not reach each other any more; everybody else still reaches both."""
        for other in others:
            await self._bar("add", name, other)

    async def rejoin(self, name: str, others: Sequence[str]) -> None:
        for other in others:
            await self._bar("del", name, other)

    async def _bar(self, verb: str, one: str, other: str) -> None:
        for place, barred in ((one, other), (other, one)):
            address = f"{self.machines[barred]}/32"
            await _ip("-n", self._place(place), "route", verb, "blackhole", address)

    def inside(self, name: str, command: Sequence[str]) -> list[str]:
        """The command on that machine. Our child itself becomes it: its pid is the same."""
        return ["ip", "netns", "exec", self._place(name), *command]

    async def cut(self, name: str) -> None:
        """Pull its cable."""
        await self._set(name, "down")

    async def mend(self, name: str) -> None:
        await self._set(name, "up")

    async def _set(self, name: str, state: str) -> None:
        port = f"p{list(self.machines).index(name)}"
        await _ip("-n", self.switch, "link", "set", port, state)

    def _place(self, name: str) -> str:
        return f"{self.tag}-{name}"


@asynccontextmanager
async def network() -> AsyncIterator[Network]:
    """Until the block ends. Raises NoNamespacesError."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        raise NoNamespacesError("network namespaces need root and iproute2")
    number = os.getpid() % 250 + 1
    made = Network(f"zb{os.getpid()}", f"10.{number}.77")
    ours = f"{made.tag[:10]}-h"
    try:
        await _ip("netns", "add", made.switch)
    except NoNamespacesError as refusal:
        raise ForbiddenHereError(str(refusal)) from None
    try:
        await _ip("-n", made.switch, "link", "add", "br0", "type", "bridge")
        await _ip("-n", made.switch, "link", "set", "br0", "up")
        async with _cable(ours, made):
            yield made
    finally:
        for name in made.machines:
            await _ip("netns", "del", f"{made.tag}-{name}")
        await _ip("netns", "del", made.switch)


@asynccontextmanager
async def _cable(ours: str, made: Network) -> AsyncIterator[None]:
    """From us to the switch.

    Pulled by us: the kernel takes its time with what goes with a namespace, and its name is wanted
    again by the next network.
    """
    peer = ("peer", "name", "host", "netns", made.switch)
    await _ip("link", "add", ours, "type", "veth", *peer)
    try:
        await _ip("-n", made.switch, "link", "set", "host", "master", "br0", "up")
        await _ip("addr", "add", f"{made.subnet}.1/24", "dev", ours)
        await _ip("link", "set", ours, "up")
        yield
    finally:
        await _ip("link", "del", ours)


async def _ip(*words: str) -> None:
    process = await asyncio.create_subprocess_exec("ip", *words, stderr=asyncio.subprocess.PIPE)
    _, errors = await process.communicate()
    if process.returncode:
        raise NoNamespacesError(f"ip {' '.join(words)}: {errors.decode().strip()}")
