"""The live stream: one frame for all readers; who is slow gets the latest, never a queue."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

import msgspec
from aiohttp import HttpVersion11, web
from msgspec import Meta

from occupancy.web import formats
from occupancy.web.lots import require_known
from occupancy.web.problems import Problem
from occupancy.web.showcase import LOOK_LENGTH, Showcase

# A reader that hears nothing for two beats knows within 5 s that its link is gone.
HEARTBEAT_SECONDS = 2.0
SLOW_BYTES = 64 * 1024
# A reader that takes nothing for so many beats is let go; it comes back by itself.
PATIENCE_BEATS = 15
LAST_EVENT_ID = "Last-Event-ID"
# An id is as long as there are lots: of many events at once, so many bear one, and none is sent
# that is more than a part of the news it stands for.
MOST_IDS = 16
EVENT_BYTES = 256
STREAM_WORDS = (
    "A `lots` event says on connecting, and whenever one comes or leaves, which car parks there "
    "are. Each `lot` event is one car park as in /v1/lots, with its levels and signs; on "
    "connecting all of them come. An id says how every car park looked to you then: send the last "
    "one back as Last-Event-ID and only those that look other come again; an id nobody gave "
    "brings the whole picture. A `heartbeat` every 2 s carries `now`, `observed_at` of every car "
    "park and `source` (`live`, or `lost` while the service itself hears nothing): after 90 s "
    "without a newer observed_at show a dash. An `alarm` is told when it is raised and when it is "
    "over; all open ones are in /v1/alarms. A slow reader gets the latest state, not every one in "
    "between. With `lots=a,b` only these are told, without ids: whoever comes again hears how they "
    "all look."
)
MOST_CHOSEN = 100
# A worker writes to so many sockets a second and no more, however many listen: beyond a thousand
# readers each hears somewhat later, instead of all much later.
APART_A_READER_SECONDS = 1 / 4_000
_UNSEEN = "." * LOOK_LENGTH


class Roster(msgspec.Struct, frozen=True):
    """Which car parks there are: whoever is missing has been removed."""

    ids: tuple[str, ...]


class Heartbeat(msgspec.Struct, frozen=True):
    """Still here: when each car park was last observed, so that ages stay true without changes.

    `observed_at` is an object of car parks and times.
    """

    now: str
    observed_at: msgspec.Raw
    source: str


class StreamQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which car parks a reader wants to hear of."""

    lots: Annotated[
        str, Meta(description="只听这些车场：/v1/lots 里的 id，用逗号分开；默认全部")
    ] = ""


@dataclass(eq=False, slots=True)
class _Reader:
    """`lots`: those it asked for; None: all there are."""

    transport: asyncio.Transport
    is_chunked: bool
    lots: frozenset[str] | None = None
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    behind: set[str] = field(default_factory=set)
    lacks_roster: bool = False
    slow_beats: int = 0

    @property
    def is_slow(self) -> bool:
        return self.transport.get_write_buffer_size() > SLOW_BYTES

    def write(self, frame: "_Frame") -> None:
        self.transport.write(frame.chunk if self.is_chunked else frame.plain)


class _Frame:
    """Bytes for many readers, with the chunked coding of HTTP/1.1 done once."""

    def __init__(self, plain: bytes) -> None:
        self.plain = plain
        self.chunk = b"%x\r\n%b\r\n" % (len(plain), plain)


def _whole(change: formats.LotChange) -> formats.LotChange:
    return change


