"""Facts of a car park: edited by one person at a time, with a trace, and followed by processes."""

import asyncpg
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from occupancy import database, database_audit, database_lots
from occupancy.database_audit import Wanted
from occupancy.edit import BadEditError, StaleEditError
from occupancy.live import Received, Status, fold
from occupancy.lot import Lot, MachineGroup, Place, Thresholds
from occupancy.lot_change import BadFactsError, differences, remarks_on
from occupancy.lot_desk import NoSuchLotError, change_lot
from occupancy.lot_watch import LotWatch
from tests.builders import MORNING_MS, a_group, a_lot, an_observation


@pytest.fixture
async def seeded(connections: asyncpg.Pool) -> asyncpg.Pool:
    await database.seed_lots(connections, [a_lot()])
    return connections


async def change(connections: asyncpg.Pool, version: int = 1, **other: object) -> Lot:
    wanted = a_lot(**other)
    return await change_lot(connections, wanted, version=version, by="chen", reason="现场丈量")


async def test_a_change_is_kept_counted_and_recorded_with_before_and_after(
    seeded: asyncpg.Pool,
) -> None:
    before = await database_lots.read_revision(seeded)
    await change(seeded, hotline="0757-87654321", placeholders=("name",))
    kept = await database_lots.find_lot(seeded, "kangle")
    assert kept is not None
    assert (kept.lot.hotline, kept.version, kept.changed_by) == ("0757-87654321", 2, "chen")
    assert await database_lots.read_revision(seeded) == before + 1
    (record,) = await database_audit.list_newest(seeded, 5, Wanted(action="change_lot"))
    assert record.before == {"hotline": "0757-00000000", "placeholders": []}
    assert record.after == {"hotline": "0757-87654321", "placeholders": ["name"]}
    assert (record.who, record.reason, record.subject) == ("chen", "现场丈量", "lot kangle")


async def test_the_second_of_two_is_told_what_the_first_made_of_it(seeded: asyncpg.Pool) -> None:
    await change(seeded, name="康乐停车楼")
    with pytest.raises(StaleEditError) as refusal:
        await change(seeded, version=1, name="康乐路停车库")
    theirs = refusal.value.theirs
    assert isinstance(theirs, database_lots.KeptLot)
    assert theirs.lot.name == "康乐停车楼"
    assert (await database.list_lots(seeded))[0].name == "康乐停车楼"


