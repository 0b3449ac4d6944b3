"""A TCP proxy that misbehaves on command: delay, loss, half-open, resets, swallowed replies."""

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum

CHUNK_BYTES = 65_536
RETRANSMIT_SECONDS = 0.2  # what a lost segment costs: TCP never drops bytes, it delays them


class Mode(StrEnum):
    """What the link does to bytes on their way."""

    PASS = "pass"  # noqa: S105  # a link that works
    DELAY = "delay"
    LOSS = "loss"  # some segments come late
    BLACK_HOLE = "black_hole"  # half-open: accepted, never answered
    REFUSE = "refuse"  # every connection is reset at once
    CUT_COMMAND = "cut_command"  # part of a command passes, then a reset
    SWALLOW_REPLY = "swallow_reply"  # the command is executed, its reply is lost, then a reset


@dataclass
class Link:
    """One misbehaving link in front of `target` (host, port); `mode` may change at any time."""

    target: tuple[str, int]
    dice: random.Random
    mode: Mode = Mode.PASS
    delay_seconds: float = 2.0
    loss_share: float = 0.3
    port: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def become(self, mode: Mode) -> None:
        """Change the weather; connections that are open feel it, too.

        Behind a black hole bytes are missing, and TCP passes none on with a gap: a connection that
        was in it is reset by whoever hears of it again.
        """
        was, self.mode = self.mode, mode
        if Mode.REFUSE is mode or (was is Mode.BLACK_HOLE and mode is not was):
            self.reset_all()

    def reset_all(self) -> None:
        for writer in list(self._writers):
            _reset(writer)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self.mode is Mode.REFUSE:
                return
            up_reader, up_writer = await asyncio.open_connection(*self.target)
            self._writers.add(up_writer)
            try:
                await self._both_ways(reader, writer, up_reader, up_writer)
            finally:
                self._drop(up_writer)
        except (ConnectionError, OSError):
            return
        finally:
            self._drop(writer)

    async def _both_ways(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        up_reader: asyncio.StreamReader,
        up_writer: asyncio.StreamWriter,
    ) -> None:
        async with asyncio.TaskGroup() as group:
            commands = group.create_task(self._commands(reader, up_writer), name="commands")
            replies = group.create_task(self._replies(up_reader, writer), name="replies")
            await asyncio.wait((commands, replies), return_when=asyncio.FIRST_COMPLETED)
            commands.cancel()
            replies.cancel()

    async def _commands(self, reader: asyncio.StreamReader, up: asyncio.StreamWriter) -> None:
        while chunk := await _read(reader):
            if self.mode is Mode.CUT_COMMAND:
                up.write(chunk[: self.dice.randrange(len(chunk))])
                self.reset_all()
                return
            await self._pass(chunk, up)

    async def _replies(self, up_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await _read(up_reader):
            if self.mode is Mode.SWALLOW_REPLY:
                self.reset_all()
                return
            await self._pass(chunk, writer)

    async def _pass(self, chunk: bytes, writer: asyncio.StreamWriter) -> None:
        if self.mode is Mode.BLACK_HOLE:
            return
        if self.mode is Mode.DELAY:
            await asyncio.sleep(self.delay_seconds)
        elif self.mode is Mode.LOSS and self.dice.random() < self.loss_share:
            await asyncio.sleep(RETRANSMIT_SECONDS)
        try:
            writer.write(chunk)
            await writer.drain()
        except ConnectionError:
            return

    def _drop(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        _reset(writer)


@asynccontextmanager
async def link_to(host: str, port: int, seed: int = 1) -> AsyncIterator[Link]:
    """A link on a free loopback port in front of (host, port)."""
    link = Link((host, port), random.Random(seed))  # noqa: S311  # a repeatable fault, no secret
    server = await asyncio.start_server(link.serve, "127.0.0.1", 0)
    link.port = server.sockets[0].getsockname()[1]
    try:
        yield link
    finally:
        server.close()
        link.reset_all()


async def _read(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(CHUNK_BYTES)
    except ConnectionError:
        return b""


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST rather than FIN, as a device that lost power does."""
    raw = writer.get_extra_info("socket")
    if raw is not None and not writer.transport.is_closing():
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
