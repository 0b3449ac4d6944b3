"""Sites of the construction plan in PostgreSQL: what holds now, how often and by whom changed."""

from collections.abc import Sequence
from typing import Any

import msgspec

from occupancy.database import Connection, Pool
from occupancy.site import Site


class KeptSite(msgspec.Struct, frozen=True):
    """A site with its version: who changes it says which one he saw."""

    site: Site
    version: int
    changed_by: str
    changed_at_ms: int


async def seed_sites(connections: Pool, sites: Sequence[Site]) -> None:
    """Write the sites that are not there yet; what planners edited stays."""
    await connections.executemany(
        "INSERT INTO site (site_id, facts) VALUES ($1, $2::jsonb) ON CONFLICT DO NOTHING",
        [(site.site_id, _facts(site)) for site in sites],
    )


async def list_sites(connections: Pool) -> list[KeptSite]:
    rows = await connections.fetch("SELECT * FROM site ORDER BY site_id")
    return [_kept(row) for row in rows]


async def find_site(connections: Pool, site_id: str) -> KeptSite | None:
    row = await connections.fetchrow("SELECT * FROM site WHERE site_id = $1", site_id)
    return None if row is None else _kept(row)


async def lock_site(connection: Connection, site_id: str) -> KeptSite | None:
    """As it stands; nobody else changes it until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext('site'))")
    row = await connection.fetchrow("SELECT * FROM site WHERE site_id = $1", site_id)
    return None if row is None else _kept(row)


async def write_site(connection: Connection, site: Site, by: str) -> None:
    await connection.execute(
        "INSERT INTO site (site_id, facts, changed_by) VALUES ($1, $2::jsonb, $3) "
        "ON CONFLICT (site_id) DO UPDATE SET facts = excluded.facts, "
        "version = site.version + 1, changed_by = excluded.changed_by, changed_at = now()",
        *(site.site_id, _facts(site), by),
    )


def _facts(site: Site) -> str:
    return msgspec.json.encode(site).decode()


def _kept(row: Any) -> KeptSite:  # noqa: ANN401  # asyncpg's record
    site = msgspec.json.decode(row["facts"], type=Site)
    changed_ms = round(row["changed_at"].timestamp() * 1_000)
    return KeptSite(site, row["version"], row["changed_by"], changed_ms)
