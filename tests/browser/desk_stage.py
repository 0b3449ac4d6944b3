"""The operators' pages of a whole town in a real browser, with somebody logged in."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from playwright.async_api import BrowserContext
from redis.asyncio import Redis

from occupancy import database, database_studies, join_desk, snapshot
from occupancy.alarm import Alarm, AlarmKind, Key, Severity
from occupancy.alarm_board import AlarmSheet
from occupancy.database_sites import seed_sites
from occupancy.effect.advice import Advice, Coming, Guiding
from occupancy.lot_file import load_shipped
from occupancy.permissions import Role
from occupancy.site_file import shipped_sites
from occupancy.study import StudyWish
from occupancy.web.admin.settings_told import tell_settings
from occupancy.web.outlook import Outlook
from occupancy.web.server import Behind
from tests.browser.stage import SIGNS, Stage
from tests.builders import MORNING_MS, a_lot
from tests.occupancy.web.admin import desk as desk_room
from tests.occupancy.web.admin.desk import Browser, Desk, desk, some_certificates
from tests.occupancy.web.faces import a_picture
from zhibo.settings import SETTINGS

QUARTER_MS = 900_000
OUTCOME = Path(desk_room.__file__).with_name("study_outcome.json")
ALARMS = (
    (AlarmKind.LOT_SILENT, "huochezhan", "", Severity.CRITICAL, "no observation for 100 s"),
    (AlarmKind.DRIFT, "sanda", "", Severity.MAJOR, "the counters are 6 cars off <b>"),
    (AlarmKind.CLOCK_OFFSET, "kangle", "", Severity.MINOR, "the clock is off by 9 s"),
)


@dataclass
class DeskStage:
    """A town whose lots say what they are told to, and the people at its desk."""

    desk: Desk
    town: Stage

    def url(self, path: str) -> str:
        return self.desk.served.url(path)

    def every_state(self) -> None:
        """Free, almost full with a jam, full, closed, silent."""
        self.town.free_all()
        self.town.age(91)
        for lot_id, spaces in {"kangle": 52, "sanda": 91, "zhongshan": 1}.items():
            self.town.free(lot_id, spaces)
        self.town.free("zhanqian", 23, jammed=True)

    def alarm(self, alarms: Sequence[tuple[AlarmKind, str, str, Severity, str]] = ALARMS) -> None:
        now_ms = self.desk.served.clock.now_ms
        self.desk.served.face.alarms.take_in(
            AlarmSheet(
                now_ms,
                tuple(
                    Alarm(Key(kind, lot, subject), severity, words, now_ms - 720_000)
                    for kind, lot, subject, severity, words in alarms
                ),
            )
        )

    async def study(self) -> None:
        """The town's first study, worked out."""
        connections = self.desk.connections
        wish = StudyWish(
            "康乐路加 60 位",
            dt.date(2026, 10, 1),
            dt.date(2026, 10, 31),
            spaces={"kangle": 60},
        )
        async with connections.acquire() as connection:
            number = await database_studies.add_study(connection, wish, "boss")
        await database_studies.take_up(connections, "worker")
        outcome = OUTCOME.read_text(encoding="utf-8")
        await database_studies.keep_outcome(connections, number, "worker", outcome)

    async def joining(self, redis: Redis) -> None:
        """A car park that joins, heard for the first time."""
        lot = a_lot(lot_id="xinyuan", name="新源路立体停车场", short_name="新源路")
        await join_desk.begin(self.desk.connections, lot, by="boss", reason="合同 2026-12")
        picture = a_picture(lot, at_ms=self.desk.served.clock.now_ms)
        await snapshot.write(redis, await snapshot.read_run_id(redis), picture)

    async def enter(self, context: BrowserContext, person: Browser) -> None:
        """Let the browser have this person's session."""
        await context.add_cookies(
            [
                {"name": one.key, "value": one.value, "url": self.url("/")}
                for one in person.http.cookie_jar
            ]
        )

    async def boss(self) -> Browser:
        return await self.desk.at_work("boss", Role.ADMIN)


def outlook(_: str) -> list[Outlook]:
    """Thirteen quarters of an hour, filling up."""
    moments = range(MORNING_MS, MORNING_MS + 13 * QUARTER_MS, QUARTER_MS)
    return [
        Outlook(at, 60 - 4 * n, 50 - 4 * n, 70 - 3 * n, 0.8, 0.999, "预计约 12 个空位", "about 12")
        for n, at in enumerate(moments)
    ]


async def advice(_: int, __: int) -> list[Advice]:
    """A busy day of guidance."""
    return [Advice("kangle", 214, 180, 131, 77, 12), Advice("zhanqian", 96, 90, 61, 30, 5)]


async def coming() -> dict[str, Coming]:
    return {"kangle": Coming(9, 6.3, (1.8, 2.4, 1.2, 0.6, 0.3, 0.0))}


@asynccontextmanager
async def at_the_desk(connections: asyncpg.Pool, redis: Redis) -> AsyncIterator[DeskStage]:
    await seed_sites(connections, shipped_sites())
    await database.seed_lots(connections, load_shipped())
    told = tell_settings(SETTINGS, {})
    beside = Behind(
        told=told,
        outlook=outlook,
        guiding=lambda: Guiding(advice, coming),
        certificates=some_certificates(),
    )
    async with desk(connections, redis, load_shipped(), SIGNS, beside) as running:
        admin = running.served.face.admin
        assert admin is not None
        stage = DeskStage(running, Stage(running.served))
        async with asyncio.TaskGroup() as group:
            loops = [group.create_task(loop(), name=name) for name, loop in admin.loops.items()]
            yield stage
            for task in loops:
                task.cancel()