class LiveStream:
    """All readers of this worker.

    An event's id says how each lot looked to the reader when it had read the event, so any worker
    can resume a reader of another, and it sends just the lots that look other now. An id that
    nobody here could have given is not an error: its reader gets the whole picture.
    """

    def __init__(
        self,
        showcase: Showcase,
        told: Callable[[formats.LotChange], object] = _whole,
        apart_seconds: float = 0.0,
    ) -> None:
        """`told` is what its readers hear of a lot; changes go out together, so far apart.

        The first after a pause goes at once: who waits longest waits `apart_seconds`, with
        thousands of readers `APART_A_READER_SECONDS` for each of them.
        """
        self._showcase = showcase
        self._told = told
        self._apart_seconds = apart_seconds
        self._gathered: dict[str, None] = {}
        self._going: asyncio.TimerHandle | None = None
        self._lot_ids: list[str] = []
        self._places: dict[str, int] = {}
        self._said: dict[str, tuple[formats.LotChange, bytes]] = {}
        self._readers: set[_Reader] = set()
        self._by_lot: dict[str, set[_Reader]] = {}  # those that chose it
        self._settle()
        showcase.listen(self.publish)
        showcase.listen_roster(self.tell_roster)

    @property
    def readers(self) -> int:
        return len(self._readers)

    def publish(self, lot_ids: Sequence[str]) -> None:
        """Write the lots' new state to every reader that keeps up, now or with the next ones."""
        if not self._readers:
            return
        self._gathered |= dict.fromkeys(lot_ids)
        if self._going is None:
            self._send_gathered()

    def tell_roster(self) -> None:
        """Car parks came or left: every reader hears which there are now, and how they all look.

        Ids from before name other car parks: whoever comes with one gets the whole picture.
        """
        self._stop_waiting()
        self._gathered.clear()
        self._settle()
        frame = _Frame(self._roster(self._lot_ids) + self._lot_events(self._lot_ids))
        for reader in self._open_readers():
            lots = self._told_to(reader)
            reader.behind.clear()
            reader.lacks_roster = reader.is_slow
            if reader.is_slow:
                reader.behind.update(lots)
            elif reader.lots is None:
                reader.write(frame)
            else:
                reader.write(_Frame(self._news(reader, lots, has_roster=True)))

    def _settle(self) -> None:
        self._lot_ids = sorted(self._showcase.lots)
        self._places = {lot_id: place for place, lot_id in enumerate(self._lot_ids)}
        self._said = {lot: said for lot, said in self._said.items() if lot in self._places}

    def _told_to(self, reader: _Reader) -> list[str]:
        """Those it hears of that there are."""
        if reader.lots is None:
            return self._lot_ids
        return sorted(reader.lots & self._places.keys())

    def _roster(self, lot_ids: Sequence[str]) -> bytes:
        return b"event: lots\ndata: %b\n\n" % msgspec.json.encode(Roster(tuple(lot_ids)))

    def _news(self, reader: _Reader, lot_ids: Sequence[str], *, has_roster: bool) -> bytes:
        """How these look now, with ids only for who hears of all."""
        roster = self._roster(self._told_to(reader)) if has_roster else b""
        if reader.lots is None:
            return roster + self._lot_events(lot_ids)
        return roster + b"".join(map(self._plain_event, lot_ids))

    def _send_gathered(self) -> None:
        """Once for all readers; then nothing for a while, however much changes."""
        self._stop_waiting()
        lot_ids, readers = list(self._gathered), self._open_readers()
        if not lot_ids or not readers:
            return
        self._gathered.clear()
        if self._apart_seconds:
            pause_seconds = max(self._apart_seconds, len(readers) * APART_A_READER_SECONDS)
            later = asyncio.get_running_loop().call_later
            self._going = later(pause_seconds, self._send_gathered)
        whole = [reader for reader in readers if reader.lots is None]
        self._send(whole, lot_ids, self._lot_events(lot_ids) if whole else b"")
        for reader, theirs in self._choosers_of(lot_ids).items():
            self._send([reader], theirs, b"".join(map(self._plain_event, theirs)))

    def _choosers_of(self, lot_ids: Iterable[str]) -> dict[_Reader, list[str]]:
        """Who chose any of these, and which: each is written to once."""
        found: dict[_Reader, list[str]] = {}
        for lot_id in lot_ids:
            for reader in self._by_lot.get(lot_id, ()):
                found.setdefault(reader, []).append(lot_id)
        return found

    @staticmethod
    def _send(readers: Iterable[_Reader], lot_ids: Sequence[str], news: bytes) -> None:
        frame = _Frame(news)
        for reader in readers:
            if reader.transport.is_closing():
                continue
            if reader.behind or reader.is_slow:
                reader.behind.update(lot_ids)
            else:
                reader.write(frame)

    def _stop_waiting(self) -> None:
        if self._going is not None:
            self._going.cancel()
            self._going = None

    def tell(self, event: str, data: bytes) -> None:
        """Write something that is no state of a lot to every reader that keeps up."""
        frame = _Frame(b"event: %b\ndata: %b\n\n" % (event.encode(), data))
        for reader in self._open_readers():
            if not reader.is_slow:
                reader.write(frame)

    async def keep_beating(self) -> None:
        """Heartbeats until cancelled."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            self.beat()

    def beat(self) -> None:
        """Say that we are here; readers that were slow catch up, those that take nothing go."""
        self._send_gathered()  # a heartbeat's ages are of what was told
        readers = self._open_readers()
        if not readers:
            return
        heard = self._observed(self._lot_ids)
        frame = _Frame(self._heartbeat(heard, self._lot_ids))
        for reader in readers:
            if reader.is_slow:
                self._lose_patience(reader)
                continue
            reader.slow_beats = 0
            if reader.behind:
                behind = sorted(reader.behind)
                reader.write(_Frame(self._news(reader, behind, has_roster=reader.lacks_roster)))
                reader.behind.clear()
                reader.lacks_roster = False
            whole = reader.lots is None
            reader.write(frame if whole else _Frame(self._heartbeat(heard, self._told_to(reader))))

    async def answer(self, request: web.Request, query: object) -> web.StreamResponse:
        """Open until the reader goes. Raises Problem 404 for a car park nobody has."""
        lots = self._chosen(query.lots) if isinstance(query, StreamQuery) else None
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
            }
        )
        is_chunked = request.version >= HttpVersion11
        if is_chunked:
            response.enable_chunked_encoding()
        try:
            await response.prepare(request)
        except ConnectionResetError:  # gone before we began
            return response
        transport = request.transport
        if request.method == "HEAD" or transport is None or transport.is_closing():
            return response
        reader = _Reader(transport, is_chunked, lots)
        self._enter(reader)
        try:
            reader.write(_Frame(self._opening(reader, request.headers.get(LAST_EVENT_ID, ""))))
            await reader.gone.wait()
        finally:
            self._leave(reader)
        return response

    def _chosen(self, words: str) -> frozenset[str] | None:
        """The car parks that were asked for; None: all."""
        lots = frozenset(lot for lot in words.split(",") if lot)
        if len(lots) > MOST_CHOSEN:
            raise Problem(400, f"at most {MOST_CHOSEN} car parks can be chosen", field="lots")
        for lot_id in sorted(lots):
            require_known(self._showcase, lot_id, "lots")
        return lots or None

    def _enter(self, reader: _Reader) -> None:
        self._readers.add(reader)
        for lot_id in reader.lots or ():
            self._by_lot.setdefault(lot_id, set()).add(reader)

    def _leave(self, reader: _Reader) -> None:
        self._readers.discard(reader)
        for lot_id in reader.lots or ():
            self._by_lot[lot_id].discard(reader)
            if not self._by_lot[lot_id]:
                del self._by_lot[lot_id]

    async def close(self, _: web.Application) -> None:
        """End every stream: a shutdown does not wait for readers."""
        self._stop_waiting()
        for reader in list(self._readers):
            reader.gone.set()
            reader.transport.close()

    def _open_readers(self) -> list[_Reader]:
        return [reader for reader in self._readers if not reader.transport.is_closing()]

    def _lose_patience(self, reader: _Reader) -> None:
        reader.slow_beats += 1
        if reader.slow_beats > PATIENCE_BEATS:
            reader.transport.abort()

    def _opening(self, reader: _Reader, last_event_id: str) -> bytes:
        """The whole picture, or what looks other since the reader's last event."""
        told = self._told_to(reader)
        seen = self._looks_in(last_event_id) if reader.lots is None else {}
        lots = [lot for lot in told if self._showcase.look(lot) != seen.get(lot)]
        news = self._news(reader, lots, has_roster=True)
        return b"retry: 1000\n\n" + news + self._heartbeat(self._observed(told), told)

    def _looks_in(self, event_id: str) -> dict[str, str]:
        if len(event_id) != LOOK_LENGTH * len(self._lot_ids):
            return {}
        starts = range(0, len(event_id), LOOK_LENGTH)
        looks = (event_id[start : start + LOOK_LENGTH] for start in starts)
        return dict(zip(self._lot_ids, looks, strict=True))

    def _lot_events(self, lot_ids: Sequence[str]) -> bytes:
        """One event a lot; an id leaves out the lots that are still to come."""
        looks = self._looks_without({*lot_ids, *self._gathered})
        apart = self._events_an_id(len(lot_ids))
        events = []
        for number, lot_id in enumerate(lot_ids, start=1):
            looks[self._places[lot_id]] = self._showcase.look(lot_id)
            bears_id = number % apart == 0 or number == len(lot_ids)
            mark = b"id: %b\n" % "".join(looks).encode() if bears_id else b""
            events.append(b"event: lot\n%bdata: %b\n\n" % (mark, self._lot_data(lot_id)))
        return b"".join(events)

    def _plain_event(self, lot_id: str) -> bytes:
        return b"event: lot\ndata: %b\n\n" % self._lot_data(lot_id)

    def _events_an_id(self, events: int) -> int:
        id_bytes = LOOK_LENGTH * len(self._lot_ids)
        return max(1, -(-events // MOST_IDS), id_bytes // EVENT_BYTES)

    def _lot_data(self, lot_id: str) -> bytes:
        """Encoded once for all readers, until the lot is heard again."""
        change, before = self._showcase.change(lot_id), self._said.get(lot_id)
        if before is None or before[0] is not change:
            before = self._said[lot_id] = (change, msgspec.json.encode(self._told(change)))
        return before[1]

    def _looks_without(self, unseen: Collection[str]) -> list[str]:
        look = self._showcase.look
        return [_UNSEEN if lot in unseen else look(lot) for lot in self._lot_ids]

    def _observed(self, lot_ids: Iterable[str]) -> dict[str, bytes]:
        """When each was last observed, as a heartbeat writes it; nothing of one never heard."""
        observed = ((lot_id, self._showcase.change(lot_id).live.observed_at) for lot_id in lot_ids)
        return {
            lot_id: b"%b:%b" % (msgspec.json.encode(lot_id), msgspec.json.encode(at))
            for lot_id, at in observed
            if at is not None
        }

    def _heartbeat(self, observed: Mapping[str, bytes], lot_ids: Iterable[str]) -> bytes:
        """Put together from pieces: thousands of readers get one of their own."""
        lost = self._showcase.link_lost_since_ms is not None
        pieces = b",".join(observed[lot_id] for lot_id in lot_ids if lot_id in observed)
        beat = Heartbeat(
            now=formats.rfc3339(self._showcase.now_ms()),
            observed_at=msgspec.Raw(b"{%b}" % pieces),
            source="lost" if lost else "live",
        )
        return b"event: heartbeat\ndata: %b\n\n" % msgspec.json.encode(beat)
