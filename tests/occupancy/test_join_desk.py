"""A car park that joins: nothing goes live before it was heard, nothing is lost when it leaves."""

import asyncpg
import pytest
from redis.asyncio import Redis

from occupancy import database, database_audit, database_lots, join_desk, snapshot
from occupancy.database_audit import Wanted
from occupancy.database_observed import read_facts
from occupancy.database_tariffs import seed_tariffs
from occupancy.edit import BadEditError, SettledError, StaleEditError
from occupancy.join_check import first_readings
from occupancy.join_desk import LastLotError, NotReadyError
from occupancy.live import LiveOccupancy
from occupancy.lot import Lot, MachineGroup, Place
from occupancy.lot_change import BadFactsError
from occupancy.lot_desk import NoSuchLotError
from occupancy.lot_stage import Stage, StagedLot, leaving
from occupancy.lot_watch import LotWatch
from occupancy.tariff_file import shipped_tariffs
from tests.builders import MORNING_MS, a_group, a_lot, an_observation
from tests.occupancy.test_recorder import clock, publish, recording
from tests.occupancy.web.faces import a_picture, served
from tests.waiting import until

NEW = a_lot(lot_id="xinyuan", name="新源路立体停车场", short_name="新源路")


@pytest.fixture
async def seeded(connections: asyncpg.Pool) -> asyncpg.Pool:
    await database.seed_lots(connections, [a_lot()])
    await seed_tariffs(connections, shipped_tariffs())
    return connections


async def begin(connections: asyncpg.Pool, lot: Lot = NEW, version: int | None = None) -> bool:
    return await join_desk.begin(connections, lot, by="chen", reason="接入", version=version)


async def go_live(connections: asyncpg.Pool, picture: LiveOccupancy | None = None) -> Lot:
    return await join_desk.go_live(
        connections,
        NEW.lot_id,
        picture or a_picture(NEW),
        by="chen",
        reason="核对无误",
        now_ms=MORNING_MS,
    )


async def live_ids(connections: asyncpg.Pool) -> list[str]:
    return [lot.lot_id for lot in await database.list_lots(connections)]


async def test_what_joins_is_not_live_until_it_is_said_and_each_step_is_recorded(
    seeded: asyncpg.Pool,
) -> None:
    assert await begin(seeded)
    assert await live_ids(seeded) == ["kangle"]
    assert (await go_live(seeded)).name == NEW.name
    assert await live_ids(seeded) == ["kangle", "xinyuan"]
    await join_desk.remove(seeded, "xinyuan", by="li", reason="合同到期", now_ms=MORNING_MS + 9)
    assert await live_ids(seeded) == ["kangle"]
    trail = await database_audit.list_newest(seeded, 5, Wanted(lots=("xinyuan",)))
    assert [(one.action, one.who) for one in trail] == [
        ("remove_lot", "li"),
        ("live_lot", "chen"),
        ("join_lot", "chen"),
    ]
    assert trail[0].before["name"] == NEW.name


async def test_a_second_run_keeps_newer_facts_and_says_when_there_is_nothing_new(
    seeded: asyncpg.Pool,
) -> None:
    assert await begin(seeded)
    assert not await begin(seeded)
    assert await begin(seeded, a_lot(lot_id="xinyuan", name="新源路停车楼"))
    kept = await database_lots.find_lot(seeded, "xinyuan")
    assert kept is not None
    assert (kept.lot.name, kept.stage, kept.version) == ("新源路停车楼", Stage.JOINING, 2)


async def test_what_was_live_once_comes_again_under_its_id(seeded: asyncpg.Pool) -> None:
    await begin(seeded)
    await go_live(seeded)
    await join_desk.remove(seeded, "xinyuan", by="li", reason="到期", now_ms=MORNING_MS)
    assert await begin(seeded)
    await go_live(seeded)
    assert await live_ids(seeded) == ["kangle", "xinyuan"]


@pytest.mark.parametrize(
    ("lot", "field", "words"),
    [
        (a_lot(lot_id="Xin"), "lot_id", "小写字母"),
        (a_lot(lot_id="xin", entrance=Place(39.9, 116.4)), "latitude", "不在本区"),
        (a_lot(lot_id="xin", entrance=Place(112.9, 23.15)), "latitude", "填反"),
        (a_lot(lot_id="xin", capacity=35), "capacity", "36"),
        (a_lot(lot_id="xin", groups=(MachineGroup("a b", (36,)),)), "groups", "只能用字母"),
    ],
)
async def test_facts_that_cannot_be_are_named_by_their_field(
    seeded: asyncpg.Pool, lot: Lot, field: str, words: str
) -> None:
    with pytest.raises(BadFactsError) as refusal:
        await begin(seeded, lot)
    assert words in refusal.value.remarks[field]
    assert await live_ids(seeded) == ["kangle"]


async def test_a_live_car_park_is_not_overwritten(seeded: asyncpg.Pool) -> None:
    with pytest.raises(SettledError, match="已上线"):
        await begin(seeded, a_lot(name="别的"))
    with pytest.raises(BadEditError, match="原因"):
        await join_desk.begin(seeded, NEW, by="chen", reason=" ")


async def test_the_second_of_two_pages_is_refused(seeded: asyncpg.Pool) -> None:
    await begin(seeded, version=0)
    with pytest.raises(StaleEditError):
        await begin(seeded, a_lot(lot_id="xinyuan", name="另一个"), version=0)


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (None, "还没有收到网关的数据"),
        (a_picture(NEW, at_ms=MORNING_MS - 90_000), "中断"),
        (a_picture(NEW, groups=(a_group(1),)), "设备报 18 个车位，资料写 36 个"),
        (
            a_picture(NEW, groups=(a_group(1), a_group(2, occupied=None)), cars_inside=None),
            "不可信",
        ),
    ],
)
async def test_nothing_goes_live_unheard_stale_or_in_doubt(
    seeded: asyncpg.Pool, picture: LiveOccupancy | None, words: str
) -> None:
    await begin(seeded)
    with pytest.raises(NotReadyError, match=words):
        await join_desk.go_live(
            seeded, "xinyuan", picture, by="chen", reason="核对", now_ms=MORNING_MS
        )
    assert await live_ids(seeded) == ["kangle"]


