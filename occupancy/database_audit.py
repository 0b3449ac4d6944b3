"""The audit in PostgreSQL: added through its one function, read back, its chain checked."""

from collections.abc import AsyncIterator, Iterable

import msgspec

from occupancy.audit import Entry, Head, Link, Recorded, find_flaw, read
from occupancy.database import Connection, Pool

_PAGE = 5_000


async def append(connection: Connection | Pool, entry: Entry) -> int:
    """Record it, in the transaction of what it tells of; its number."""
    content = msgspec.json.encode(entry).decode()
    return int(await connection.fetchval("SELECT append_audit($1::jsonb)", content))


class Wanted(msgspec.Struct, frozen=True):
    """Which records: empty is any. `lots` none: of every car park and of none."""

    subject: str = ""
    who: str = ""
    action: str = ""
    lots: tuple[str, ...] = ()
    before: int | None = None


ANY = Wanted()


async def list_newest(connections: Pool, most: int, wanted: Wanted = ANY) -> list[Recorded]:
    rows = await connections.fetch(
        "SELECT number, content, previous, hash FROM audit WHERE ($2 = '' OR subject = $2) "
        "AND ($3 = '' OR who = $3) AND ($4 = '' OR action = $4) "
        "AND ($5::text[] = '{}' OR lot_id = ANY($5)) AND ($6::bigint IS NULL OR number < $6) "
        "ORDER BY number DESC LIMIT $1",
        *(most, wanted.subject, wanted.who, wanted.action, list(wanted.lots), wanted.before),
    )
    return [read(Link(**row)) for row in rows]


async def find_record(connections: Connection | Pool, number: int) -> Recorded | None:
    row = await connections.fetchrow(
        "SELECT number, content, previous, hash FROM audit WHERE number = $1", number
    )
    return None if row is None else read(Link(**row))


async def iterate(connections: Pool) -> AsyncIterator[Link]:
    """Every record from the first, a page at a time."""
    number = 0
    while True:
        rows = await connections.fetch(
            "SELECT number, content, previous, hash FROM audit WHERE number > $1 "
            "ORDER BY number LIMIT $2",
            *(number, _PAGE),
        )
        for row in rows:
            yield Link(**row)
        if len(rows) < _PAGE:
            return
        number = rows[-1]["number"]


async def iterate_newest(connections: Pool, wanted: Wanted = ANY) -> AsyncIterator[Recorded]:
    """Every record that is wanted, the newest first, a page at a time."""
    while True:
        page = await list_newest(connections, _PAGE, wanted)
        for record in page:
            yield record
        if len(page) < _PAGE:
            return
        wanted = msgspec.structs.replace(wanted, before=page[-1].number)


async def read_head(connections: Pool) -> Head:
    row = await connections.fetchrow("SELECT number, hash FROM audit_head")
    return Head(row["number"], row["hash"])


async def list_since(connections: Pool, number: int, most: int) -> list[tuple[int, int]]:
    """Number and time, UTC milliseconds, of the records after this one, the oldest first."""
    rows = await connections.fetch(
        "SELECT number, content, previous, hash FROM audit WHERE number > $1 "
        "ORDER BY number LIMIT $2",
        *(number, most),
    )
    return [(record.number, record.at_ms) for record in (read(Link(**row)) for row in rows)]


async def verify(connections: Pool, noted: Iterable[Head] = ()) -> tuple[Head, str | None]:
    """The head, and what is wrong with the chain. Records that come meanwhile wait for the next."""
    head = await read_head(connections)
    links = [link async for link in iterate(connections) if link.number <= head.number]
    return head, find_flaw(links, head, noted)
