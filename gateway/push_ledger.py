"""One pushing car park: each record counted once, its remaining held against its own records."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import msgspec

from gateway.counter import CounterState
from gateway.datum import Point, metres_apart
from gateway.observation import (
    Basis,
    DeviceHealth,
    DeviceState,
    Direction,
    GroupReading,
    GroupState,
    LaneReading,
    Observation,
)
from gateway.push_message import (
    SENT_WITHIN_MS,
    AreaCount,
    BadPushError,
    Passage,
    Push,
    Refusal,
    Role,
)
from gateway.reconcile import Anchor, balance, cars_inside, drift, drift_limit_cars, list_doubts

STALE_AFTER_MS = 90_000
NONCE_KEPT_MS = 3 * SENT_WITHIN_MS  # older posts are refused by their time
NOTHING_HEARD: Mapping[str, int] = MappingProxyType({})
GATE = "gate"
MOST_APART_METRES = 300.0  # entrances of one car park; another datum lies 600 m off
_LANES = {Direction.ENTRY: "gate-entry", Direction.EXIT: "gate-exit"}


class PushPark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A car park that pushes. `bays_by_area` must agree with what it says of itself.

    `place` is its entrance, latitude and longitude in WGS-84: what it says is held against it.
    """

    lot_id: str
    park_code: str
    dialect: str
    bays_by_area: Mapping[str, int]
    place: tuple[float, float] | None = None


