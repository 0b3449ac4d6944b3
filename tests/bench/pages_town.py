"""Hundreds of car parks that are heard all the time, with a past, and operators logged in."""

import asyncio
import json
import math
from collections.abc import Iterator, Sequence

import msgspec

from gateway.observation import GroupReading
from gateway.process import is_cancelled, now_ms
from gateway.redis_client import connect
from occupancy import (
    database,
    database_rollup,
    database_users,
    history,
    passwords,
    session_store,
    snapshot,
)
from occupancy.history import Position
from occupancy.live import LiveOccupancy, Received, fold
from occupancy.lot import Lot, Place
from occupancy.lot_file import load_shipped
from occupancy.permissions import Role
from occupancy.rollup import LEVELS_MINUTES, Window
from occupancy.session_store import Session
from tests.builders import a_group, an_observation
from tests.rows import written

PAST_MS, PAST_STEP_MS = 3 * 3_600_000, 60_000
HEARD_EVERY_SECONDS = 5.0
CHANGES_A_SECOND = 14  # 500 car parks in a busy hour: a hundred cars in or out an hour each
HIRED_AT_ONCE = 8
_APART_DEGREES = 0.004
_A_ROW = 25


def a_town(count: int) -> list[Lot]:
    """The shipped car parks, and them again and again, each with a name and a place of its own."""
    shipped = load_shipped()
    more = range(len(shipped), count)
    return [*shipped, *(_again(shipped[n % len(shipped)], n) for n in more)]


def _again(lot: Lot, number: int) -> Lot:
    north, east = divmod(number, _A_ROW)
    return msgspec.structs.replace(
        lot,
        lot_id=f"lot{number:03d}",
        name=f"{lot.short_name}{number + 1}号停车场",
        short_name=f"{lot.short_name}{number + 1}",
        entrance=Place(23.0 + _APART_DEGREES * north, 112.75 + _APART_DEGREES * east),
        placeholders=(),
    )


def picture(lot: Lot, sequence: int, cars: int) -> LiveOccupancy:
    """What a recorder makes of `cars` in the whole lot, heard now."""
    news = an_observation(
        sequence,
        lot_id=lot.lot_id,
        observed_at_ms=now_ms(),
        groups=groups_of(lot, cars),
        cars_inside=None,
    )
    return fold(None, lot, Received(news, now_ms(), now_ms()))


def groups_of(lot: Lot, cars: int) -> tuple[GroupReading, ...]:
    """The machines filled one after the other, from the ground up."""
    groups, left = [], cars
    for number, group in enumerate(lot.groups, start=1):
        inside = []
        for bays in group.bays_by_level:
            inside.append(min(bays, left))
            left -= inside[-1]
        groups.append(
            a_group(
                number,
                device_id=f"{lot.lot_id}-{group.group_id}",
                group_id=group.group_id,
                bays_by_level=group.bays_by_level,
                occupied_by_level=tuple(inside),
            )
        )
    return tuple(groups)


def _cars_at(lot: Lot, number: int, changes: int) -> int:
    """All kinds of lots, from nearly empty to full, one car more or less with each change."""
    share = (number * 37 % 101) / 100
    return min(lot.capacity, max(0, round(lot.capacity * share) - changes % 2))


async def be_heard(redis_url: str, lots: Sequence[Lot]) -> None:
    """Every car park each few seconds, evenly; some of them with another number than before."""
    apart_seconds = HEARD_EVERY_SECONDS / len(lots)
    every = max(1, round(1 / (apart_seconds * CHANGES_A_SECOND)))
    changes, said = [0] * len(lots), 0
    async with connect(redis_url) as redis:
        run_id = await snapshot.read_run_id(redis)
        for sequence, number in _rounds(len(lots)):
            changes[number] += said % every == 0
            said += 1
            if is_cancelled():
                return
            cars = _cars_at(lots[number], number, changes[number])
            await snapshot.write(redis, run_id, picture(lots[number], sequence, cars))
            if sequence > 1:
                await asyncio.sleep(apart_seconds)


def _rounds(count: int) -> Iterator[tuple[int, int]]:
    sequence = 0
    while True:
        sequence += 1
        for number in range(count):
            yield sequence, number


async def give_a_past(postgres_url: str, lots: Sequence[Lot]) -> None:
    """Three hours, a row a minute: what the small lines of the table are drawn from."""
    until_ms = now_ms()
    times = range(until_ms - PAST_MS, until_ms, PAST_STEP_MS)
    first, *others = lots
    rows = [
        an_observation(
            n + 1,
            lot_id=first.lot_id,
            observed_at_ms=at_ms,
            cars_inside=None,
            groups=groups_of(first, round(first.capacity * (0.5 + 0.4 * math.sin(n / 26)))),
            entries_total=n,
        )
        for n, at_ms in enumerate(times)
    ]
    async with database.pool(postgres_url) as pool:
        batch = written(*rows, recorded_at_ms=rows[-1].observed_at_ms)
        await history.record(pool, first.lot_id, batch, Position(0, 0))
        columns = await pool.fetchval(
            "SELECT string_agg(column_name, ', ') FROM information_schema.columns "
            "WHERE table_name = 'observation' AND column_name <> 'lot_id'"
        )
        await pool.execute(
            f"INSERT INTO observation (lot_id, {columns}) SELECT other, {columns} "  # noqa: S608
            "FROM observation, unnest($1::text[]) AS other WHERE lot_id = $2",
            [lot.lot_id for lot in others],
            first.lot_id,
        )
        await _roll_up(pool, first, others, until_ms)


async def _roll_up(pool: database.Pool, first: Lot, others: Sequence[Lot], until_ms: int) -> None:
    """As the recorder does; what it makes of one is true of the others."""
    due = await database_rollup.list_due(pool, 10)
    await database_rollup.roll_up(pool, due, until_ms)
    for minutes in LEVELS_MINUTES:
        names = ", ".join(name for name in Window.__struct_fields__[3:])
        await pool.execute(
            f"INSERT INTO rollup_{minutes} (lot_id, start, {names}) "  # noqa: S608  # our own words
            f"SELECT other, start, {names} FROM rollup_{minutes}, unnest($1::text[]) AS other "
            "WHERE lot_id = $2",
            [lot.lot_id for lot in others],
            first.lot_id,
        )


async def hire(
    postgres_url: str, redis_url: str, count: int, role: Role = Role.OPERATOR
) -> list[str]:
    """So many people, each with a session; the keys their browsers send."""
    hashed = await passwords.hash_password("correct-horse-battery")
    async with database.pool(postgres_url) as pool, connect(redis_url) as redis:

        async def one(number: int) -> str:
            name = f"{role.value}{number:03d}"
            made = await database_users.add_operator(pool, name, role, hashed, "bench")
            now, csrf = now_ms(), session_store.make_csrf()
            session = Session(name, made.generation, csrf, now, now, "127.0.0.1", "bench")
            return await session_store.begin(redis, session)

        return [
            key
            for start in range(0, count, HIRED_AT_ONCE)
            for key in await asyncio.gather(
                *(one(n) for n in range(start, min(start + HIRED_AT_ONCE, count)))
            )
        ]


def as_line(keys: Sequence[str]) -> str:
    return json.dumps(list(keys))
