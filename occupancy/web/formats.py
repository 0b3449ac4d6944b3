"""What the service knows in the shape its readers get."""

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache

import msgspec

from gateway.observation import Basis, DeviceState, FaceState, GroupState
from occupancy.coordinates import to_gcj02
from occupancy.live import LiveOccupancy, Quality, Status, Trend, as_seen_at
from occupancy.lot import Lot, Place, Thresholds, VehicleLimits
from occupancy.navigation import NavigationLinks, links_to
from occupancy.restriction import closing_at
from occupancy.series import HistoryPoint

SHANGHAI = dt.timezone(dt.timedelta(hours=8))
DECIMALS = 6
_TO_SECONDS = len("2026-11-29T08:00:00")
_SECONDS_KEPT, _PLACES_KEPT = 4_096, 4_096


class Point(msgspec.Struct, frozen=True, gc=False):
    """Degrees."""

    lat: float
    lng: float


class BothDatums(msgspec.Struct, frozen=True, gc=False):
    """One place as Chinese maps and as GPS count it."""

    gcj02: Point
    wgs84: Point


class PriceInWords(msgspec.Struct, frozen=True, gc=False):
    """The free period and the price, in words and as data; `placeholder`: nobody confirmed it."""

    free_minutes: int | None
    free_period: str
    price: str
    placeholder: bool


class Live(msgspec.Struct, frozen=True, gc=False):
    """The numbers now; null where the source is silent or contradicts itself."""

    capacity: int
    usable: int | None
    occupied: int | None
    free: int | None
    out_of_service: int | None
    locked_in: int | None
    trend: Trend
    quality: Quality
    basis: Basis | None
    observed_at: str | None
    doubts: tuple[str, ...]


class ClosedNow(msgspec.Struct, frozen=True, gc=False):
    """Why nobody is let in and until when, null: nobody said; `words` says both in Chinese."""

    wording: str
    reopens_at: str | None
    words: str


class LotSummary(msgspec.Struct, frozen=True, gc=False):
    """One car park as a list shows it."""

    id: str
    name: str
    short_name: str
    address: str
    place: BothDatums
    hotline: str
    status: Status
    live: Live
    thresholds: Thresholds
    limits: VehicleLimits
    tariff: PriceInWords | None
    navigation: NavigationLinks
    placeholders: tuple[str, ...]
    closed: ClosedNow | None


class LevelNow(msgspec.Struct, frozen=True, gc=False):
    """One level over all machine groups, from the ground up."""

    level: int
    capacity: int
    occupied: int | None
    out_of_service: int
    free: int | None


class GroupNow(msgspec.Struct, frozen=True, gc=False):
    """One machine group; queues in cars, cycle in seconds."""

    id: str
    state: GroupState
    bay_type: str
    capacity: int
    occupied: int | None
    free: int | None
    storing_queue: int | None
    fetching_queue: int | None
    cycle_seconds: float | None


class DeviceNow(msgspec.Struct, frozen=True, gc=False):
    """One field device."""

    id: str
    state: DeviceState
    last_answer_at: str | None
    note: str


class SignNow(msgspec.Struct, frozen=True, gc=False):
    """One guidance sign: what it should show and what it says it shows, a text a line."""

    id: str
    desired: tuple[str, ...]
    reported: tuple[str, ...] | None
    state: FaceState


class Flow(msgspec.Struct, frozen=True, gc=False):
    """Cars through the lanes since the gateway's memory began."""

    entries_total: int
    exits_total: int


class Counters(msgspec.Struct, frozen=True, gc=False):
    """Cars inside by the loop counters and by the machines; null where one of them is silent.

    `drift_cars` is the first minus the second minus `unseen_cars`, which an operator found beyond
    what the machines say when he counted (`correction_number`, 0: nobody has).
    """

    cars_by_counters: int | None
    cars_by_machines: int | None
    drift_cars: int | None
    unseen_cars: int
    correction_number: int


