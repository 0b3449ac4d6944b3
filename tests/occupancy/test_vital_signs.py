"""A vital sign is what its kept query gives, again and again; what came late is another row."""

import datetime as dt

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from occupancy import database_vitals, refused
from occupancy.calendar import Calendar
from occupancy.database_observed import read_facts, read_observed
from occupancy.observed import Facts, Span, observe
from occupancy.report.period import month_of
from occupancy.rollup import DAY_MS, Window, date_start_ms
from occupancy.vital_answering import answer
from occupancy.vital_signs import (
    DISTRICT,
    QUARTER_MS,
    Grain,
    band_words,
    congestion_now,
    query_of,
    seal_of,
)
from occupancy.vitals import CONGESTION_INDEX, Band, congestion_index
from tests.builders import MORNING_MS
from tests.occupancy.web.open_data.vital_past import YESTERDAY_MS, after_october

OCTOBER = month_of(dt.date(2026, 10, 1))


def quarter(lot_id: str, share: float | None, capacity: int = 100) -> Window:
    if share is None:
        return Window(lot_id, MORNING_MS, 15)
    told = QUARTER_MS
    cars = round(share * capacity)
    return Window(
        lot_id,
        MORNING_MS,
        15,
        told_ms=told,
        fresh_ms=told,
        occupied_ms=told * cars,
        free_ms=told * (capacity - cars),
        usable_ms=told * capacity,
    )


@given(st.lists(st.tuples(st.integers(10, 500), st.integers(0, 100)), min_size=1, max_size=5))
def test_the_districts_index_lies_between_those_of_its_car_parks(
    lots: list[tuple[int, int]],
) -> None:
    observed = [
        observe(
            Facts(str(number), capacity),
            [quarter(str(number), percent / 100, capacity)],
            MORNING_MS,
            MORNING_MS + QUARTER_MS,
            15,
        )
        for number, (capacity, percent) in enumerate(lots)
    ]
    single = [congestion_now(one).value for one in observed]
    whole = congestion_now(*observed).value
    assert whole is not None
    known = [one for one in single if one is not None]
    assert min(known) - 1e-9 <= whole <= max(known) + 1e-9
    assert 0 <= whole <= 10


def test_a_silent_quarter_has_no_index_and_says_why() -> None:
    silent = observe(
        Facts("kangle", 100),
        [quarter("kangle", None)],
        MORNING_MS,
        MORNING_MS + QUARTER_MS,
        15,
    )
    figure = congestion_now(silent)
    assert (figure.value, figure.reason) == (None, "统计期内没有收到数据")
    assert band_words(figure) is None


def test_a_closure_that_lasts_is_the_same_query_tomorrow() -> None:
    day = Span(OCTOBER.start_ms, OCTOBER.start_ms + DAY_MS)

    def asked(ends_ms: int) -> str:
        facts = Facts("kangle", 100, closed=(Span(OCTOBER.start_ms, ends_ms),))
        query = query_of("kangle", Grain.DAY, day.from_ms, day.until_ms, [facts], {})
        return seal_of(query, ())

    assert asked(day.until_ms + DAY_MS) == asked(day.until_ms + 5 * DAY_MS)
    assert asked(day.until_ms - DAY_MS // 2) != asked(day.until_ms)


async def test_the_months_index_is_that_of_the_formulas_from_the_same_windows(
    connections: asyncpg.Pool,
) -> None:
    async with after_october(connections):
        newest = await database_vitals.list_newest(connections, Grain.MONTH)
    assert [one.query.subject for one in newest] == [
        DISTRICT,
        "huochezhan",
        "kangle",
        "sanda",
        "zhanqian",
        "zhongshan",
    ]
    indexed = []
    for facts in await read_facts(connections, OCTOBER.end_ms):
        span = Span(OCTOBER.start_ms, OCTOBER.end_ms)
        minutes = await read_observed(connections, facts, span, 1, OCTOBER.end_ms)
        quarters = await read_observed(connections, facts, span, 15, OCTOBER.end_ms)
        indexed.append((quarters, refused.estimate(minutes, Calendar())))
    expected = congestion_index(*indexed)
    found = newest[0].find(CONGESTION_INDEX.code)
    assert found is not None
    assert expected.value is not None
    assert found.value == pytest.approx(expected.value, abs=1e-9)
    assert band_words(found) in set(Band)


async def test_a_kept_query_gives_the_same_again_until_history_changes(
    connections: asyncpg.Pool,
) -> None:
    async with after_october(connections) as past:
        district = (await database_vitals.list_newest(connections, Grain.DAY))[0]
        assert district.query.from_ms == YESTERDAY_MS
        again = await answer(connections, district.query)
        assert seal_of(district.query, again) == district.seal
        kept = f"/open/vitals/v1/kept/{district.number}"
        told = await past.shown.get(f"{kept}/again")
        assert told["is_same"] is True
        assert told["seal"] == told["kept"]["seal"] == (await past.shown.get(kept))["seal"]
        await connections.execute(
            "UPDATE rollup_15 SET entries = entries + 4 WHERE lot_id = 'kangle' AND start = $1",
            dt.datetime.fromtimestamp(YESTERDAY_MS / 1_000, tz=dt.UTC),
        )
        assert (await past.shown.get(f"{kept}/again"))["is_same"] is False
        past.keeper.looked_again_at_ms = 0
        await past.keeper.look()
        corrected = (await database_vitals.list_newest(connections, Grain.DAY))[0]
        assert corrected.number > district.number
        assert corrected.query.from_ms == YESTERDAY_MS
        assert await database_vitals.find(connections, district.number) == district


async def test_each_span_is_worked_out_once(connections: asyncpg.Pool) -> None:
    async with after_october(connections) as past:
        before = await connections.fetchval("SELECT count(*) FROM vital")
        assert before == 6 * (96 + 2 + 1)
        await past.keeper.look()
        assert await connections.fetchval("SELECT count(*) FROM vital") == before
        past.now_ms[0] += QUARTER_MS
        await past.keeper.look()
        assert await connections.fetchval("SELECT count(*) FROM vital") == before + 6


async def test_a_kept_figure_cannot_be_changed(connections: asyncpg.Pool) -> None:
    facts = [Facts("kangle", 100)]
    start_ms = date_start_ms(dt.date(2026, 10, 1))
    query = query_of("kangle", Grain.QUARTER, start_ms, start_ms + QUARTER_MS, facts, {})
    figures = (congestion_now(),)
    assert await database_vitals.add(connections, query, figures, start_ms)
    assert not await database_vitals.add(connections, query, figures, start_ms + 1)
    with pytest.raises(asyncpg.RaiseError, match="never changed"):
        await connections.execute("UPDATE vital SET seal = ''")
