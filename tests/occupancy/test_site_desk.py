"""Sites of the construction plan: facts that ship, edits with reason, audit and two editors."""

from datetime import date
from typing import Any

import asyncpg
import msgspec
import pytest

from occupancy import database, database_audit, database_sites, first_start, site_desk
from occupancy.edit import BadEditError, StaleEditError
from occupancy.lot_file import load_shipped
from occupancy.site import Site, Stage, require_site
from occupancy.site_desk import NEW
from occupancy.site_file import BadSiteFileError, parse_sites, shipped_sites

RENMIN = Site("renmin_lu", "人民路停车场", Stage.PLANNED, planned_spaces=120)


def changed(**fields: Any) -> Site:  # noqa: ANN401
    return msgspec.structs.replace(RENMIN, **fields)


def test_the_five_that_ship_are_built_and_have_889_bays_of_an_unconfirmed_split() -> None:
    sites = shipped_sites()
    assert {site.stage for site in sites} == {Stage.BUILT}
    assert sum(site.built_spaces or 0 for site in sites) == 889
    assert all("built_spaces" in site.placeholders for site in sites)
    assert all(site.opened_on is None and site.planned_spaces is None for site in sites)
    capacities = {lot.lot_id: lot.capacity for lot in load_shipped()}
    assert {site.lot_id: site.built_spaces for site in sites} == capacities


async def test_a_first_start_brings_them_and_keeps_what_planners_edited(
    postgres_url: str, connections: asyncpg.Pool
) -> None:
    await first_start.prepare(postgres_url)
    kept = await database_sites.find_site(connections, "kangle")
    assert kept is not None
    edited = msgspec.structs.replace(kept.site, opened_on=date(2026, 3, 1), placeholders=())
    await site_desk.keep_site(connections, edited, seen=kept.version, by="li", reason="验收单")
    await first_start.prepare(postgres_url)
    again = await database_sites.find_site(connections, "kangle")
    assert again is not None
    assert (again.site, again.version, again.changed_by) == (edited, 2, "li")
    assert len(await database_sites.list_sites(connections)) == 5


async def test_each_edit_leaves_its_record(postgres_url: str, connections: asyncpg.Pool) -> None:
    async with database.pool(postgres_url, database.WEB_ROLE) as web:
        await site_desk.keep_site(web, RENMIN, seen=NEW, by="li", reason="2026 年计划")
        await site_desk.keep_site(
            web, changed(planned_spaces=140), seen=1, by="wang", reason="调整方案"
        )
    second, first = await database_audit.list_newest(connections, 2)
    assert (first.action, first.subject, first.before) == ("add_site", "site renmin_lu", None)
    assert (second.action, second.who, second.reason) == ("change_site", "wang", "调整方案")
    assert (second.before["planned_spaces"], second.after["planned_spaces"]) == (120, 140)


async def test_of_two_editors_the_second_is_told_what_the_first_made(
    connections: asyncpg.Pool,
) -> None:
    await site_desk.keep_site(connections, RENMIN, seen=NEW, by="li", reason="计划")
    mine = changed(planned_spaces=200)
    await site_desk.keep_site(connections, changed(note="待批"), seen=1, by="wang", reason="补充")
    with pytest.raises(StaleEditError) as refusal:
        await site_desk.keep_site(connections, mine, seen=1, by="li", reason="扩建")
    assert (refusal.value.mine, refusal.value.theirs) == (mine, changed(note="待批"))
    with pytest.raises(BadEditError) as twice:
        await site_desk.keep_site(connections, mine, seen=NEW, by="li", reason="扩建")
    assert twice.value.field == "site_id"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"site_id": "人民路"}, "site_id"),
        ({"name": " "}, "name"),
        ({"planned_spaces": 0}, "planned_spaces"),
        ({"built_spaces": 12}, "built_spaces"),
        ({"opened_on": date(2026, 1, 1)}, "opened_on"),
        ({"opened_on": date(1890, 1, 1)}, "opened_on"),
        ({"placeholders": ("hotline",)}, "placeholders"),
        ({"note": "长" * 301}, "note"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(BadEditError) as refusal:
        require_site(changed(**fields))
    assert refusal.value.field == field


async def test_nothing_is_kept_without_a_reason(connections: asyncpg.Pool) -> None:
    with pytest.raises(BadEditError):
        await site_desk.keep_site(connections, RENMIN, seen=NEW, by="li", reason=" ")
    assert await database_sites.list_sites(connections) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[site", "sites.toml: "),
        ('[[site]]\nname = "x"\nstage = "built"', "a site without site_id"),
        ('[[site]]\nsite_id = "here"\nname = "x"\nstage = "ready"', "here: .*stage"),
        ('[[site]]\nsite_id = "here"\nname = ""\nstage = "built"', "here: name"),
    ],
)
def test_a_wrong_file_of_sites_names_the_site_and_the_key(text: str, words: str) -> None:
    with pytest.raises(BadSiteFileError, match=words):
        parse_sites(text, "sites.toml")
