"""Destinations in PostgreSQL and over HTTP: seeded once, edited by operators, found by anybody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import pytest

from occupancy import database
from occupancy.database import Pool
from occupancy.lot import Place
from occupancy.web.routes import Route
from occupancy.web.showcase import Showcase
from occupancy.web.tariff_shelf import TariffShelf
from routing import destination_shelf
from routing.database_destinations import (
    list_destinations,
    remove_destination,
    seed_destinations,
    write_destinations,
)
from routing.destination import BadDestinationError, Destination
from routing.destination_file import load_shipped
from routing.destination_shelf import DestinationShelf
from routing.destination_web import DestinationPages
from tests.occupancy.web.faces import AWAY, Served, served
from tests.waiting import until

NEW = Destination("new-mall", "新开商场", "plaza", Place(23.16, 112.9))


@asynccontextmanager
async def asked(shelf: DestinationShelf) -> AsyncIterator[Served]:
    def build(_: Showcase, __: TariffShelf) -> list[Route]:
        return DestinationPages(shelf).routes()

    async with served(above=build) as running:
        yield running


async def test_what_ships_goes_into_an_empty_table_and_edits_stay(connections: Pool) -> None:
    await seed_destinations(connections, load_shipped())
    assert set(await list_destinations(connections)) == set(load_shipped())
    assert await remove_destination(connections, "wanda")
    assert not await remove_destination(connections, "wanda")
    await write_destinations(connections, [NEW], "li")
    await seed_destinations(connections, load_shipped())
    ids = {one.destination_id for one in await list_destinations(connections)}
    assert "new-mall" in ids
    assert "wanda" not in ids


async def test_a_name_of_two_places_is_refused_and_nothing_is_written(connections: Pool) -> None:
    await seed_destinations(connections, load_shipped())
    doubled = Destination("other", "三水区人民医院", "hospital", Place(23.16, 112.9))
    with pytest.raises(BadDestinationError, match="renmin-yiyuan"):
        await write_destinations(connections, [NEW, doubled], "li")
    assert NEW not in await list_destinations(connections)


async def test_an_edit_is_found_soon_and_a_broken_one_changes_nothing(
    connections: Pool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(destination_shelf, "LOOK_EVERY_SECONDS", 0.01)
    shelf = DestinationShelf()
    async with asyncio.TaskGroup() as group:
        work = group.create_task(shelf.keep_fresh(connections), name="destinations")
        await write_destinations(connections, [NEW], "li")
        await until(lambda: shelf.find("新开商场")[0] == NEW)
        await connections.execute("UPDATE destination SET facts = '{\"name\": 7}'")
        await until(lambda: "cannot be used" in capsys.readouterr().out)
        assert shelf.find("新开商场")[0] == NEW
        work.cancel()


async def test_without_postgresql_what_ships_is_found(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shelf = DestinationShelf()
    async with database.pool(AWAY) as away, asyncio.TaskGroup() as group:
        work = group.create_task(shelf.keep_fresh(away), name="destinations")
        await until(lambda: "serve" in capsys.readouterr().out)
        assert shelf.find("人民医院")[0] is not None
        work.cancel()


async def test_an_id_that_was_offered_is_taken_as_it_is() -> None:
    best, _ = DestinationShelf().find("senlin-gongyuan")
    assert best is not None
    assert best.name == "三水森林公园"


async def test_places_are_found_over_http_with_what_may_be_meant() -> None:
    async with asked(DestinationShelf()) as running:
        found = await running.get("/v1/destinations?q=rmyy")
        assert found["best"]["name"] == "三水区人民医院"
        assert found["best"]["placeholders"] == ["place"]
        assert set(found["best"]["place"]) == {"gcj02", "wgs84"}
        unclear = await running.get("/v1/destinations?q=" + quote("公园"))
        assert unclear["best"] is None
        assert len(unclear["candidates"]) > 1
        nothing = await running.get("/v1/destinations?q=asdfgh")
        assert (nothing["best"], nothing["candidates"]) == (None, [])


@pytest.mark.parametrize("query", ["", "?q=%20", "?q=" + "a" * 61, "?q=a&nonsense=1"])
async def test_a_wrong_question_names_its_field(query: str) -> None:
    async with asked(DestinationShelf()) as running:
        problem = await running.get("/v1/destinations" + query, 400)
        assert problem["field"] in ("q", "nonsense")
