"""Heads noted outside the database, by the hour and signed, show what was edited or cut since."""

import stat
from pathlib import Path

import asyncpg
import pytest

from occupancy import audit_check, database_audit
from occupancy.audit import Head
from occupancy.audit_check import Verdict
from occupancy.audit_head import UNNOTED_MS
from occupancy.audit_keeper import HOUR_MS, AuditKeeper
from occupancy.audit_notes import HEADS, AuditNotes
from tests.occupancy.test_alarm_desk import now_of
from tests.occupancy.test_database_audit import an_entry, three, unguarded


class Noting:
    """A keeper whose clock the test moves, and what `zhibo audit verify` says then."""

    def __init__(self, connections: asyncpg.Pool, folder: Path, now_ms: int) -> None:
        self.connections, self.now_ms = connections, now_ms
        self.notes = AuditNotes(folder, folder / "key.pem")
        self.keeper = AuditKeeper(connections, self.notes, lambda: self.now_ms, lambda: True)

    async def verdict(self, *by_hand: Head) -> Verdict:
        return await audit_check.verify(self.connections, self.notes, by_hand, self.now_ms)

    def lines(self) -> list[str]:
        return (self.notes.folder / HEADS).read_text().splitlines(keepends=True)

    def rewrite(self, *lines: str) -> None:
        (self.notes.folder / HEADS).write_text("".join(lines))


@pytest.fixture
async def noting(connections: asyncpg.Pool, tmp_path: Path) -> Noting:
    return Noting(connections, tmp_path / "audit", await now_of(connections))


async def test_the_head_is_noted_once_an_hour_and_only_when_it_moved(noting: Noting) -> None:
    await noting.keeper.look()
    assert not (noting.notes.folder / HEADS).exists(), "nothing was done yet"
    await three(noting.connections)
    await noting.keeper.look()
    assert not (noting.notes.folder / HEADS).exists(), "the hour is not over"
    for _ in range(3):
        noting.now_ms += HOUR_MS
        await noting.keeper.look()
    assert [one.head.number for one in noting.notes.read()] == [3]
    await database_audit.append(noting.connections, an_entry(4))
    noting.now_ms += HOUR_MS
    await noting.keeper.look()
    assert [one.head.number for one in noting.notes.read()] == [3, 4]
    verdict = await noting.verdict()
    assert verdict.is_whole
    assert "2 noted heads up to 4" in verdict.words


async def test_only_the_owner_reads_the_key(noting: Noting) -> None:
    await three(noting.connections)
    await noting.keeper.look()
    assert stat.S_IMODE(noting.notes.key_file.stat().st_mode) == 0o400
    assert stat.S_IMODE((noting.notes.folder / HEADS).stat().st_mode) == 0o600


async def test_a_chain_that_was_cut_and_sealed_anew_is_found_by_itself(noting: Noting) -> None:
    await three(noting.connections)
    await noting.keeper.look()
    await unguarded(noting.connections, "DELETE FROM audit WHERE number = 3")
    await noting.connections.execute(
        "UPDATE audit_head SET number = 2, hash = (SELECT hash FROM audit WHERE number = 2)"
    )
    assert await noting.verdict() == (False, "the chain ends at 2, before the noted head 3")
    await database_audit.append(noting.connections, an_entry(9))
    assert await noting.verdict() == (False, "record 3 is not the one that was noted")


async def test_a_chain_that_was_emptied_is_found(noting: Noting) -> None:
    await three(noting.connections)
    await noting.keeper.look()
    await unguarded(noting.connections, "TRUNCATE audit")
    await noting.connections.execute(
        "UPDATE audit_head SET number = 0, hash = sha256('zhibo audit')"
    )
    assert (await noting.verdict()).words == "the chain ends at 0, before the noted head 3"


@pytest.mark.parametrize("wrong", ["sealed otherwise", "reordered", "no line", "another key"])
async def test_noted_heads_that_were_touched_are_not_believed(
    noting: Noting, tmp_path: Path, wrong: str
) -> None:
    await three(noting.connections)
    await noting.keeper.look()
    await database_audit.append(noting.connections, an_entry(4))
    noting.now_ms += HOUR_MS
    await noting.keeper.look()
    first, second = noting.lines()
    if wrong == "sealed otherwise":
        words = first.split()
        noting.rewrite(" ".join([words[0], words[1], "0" * 64, words[3]]) + "\n", second)
    elif wrong == "reordered":
        noting.rewrite(second, first)
    elif wrong == "no line":
        noting.rewrite(first, "3 records\n")
    else:
        other = Noting(noting.connections, tmp_path / "other", noting.now_ms)
        await other.keeper.look()
        noting.rewrite(*other.lines())
    verdict = await noting.verdict()
    assert not verdict.is_whole
    assert "line " in verdict.words


async def test_heads_that_vanished_are_missed_once_they_must_have_been_noted(
    noting: Noting,
) -> None:
    await three(noting.connections)
    assert (await noting.verdict()).is_whole, "too young to be missed"
    noting.now_ms += UNNOTED_MS + 60_000
    verdict = await noting.verdict()
    assert not verdict.is_whole
    assert "record 1 is 2 h old and noted nowhere outside" in verdict.words
    by_hand = await database_audit.read_head(noting.connections)
    assert (await noting.verdict(by_hand)).is_whole


async def test_without_the_key_nothing_is_believed_and_the_way_out_is_said(
    noting: Noting,
) -> None:
    await three(noting.connections)
    await noting.keeper.look()
    (noting.notes.folder / "key.pub.pem").unlink()
    assert (await noting.verdict()).is_whole, "the signing key has the public one in it"
    noting.notes.key_file.unlink()
    verdict = await noting.verdict()
    assert not verdict.is_whole
    assert "key.pub.pem" in verdict.words


async def test_without_postgresql_or_with_a_full_disk_it_is_tried_again(
    noting: Noting, tmp_path: Path
) -> None:
    await three(noting.connections)
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")
    keeper = AuditKeeper(
        noting.connections,
        AuditNotes(blocked, blocked / "key.pem"),
        lambda: noting.now_ms,
        lambda: True,
    )
    await keeper.look()
    blocked.unlink()
    await keeper.look()
    assert (blocked / HEADS).exists()
