"""Destinations as people write and say them: found when clear, offered when not."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from occupancy.lot import Place
from routing.destination import BadDestinationError, Destination, check
from routing.destination_file import load_shipped, parse
from routing.gazetteer import MOST_OFFERED, Gazetteer
from routing.spoken_name import plain, sound_of, without_fillers

HERE = Place(23.15, 112.89)
SHIPPED = Gazetteer(load_shipped())
LEAST_RIGHT, MOST_WRONG = 0.97, 0.01


def queries() -> list[tuple[str, str]]:
    """What was asked and what was meant, `?` for nothing, as written down beforehand."""
    text = (Path(__file__).parent / "queries.tsv").read_text(encoding="utf-8")
    lines = (line.split("\t") for line in text.splitlines() if line and line[0] != "#")
    return [(asked, meant) for asked, meant in lines]


def best(words: str, gazetteer: Gazetteer = SHIPPED) -> str:
    found = gazetteer.find(words).best
    return found.destination_id if found else "?"


def test_of_what_people_write_and_say_nearly_all_is_found_and_hardly_any_wrong() -> None:
    asked = queries()
    assert len(asked) >= 300
    answers = [(best(words), meant) for words, meant in asked]
    named = [(found, meant) for found, meant in answers if meant != "?"]
    right = sum(found == meant for found, meant in named) / len(named)
    wrong = sum(found not in ("?", meant) for found, meant in answers) / len(answers)
    assert right >= LEAST_RIGHT
    assert wrong <= MOST_WRONG


def test_a_name_that_shares_only_its_kind_is_never_taken_for_another() -> None:
    for words in ("人民公园", "中山公园", "人民广场", "第二人民医院", "南海区政府"):
        assert best(words) == "?", words


def test_what_may_be_meant_is_offered() -> None:
    offered = SHIPPED.find("公园").candidates
    assert {"森林公园" in match.destination.name for match in offered} == {True, False}
    assert len(offered) <= MOST_OFFERED
    assert SHIPPED.find("公园").best is None


@pytest.mark.parametrize("one", SHIPPED.destinations, ids=lambda one: one.destination_id)
def test_every_destination_is_found_by_each_of_its_names(one: Destination) -> None:
    for name in (*one.names, *one.english):
        assert best(name) == one.destination_id, name


def test_two_places_of_one_sound_are_asked_about() -> None:
    twins = Gazetteer(
        (
            Destination("a", "税务局", "government", HERE),
            Destination("b", "水务局", "government", HERE),
        )
    )
    assert best("shuiwuju", twins) == "?"
    assert best("水务局", twins) == "b"
    assert {m.destination.destination_id for m in twins.find("shuiwuju").candidates} == {"a", "b"}


@given(st.text(max_size=200))
def test_nothing_is_too_strange_to_be_asked(words: str) -> None:
    finding = SHIPPED.find(words)
    scores = [match.score for match in finding.candidates]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    if finding.best is not None:
        assert finding.best == finding.candidates[0].destination


@given(st.sampled_from(queries()), st.sampled_from(["，", " ", "!", "。。", "\n"]))
def test_punctuation_says_nothing(asked: tuple[str, str], noise: str) -> None:
    assert best(noise + asked[0] + noise) == best(asked[0])


def test_scripts_widths_and_fillers_are_made_one() -> None:
    assert plain("三水區人民醫院！") == "三水区人民医院"
    assert plain("ＷＡＮＤＡ") == "wanda"
    assert without_fillers("我想去人民医院附近停车") == "人民医院"
    assert without_fillers("附近") == "附近"
    assert sound_of("三水wanda广场").pinyin == "sanshuiwandaguangchang"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[[destination]]\nname = 'x'", "number 1"),
        ("[[destination", "destinations.toml"),
        (
            "[[destination]]\ndestination_id='a'\nname='x'\nkind=3",
            "destination a",
        ),
    ],
)
def test_a_file_that_cannot_be_used_names_the_destination(text: str, word: str) -> None:
    with pytest.raises(BadDestinationError, match=word):
        parse(text, "destinations.toml")


@pytest.mark.parametrize(
    ("second", "word"),
    [
        (Destination("a", "别处", "park", HERE), "stands twice"),
        (Destination("b", "这里", "park", HERE), "is a name of a"),
        (Destination("b", " ", "park", HERE), "empty name"),
    ],
)
def test_ids_and_names_belong_to_one_place(second: Destination, word: str) -> None:
    with pytest.raises(BadDestinationError, match=word):
        check((Destination("a", "这里", "park", HERE), second))
