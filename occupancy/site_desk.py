"""Planners edit the sites of the construction plan: one transaction with its audit record."""

import msgspec

from occupancy import database_audit, database_sites
from occupancy.audit import Entry
from occupancy.database import Pool
from occupancy.database_sites import KeptSite
from occupancy.edit import BadEditError, StaleEditError, require_reason
from occupancy.site import Site, require_site

ADDED, CHANGED = "add_site", "change_site"
NEW = 0  # the version of a site that is not there yet


async def keep_site(connections: Pool, site: Site, *, seen: int, by: str, reason: str) -> Site:
    """Add it (`seen` NEW) or put it in place of the version that was seen.

    Raises BadEditError, StaleEditError (both sites).
    """
    sound, why = require_site(site), require_reason(reason)
    async with connections.acquire() as connection, connection.transaction():
        kept = await database_sites.lock_site(connection, sound.site_id)
        _require_seen(kept, sound, seen)
        before = None if kept is None else msgspec.to_builtins(kept.site)
        await database_sites.write_site(connection, sound, by)
        action = ADDED if kept is None else CHANGED
        after = msgspec.to_builtins(sound)
        subject = f"site {sound.site_id}"
        entry = Entry(by, action, subject, why, sound.lot_id, before, after)
        await database_audit.append(connection, entry)
    return sound


def _require_seen(kept: KeptSite | None, mine: Site, seen: int) -> None:
    if kept is not None and seen == NEW:
        raise BadEditError("site_id", f"{mine.site_id} 已经有了，请在列表里修改它")
    if (NEW if kept is None else kept.version) != seen:
        raise StaleEditError(mine, None if kept is None else kept.site)
