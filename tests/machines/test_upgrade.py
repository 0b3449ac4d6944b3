"""The older version runs on the newer schema, and both side by side: nobody notices."""

import asyncio
import os
import re

import pytest

from gateway.process import HAND_OVER
from occupancy.database import migrations
from tests.faults.history_checker import Kind
from tests.faults.small_disk import NoDiskError
from tests.machines.upgrade import GATEWAYS, NGINX, ROLLED, Outcome, run

pytestmark = pytest.mark.timeout(400)
FIRST_UNDER_THE_RULE = 50
_BREAKS_OLDER = re.compile(
    r"\b(DROP\s+(TABLE|COLUMN|VIEW|FUNCTION)|RENAME\s+(TO|COLUMN)|SET\s+NOT\s+NULL|"
    r"ALTER\s+COLUMN\s+\w+\s+(SET\s+DATA\s+)?TYPE|ADD\s+COLUMN\s+[^,;]*NOT\s+NULL(?![^,;]*DEFAULT))",
    re.IGNORECASE,
)
_CONTRACT = re.compile(r"^-- contract: \S.* since \d{4}$", re.MULTILINE)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    if not NGINX.exists() and not os.environ.get("CI"):  # noqa: TID251
        pytest.skip("nginx is not installed")
    try:
        return asyncio.run(run(tmp_path_factory.mktemp("upgrade")))
    except NoDiskError as reason:
        if os.environ.get("CI"):  # noqa: TID251
            raise
        pytest.skip(str(reason))


def test_no_read_fails_while_everything_is_upgraded(outcome: Outcome) -> None:
    assert outcome.reads > 100
    assert outcome.failed == []


def test_no_observation_is_lost_or_doubled_by_an_upgrade(outcome: Outcome) -> None:
    assert outcome.verdict is not None
    assert outcome.verdict.events > 20
    found = outcome.verdict.findings[:20]
    assert {kind: outcome.verdict.count(kind) for kind in Kind} == dict.fromkeys(Kind, 0), found


def test_every_part_ends_by_itself_when_it_is_asked_to(outcome: Outcome) -> None:
    assert outcome.exit_codes == dict.fromkeys(ROLLED, 0)


def test_a_gateway_that_knows_no_successor_is_ended_by_the_signal_of_a_restart(
    outcome: Outcome,
) -> None:
    """As any killed one it has lost nothing, and has left its signs as they were."""
    code = 0 if outcome.knew_successors else -HAND_OVER
    assert outcome.older_gateways == dict.fromkeys(GATEWAYS, code)


def test_no_sign_loses_its_number_while_its_gateway_is_restarted(outcome: Outcome) -> None:
    assert outcome.looks_at_signs > 20
    assert outcome.dashes == []


def test_a_live_stream_comes_back_from_the_other_worker(outcome: Outcome) -> None:
    assert outcome.stream_ends > 0


def test_the_schema_was_the_older_ones_where_the_repository_has_it(outcome: Outcome) -> None:
    assert (outcome.migrations > 0) is outcome.is_older


def breaks_older(sql: str) -> bool:
    return bool(_BREAKS_OLDER.search(re.sub(r"--.*", "", sql)))


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE lot DROP COLUMN facts",
        "ALTER TABLE lot RENAME COLUMN facts TO data",
        "ALTER TABLE lot RENAME TO park",
        "DROP TABLE lot",
        "ALTER TABLE lot ALTER COLUMN facts SET NOT NULL",
        "ALTER TABLE lot ALTER COLUMN facts TYPE text",
        "ALTER TABLE lot ADD COLUMN stage text NOT NULL",
    ],
)
def test_what_an_older_version_cannot_live_with_is_known(sql: str) -> None:
    assert breaks_older(sql)


def test_expansion_is_free() -> None:
    sql = "ALTER TABLE lot ADD COLUMN stage text NOT NULL DEFAULT 'live'; CREATE TABLE new (n int)"
    assert not breaks_older(sql)


def test_a_migration_that_contracts_says_since_when_nobody_needs_it() -> None:
    """First expand; contract in a later release, naming the migration that replaced it."""
    unmarked = [
        name
        for number, name, sql in migrations()
        if number >= FIRST_UNDER_THE_RULE and breaks_older(sql) and not _CONTRACT.search(sql)
    ]
    assert unmarked == []
