"""What a new database needs before anything else: the schema and the facts that ship."""

from gateway.address import without_password
from gateway.settings import BadSettingError
from occupancy import database
from occupancy.config import POSTGRES_URL
from occupancy.database_sites import seed_sites
from occupancy.database_tariffs import seed_tariffs
from occupancy.lot_file import load_shipped
from occupancy.site_file import shipped_sites
from occupancy.tariff_file import shipped_tariffs


async def prepare(postgres_url: str) -> int:
    """Migrate, then write what is not there yet; how many migrations were applied."""
    try:
        steps = await database.migrate(postgres_url)
    except database.UNREACHABLE as reason:
        raise BadSettingError(
            f"{POSTGRES_URL.name}={without_password(postgres_url)}: {reason or 'no answer'}; "
            "start PostgreSQL there or set another address"
        ) from None
    async with database.pool(postgres_url) as connections:
        await database.seed_lots(connections, load_shipped())
        await seed_tariffs(connections, shipped_tariffs())
        await seed_sites(connections, shipped_sites())
    return steps