class PushLedger:
    """State of one car park; `now_ms` is UTC, `uptime_ms` runs only forward."""

    def __init__(
        self,
        park: PushPark,
        counters: Mapping[str, CounterState],
        anchor: Anchor | None,
        seen: Iterable[str],
        nonces: Mapping[str, int] = NOTHING_HEARD,
    ) -> None:
        """`seen` are records that were counted, `nonces` posts that were taken and when sent."""
        self.park = park
        self.totals = {way: _total(counters, lane) for way, lane in _LANES.items()}
        self.anchor = anchor
        self._seen = set(seen)
        self._nonces = dict(nonces)
        self._counts: dict[str, AreaCount] = {}
        self._counted_at_ms = max(self._nonces.values(), default=0)
        self._counted_uptime_ms: int | None = None
        self._heard_uptime_ms: int | None = None
        self._heard_at_ms = 0
        self._drift_cars: int | None = None
        self._said_place: Point | None = None

    def take(self, push: Push, now_ms: int, uptime_ms: int) -> tuple[Passage, ...]:
        """Fold one post in; the passages that were new. Raises BadPushError: nothing changed."""
        self._refuse_replay(push, now_ms)
        self._refuse_other_bays(push.counts)
        self._nonces[push.nonce] = push.sent_at_ms
        self._heard_uptime_ms, self._heard_at_ms = uptime_ms, now_ms
        self._said_place = push.place or self._said_place
        fresh = {p.number: p for p in push.passages if p.number not in self._seen}
        for passage in fresh.values():
            self._seen.add(passage.number)
            self.totals[passage.direction] += 1
            self._count_before_anchor(passage)
        if push.counts and push.sent_at_ms >= self._counted_at_ms:  # a late count says nothing now
            self._counts.update({count.area_id: count for count in push.counts})
            self._counted_at_ms, self._counted_uptime_ms = push.sent_at_ms, uptime_ms
        return tuple(fresh.values())

    def release(self, nonce: str) -> None:
        """The post was not committed: it may come again as it was."""
        self._nonces.pop(nonce, None)

    def _count_before_anchor(self, passage: Passage) -> None:
        """What passed before the anchor was in its cars already, however late we hear of it."""
        if self.anchor is None or passage.at_ms > self.anchor.at_ms:
            return
        entered = passage.direction is Direction.ENTRY
        self.anchor = msgspec.structs.replace(
            self.anchor,
            entries_total=self.anchor.entries_total + entered,
            exits_total=self.anchor.exits_total + (not entered),
        )

    def forget(self, numbers: Iterable[str]) -> None:
        """Records so old that they would be refused by their time."""
        self._seen.difference_update(numbers)

    def counters(self, now_ms: int) -> dict[str, CounterState]:
        return {
            _LANES[way]: CounterState(total, total, now_ms) for way, total in self.totals.items()
        }

    def observe(self, now_ms: int, uptime_ms: int) -> Observation:
        """The whole state now, without its place in the outbox."""
        entries, exits = self.totals[Direction.ENTRY], self.totals[Direction.EXIT]
        groups, heard = self._groups(uptime_ms), self._is_heard(uptime_ms)
        seen = _occupied(groups)
        if self.anchor is None and seen is not None:
            self.anchor = Anchor(seen, entries, exits, self._counted_at_ms)
        inside = cars_inside(self.anchor, entries, exits) if self.anchor and heard else None
        doubts = list_doubts(inside, groups)
        if self._parts(inside, groups):
            # Its two stories differ: the records stand, marked as worked out.
            groups = tuple(msgspec.structs.replace(g, occupied_by_level=None) for g in groups)
        elif inside is not None:
            self._drift_cars = drift(inside, groups)
        spaces = balance(groups, inside, self._drift_cars)
        return Observation(
            lot_id=self.park.lot_id,
            epoch=0,
            sequence=0,
            previous_sequence=0,
            observed_at_ms=now_ms,
            entries_total=entries,
            exits_total=exits,
            cars_inside=inside,
            cars_on_pallets=_occupied(groups),
            basis=spaces.basis if inside is not None else Basis.DERIVED,
            lanes=tuple(
                LaneReading(lane, way, self.totals[way], self._heard_at_ms)
                for way, lane in _LANES.items()
            ),
            groups=groups,
            signs=(),
            devices=(self._health(heard=heard),),
            doubts=(*spaces.doubts, *doubts),
            drift_cars=self._drift_cars,
        )

    def _refuse_replay(self, push: Push, now_ms: int) -> None:
        if push.nonce in self._nonces:
            raise BadPushError(Refusal.REPLAYED, Role.NONCE, "was used before; send each post once")
        while self._nonces and next(iter(self._nonces.values())) < now_ms - NONCE_KEPT_MS:
            del self._nonces[next(iter(self._nonces))]

    def _refuse_other_bays(self, counts: tuple[AreaCount, ...]) -> None:
        for count in counts:
            bays = self.park.bays_by_area.get(count.area_id)
            if bays is None:
                known = ", ".join(self.park.bays_by_area)
                words = f"{count.area_id!r} is none of {known}"
                raise BadPushError(Refusal.COUNT, Role.AREA, words)
            if bays != count.total:
                words = f"area {count.area_id!r} has {bays} bays by its file, not {count.total}"
                raise BadPushError(Refusal.COUNT, Role.TOTAL, words)

    def _is_heard(self, uptime_ms: int) -> bool:
        heard = self._heard_uptime_ms
        return heard is not None and uptime_ms - heard <= STALE_AFTER_MS

    def _groups(self, uptime_ms: int) -> tuple[GroupReading, ...]:
        at = self._counted_uptime_ms
        fresh = at is not None and uptime_ms - at <= STALE_AFTER_MS
        return tuple(
            self._group(area_id, bays, self._counts.get(area_id) if fresh else None)
            for area_id, bays in self.park.bays_by_area.items()
        )

    def _group(self, area_id: str, bays: int, count: AreaCount | None) -> GroupReading:
        return GroupReading(
            device_id=GATE,
            group_id=area_id,
            state=GroupState.SILENT if count is None else GroupState.WORKING,
            bays_by_level=(bays,),
            occupied_by_level=None if count is None else (count.total - count.remaining,),
            storing_queue=None,
            fetching_queue=None,
            cycle_seconds=None,
            read_at_ms=self._counted_at_ms,
        )

    def _parts(self, inside: int | None, groups: tuple[GroupReading, ...]) -> bool:
        parted = None if inside is None else drift(inside, groups)
        limit = drift_limit_cars(sum(self.park.bays_by_area.values()))
        return parted is not None and abs(parted) >= limit

    def _health(self, *, heard: bool) -> DeviceHealth:
        state = DeviceState.ONLINE if heard else DeviceState.LOST
        return DeviceHealth(GATE, state, self._heard_at_ms or None, self._place_note())

    def _place_note(self) -> str:
        """Its counts are its own wherever it says it is: told, and nothing is taken over."""
        if self._said_place is None or self.park.place is None:
            return ""
        metres = metres_apart(self._said_place, self.park.place)
        if metres <= MOST_APART_METRES:
            return ""
        words = "check the datum of its dialect, and whether it is this car park"
        return f"says it lies {metres:.0f} m from our entrance: {words}"


def _occupied(groups: tuple[GroupReading, ...]) -> int | None:
    known = [sum(g.occupied_by_level) for g in groups if g.occupied_by_level is not None]
    return sum(known) if len(known) == len(groups) else None


def _total(counters: Mapping[str, CounterState], lane: str) -> int:
    return counters[lane].total if lane in counters else 0
