"""Studies are played to their end, once, whoever dies over them, and again to the same outcome."""

import asyncio
import datetime as dt
from functools import partial
from pathlib import Path

import asyncpg
import msgspec
import pytest

from lot_sim import study_fit
from lot_sim.scenario import parse_scenario
from lot_sim.study_player import StudyPlayer
from lot_sim.study_spec import BadStudyError
from occupancy import database, database_audit, database_studies, study_desk
from occupancy.database_studies import KeptStudy
from occupancy.edit import SettledError
from occupancy.lot_file import load_shipped
from occupancy.study import NewPrice, StudyWish
from occupancy.study_desk import NoSuchStudyError
from occupancy.study_worker import StudyWorker, play_again
from occupancy.tariff_book import TariffBook
from occupancy.tariff_file import OUR_TARIFFS, read_folder
from tests.recorded_month import record_month
from tests.waiting import until

SCENARIO = Path(__file__).parents[2] / "lot_sim/scenarios/sanshui.toml"
MAKE = partial(
    StudyPlayer, believed=parse_scenario(SCENARIO.read_text(encoding="utf-8"), SCENARIO.name)
)
LOTS = {lot.lot_id: lot for lot in load_shipped()}
TODAY = dt.date(2026, 11, 2)
WISH = StudyWish(
    "中山路加 60 位",
    dt.date(2026, 10, 8),
    dt.date(2026, 10, 31),
    spaces={"zhongshan": 60},
    seeds=2,
)


class Slow:
    """A player whose seeds take as long as the test says."""

    spec = "{}"

    def __init__(self, _: str, seeds: int = 3) -> None:
        self.seeds_done, self._seeds = 0, seeds

    @property
    def is_done(self) -> bool:
        return self.seeds_done >= self._seeds

    def play_next(self) -> None:
        self.seeds_done += 1

    def outcome(self) -> str:
        return '{"of": "slow"}'


async def ask(connections: asyncpg.Pool, wish: StudyWish = WISH) -> int:
    return await study_desk.ask(connections, LOTS, wish, by="planner", today=TODAY)


async def kept(connections: asyncpg.Pool, number: int) -> KeptStudy:
    found = await database_studies.find_study(connections, number)
    assert found is not None
    return found


@pytest.mark.timeout(600)  # two plays of a month
async def test_a_study_of_a_recorded_month_is_played_and_plays_again_alike(
    connections: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study_fit, "PLAYED_ROUNDS", 1)
    await record_month(connections)
    async with connections.acquire() as connection:
        brief = msgspec.structs.replace(WISH, days=1)
        number = await database_studies.add_study(connection, brief, "planner")
    worker = StudyWorker(connections, "one", MAKE, (BadStudyError,))
    assert await worker.play_one(asyncio.Event())
    done = await kept(connections, number)
    assert done.trouble is None
    assert done.outcome is not None
    assert done.seeds_done == 2
    assert (await play_again(connections, number, MAKE))[0]
    async with connections.acquire() as connection:
        await connection.execute("UPDATE study SET outcome_sha256 = 'edited'")
    is_same, words = await play_again(connections, number, MAKE)
    assert not is_same
    assert "edited" in words
    assert not await worker.play_one(asyncio.Event()), "what has ended is not played again"


async def test_a_period_without_a_record_says_so_in_words(connections: asyncpg.Pool) -> None:
    await database.seed_lots(connections, load_shipped())
    number = await ask(connections)
    await StudyWorker(connections, "one", MAKE, (BadStudyError,)).play_one(asyncio.Event())
    done = await kept(connections, number)
    assert done.trouble is not None
    assert "没有进场记录" in done.trouble
    assert not done.is_open


async def test_a_price_without_a_tariff_says_so(connections: asyncpg.Pool) -> None:
    await record_month(connections)
    wish = StudyWish(
        "半价", WISH.first_day, WISH.last_day, price=NewPrice("kangle", percent=50), seeds=2
    )
    number = await ask(connections, wish)
    await StudyWorker(connections, "one", MAKE, (BadStudyError,)).play_one(asyncio.Event())
    assert "没有可用的收费标准" in ((await kept(connections, number)).trouble or "")


async def test_two_workers_never_play_the_same(connections: asyncpg.Pool) -> None:
    first, second = await ask(connections), await ask(connections)
    taken = [await database_studies.take_up(connections, name) for name in ("one", "two", "three")]
    assert [one.number if one else None for one in taken] == [first, second, None]


async def test_who_was_silent_for_a_minute_is_followed_and_changes_nothing(
    connections: asyncpg.Pool,
) -> None:
    number = await ask(connections)
    await database_studies.take_up(connections, "dead")
    async with connections.acquire() as connection:
        await connection.execute("UPDATE study SET heard_at = now() - interval '61 seconds'")
    assert await database_studies.take_up(connections, "alive") is not None
    assert not await database_studies.say_progress(connections, number, "dead", 9)
    await database_studies.keep_outcome(connections, number, "dead", '{"of": "the dead"}')
    assert (await kept(connections, number)).outcome is None
    assert await database_studies.say_progress(connections, number, "alive", 1)


async def test_a_stopped_worker_lets_go_at_once(
    connections: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await ask(connections)
    monkeypatch.setattr(database_studies, "SILENT_SECONDS", 3_600)
    stopping = asyncio.Event()
    stopping.set()
    async with connections.acquire() as connection:
        await connection.execute("UPDATE study SET spec = '{}'")
    await StudyWorker(connections, "one", Slow, ()).play_one(stopping)
    again = await database_studies.take_up(connections, "two")
    assert again is not None
    assert (again.number, again.outcome) == (number, None)


async def test_a_withdrawn_study_is_given_up(connections: asyncpg.Pool) -> None:
    number = await ask(connections)
    await database_studies.take_up(connections, "one")
    await study_desk.withdraw(connections, number, by="planner")
    assert not await database_studies.say_progress(connections, number, "one", 1)
    with pytest.raises(SettledError):
        await study_desk.withdraw(connections, number, by="planner")
    with pytest.raises(NoSuchStudyError):
        await study_desk.withdraw(connections, number + 9, by="planner")
    newest = await database_audit.list_newest(connections, 2)
    assert [one.action for one in newest] == ["withdraw_study", "ask_study"]


async def test_a_worker_waits_for_work_and_ends_when_told(connections: asyncpg.Pool) -> None:
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        worker = StudyWorker(connections, "one", Slow, ())
        group.create_task(worker.keep_playing(stopping), name="studies")
        number = await ask(connections)
        async with connections.acquire() as connection:
            await connection.execute("UPDATE study SET spec = '{}'")

        async def is_played() -> bool:
            return (await kept(connections, number)).outcome == '{"of": "slow"}'

        await until(is_played)
        stopping.set()


def test_the_shipped_tariffs_price_every_car_park() -> None:
    book = TariffBook(one.tariff for one in read_folder(OUR_TARIFFS).values())
    assert all(book.get_versions(lot.tariff_id) for lot in LOTS.values())
