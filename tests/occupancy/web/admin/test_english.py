"""English is a whole language of the operators' pages: every page, and every refusal."""

import ast
import re
from collections.abc import AsyncIterator, Iterator
from html import unescape
from pathlib import Path

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from gateway.observation import DeviceHealth, DeviceState
from occupancy import database, database_tariffs
from occupancy.lot_file import load_shipped
from occupancy.permissions import Permission, Role
from occupancy.tariff_file import shipped_tariffs
from occupancy.web.admin import language
from occupancy.web.admin.language import CHINESE, ENGLISH, read_table, speak, told
from occupancy.web.admin.settings_told import tell_settings
from occupancy.web.server import Behind
from tests.builders import MORNING_MS
from tests.occupancy.web.admin.desk import Answer, Desk, desk, some_certificates
from zhibo.settings import SETTINGS

ADMIN = Path(language.__file__).parent
OCCUPANCY = ADMIN.parent.parent
HAN = re.compile(r"[㐀-鿿]")
HOLE = re.compile(r"\{\w*\}")
# Rooms whose sentences reach people through the operators' pages: refusals, states, deeds.
ROOMS = (
    *("alarm_conditions", "alarm_desk", "alarm_rules", "alarm_words", "calendar_desk"),
    *(
        "calendar_year",
        "certificate_alarms",
        "change_desk",
        "closure_desk",
        "database_explore",
        "edit",
    ),
    *("effect/change", "escalation_desk"),
    *(
        "experiment_desk",
        "explore",
        "export",
        "join_check",
        "join_desk",
        "lot_change",
        "lot_desk",
        "passwords",
    ),
    *("people_desk", "sign_desk", "site", "site_desk", "study", "study_desk"),
    *("study_gathering", "study_outcome", "tariff_check", "tariff_desk", "tariff_diff"),
    *("tariff_draft", "tariff_form", "tariff_warnings", "tariff_words"),
)
PAGES = sorted(ADMIN.glob("*.py"))
# Not said on a page, or not by us: the issuer of codes, reasons given by the service itself;
# words of one character that would be found inside others, a pattern, and a frame of
# sentences that the table has whole.
ELSEWHERE = {
    *("[㐀-鿿]", "一二三四五六日", "三水智泊", "提前结束", "提前恢复", "泊", "中文"),
    *("“{0}”不是{1}", "/admin/me?done=密码已更改", "表", "无"),
    r"(-?[0-9]{1,8}(?:\.[0-9]{1,2})?)元?",
}
NAMES = {"lot": "kangle", "name": "boss", "year": "2026", "tariff": "kangle", "kind": "drift"}
NAMES |= {"version": "1", "sign": "junction-north", "severity": "critical", "step": "1"}