class LotDetail(LotSummary, frozen=True, gc=False):
    """One car park with everything below it."""

    levels: tuple[LevelNow, ...]
    groups: tuple[GroupNow, ...]
    devices: tuple[DeviceNow, ...]
    signs: tuple[SignNow, ...]
    flow: Flow | None
    counters: Counters | None


class LotChange(LotSummary, frozen=True, gc=False):
    """What the live stream says of one car park."""

    levels: tuple[LevelNow, ...]
    signs: tuple[SignNow, ...]


class LotList(msgspec.Struct, frozen=True):
    """Every car park."""

    lots: tuple[LotSummary, ...]


class SeriesPoint(msgspec.Struct, frozen=True):
    """One step; null where the source was silent for most of it."""

    at: str
    occupied: float | None
    free: float | None
    entries: int | None
    exits: int | None
    completeness: float


class Series(msgspec.Struct, frozen=True):
    """Occupancy over time."""

    lot: str
    step_seconds: int
    points: tuple[SeriesPoint, ...]


def rfc3339(at_ms: int) -> str:
    """In the district's time, to the millisecond."""
    seconds, rest = divmod(at_ms, 1_000)
    before, behind = _whole_second(seconds)
    return f"{before}.{rest:03}{behind}"


@lru_cache(maxsize=_SECONDS_KEPT)
def _whole_second(at_seconds: int) -> tuple[str, str]:
    """What stands before and behind the fraction; hundreds of devices answer in one second."""
    text = dt.datetime.fromtimestamp(at_seconds, tz=SHANGHAI).isoformat()
    return text[:_TO_SECONDS], text[_TO_SECONDS:]


@lru_cache(maxsize=_PLACES_KEPT)
def both_datums(place: Place) -> BothDatums:
    return BothDatums(gcj02=_point(to_gcj02(place)), wgs84=_point(place))


def summary(
    lot: Lot, picture: LiveOccupancy | None, tariff: PriceInWords | None, now_ms: int
) -> LotSummary:
    return LotSummary(**_common(lot, picture, tariff, now_ms))  # type: ignore[arg-type]


def detail(
    lot: Lot, picture: LiveOccupancy | None, tariff: PriceInWords | None, now_ms: int
) -> LotDetail:
    common = _common(lot, picture, tariff, now_ms)
    if picture is None:
        nothing = {"levels": (), "groups": (), "devices": (), "signs": ()}
        return LotDetail(**common, **nothing, flow=None, counters=None)  # type: ignore[arg-type]
    seen = as_seen_at(picture, now_ms)
    silent = is_untold(seen)
    bay_types = {group.group_id: group.bay_type for group in lot.groups}
    return LotDetail(
        **common,  # type: ignore[arg-type]
        levels=_levels(seen, silent=silent),
        groups=_groups(seen, bay_types, silent=silent),
        devices=tuple(
            DeviceNow(
                d.device_id,
                d.state,
                None if d.last_answer_at_ms is None else rfc3339(d.last_answer_at_ms),
                d.note,
            )
            for d in seen.devices
        ),
        signs=_signs(seen),
        flow=Flow(seen.entries_total, seen.exits_total),
        counters=_counters(seen, silent=seen.quality is Quality.STALE),
    )


def _counters(seen: LiveOccupancy, *, silent: bool) -> Counters:
    return Counters(
        None if silent else seen.cars_inside,
        None if silent else seen.cars_seen,
        None if silent else seen.drift_cars,
        seen.unseen_cars,
        seen.correction_number,
    )


def change(
    lot: Lot, picture: LiveOccupancy | None, tariff: PriceInWords | None, now_ms: int
) -> LotChange:
    common = _common(lot, picture, tariff, now_ms)
    if picture is None:
        return LotChange(**common, levels=(), signs=())  # type: ignore[arg-type]
    seen = as_seen_at(picture, now_ms)
    levels = _levels(seen, silent=is_untold(seen))
    return LotChange(**common, levels=levels, signs=_signs(seen))  # type: ignore[arg-type]


def series(lot_id: str, step_seconds: int, points: list[HistoryPoint]) -> Series:
    return Series(
        lot_id,
        step_seconds,
        tuple(
            SeriesPoint(rfc3339(p.start_ms), p.occupied, p.free, p.entries, p.exits, p.completeness)
            for p in points
        ),
    )


