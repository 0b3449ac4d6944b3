"""Whatever operators do to tariffs and calendar reaches a running web process by itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date

import asyncpg
import pytest
from msgspec.structs import replace

from occupancy import database, database_tariffs, tariff_desk
from occupancy.calendar import DayType, day_of
from occupancy.lot_file import load_shipped
from occupancy.stay import Stay
from occupancy.tariff import Tariff
from occupancy.tariff_clock import DAY_MINUTES, local_minute, utc_ms
from occupancy.tariff_file import shipped_tariffs
from occupancy.tariff_quote import fee
from occupancy.tariff_toml import write_tariff
from occupancy.web import tariff_shelf
from occupancy.web.server import Face, make_face
from tests.builders import MORNING_MS
from tests.occupancy.web.faces import AWAY, Clock
from tests.waiting import until

SHIPPED = shipped_tariffs()
KANGLE = next(tariff for tariff in SHIPPED if tariff.tariff_id == "kangle")
TOMORROW = (local_minute(MORNING_MS) // DAY_MINUTES + 1) * DAY_MINUTES


def next_version() -> Tariff:
    rate = KANGLE.rates[0]
    band = replace(rate.bands[0], tiers=(replace(rate.bands[0].tiers[1], price_fen=900),))
    dearer = replace(rate, bands=(band,), cap=None)
    return replace(KANGLE, version=2, valid_from=TOMORROW, rates=(dearer,))


@asynccontextmanager
async def serving(pool: asyncpg.Pool, clock: Clock) -> AsyncIterator[Face]:
    face = make_face({lot.lot_id: lot for lot in load_shipped()}, (), pool, clock)
    async with asyncio.TaskGroup() as group:
        fresh = group.create_task(face.shelf.keep_fresh(pool), name="tariffs")
        yield face
        fresh.cancel()


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tariff_shelf, "LOOK_EVERY_SECONDS", 0.01)


async def approve_next(pool: asyncpg.Pool) -> None:
    text, why = write_tariff(next_version()), "发改局来文"
    draft = await tariff_desk.begin_draft(pool, "kangle", text, by="li", reason=why)
    draft = await tariff_desk.submit_draft(
        pool, draft.draft_id, edit=draft.edit, by="li", reason=why, now_ms=MORNING_MS
    )
    await tariff_desk.approve_draft(
        pool, draft.draft_id, edit=draft.edit, by="chen", reason=why, now_ms=MORNING_MS
    )


def two_hours(face: Face, minute: int) -> int:
    stay = Stay(utc_ms(minute), utc_ms(minute + 120))
    return fee(face.shelf.book.get_versions("kangle"), stay)


async def test_an_approved_version_holds_from_its_minute_and_a_withdrawn_one_never(
    connections: asyncpg.Pool,
) -> None:
    await database_tariffs.seed_tariffs(connections, SHIPPED)
    clock = Clock()
    async with serving(connections, clock) as face:
        await approve_next(connections)
        await until(lambda: len(face.shelf.book.get_versions("kangle")) == 2)
        assert (two_hours(face, TOMORROW - 1), two_hours(face, TOMORROW)) == (500, 1800)
        assert "9元" not in face.showcase.tariffs["kangle"].price
        clock.now_ms = utc_ms(TOMORROW)
        await until(lambda: "9元" in face.showcase.tariffs["kangle"].price)
        clock.now_ms = MORNING_MS
        await tariff_desk.withdraw_version(
            connections, "kangle", 2, by="chen", reason="来文有误", now_ms=MORNING_MS
        )
        await until(lambda: len(face.shelf.book.get_versions("kangle")) == 1)
        assert two_hours(face, TOMORROW) == 500
        assert "9元" not in face.showcase.tariffs["kangle"].price


async def test_another_day_type_is_known_at_once(connections: asyncpg.Pool) -> None:
    monday = date(2026, 11, 2)
    async with serving(connections, Clock()) as face:
        await database_tariffs.override_day(
            connections, monday, DayType.PUBLIC_HOLIDAY, reason="活动", changed_by="wang"
        )
        await until(
            lambda: (
                face.shelf.book.get_versions("kangle")[0].calendar.day_type(day_of(monday))
                is DayType.PUBLIC_HOLIDAY
            )
        )


async def test_a_database_that_comes_back_is_read_although_nothing_changed_meanwhile(
    connections: asyncpg.Pool,
) -> None:
    await database_tariffs.seed_tariffs(connections, [replace(KANGLE, name="other"), *SHIPPED[:1]])
    async with database.pool(AWAY) as away:
        face = make_face({lot.lot_id: lot for lot in load_shipped()}, (), away, Clock())
        await face.shelf.look(away)
        await face.shelf.look(away)
        await face.shelf.look(connections)
    assert face.shelf.book.get_versions("kangle")[0].tariff.name == "other"