async def test_nothing_is_half_kept(seeded: asyncpg.Pool) -> None:
    with pytest.raises(BadFactsError) as refusal:
        await change(seeded, name="好名字", capacity=37, hotline="call me")
    assert set(refusal.value.remarks) == {"capacity", "hotline"}
    assert "只有 36 个车位" in refusal.value.remarks["capacity"]
    with pytest.raises(BadFactsError, match="没有任何改动"):
        await change(seeded)
    with pytest.raises(BadEditError, match="原因"):
        await change_lot(seeded, a_lot(name="x"), version=1, by="chen", reason=" ")
    with pytest.raises(NoSuchLotError):
        await change(seeded, lot_id="nowhere")
    assert await database.list_lots(seeded) == [a_lot()]
    assert await database_audit.list_newest(seeded, 5, Wanted(action="change_lot")) == []


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"name": ""}, "name"),
        ({"short_name": "一二三四五六七八九十一"}, "short_name"),
        ({"address": "a\0b"}, "address"),
        ({"capacity": 37}, "capacity"),
        ({"capacity": 35}, "capacity"),
        ({"groups": ()}, "groups"),
        ({"groups": (MachineGroup("g1", (36,)), MachineGroup("g1", ()))}, "groups"),
        ({"groups": (MachineGroup("G 1", (36,)),)}, "groups"),
        ({"groups": (MachineGroup("g1", ()),)}, "groups"),
        ({"groups": (MachineGroup("g1", (501,)),)}, "groups"),
        ({"limits": msgspec.structs.replace(a_lot().limits, height_metres=9.0)}, "height_metres"),
        ({"thresholds": Thresholds(37, 2)}, "almost_full_free"),
        ({"thresholds": Thresholds(8, 9)}, "full_free"),
        ({"thresholds": Thresholds(8, 2, full_percent=101.0)}, "full_percent"),
        ({"thresholds": Thresholds(8, 2, full_percent=50.0)}, "full_free"),
        ({"thresholds": Thresholds(8, 2, 28)}, "hysteresis_free"),
        ({"entrance": Place(112.8902, 23.1569)}, "latitude"),
        ({"entrance": Place(23.1569, 23.1569)}, "longitude"),
        ({"entrance": Place(23.2569, 112.8902)}, "latitude"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(other: dict[str, object], field: str) -> None:
    assert field in remarks_on(a_lot(**other), a_lot(), may_move_far=False)


def test_an_entrance_moves_far_only_when_somebody_says_so() -> None:
    moved = a_lot(entrance=Place(23.2569, 112.8902))
    assert "11.1 公里" in remarks_on(moved, a_lot(), may_move_far=False)["latitude"]
    assert remarks_on(moved, a_lot(), may_move_far=True) == {}


def test_differences_are_those_alone_that_differ() -> None:
    assert differences(a_lot(), a_lot()) == {}
    assert list(differences(a_lot(), a_lot(name="x"))) == ["name"]


@given(st.integers(1, 1_000), st.floats(0, 100), st.integers(0, 50))
def test_the_larger_of_number_and_percent_holds(capacity: int, percent: float, spaces: int) -> None:
    told = Thresholds(spaces, 0, almost_full_percent=percent).in_spaces(capacity)
    assert told.almost_full_free >= spaces
    assert told.almost_full_free == spaces or (
        told.almost_full_free <= percent * capacity / 100 + 1e-6 < told.almost_full_free + 1.001
    )


def test_percents_decide_the_word_and_the_hold_keeps_it() -> None:
    lot = a_lot(thresholds=Thresholds(0, 0, 0, 50.0, 25.0, 10.0))

    def said(cars: int, before: Status | None = None) -> Status:
        level = (min(cars, 6), max(0, min(cars - 6, 6)), max(0, min(cars - 12, 6)))
        groups = (a_group(1, level), a_group(2, (6, 6, 6)))
        inside = cars + 18
        seen = an_observation(
            2, groups=groups, cars_inside=inside, cars_on_pallets=inside, observed_at_ms=MORNING_MS
        )
        old = None
        if before is not None:
            first = an_observation(1, observed_at_ms=MORNING_MS)
            old = fold(None, lot, Received(first, MORNING_MS, MORNING_MS))
            old = msgspec.structs.replace(old, status=before)
        return fold(old, lot, Received(seen, MORNING_MS, MORNING_MS)).status

    assert said(0) is Status.ALMOST_FULL  # 18 of 36 are free: half
    assert said(9) is Status.FULL  # 9 of 36: a quarter
    assert said(7, Status.FULL) is Status.FULL  # 11 free: still within the hold of 3
    assert said(5, Status.FULL) is Status.ALMOST_FULL  # 13 free


async def test_a_running_process_follows_edits_and_reads_nothing_meanwhile(
    seeded: asyncpg.Pool,
) -> None:
    heard: list[dict[str, Lot]] = []
    watch = LotWatch(seeded, lambda lots: heard.append(dict(lots)))
    await watch.look()
    await watch.look()
    assert heard == [{"kangle": a_lot()}]
    changed = await change(seeded, name="新名")
    await watch.look()
    assert heard[1:] == [{"kangle": changed}]


async def test_facts_that_cannot_be_read_leave_those_known(seeded: asyncpg.Pool) -> None:
    heard: list[object] = []
    watch = LotWatch(seeded, heard.append)
    await seeded.execute("UPDATE lot SET facts = '{}'::jsonb")
    await watch.look()
    assert heard == []


async def test_without_postgresql_the_facts_known_serve() -> None:
    heard: list[object] = []
    async with database.pool("postgresql://nobody@/nothing?host=/nowhere") as away:
        watch = LotWatch(away, heard.append)
        await watch.look()
        await watch.look()
    assert heard == []
