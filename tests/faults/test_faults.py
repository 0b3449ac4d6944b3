"""The fault table once, with fifteen kills; the long run is `zhibo bench faults`."""

import asyncio
import os
import random
import sys

import pytest

from tests.faults.catalogue import FAULTS
from tests.faults.history_checker import Kind
from tests.faults.live_checker import NEVER
from tests.faults.play import DOUBLED_LOT, LOST_LOT, Director, Outcome, run
from tests.faults.process_faults import KINDS
from tests.faults.small_disk import NoDiskError

pytestmark = pytest.mark.timeout(900)

SEED = 20261123
KILLS = 15
BESIDE_THE_HOUR = [name for name in FAULTS if name.startswith("postgres")]
ONE_BY_ONE = [
    name
    for name in FAULTS
    if name not in ("kill -9", "redis unreachable 1 h", "recorder stopped 30 s", *BESIDE_THE_HOUR)
]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("faults")
    try:
        return asyncio.run(run(folder, SEED, [_the_hour, _the_rest], _say))
    except NoDiskError as reason:
        if os.environ.get("CI"):  # noqa: TID251
            raise
        pytest.skip(str(reason))


async def _the_hour(director: Director) -> None:
    hour, stopped = ["redis unreachable 1 h"], ["recorder stopped 30 s"]
    await director.play_at_once(hour, stopped, BESIDE_THE_HOUR)


async def _the_rest(director: Director) -> None:
    names = [*ONE_BY_ONE, *["kill -9"] * KILLS]
    random.Random(SEED).shuffle(names)  # noqa: S311  # the same order each time
    await director.play(names)


def _say(words: str) -> None:
    sys.stderr.write(words + "\n")


def test_no_car_is_lost_doubled_or_out_of_order(outcome: Outcome) -> None:
    assert outcome.verdict.events > 300
    assert {kind: outcome.verdict.count(kind) for kind in Kind} == dict.fromkeys(Kind, 0), (
        outcome.verdict.findings[:20]
    )


def test_what_is_planted_in_the_same_history_is_found(outcome: Outcome) -> None:
    """The checker looks at the rows that PostgreSQL holds: one doubled and many gone are seen."""
    found = {(finding.kind, finding.lot_id) for finding in outcome.spoilt.findings}
    assert found == {(Kind.DOUBLED, DOUBLED_LOT), (Kind.LOST, LOST_LOT)}


def test_no_published_count_is_ever_above_the_truth(outcome: Outcome) -> None:
    assert outcome.samples > 500
    assert outcome.excesses == []


def test_every_fault_of_the_table_was_played(outcome: Outcome) -> None:
    assert outcome.played == {**dict.fromkeys(FAULTS, 1), "kill -9": KILLS}
    assert min(outcome.kills.values()) == KILLS // len(KINDS)


def test_no_part_ends_by_itself(outcome: Outcome) -> None:
    assert outcome.deaths == []


def test_the_backlog_of_an_hour_is_recorded(outcome: Outcome) -> None:
    assert outcome.verdict.rows > 5 * 3_600
    assert outcome.notes["hour away: backlog gone, s"]


def test_the_live_picture_is_the_truth_after_the_last_fault(outcome: Outcome) -> None:
    assert outcome.exact_seconds < NEVER