def sentences(source: str) -> Iterator[str]:
    """Every text with Chinese in a module, with holes where something is put in."""
    tree = ast.parse(source)
    apart = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    apart |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        text = ""
        if isinstance(node, ast.JoinedStr):
            holes = iter(range(20))
            text = "".join(
                str(part.value) if isinstance(part, ast.Constant) else f"{{{next(holes)}}}"
                for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = "" if id(node) in apart else node.value
        if HAN.search(text):
            yield text


@pytest.mark.parametrize(
    "file", [*PAGES, *(OCCUPANCY / f"{room}.py" for room in ROOMS)], ids=lambda file: file.stem
)
def test_every_sentence_of_a_room_has_its_english(file: Path) -> None:
    missing = [
        text
        for text in sentences(file.read_text(encoding="utf-8"))
        if HAN.search(told(HOLE.sub("7", text).strip(), ENGLISH).replace("“关”", ""))
        and text not in ELSEWHERE
    ]
    assert missing == []


@pytest.mark.parametrize("file", sorted((ADMIN / "templates").glob("*.html")), ids=lambda f: f.name)
def test_every_sentence_of_a_template_has_its_english(file: Path) -> None:
    table = read_table(ENGLISH)
    found = re.findall(r"_\('((?:[^'\\]|\\.)*)'", file.read_text(encoding="utf-8"))
    assert [text for text in found if text not in table] == []


def test_the_tables_put_in_what_the_sentence_has() -> None:
    for lang in (ENGLISH, CHINESE):
        for words, english in read_table(lang).items():
            holes = set(HOLE.findall(words)), set(HOLE.findall(english))
            assert holes[1] <= holes[0], words
            assert (
                lang == CHINESE
                or words in ELSEWHERE
                or not HAN.search(english.replace("关", "").replace("满", ""))
            )


@pytest.fixture
async def office(connections: asyncpg.Pool, redis: Redis) -> AsyncIterator[Desk]:
    await database.seed_lots(connections, load_shipped())
    await database_tariffs.seed_tariffs(connections, shipped_tariffs())
    beside = Behind(told=tell_settings(SETTINGS, {}), certificates=some_certificates())
    async with desk(connections, redis, load_shipped(), beside=beside) as running:
        device = DeviceHealth("kangle-g1", DeviceState.LOST, MORNING_MS, "the device hung up")
        running.served.show("kangle", 1, devices=(device,))
        yield running


def own_words(office: Desk) -> set[str]:
    """Names and addresses stay as they are, in every language."""
    lots = office.served.lots.values()
    named = {text for lot in lots for text in (lot.name, lot.short_name, lot.address)}
    shipped = shipped_tariffs()
    tariffs = {text for one in shipped for text in (one.name, one.service, one.complaints)}
    bands = {band.name for one in shipped for rate in one.rates for band in rate.bands}
    return {*named, *tariffs, *bands, "三水智泊", "中文", "泊"}


def untold(page: Answer, known: set[str]) -> list[str]:
    """Texts of a page, and what is read aloud or hinted, that are still Chinese."""
    text = re.sub(r"<(script|textarea|pre|code)\b.*?</\1>", "", page.text, flags=re.DOTALL)
    found = re.findall(r">([^<>]+)<", text)
    found += re.findall(r'\s(?:aria-label|placeholder|title)="([^"]*)"', text)
    left = []
    for one in found:
        words = unescape(one)
        for name in sorted(known, key=len, reverse=True):
            words = words.replace(name, "")
        if HAN.search(words):
            left.append(words.strip())
    return left


async def test_every_page_is_told_in_english(office: Desk) -> None:
    boss = await office.at_work("boss", Role.ADMIN)
    admin = office.served.face.admin
    assert admin is not None
    known, left = own_words(office), list[str]()
    for page in admin.pages:
        if not page.path.startswith("/admin"):
            continue  # a report is a Chinese document
        if page.method != "GET" or not isinstance(page.needs, Permission):
            continue
        if not set(re.findall(r"{(\w+)}", page.path)) <= set(NAMES):
            continue
        answer = await boss.get(page.path.format(**NAMES) + "?lang=en")
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            left += [f"{page.path}: {one}" for one in untold(answer, known)]
    for path in ("/admin/me", "/admin/search?q=kl", "/admin/nothing", "/admin/login"):
        left += [f"{path}: {one}" for one in untold(await boss.get(path), known)]
    assert "\n".join(left) == ""


async def test_a_refusal_is_told_in_english_beside_its_field(office: Desk) -> None:
    boss = await office.at_work("boss", Role.ADMIN)
    await boss.get("/admin/me?lang=en")
    known = own_words(office)
    for path, form, words in (
        ("/admin/lots/kangle/facts", {"capacity": "x"}, "no whole number"),
        ("/admin/closures/kangle", {"extent": "lot"}, "Give the reason"),
        ("/admin/calendar/2027", {}, "Choose what they become"),
        ("/admin/users", {"name": "X"}, "2 to 32 characters"),
        ("/admin/calibrate/kangle", {"counted": "x"}, "no number of cars"),
        ("/admin/rules/drift", {"threshold": "x"}, "no number"),
    ):
        answer = await boss.send(path, form)
        assert answer.status == 400, path
        assert words in answer.words, (path, answer.words)
        assert untold(answer, known) == []
    forged = await boss.post("/admin/users", {"csrf": "forged"})
    assert "token is wrong" in forged.words
    clerk = await office.at_work("wang", Role.OPERATOR, ["kangle"])
    await clerk.get("/admin/me?lang=en")
    refused = await clerk.get("/admin/users")
    assert "wang (duty officer) may not manage users" in refused.words
    assert untold(refused, known) == []


async def test_what_rooms_say_in_english_is_told_in_chinese(office: Desk) -> None:
    wang = await office.at_work("wang", Role.OPERATOR)
    assert "设备断开了连接" in (await wang.get("/admin/lots/kangle/devices")).words
    assert "资料里是 180 个" in (await wang.get("/admin/lots/kangle")).words


@given(st.text())
def test_any_text_can_be_told_and_what_is_not_known_stays(words: str) -> None:
    assert told(words, CHINESE) == words
    if not HAN.search(words):
        assert speak(words, ENGLISH) == words


def test_what_somebody_typed_is_not_translated() -> None:
    page = "<textarea>停用</textarea><input value='停用'><p>停用</p><pre>停用</pre>"
    spoken = "<textarea>停用</textarea><input value='停用'><p>Out of service</p><pre>停用</pre>"
    assert speak(page, ENGLISH) == spoken
    assert speak(page, CHINESE) == page
    assert speak("<p>“&lt;b&gt;”不是时间</p>", ENGLISH) == "<p>“&lt;b&gt;” is no time</p>"
