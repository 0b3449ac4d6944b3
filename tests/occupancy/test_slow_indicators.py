"""Indicators are what a second implementation, in SQL from raw rows, says: to 1e-9."""

import random
from pathlib import Path

import asyncpg
import duckdb
import pytest

from gateway.observation import Observation
from occupancy import balance, congestion, database_rollup, history, vitals
from occupancy.database_rollup import read_windows
from occupancy.history import Position
from occupancy.indicator import LEAST_COMPLETENESS, Indicator
from occupancy.observed import Facts, Observed, Span, observe
from occupancy.rollup import DAY_MS, MINUTE_MS
from tests.builders import MORNING_MS, a_group, an_observation
from tests.rows import written

SQL = Path(__file__).with_name("slow_indicators.sql").read_text(encoding="utf-8")
HOUR_MS = 3_600_000
LOTS = ("kangle", "sanda", "zhongshan")
HISTORIES = 10
PAUSES_MS = (1_000, 5_000, 5_000, 8_000, 9_999, 10_000, 10_000, 10_001, 10_000, 11_000)
FORMULAS = (
    congestion.turnover,
    congestion.mean_stay_derived,
    congestion.time_occupancy,
    congestion.mean_occupancy,
    congestion.peak_saturation,
    congestion.peak_hour_saturation,
    congestion.saturated_minutes,
    congestion.full_time_share,
    congestion.target_share,
    congestion.data_access_rate,
    balance.balance,
)


class Story:
    """A lot's random past: a walk of its cars, with gaps, resets, corrections and nonsense."""

    def __init__(self, pick: random.Random, lot_id: str, from_ms: int, to_ms: int) -> None:
        self.lot_id, self.rows = lot_id, list[Observation]()
        self.groups = pick.choice((1, 2, 3))
        self._pick = pick
        self._cars = pick.randint(0, 18 * self.groups)
        at_ms, epoch, sequence, entries, exits = from_ms - 30_000, 1, 0, 100, 50
        out = 0
        while at_ms < to_ms:
            at_ms += pick.choice(PAUSES_MS)
            chance = pick.random()
            if chance < 0.004:  # nobody heard of it for a while
                at_ms += pick.randint(1, 200_000)
            elif chance < 0.006:  # a gateway that began anew
                epoch, sequence, entries, exits = epoch + 1, 0, 0, 0
            elif chance < 0.009:  # somebody counted: the number of cars is another
                self._cars = pick.randint(0, 18 * self.groups)
            elif chance < 0.012:  # a machine goes out of service, or comes back
                out = pick.choice((0, 0, 1)) if self.groups > 1 else 0
            came, went = pick.choice((0, 0, 0, 1, 2)), pick.choice((0, 0, 0, 1))
            most = 18 * (self.groups - out)
            self._cars = max(0, min(most, self._cars + came - went))
            sequence, entries, exits = sequence + 1, entries + came, exits + went
            self._tell(at_ms, epoch, sequence, entries, exits, out)

    def _tell(
        self, at_ms: int, epoch: int, sequence: int, entries: int, exits: int, out: int
    ) -> None:
        is_silent = self._pick.random() < 0.002
        cars = 19 * self.groups if self._pick.random() < 0.002 else self._cars
        groups = tuple(
            a_group(number + 1, None if is_silent else (cars if number == 0 else 0, 0, 0))
            for number in range(self.groups - out)
        )
        self.rows.append(
            an_observation(
                sequence,
                lot_id=self.lot_id,
                epoch=epoch,
                observed_at_ms=at_ms,
                entries_total=entries,
                exits_total=exits,
                groups=groups,
                cars_inside=None,
            )
        )


