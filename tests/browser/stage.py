"""The five car parks of Sanshui behind the real application, in whatever state a test wants."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

import msgspec

from gateway.observation import FaceState, GroupReading, GroupState, SignReading
from occupancy.lot import Lot, OpeningState
from occupancy.lot_file import load_shipped
from occupancy.sign_faces import TownSign
from occupancy.web.trend import Trend
from tests.builders import a_group
from tests.occupancy.web.faces import Above, Served, no_floor, served

SIGNS = (
    TownSign("junction-north", "kangle", ("kangle", "zhanqian", "zhongshan", "huochezhan")),
    TownSign("junction-south", "zhanqian", ("zhongshan", "sanda", "kangle", "zhanqian")),
)
FULL_FREE = 3
USUAL = {"kangle": 52, "zhanqian": 23, "sanda": 91, "zhongshan": 34, "huochezhan": 118}


class Stage:
    """A running town whose lots have as many free spaces as they are told to have."""

    def __init__(self, running: Served) -> None:
        self.running = running
        self.url = running.url
        self._sequence = 0
        self._told: dict[str, str] = {}

    def free(self, lot_id: str, spaces: int, *, jammed: bool = False) -> None:
        """Let the lot report so many free spaces; `jammed`: its last machine stands."""
        self._sequence += 1
        self._told[lot_id] = str(spaces) if spaces > FULL_FREE else "满"
        lot = self.running.lots[lot_id]
        self.running.show(
            lot_id,
            self._sequence,
            groups=tuple(_groups(lot, spaces, jammed=jammed)),
            signs=self._signs_of(lot_id),
            cars_inside=None,
            entries_total=900,
            exits_total=870,
        )

    def _signs_of(self, lot_id: str) -> tuple[SignReading, ...]:
        """The sign this lot's gateway drives, with what was told so far."""
        return tuple(
            SignReading(sign.sign_id, lines, lines, FaceState.AS_DESIRED, 0)
            for sign in SIGNS
            if sign.driven_by == lot_id
            for lines in [tuple(self._told.get(lot, "—") for lot in sign.lot_ids)]
        )

    def free_all(self, spaces: dict[str, int] = USUAL) -> None:
        for lot_id, count in spaces.items():
            self.free(lot_id, count)

    def age(self, seconds: int) -> None:
        """Time goes on and nobody says anything."""
        self.running.clock.now_ms += seconds * 1_000
        self.running.face.showcase.let_age()


@asynccontextmanager
async def staged(closed: Sequence[str] = (), above: Above = no_floor) -> AsyncIterator[Stage]:
    lots = [
        msgspec.structs.replace(lot, opening=OpeningState.CLOSED) if lot.lot_id in closed else lot
        for lot in load_shipped()
    ]
    async with served(lots, SIGNS, above=above) as running:
        for number, lot in enumerate(lots):
            running.face.board.trends.take(lot.lot_id, _trend(lot, number))
        async with asyncio.TaskGroup() as group:
            beating = group.create_task(running.face.stream.keep_beating(), name="heartbeat")
            yield Stage(running)
            beating.cancel()


def _groups(lot: Lot, free: int, *, jammed: bool) -> Iterable[GroupReading]:
    serving = lot.groups[:-1] if jammed else lot.groups
    cars = sum(sum(group.bays_by_level) for group in serving) - free
    for number, group in enumerate(lot.groups, start=1):
        stands = jammed and group is lot.groups[-1]
        fills = []
        for bays in group.bays_by_level:
            fills.append(0 if stands else min(bays, cars))
            cars -= fills[-1]
        yield a_group(
            number,
            device_id=f"{lot.lot_id}-{group.group_id}",
            group_id=group.group_id,
            state=GroupState.JAMMED if stands else GroupState.WORKING,
            bays_by_level=group.bays_by_level,
            occupied_by_level=tuple(fills),
        )


def _trend(lot: Lot, number: int) -> Trend:
    def at(step: int) -> float | None:
        if 70 < step < 76 and number == 1:
            return None  # the source was silent
        wave = math.sin(step / 26 + number * 1.3) + 0.25 * math.sin(step / 7 + number)
        return lot.capacity * (0.45 + 0.3 * wave)

    return Trend(tuple(at(step) for step in range(180)), 812 + 97 * number, 798 + 94 * number)
