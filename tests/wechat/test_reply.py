"""How an answer is made: whole, within WeChat's limit, and cut only at a character."""

import base64
import re

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from occupancy.tariff_clock import local_minute
from tests.builders import MORNING_MS
from wechat.crypto import SealError, open_sealed, seal
from wechat.message import read_fields
from wechat.reply_words import Line, fit, plain, stay, when
from wechat.reply_xml import MOST_BYTES, cut, sayable, text_reply
from wechat.session import Session
from wechat.texts import load_texts

TEXTS = load_texts()
DAY_MS, HOUR_MS = 86_400_000, 3_600_000
KEY = bytes(range(32))


def test_optional_lines_go_first_and_the_last_of_them_before() -> None:
    lines = [Line("一" * 4), Line("二" * 4, is_optional=True), Line("三" * 4, is_optional=True)]
    assert fit(lines, 40) == "一一一一\n二二二二\n三三三三"
    assert fit(lines, 30) == "一一一一\n二二二二"
    assert fit(lines, 12) == "一一一一"
    assert fit(lines, 3) == "一一一一"  # left to be cut


def test_empty_lines_are_no_lines() -> None:
    assert fit([Line("一"), Line(""), Line("二")]) == "一\n二"


@given(st.text(), st.integers(0, 60))
def test_a_cut_text_is_a_beginning_that_fits(text: str, most: int) -> None:
    found = cut(sayable(text), most)
    assert len(found.encode()) <= most or found == sayable(text)
    assert sayable(text).startswith(found)


@given(st.integers(0, 120))
def test_a_link_is_never_cut_in_two(length: int) -> None:
    text = '前面的话<a href="https://zhibo.example/m/">地图</a>后面的话'
    found = cut(text, length)
    assert found.count("<a ") == found.count("</a>")
    assert not re.search(r"<[^>]*$", found)


@given(st.text(max_size=800))
def test_what_is_said_arrives_as_it_was_said(text: str) -> None:
    fields = read_fields(text_reply("to", "from", 1, text))
    expected = cut(sayable(text)).replace("\r", "\n").strip()
    assert fields.get("Content", "") == expected
    assert len(fields.get("Content", "").encode()) <= MOST_BYTES


@given(st.binary(max_size=3_000), st.binary(min_size=16, max_size=16), st.text(max_size=20))
def test_what_is_sealed_is_opened_by_its_key_only(message: bytes, random: bytes, app: str) -> None:
    app_id = app.encode("utf-8", "ignore").decode()
    sealed = seal(message, KEY, app_id, random)
    assert open_sealed(sealed, KEY, app_id) == message
    with pytest.raises(SealError):
        open_sealed(sealed, KEY, app_id + "x")
    with pytest.raises(SealError):
        open_sealed(sealed, KEY[::-1], app_id)


@pytest.mark.parametrize("sealed", ["", "é", "AAAA", "A" * 22 + "==", "not base64!"])
def test_what_is_no_seal_is_refused(sealed: str) -> None:
    with pytest.raises(SealError):
        open_sealed(sealed, KEY, "wx")


def test_a_seal_shorter_than_its_head_is_refused() -> None:
    box = Cipher(algorithms.AES(KEY), modes.CBC(KEY[:16])).encryptor()
    short = box.update(bytes([32]) * 32) + box.finalize()
    with pytest.raises(SealError, match="shorter"):
        open_sealed(base64.b64encode(short).decode(), KEY, "wx")


def test_a_citizens_words_are_said_back_short_and_harmless() -> None:
    assert plain("<a href='x'>\n领奖</a>") == "‹a href='x'› 领奖‹/a›"
    assert plain("长" * 50) == "长" * 40 + "…"


def test_an_arrival_is_said_by_its_day() -> None:
    assert when(TEXTS, None, MORNING_MS) == ""
    assert when(TEXTS, MORNING_MS + HOUR_MS, MORNING_MS) == "今天09:00到，"
    assert when(TEXTS, MORNING_MS + DAY_MS, MORNING_MS) == "明天08:00到，"
    assert when(TEXTS, MORNING_MS + 9 * DAY_MS, MORNING_MS) == "12月2日08:00到，"
    assert local_minute(MORNING_MS) % 1_440 == 480
    assert stay(90) == "1小时30分钟"


def test_nobody_is_remembered_with_a_car_park_he_was_not_shown() -> None:
    assert Session().car_park == ""
    assert Session(shown=("kangle", "sanda")).car_park == "kangle"
    assert Session(shown=("kangle",), chosen="sanda").car_park == "sanda"
