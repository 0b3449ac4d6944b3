"""The live stream: one frame for all readers; who is slow gets the latest, never a queue."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
from aiohttp import web

from occupancy.web import formats
from occupancy.web.problems import Problem
from occupancy.web.showcase import Showcase

HEARTBEAT_SECONDS = 2.0
SLOW_BYTES = 64 * 1024
LAST_EVENT_ID = "Last-Event-ID"


class Heartbeat(msgspec.Struct, frozen=True):
    """Still here: when each car park was last observed, so that ages stay true without changes."""

    now: str
    observed_at: dict[str, str]
    source: str


@dataclass(eq=False)
class _Reader:
    transport: asyncio.Transport
    behind: set[str] = field(default_factory=set)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_slow(self) -> bool:
        return self.transport.get_write_buffer_size() > SLOW_BYTES


class LiveStream:
    """All readers of this worker.

    An event's id is the moment of its change, so that any worker can resume a reader of another:
    it sends every lot that changed at that moment or since.
    """

    def __init__(self, showcase: Showcase) -> None:
        self._showcase = showcase
        self._readers: set[_Reader] = set()
        showcase.listen(self.publish)

    @property
    def readers(self) -> int:
        return len(self._readers)

    def publish(self, lot_ids: Sequence[str]) -> None:
        """Write the lots' new state to every reader that keeps up."""
        frame = b"".join(self._lot_event(lot_id) for lot_id in lot_ids)
        self._write_all(_chunk(frame), set(lot_ids))

    async def beat(self) -> None:
        """Heartbeats until cancelled; readers that were slow catch up with the latest state."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            self._write_all(_chunk(self._heartbeat()), set())
            for reader in [r for r in self._readers if r.behind and not r.is_slow]:
                frame = b"".join(self._lot_event(lot_id) for lot_id in sorted(reader.behind))
                reader.behind.clear()
                reader.transport.write(_chunk(frame))

    async def answer(self, request: web.Request, _: object) -> web.StreamResponse:
        since_ms = _since(request)
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        response.enable_chunked_encoding()
        await response.prepare(request)
        transport = request.transport
        if transport is None or transport.is_closing():
            return response
        reader = _Reader(transport)
        self._readers.add(reader)
        try:
            reader.transport.write(_chunk(self._opening(since_ms)))
            await reader.gone.wait()
        finally:
            self._readers.discard(reader)
        return response

    def close(self) -> None:
        """End every stream: a shutdown does not wait for readers."""
        for reader in list(self._readers):
            reader.gone.set()
            reader.transport.close()

    def _write_all(self, chunk: bytes, lot_ids: set[str]) -> None:
        for reader in self._readers:
            if reader.transport.is_closing():
                continue
            if lot_ids and (reader.behind or reader.is_slow):
                reader.behind |= lot_ids
            else:
                reader.transport.write(chunk)

    def _opening(self, since_ms: int) -> bytes:
        """The whole picture, or what changed since the reader's last event."""
        changed = self._showcase.changed_at_ms
        lots = [
            lot_id
            for lot_id in self._showcase.lots
            if since_ms == 0 or changed.get(lot_id, since_ms) >= since_ms
        ]
        events = b"".join(self._lot_event(lot_id) for lot_id in lots)
        return b"retry: 1000\n\n" + events + self._heartbeat()

    def _lot_event(self, lot_id: str) -> bytes:
        data = msgspec.json.encode(formats.change(self._showcase.detail(lot_id)))
        moment = self._showcase.changed_at_ms.get(lot_id, 0)
        return b"event: lot\nid: %d\ndata: %b\n\n" % (moment, data)

    def _heartbeat(self) -> bytes:
        lost = self._showcase.link_lost_since_ms is not None
        beat = Heartbeat(
            now=formats.rfc3339(self._showcase.now_ms()),
            observed_at={
                lot_id: formats.rfc3339(picture.observed_at_ms)
                for lot_id, picture in self._showcase.pictures.items()
            },
            source="lost" if lost else "live",
        )
        return b"event: heartbeat\ndata: %b\n\n" % msgspec.json.encode(beat)


def _chunk(frame: bytes) -> bytes:
    """HTTP/1.1 chunked coding, done once for all readers."""
    return b"%x\r\n%b\r\n" % (len(frame), frame)


def _since(request: web.Request) -> int:
    raw = request.headers.get(LAST_EVENT_ID, "").strip()
    if not raw:
        return 0
    if not raw.isdigit():
        detail = f"{LAST_EVENT_ID} is a number this stream has given, not {raw[:40]!r}"
        raise Problem(400, detail, field=LAST_EVENT_ID)
    return int(raw)
