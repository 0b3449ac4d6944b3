"""The big screen as it comes from the server, before any script runs."""

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.observation import FaceState, SignReading
from occupancy.live import Status, Trend
from occupancy.lot import Lot, OpeningState
from occupancy.sign_faces import TownSign
from occupancy.web import board_view, schematic, sparkline
from occupancy.web.formats import LotDetail, PriceInWords, detail
from tests.builders import MORNING_MS, a_group, a_lot
from tests.occupancy.web.faces import SIGN, a_picture, served

JAMMED: dict[str, Any] = {"state": "jammed"}


def shown(lot: Lot | None = None, *, later_ms: int = 0, **news: Any) -> LotDetail:  # noqa: ANN401
    known = lot or a_lot()
    return detail(known, a_picture(known, **news), None, MORNING_MS + later_ms)


def occupied(cars: tuple[int, ...]) -> dict[str, Any]:
    return {"groups": (a_group(1, occupied=(6, 6, 6)), a_group(2, occupied=cars))}


@pytest.mark.parametrize(
    ("news", "later_ms", "word", "count", "note"),
    [
        ({}, 0, "空闲", "24", ""),
        (occupied((6, 5, 0)), 0, "较满", "7", ""),
        (occupied((6, 6, 5)), 0, "已满", "满", "请前往其他停车场"),
        ({}, 90_000, "数据失联", "—", "超过 90 秒无数据，请以现场为准"),
        ({"groups": (a_group(1),)}, 0, "数据失联", "—", "数据核对中，请以现场为准"),
        ({"groups": (a_group(1), a_group(2, **JAMMED))}, 0, "空闲", "12", "停用 18 位"),
    ],
)
def test_a_tile_says_its_state_in_a_word_and_a_number(
    news: dict[str, Any], later_ms: int, word: str, count: str, note: str
) -> None:
    tile = board_view.tile(shown(later_ms=later_ms, **news))
    assert (tile.word, tile.count, tile.note) == (word, count, note)


def test_a_closed_lot_shows_no_number_also_when_it_has_one() -> None:
    closed = a_lot(opening=OpeningState.CLOSED)
    tile = board_view.tile(shown(closed))
    assert (tile.word, tile.count, tile.note) == ("关闭", "关", "暂停开放")
    assert tile.lot.live.free == 24


def test_an_unconfirmed_price_carries_its_mark() -> None:
    price = PriceInWords(30, "30分钟以内免费", "每小时3元", placeholder=True)
    lot = a_lot()
    told = detail(lot, a_picture(lot), price, MORNING_MS)
    assert board_view.tile(told).free_period == "30 分钟内免费*"
    confirmed = msgspec.structs.replace(
        told, tariff=msgspec.structs.replace(price, placeholder=False)
    )
    assert board_view.tile(confirmed).free_period == "30 分钟内免费"


def test_the_district_counts_only_what_can_be_trusted_and_is_open() -> None:
    lots = [
        shown(),
        shown(a_lot(lot_id="b"), later_ms=90_000),
        shown(a_lot(lot_id="c", opening=OpeningState.CLOSED)),
    ]
    total = board_view.total(lots)
    assert (total.free, total.usable, total.occupied, total.percent) == (24, 36, 12, "33%")
    assert (total.trusted, total.lots) == (2, 3)
    assert board_view.total(lots[1:2]) == board_view.Total(None, 0, 0, 1)
    assert board_view.total([]).percent == "—"


def test_a_sign_shows_what_was_read_back_from_it() -> None:
    reading = SignReading("junction-north", ("24", "—"), ("24",), FaceState.DIFFERS, MORNING_MS)
    (face,) = board_view.faces([shown(signs=(reading,))], [SIGN])
    assert face.lines == (("康乐路", "24"), ("sanda", "—"))
    assert (face.title, face.word) == ("1 号屏", "显示不符")


def test_a_sign_whose_gateway_is_silent_is_not_said_to_show_anything() -> None:
    reading = SignReading("junction-north", ("24",), ("24",), FaceState.AS_DESIRED, MORNING_MS)
    (face,) = board_view.faces([shown(signs=(reading,), later_ms=90_000)], [SIGN])
    assert face.lines == (("康乐路", "—"), ("sanda", "—"))
    assert face.word == "状态不明"
    (unheard,) = board_view.faces([], [SIGN])
    assert unheard.state is FaceState.UNKNOWN


def test_every_status_trend_and_sign_state_has_a_word() -> None:
    assert set(board_view.WORDS.status) == set(Status)
    assert set(board_view.WORDS.trend) == set(Trend)
    assert set(board_view.WORDS.sign) == set(FaceState)


def test_the_clock_is_that_of_sanshui() -> None:
    assert board_view.date_words(MORNING_MS) == ("11 月 23 日　周一", "08:00")


VALUES = st.lists(st.none() | st.floats(0, 200), max_size=200)


