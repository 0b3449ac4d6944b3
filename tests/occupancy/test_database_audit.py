"""The audit: only ever added to, and every later edit is found."""

import asyncio
import uuid

import asyncpg
import msgspec
import pytest

from occupancy import database, database_audit, embedded
from occupancy.audit import Entry, Head
from occupancy.database import WEB_ROLE
from occupancy.database_audit import Wanted


def an_entry(number: int = 1, **news: object) -> Entry:
    entry = Entry(
        "li.ming", "calibrate", "kangle", f"夜间盘点 {number}", "kangle", 97, {"cars": 91}
    )
    return msgspec.structs.replace(entry, **news)


async def three(connections: asyncpg.Pool) -> None:
    for number in range(1, 4):
        assert await database_audit.append(connections, an_entry(number)) == number


async def unguarded(connections: asyncpg.Pool, sql: str) -> None:
    """As somebody who may do everything to the database."""
    await connections.execute("ALTER TABLE audit DISABLE TRIGGER ALL")
    await connections.execute(sql)


async def test_what_was_recorded_is_read_back(connections: asyncpg.Pool) -> None:
    await three(connections)
    newest, *_ = await database_audit.list_newest(connections, 2)
    assert (newest.number, newest.who, newest.reason) == (3, "li.ming", "夜间盘点 3")
    assert (newest.before, newest.after) == (97, {"cars": 91})
    assert newest.at_ms > 1_700_000_000_000
    assert await database_audit.list_newest(connections, 5, Wanted(who="nobody")) == []
    assert [
        one.number for one in await database_audit.list_newest(connections, 5, Wanted(before=3))
    ] == [
        2,
        1,
    ]


async def test_an_untouched_chain_is_whole(connections: asyncpg.Pool) -> None:
    _, flaw = await database_audit.verify(connections)
    assert flaw is None
    await three(connections)
    head, flaw = await database_audit.verify(connections)
    assert (head.number, flaw) == (3, None)
    await three_more(connections)
    assert (await database_audit.verify(connections, [head]))[1] is None


async def three_more(connections: asyncpg.Pool) -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(4, 7):
            group.create_task(database_audit.append(connections, an_entry(number)))


@pytest.mark.parametrize(
    "sql", ["UPDATE audit SET content = content", "DELETE FROM audit", "TRUNCATE audit"]
)
async def test_a_record_cannot_be_changed(connections: asyncpg.Pool, sql: str) -> None:
    await three(connections)
    with pytest.raises(asyncpg.RaiseError, match="only ever added to"):
        await connections.execute(sql)


@pytest.mark.parametrize(
    ("sql", "flaw"),
    [
        ("UPDATE audit SET content = replace(content, '盘点 2', '盘点 9')", "record 2 was changed"),
        ("DELETE FROM audit WHERE number = 2", "record 2 is missing"),
        ("DELETE FROM audit WHERE number = 3", "the chain ends at record 2, its head says 3"),
        (
            "UPDATE audit SET content = 'x', hash = sha256(previous || 'x') WHERE number = 2",
            "record 3 does not follow",
        ),
    ],
)
async def test_an_edit_by_a_superuser_is_found(
    connections: asyncpg.Pool, sql: str, flaw: str
) -> None:
    await three(connections)
    if "'x'" in sql:
        sql = sql.replace("'x'", "'{}'")
    await unguarded(connections, sql)
    _, found = await database_audit.verify(connections)
    assert found is not None
    assert flaw in found


async def test_a_chain_that_was_cut_and_sealed_anew_misses_the_noted_head(
    connections: asyncpg.Pool,
) -> None:
    await three(connections)
    noted = await database_audit.read_head(connections)
    await unguarded(connections, "DELETE FROM audit WHERE number = 3")
    await connections.execute(
        "UPDATE audit_head SET number = 2, hash = (SELECT hash FROM audit WHERE number = 2)"
    )
    assert (await database_audit.verify(connections))[1] is None
    _, flaw = await database_audit.verify(connections, [noted])
    assert flaw == "the chain ends at 2, before the noted head 3"
    await database_audit.append(connections, an_entry(7))
    _, flaw = await database_audit.verify(connections, [noted])
    assert flaw == "record 3 is not the one that was noted"
    assert (await database_audit.verify(connections, [Head(0, b"")]))[1] is None


_NOT_OURS = (
    "UPDATE audit SET content = '{}'",
    "DELETE FROM audit",
    "INSERT INTO audit VALUES (9, '{}', '', '')",
    "UPDATE audit_head SET number = 0",
    "TRUNCATE audit",
    "DROP TABLE audit",
    "ALTER TABLE audit DISABLE TRIGGER ALL",
    "ALTER TABLE audit DISABLE TRIGGER audit_is_append_only",
    "DROP TRIGGER audit_is_append_only ON audit",
    "ALTER FUNCTION refuse_audit_change() RENAME TO refuse_nothing",
    "DROP FUNCTION append_audit(jsonb)",
    "SET session_replication_role = replica",
    "TRUNCATE audit_head",
)


async def test_the_web_service_may_add_and_read_but_nothing_else(postgres_url: str) -> None:
    async with database.pool(postgres_url, WEB_ROLE) as web:
        await three(web)
        assert len(await database_audit.list_newest(web, 9)) == 3
        for sql in _NOT_OURS:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await web.execute(sql)


async def test_a_login_of_its_own_has_nothing_more_when_it_takes_the_role_off(
    postgres_url: str, connections: asyncpg.Pool
) -> None:
    """As `deploy/postgres/roles.sql` makes it."""
    name = f"pages_{uuid.uuid4().hex[:8]}"
    await connections.execute(f"CREATE ROLE {name} LOGIN IN ROLE {WEB_ROLE}")
    url = postgres_url.replace(f"//{embedded.USER}@", f"//{name}@")
    try:
        async with database.pool(url, WEB_ROLE) as web, web.acquire() as connection:
            assert await connection.fetchval("SELECT session_user") == name
            await connection.execute("RESET ROLE")
            for sql in _NOT_OURS:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(sql)
    finally:
        await connections.execute(f"DROP ROLE {name}")


async def test_an_unknown_role_leaves_the_owner(
    postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with database.pool(postgres_url, "zhibo_nobody") as web:
        assert await web.fetchval("SELECT 1") == 1
    assert "zhibo_nobody" in capsys.readouterr().out
