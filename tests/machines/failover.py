"""What must hold after a server of Redis was cut off: every car once, and numbers that are true."""

from tests.machines.district import District
from tests.waiting import until


async def is_whole(town: District, before: int, moved: int) -> None:
    """Every car that moved since is recorded, no car twice, and the web shows the truth."""
    expected = before + await town.moved() - moved

    async def is_recorded() -> bool:
        return await town.recorded() == expected

    await until(is_recorded, within_seconds=60)
    await until(town.is_true, within_seconds=30)
    assert await town.settled() == expected, "and nothing is told twice later on"


async def has_quality(town: District, quality: str) -> bool:
    """Whether every car park is shown with this one."""
    return {live["quality"] for live in (await town.lots()).values()} == {quality}