@given(VALUES)
def test_a_trend_line_has_a_point_in_its_box_for_each_known_value(
    values: list[float | None],
) -> None:
    drawn = sparkline.draw(values, 200)
    points = [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", drawn.line)]
    known = [value for value in values if value is not None]
    assert len(points) == len(known)
    assert all(0 <= x <= sparkline.WIDTH and 0 <= y <= sparkline.HEIGHT for x, y in points)


def test_a_gap_stays_a_gap_and_an_old_end_is_not_marked() -> None:
    assert sparkline.draw([1, 1, None, 2, 2], 4).line.count("M") == 2
    assert sparkline.draw([1, 2], 4).end
    assert not sparkline.draw([1, 2, None], 4).end
    assert sparkline.draw([], 4) == sparkline.Sparkline("", "", "")


def test_a_full_lot_touches_the_bottom_and_an_empty_one_the_top() -> None:
    line = sparkline.draw([0, 10], 10).line
    bottom, top = sparkline.HEIGHT - sparkline.PADDING, sparkline.PADDING
    assert line == f"M0.0 {bottom:.1f}L{sparkline.WIDTH:.1f} {top:.1f}"


MARKS = st.lists(
    st.builds(
        schematic.Mark,
        lot_id=st.uuids().map(str),
        name=st.text(min_size=1),
        status=st.sampled_from(Status),
        label=st.just("1"),
        latitude=st.floats(23.1, 23.2),
        longitude=st.floats(112.8, 112.95),
    ),
    max_size=6,
    unique_by=lambda mark: mark.lot_id,
)


@given(MARKS)
def test_every_mark_lies_on_the_schematic(several: list[schematic.Mark]) -> None:
    drawn = schematic.draw(several)
    places = re.findall(r'transform="translate\((-?\d+) (-?\d+)\)"', drawn)
    assert len(places) == len(several)
    assert all(0 <= int(x) <= schematic.WIDTH for x, _ in places)
    assert all(0 <= int(y) <= schematic.HEIGHT for _, y in places)


@given(MARKS, st.floats(-0.005, 0.005), st.floats(-0.005, 0.005))
def test_a_goal_is_drawn_inside_unless_it_is_far_off(
    several: list[schematic.Mark], north: float, east: float
) -> None:
    one = several[0] if several else schematic.Mark("a", "a", Status.OPEN, "1", 23.15, 112.9)
    near = schematic.Goal("医院", one.latitude + north, one.longitude + east)
    drawn = schematic.draw([*several], near)
    places = re.findall(r'transform="translate\((-?\d+) (-?\d+)\)"', drawn)
    assert len(places) == len(several) + drawn.count("data-goal")
    assert all(
        0 <= int(x) <= schematic.WIDTH and 0 <= int(y) <= schematic.HEIGHT for x, y in places
    )


def test_a_far_goal_does_not_push_the_car_parks_into_one_spot() -> None:
    marks = [
        schematic.Mark("a", "北", Status.OPEN, "1", 23.16, 112.89),
        schematic.Mark("b", "南", Status.OPEN, "1", 23.15, 112.89),
    ]
    assert "data-goal" in schematic.draw(marks, schematic.Goal("近", 23.155, 112.891))
    far = schematic.Goal("远", 23.4, 112.89)
    assert schematic.draw(marks, far) == schematic.draw(marks)


def test_the_schematic_keeps_directions_and_stays_inside() -> None:
    marks = [
        schematic.Mark("a", "北<", Status.OPEN, "1", 23.16, 112.89),
        schematic.Mark("b", "南", Status.FULL, "满", 23.15, 112.89),
        schematic.Mark("c", "东", Status.NO_DATA, "—", 23.155, 112.90),
    ]
    drawn = schematic.draw(marks)
    assert "北&lt;" in drawn
    places = [tuple(map(int, at)) for at in re.findall(r"translate\((\d+) (\d+)\)", drawn)]
    (north, south, east) = places
    assert north[1] < east[1] < south[1]
    assert east[0] > north[0] == south[0]
    assert all(0 < x < schematic.WIDTH and 0 < y < schematic.HEIGHT for x, y in places)
    assert "<svg" in schematic.draw([])
    assert "NaN" not in schematic.draw(marks[:1])


class Texts(HTMLParser):
    """The text of the elements with a `data-field`, and every class ever given."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._open: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del tag
        self._open = dict(attrs).get("data-field") or self._open

    def handle_endtag(self, tag: str) -> None:
        del tag
        self._open = None

    def handle_data(self, data: str) -> None:
        if self._open:
            self.fields.setdefault(self._open, data.strip())


async def test_the_page_is_complete_before_any_script() -> None:
    sign = TownSign("junction-north", "kangle", ("kangle",))
    reading = SignReading("junction-north", ("24",), ("24",), FaceState.AS_DESIRED, MORNING_MS)
    async with served([a_lot()], [sign]) as running:
        running.show("kangle", 1, signs=(reading,))
        async with running.http.get(running.url("/board")) as answer:
            page = await answer.text()
            assert answer.headers["Cache-Control"] == "no-store"
    fields = Texts(page).fields
    assert (fields["count"], fields["word"], fields["usable"]) == ("24", "空闲", "36")
    assert fields["age"] == "08:00:00 更新"
    assert "示意图，非地图" in page
    assert "<span>康乐路</span><b>24</b>" in page
    words = re.search(r'data-words="([^"]+)"', page)
    assert words is not None
    assert msgspec.json.decode(unescape(words[1]), type=board_view.Words) == board_view.WORDS


async def test_a_name_from_an_operator_is_text_and_never_markup() -> None:
    async with served([a_lot(short_name='<b onclick="x">')]) as running:
        running.show("kangle", 1)
        async with running.http.get(running.url("/board")) as answer:
            assert "<b onclick" not in await answer.text()


async def test_the_first_page_is_the_board() -> None:
    async with served() as running:
        url = running.url("/")
        async with running.http.get(url, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (302, "/board")
