from pathlib import Path

import pytest

from occupancy.database import Pool
from routing.config import District
from routing.database_destinations import list_destinations
from routing.destination import BadDestinationError
from routing.destination_desk import bring, show, take_out
from routing.destination_file import load_shipped

DISTRICT = District(22.9, 112.7, 23.65, 113.1)
MALL = """
[[destination]]
destination_id = "new-mall"
name = "新开商场"
kind = "plaza"
aliases = ["新商场"]
place = { latitude = 23.16, longitude = 112.9 }
placeholders = ["place"]
"""


@pytest.fixture
def mall(tmp_path: Path) -> Path:
    file = tmp_path / "mall.toml"
    file.write_text(MALL, encoding="utf-8")
    return file


async def test_a_file_is_brought_in_and_replaced_by_its_ids(connections: Pool, mall: Path) -> None:
    assert (await bring(connections, mall, DISTRICT, "li")).startswith("1 added, 0 replaced")
    assert len(await list_destinations(connections)) == len(load_shipped()) + 1
    mall.write_text(MALL.replace("新开商场", "新城商场"), encoding="utf-8")
    assert (await bring(connections, mall, DISTRICT, "wang")).startswith("0 added, 1 replaced")
    row = await connections.fetchrow(
        "SELECT changed_by, facts->>'name' AS name FROM destination "
        "WHERE destination_id = 'new-mall'"
    )
    assert row is not None
    assert (row["changed_by"], row["name"]) == ("wang", "新城商场")


async def test_what_is_listed_says_what_is_not_confirmed(connections: Pool, mall: Path) -> None:
    await bring(connections, mall, DISTRICT, "li")
    line = next(line for line in (await show(connections)).splitlines() if "new-mall" in line)
    assert line.split() == [
        "new-mall",
        "23.16000,112.90000",
        "新开商场",
        "(新商场)",
        "待核实:",
        "place",
    ]


async def test_what_words_may_mean_is_shown_with_scores(connections: Pool) -> None:
    assert (await show(connections, "人民医院")).startswith("clear: renmin-yiyuan\n")
    unclear = await show(connections, "医院")
    assert not unclear.startswith("clear")
    assert "zhongyi-yuan" in unclear
    assert "may mean none" in await show(connections, "zzzz")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MALL.replace("23.16", "39.9"), "outside the district"),
        (MALL.replace("新商场", "人民医院"), "a name of renmin-yiyuan already"),
        (MALL.replace("aliases", "alias"), "no field 'alias'"),
        (MALL.replace('"plaza"', "7"), "new-mall"),
        (MALL.replace("[[", "["), "mall.toml"),
        ("", "no [[destination]]"),
    ],
)
async def test_a_wrong_file_changes_nothing_and_says_what_is_wrong(
    connections: Pool, mall: Path, text: str, said: str
) -> None:
    mall.write_text(text, encoding="utf-8")
    with pytest.raises(BadDestinationError) as refusal:
        await bring(connections, mall, DISTRICT, "li")
    assert said in str(refusal.value)
    ids = [one.destination_id for one in await list_destinations(connections)]
    assert "new-mall" not in ids


async def test_a_file_that_is_no_text_is_refused(connections: Pool, tmp_path: Path) -> None:
    for file in (tmp_path, tmp_path / "nowhere.toml"):
        with pytest.raises(BadDestinationError, match="cannot be read"):
            await bring(connections, file, DISTRICT, "li")


async def test_one_is_taken_out_and_an_unknown_one_is_told(connections: Pool) -> None:
    assert "taken out" in await take_out(connections, "wanda")
    assert "wanda" not in await show(connections)
    with pytest.raises(BadDestinationError, match="no destination 'wanda'"):
        await take_out(connections, "wanda")
    with pytest.raises(BadDestinationError, match=r"did you mean .*renmin-yiyuan"):
        await take_out(connections, "renminyiyuan")
