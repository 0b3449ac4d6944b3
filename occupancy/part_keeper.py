"""Keeps what history does not tell: the cars of each level, and how each device answered."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from occupancy import database_parts
from occupancy.database import Pool
from occupancy.database_parts import DeviceSpan, LevelSample
from occupancy.live import LiveOccupancy, stale_at_ms

EVERY_MS = 60_000
APART_MS = 3 * EVERY_MS  # looks further apart leave a gap: nobody knows what was between


@dataclass
class PartKeeper:
    """The spans that go on, by car park and device; read from PostgreSQL at the first look."""

    connections: Pool
    spans: dict[tuple[str, str], DeviceSpan] = field(default_factory=dict)
    looked_at_ms: int | None = None

    async def look(self, pictures: Iterable[LiveOccupancy], now_ms: int) -> None:
        """Once a minute, whatever speaks. Raises what PostgreSQL raises; the next look does it."""
        before = self.looked_at_ms
        if before is not None and 0 <= now_ms - before < EVERY_MS:
            return
        if before is None:
            newest = await database_parts.list_newest_spans(self.connections)
            self.spans = {(span.lot_id, span.device_id): span for span in newest}
        fresh = [picture for picture in pictures if now_ms < stale_at_ms(picture)]
        spans = spans_after(self.spans, fresh)
        await database_parts.add_levels(self.connections, [levels_of(one) for one in fresh])
        await database_parts.keep_spans(self.connections, spans)
        self.spans |= {(span.lot_id, span.device_id): span for span in spans}
        self.looked_at_ms = now_ms

    async def tidy(self) -> None:
        await database_parts.forget_old(self.connections)


def levels_of(picture: LiveOccupancy) -> LevelSample:
    levels = sorted(picture.levels, key=lambda level: level.level)
    return LevelSample(
        picture.lot_id,
        picture.observed_at_ms,
        tuple(level.occupied for level in levels),
        tuple(level.free for level in levels),
    )


def spans_after(
    before: dict[tuple[str, str], DeviceSpan], pictures: Iterable[LiveOccupancy]
) -> list[DeviceSpan]:
    """Each device's span as it is now: it goes on while the state is the same and was looked at."""
    return [
        _span(before.get((picture.lot_id, device.device_id)), span)
        for picture in pictures
        for device in picture.devices
        for span in [
            DeviceSpan(
                *(picture.lot_id, device.device_id),
                *(picture.observed_at_ms, picture.observed_at_ms),
                *(device.state, device.note),
            )
        ]
    ]


def _span(before: DeviceSpan | None, now: DeviceSpan) -> DeviceSpan:
    if before is None or now.until_ms - before.until_ms > APART_MS:
        return now
    if now.until_ms <= before.until_ms:
        return before  # a gateway whose clock went back tells nothing newer
    if before.state is now.state:
        return before._replace(until_ms=now.until_ms)
    return now