def _common(
    lot: Lot, picture: LiveOccupancy | None, tariff: PriceInWords | None, now_ms: int
) -> Mapping[str, object]:
    seen = None if picture is None else as_seen_at(picture, now_ms)
    return {
        "id": lot.lot_id,
        "name": lot.name,
        "short_name": lot.short_name,
        "address": lot.address,
        "place": both_datums(lot.entrance),
        "hotline": lot.hotline,
        "status": Status.NO_DATA if seen is None else seen.status,
        "live": _live(lot, seen),
        "thresholds": lot.tight,
        "limits": lot.limits,
        "tariff": tariff,
        "navigation": links_to(lot),
        "placeholders": lot.placeholders,
        "closed": None if seen is None else _closed(seen, now_ms),
    }


def _closed(seen: LiveOccupancy, now_ms: int) -> ClosedNow | None:
    closing = closing_at(seen.closings, now_ms)
    if closing is None:
        return None
    if closing.until_ms is None:
        return ClosedNow(closing.wording, None, f"{closing.wording}，恢复时间另行通知")
    until = dt.datetime.fromtimestamp(closing.until_ms / 1_000, tz=SHANGHAI)
    words = f"{closing.wording}，预计 {until.month} 月 {until.day} 日 {until:%H:%M} 恢复"
    return ClosedNow(closing.wording, rfc3339(closing.until_ms), words)


def _live(lot: Lot, seen: LiveOccupancy | None) -> Live:
    if seen is None:
        nothing = ("nothing has been heard from this car park yet",)
        return Live(
            capacity=lot.capacity,
            usable=None,
            occupied=None,
            free=None,
            out_of_service=None,
            locked_in=None,
            trend=Trend.UNKNOWN,
            quality=Quality.STALE,
            basis=None,
            observed_at=None,
            doubts=nothing,
        )
    untold = is_untold(seen)
    return Live(
        capacity=lot.capacity,
        usable=None if untold else seen.usable,
        occupied=None if untold else seen.occupied,
        free=None if untold else seen.free,
        out_of_service=None if untold else seen.out_of_service,
        locked_in=None if untold else seen.locked_in,
        trend=Trend.UNKNOWN if untold else seen.trend,
        quality=seen.quality,
        basis=seen.basis,
        observed_at=rfc3339(seen.observed_at_ms),
        doubts=seen.doubts,
    )


def is_untold(seen: LiveOccupancy) -> bool:
    """A number nobody should act on is not told."""
    return seen.quality in (Quality.STALE, Quality.SUSPECT)


def _signs(seen: LiveOccupancy) -> tuple[SignNow, ...]:
    """What a sign showed when its gateway fell silent is not what it shows."""
    if seen.quality is Quality.STALE:
        return tuple(SignNow(s.device_id, s.desired, None, FaceState.UNKNOWN) for s in seen.signs)
    return tuple(SignNow(s.device_id, s.desired, s.reported, s.state) for s in seen.signs)


def _levels(seen: LiveOccupancy, *, silent: bool) -> tuple[LevelNow, ...]:
    return tuple(
        LevelNow(
            level.level,
            level.capacity,
            None if silent else level.occupied,
            level.out_of_service,
            None if silent else level.free,
        )
        for level in seen.levels
    )


def _groups(
    seen: LiveOccupancy, bay_types: Mapping[str, str], *, silent: bool
) -> tuple[GroupNow, ...]:
    return tuple(
        GroupNow(
            group.group_id,
            GroupState.SILENT if seen.quality is Quality.STALE else group.state,
            bay_types.get(group.group_id, "suv"),
            group.capacity,
            None if silent else group.occupied,
            None if silent else group.free,
            group.storing_queue,
            group.fetching_queue,
            group.cycle_seconds,
        )
        for group in seen.groups
    )


def _point(place: Place) -> Point:
    return Point(round(place.latitude, DECIMALS), round(place.longitude, DECIMALS))
