"""One car park in its tabs: each is a page of its own, and says so when history is away."""

from collections.abc import AsyncIterator, Sequence

import asyncpg
import pytest
from redis.asyncio import Redis

from occupancy import database, database_audit, database_tariffs
from occupancy.audit import Entry
from occupancy.explore import Curve, Explored, Subject
from occupancy.permissions import Role
from occupancy.tariff_file import shipped_tariffs
from occupancy.web.admin.day_chart import draw_ahead, draw_past, hours_of
from occupancy.web.admin.lot_page import TABS
from occupancy.web.outlook import Outlook
from occupancy.web.server import Behind
from tests.builders import MORNING_MS
from tests.occupancy.web.admin.desk import Desk, desk
from tests.occupancy.web.faces import two_lots

QUARTER_MS = 900_000


def expected(lot_id: str) -> Sequence[Outlook]:
    assert lot_id in ("kangle", "sanda")
    return [
        Outlook(MORNING_MS + n * QUARTER_MS, 20 - n, 15 - n, 25 - n, 0.8, 0.97, "预计约", "about")
        for n in range(13)
    ]


@pytest.fixture
async def office(connections: asyncpg.Pool, redis: Redis) -> AsyncIterator[Desk]:
    await database.seed_lots(connections, two_lots())
    await database_tariffs.seed_tariffs(connections, shipped_tariffs())
    async with desk(connections, redis, beside=Behind(outlook=expected)) as running:
        running.served.show("kangle", 1)
        yield running


@pytest.mark.parametrize("tab", TABS)
async def test_each_tab_is_a_page_that_marks_itself(office: Desk, tab: str) -> None:
    browser = await office.at_work("wang", Role.OPERATOR)
    path = "/admin/lots/kangle" if tab == "live" else f"/admin/lots/kangle/{tab}"
    page = await browser.get(path)
    assert page.status == 200
    assert page.text.count('aria-current="page">' + TABS[tab]) == 1
    for name, word in TABS.items():
        part = "" if name == "live" else f"/{name}"
        assert f'href="/admin/lots/kangle{part}"' in page.text, word
    assert (await browser.get(path.replace("kangle", "nowhere"))).status == 404


async def test_what_is_expected_comes_from_above(office: Desk) -> None:
    browser = await office.at_work("wang", Role.OPERATOR)
    page = await browser.get("/admin/lots/kangle/forecast")
    assert "15—25" in page.words
    assert "97%" in page.words
    assert "预计约" in page.words
    assert 'class="band"' in page.text


async def test_the_price_in_force_and_its_versions_stand_in_their_tab(office: Desk) -> None:
    browser = await office.at_work("wang", Role.OPERATOR)
    page = await browser.get("/admin/lots/kangle/tariff")
    assert "价目牌" in page.words
    assert 'href="/admin/tariffs/kangle/1"' in page.text


async def test_what_was_done_is_told_with_before_and_after(office: Desk) -> None:
    entry = Entry(
        "chen", "change_lot", "lot kangle", "来<b>文", "kangle", {"name": "甲"}, {"name": "乙"}
    )
    async with office.connections.acquire() as connection, connection.transaction():
        await database_audit.append(connection, entry)
    browser = await office.at_work("wang", Role.OPERATOR)
    page = await browser.get("/admin/lots/kangle/log")
    assert "甲 → 乙" in page.words
    assert "来&lt;b&gt;文" in page.text
    assert "甲" not in (await browser.get("/admin/lots/sanda/log")).words


@pytest.mark.parametrize(
    ("tab", "table"),
    [("history", "observation"), ("tariff", "calendar_override"), ("log", "audit")],
)
async def test_while_history_is_away_the_tabs_say_so_and_show_the_rest(
    office: Desk, tab: str, table: str
) -> None:
    browser = await office.at_work("wang", Role.OPERATOR)
    await office.connections.execute(f"ALTER TABLE {table} RENAME TO away")
    page = await browser.get(f"/admin/lots/kangle/{tab}")
    assert page.status == 200
    assert "历史数据库暂时连接不上" in page.words


def test_a_gap_in_the_past_is_a_gap_and_an_hour_without_all_quarters_has_no_sum() -> None:
    times = tuple(MORNING_MS + n * QUARTER_MS for n in range(8))
    occupied = (1.0, 2.0, None, 4.0, 5.0, 6.0, 7.0, 8.0)
    entries = (1, 1, None, 1, 2, 2, 2, 2)
    curve = Curve(times, occupied, occupied, entries, entries, (1.0,) * 8)
    explored = Explored(Subject("kangle"), 900, False, curve, curve)  # noqa: FBT003
    chart = draw_past(explored, 36)
    assert chart is not None
    assert chart.line.count("M") == 2
    assert chart.y_ticks == ("36", "18", "0")
    assert chart.x_ticks == ("08:00", "08:30", "09:00", "09:30", "10:00")
    newest, oldest = hours_of(explored)
    assert (newest.occupied, newest.entries) == (5.0, 8)
    assert oldest.entries is None


def test_nothing_known_is_not_drawn() -> None:
    silent = Curve((MORNING_MS,), (None,), (None,), (None,), (None,), (0.0,))
    assert draw_past(Explored(Subject("kangle"), 900, False, silent), 36) is None  # noqa: FBT003
    assert draw_ahead([], 36) is None