async def test_nothing_goes_live_without_a_tariff(seeded: asyncpg.Pool) -> None:
    await begin(seeded, a_lot(lot_id="xinyuan", tariff_id="nothing"))
    with pytest.raises(NotReadyError, match="收费标准 nothing"):
        await go_live(seeded)


async def test_steps_that_do_not_fit_say_where_it_stands(seeded: asyncpg.Pool) -> None:
    with pytest.raises(NoSuchLotError):
        await go_live(seeded)
    await begin(seeded)
    with pytest.raises(SettledError, match="没有上线"):
        await join_desk.remove(seeded, "xinyuan", by="li", reason="错", now_ms=MORNING_MS)
    with pytest.raises(LastLotError):
        await join_desk.remove(seeded, "kangle", by="li", reason="错", now_ms=MORNING_MS)
    await join_desk.withdraw(seeded, "xinyuan", by="li", reason="不来了")
    assert await database_lots.find_lot(seeded, "xinyuan") is None
    with pytest.raises(SettledError, match="已上线"):
        await join_desk.withdraw(seeded, "kangle", by="li", reason="错")


async def test_the_past_of_a_removed_car_park_counts_and_what_follows_is_closed(
    seeded: asyncpg.Pool,
) -> None:
    await begin(seeded)
    await go_live(seeded)
    await join_desk.remove(seeded, "xinyuan", by="li", reason="到期", now_ms=MORNING_MS + 1_000)
    until_ms = MORNING_MS + 5_000
    known = {one.lot_id: one for one in await read_facts(seeded, until_ms, MORNING_MS)}
    assert known["xinyuan"].closed[-1] == (MORNING_MS + 1_000, until_ms)
    later = await read_facts(seeded, until_ms, MORNING_MS + 2_000)
    assert [one.lot_id for one in later] == ["kangle"]


def test_what_was_heard_while_it_joined_says_nothing_of_its_use() -> None:
    joined = StagedLot(NEW, Stage.LIVE, live_ms=1_000)
    assert joined.counts_from(10) == 1_000
    assert joined.counts_from(2_000) == 2_000
    assert joined.counts_from(None) is None
    gone = StagedLot(NEW, Stage.REMOVED, live_ms=1_000, removed_ms=5_000)
    assert leaving([gone, joined], 6_000) == {"xinyuan"}
    assert leaving([gone], 5_000 + 86_400_000) == set()


def test_first_readings_name_spaces_groups_and_totals() -> None:
    lines = first_readings(a_picture(NEW))
    assert lines[0] == "车位 36，可用 36，空闲 24"
    assert lines[1].startswith("g1：18 个车位")
    unknown = a_picture(NEW, groups=(a_group(1), a_group(2, occupied=None)), cars_inside=None)
    assert "—" in "".join(first_readings(unknown))


async def test_the_recorder_follows_who_joins_and_who_leaves(
    redis: Redis, seeded: asyncpg.Pool
) -> None:
    async with recording(redis, seeded) as recorder:
        await begin(seeded)
        await until(lambda: "xinyuan" in recorder.joining)
        await publish(redis, an_observation(1, lot_id="xinyuan"))

        async def is_seen() -> bool:
            return bool(await snapshot.read_all(redis, ["xinyuan"]))

        async def is_recorded() -> bool:
            query = "SELECT count(*) FROM observation WHERE lot_id = 'xinyuan'"
            return bool(await seeded.fetchval(query) == 1)

        await until(is_seen)
        await until(is_recorded)
        assert "xinyuan" not in recorder.pictures  # no sign, alarm or proof knows it
        assert "xinyuan" not in recorder.lots
        await go_live(seeded)
        await until(lambda: "xinyuan" in recorder.lots)
        assert "xinyuan" in recorder.pictures
        await join_desk.remove(seeded, "xinyuan", by="li", reason="到期", now_ms=clock())
        await until(lambda: "xinyuan" not in recorder.lots)
        assert "xinyuan" not in recorder.pictures
        assert "xinyuan" in recorder.histories  # what its gateway still holds is recorded


async def test_a_showcase_settles_in_place_and_tells_it() -> None:
    async with served([a_lot()]) as shown:
        showcase, told = shown.face.showcase, list[list[str]]()
        mapping = showcase.lots
        showcase.listen_roster(lambda: told.append(list(mapping)))
        showcase.settle({"kangle": a_lot(), "xinyuan": NEW})
        assert list(mapping) == ["kangle", "xinyuan"]
        shown.show("xinyuan", 1)
        assert [lot["id"] for lot in (await shown.get("/v1/lots"))["lots"]] == list(mapping)
        showcase.settle({"kangle": a_lot()})
        assert [lot["id"] for lot in (await shown.get("/v1/lots"))["lots"]] == ["kangle"]
        await shown.get("/v1/lots/xinyuan", 404)
        assert told == [["kangle", "xinyuan"], ["kangle"]]
        assert "xinyuan" not in showcase.pictures


async def test_a_database_without_car_parks_leaves_those_that_are_known(
    connections: asyncpg.Pool,
) -> None:
    heard: list[object] = []
    await LotWatch(connections, heard.append).look()
    assert heard == []
