"""What a sign showed at any moment can be told later."""

import asyncpg

from gateway.observation import FaceState, SignReading
from occupancy import database_proofs
from occupancy.live import LiveOccupancy, Received, fold, stale_at_ms
from occupancy.proof_keeper import ProofKeeper
from tests.builders import MORNING_MS, a_lot, an_observation


def showing(sequence: int, desired: str, reported: str | None) -> LiveOccupancy:
    state = FaceState.AS_DESIRED if desired == reported else FaceState.DIFFERS
    shown = None if reported is None else (reported,)
    sign = SignReading("junction", (desired,), shown, state, 0)
    at_ms = MORNING_MS + sequence * 1_000
    return fold(None, a_lot(), Received(an_observation(sequence, signs=(sign,)), at_ms, at_ms))


async def told(connections: asyncpg.Pool, at_ms: int) -> list[tuple[int, str, str | None]]:
    proofs = await database_proofs.list_proofs(connections, "junction", at_ms, 9)
    return [
        (one.at_ms - MORNING_MS, one.desired[0], one.reported[0] if one.reported else None)
        for one in proofs
    ]


async def test_each_change_is_kept_once(connections: asyncpg.Pool) -> None:
    keeper = ProofKeeper(connections)
    for sequence, desired, reported in (
        (1, "5", None),
        (2, "5", "5"),
        (3, "5", "5"),
        (4, "4", "5"),
        (5, "4", "4"),
    ):
        await keeper.look([showing(sequence, desired, reported)], MORNING_MS)
    assert await told(connections, MORNING_MS + 9_000) == [
        (5_000, "4", "4"),
        (4_000, "4", "5"),
        (2_000, "5", "5"),
        (1_000, "5", None),
    ]
    assert (await told(connections, MORNING_MS + 3_500))[0] == (2_000, "5", "5")


async def test_another_keeper_goes_on_where_the_first_ended(connections: asyncpg.Pool) -> None:
    await ProofKeeper(connections).look([showing(1, "5", "5")], MORNING_MS)
    second = ProofKeeper(connections)
    await second.look([showing(2, "5", "5")], MORNING_MS)
    await second.look([showing(3, "6", "5")], MORNING_MS)
    assert [one[0] for one in await told(connections, MORNING_MS + 9_000)] == [3_000, 1_000]


async def test_what_a_sign_of_a_silent_gateway_shows_is_not_known(
    connections: asyncpg.Pool,
) -> None:
    keeper, last = ProofKeeper(connections), showing(1, "5", "5")
    silent_ms = stale_at_ms(last)
    for now_ms in (silent_ms - 1, silent_ms, silent_ms + 500):
        await keeper.look([last], now_ms)
    back = silent_ms - MORNING_MS + 1_000
    await keeper.look([showing(back // 1_000, "5", "5")], MORNING_MS + back)
    assert await told(connections, MORNING_MS + back) == [
        (back, "5", "5"),
        (silent_ms - MORNING_MS, "5", None),
        (1_000, "5", "5"),
    ]


async def test_what_is_older_than_kept_is_forgotten(connections: asyncpg.Pool) -> None:
    keeper = ProofKeeper(connections)
    await keeper.look([showing(1, "5", "5")], MORNING_MS)
    await connections.execute("UPDATE sign_proof SET at = now() - interval '401 days'")
    await keeper.tidy()
    assert await connections.fetchval("SELECT count(*) FROM sign_proof") == 0