async def gathered(connections: asyncpg.Pool, story: Story, facts: Facts, span: Span) -> Observed:
    """As in service: recorded, rolled up, read as quarters of an hour."""
    lot_id = story.lot_id
    rows = written(*story.rows, recorded_at_ms=span.until_ms + DAY_MS)
    await history.record(connections, lot_id, rows, Position(0, 0))
    due = [one for one in await database_rollup.list_due(connections, 9) if one.lot_id == lot_id]
    await database_rollup.roll_up(connections, due, span.until_ms + DAY_MS)
    windows = await read_windows(connections, lot_id, *span, 15)
    return observe(facts, windows, *span, 15)


async def slowly(
    connections: asyncpg.Pool, facts: list[Facts], span: Span
) -> dict[str, float | None]:
    rows = await connections.fetch(
        "SELECT lot_id, round(extract(epoch FROM observed_at) * 1000)::bigint, epoch, sequence, "
        "occupied, free, usable, entries_total, exits_total FROM observation"
    )
    with duckdb.connect() as duck:
        duck.execute(
            'CREATE TABLE raw (lot VARCHAR, "at" BIGINT, epoch BIGINT, seq BIGINT, occ BIGINT, '
            "free BIGINT, usable BIGINT, entered BIGINT, gone BIGINT); "
            "CREATE TABLE lot (lot VARCHAR, capacity BIGINT, opened BIGINT, closed_from BIGINT, "
            "closed_to BIGINT); CREATE TABLE asked (from_ms BIGINT, to_ms BIGINT)"
        )
        told = ", ".join(str(tuple(row)).replace("None", "NULL") for row in rows)
        duck.execute(f"INSERT INTO raw VALUES {told}")  # noqa: S608 -- numbers of our own
        for one in facts:
            closed = one.closed[0] if one.closed else (None, None)
            duck.execute(
                "INSERT INTO lot VALUES (?, ?, ?, ?, ?)",
                (one.lot_id, one.capacity, one.opened_ms, *closed),
            )
        duck.execute("INSERT INTO asked VALUES (?, ?)", span)
        duck.execute(SQL)
        return dict(duck.execute("SELECT code, value FROM figure").fetchall())


def some_facts(pick: random.Random, story: Story, span: Span) -> Facts:
    """Some lots opened late, some were closed for works."""
    middle = span.from_ms + (span.until_ms - span.from_ms) // 2 + pick.randint(0, 600_000)
    return Facts(
        story.lot_id,
        18 * story.groups,
        opened_ms=middle if pick.random() < 0.2 else None,
        closed=(Span(middle, middle + HOUR_MS),) if pick.random() < 0.2 else (),
    )


@pytest.mark.parametrize("number", range(HISTORIES))
async def test_figures_are_those_of_the_second_implementation(
    connections: asyncpg.Pool, number: int
) -> None:
    pick = random.Random(number)  # noqa: S311 -- random histories by their numbers
    from_ms = MORNING_MS + pick.choice((-10, -2, 0)) * HOUR_MS  # some go over midnight
    span = Span(from_ms, from_ms + pick.choice((3, 4)) * HOUR_MS + 15 * MINUTE_MS)
    stories = [Story(pick, lot_id, *span) for lot_id in LOTS[: pick.choice((1, 2, 3))]]
    facts = [some_facts(pick, story, span) for story in stories]
    lots = [
        await gathered(connections, story, one, span)
        for story, one in zip(stories, facts, strict=True)
    ]
    slow = await slowly(connections, facts, span)
    made = [formula(*lots) for formula in FORMULAS]
    made.append(vitals.congestion_index(*((one, None) for one in lots)))
    for one in made:
        assert_same(one, slow)
    assert any(one.value is not None for one in made)


def assert_same(one: Indicator, slow: dict[str, float | None]) -> None:
    completeness = slow["completeness"]
    assert completeness is not None
    assert one.completeness == pytest.approx(completeness, rel=1e-9)
    expected = slow[one.code]
    if completeness < LEAST_COMPLETENESS and one.code != "data_access_rate":
        expected = None
    assert (one.value is None) == (expected is None), one
    assert (one.reason == "") == (one.value is not None)
    if expected is not None:
        assert one.value == pytest.approx(expected, rel=1e-9, abs=1e-12), one
