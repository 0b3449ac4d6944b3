"""A serial adapter that is not there: a pseudo-terminal under a path, plugged in and pulled out."""

import asyncio
import os
import tty
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

_CHUNK_BYTES = 4_096


class PtyTransport(asyncio.Transport):
    """The bus's end of a pseudo-terminal, for a protocol that else stands behind a socket."""

    def __init__(self, descriptor: int, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._protocol = protocol
        self._is_closing = False
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(descriptor, self._read)
        protocol.connection_made(self)

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, _CHUNK_BYTES)
        except OSError:
            return  # nobody has the other end open now
        self._protocol.data_received(data)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._is_closing:
            os.write(self._descriptor, data)

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        if self._is_closing:
            return
        self._is_closing = True
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
        self._protocol.connection_lost(None)

    def abort(self) -> None:
        self.close()


class SerialAdapter:
    """What stands at `path` while it is plugged in; the protocol is the bus behind it."""

    def __init__(self, path: Path, protocol: Callable[[], asyncio.Protocol]) -> None:
        self.path = path
        self._protocol = protocol
        self._transport: PtyTransport | None = None
        self._held_open = -1

    def __enter__(self) -> Self:
        self.plug_in()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.pull_out()

    def plug_in(self) -> None:
        # Our own hold on the far end keeps the near one readable while nobody polls.
        near, self._held_open = os.openpty()
        tty.setraw(self._held_open)
        self._transport = PtyTransport(near, self._protocol())
        self.path.symlink_to(os.ttyname(self._held_open))

    def pull_out(self) -> None:
        """As udev does: the path goes, and whoever has it open is hung up on."""
        if self._transport is None:
            return
        self.path.unlink()
        self._transport.close()
        os.close(self._held_open)
        self._transport = None
