"""The planners' reports behind the login: asked for, read, corrected, published, sent."""

from collections.abc import AsyncIterator

import asyncpg
import msgspec
import pytest
from redis.asyncio import Redis

from occupancy.lot_file import load_shipped
from occupancy.permissions import Role
from occupancy.report.document import Report
from tests.occupancy.report.test_press import press
from tests.occupancy.web.admin.desk import Desk, desk
from tests.report_builder import OCTOBER

OPEN = "/reports/2026-10"
NOVEMBER_2_MS = OCTOBER.end_ms + 86_400_000


@pytest.fixture
async def office(connections: asyncpg.Pool, redis: Redis) -> AsyncIterator[Desk]:
    async with desk(connections, redis, load_shipped()) as running:
        running.served.clock.now_ms = NOVEMBER_2_MS
        yield running


async def made(office: Desk) -> None:
    assert await press(office.connections).work_next()


async def test_a_report_nobody_made_yet_is_made_and_its_progress_is_shown(office: Desk) -> None:
    planner = await office.at_work("li", Role.PLANNER)
    waiting = await planner.get(OPEN)
    assert waiting.status == 202
    assert "正在生成报告" in waiting.words
    assert '<meta http-equiv="refresh"' in waiting.text
    assert "排队中" in (await planner.get("/reports/")).words
    polled = await planner.get(OPEN + "/progress", HX_Request="true")
    assert "hx-get" in polled.text
    await made(office)
    done = await planner.get(OPEN + "/progress", HX_Request="true")
    assert done.headers["HX-Redirect"] == OPEN
    shown = await planner.get(OPEN)
    assert shown.status == 200
    assert "三水区公共停车拥堵报告" in shown.words
    assert len(shown.text) < 100_000


async def test_the_page_has_twelve_sections_and_every_file(office: Desk) -> None:
    planner = await office.at_work("li", Role.PLANNER)
    await planner.get(OPEN)
    await made(office)
    page = (await planner.get(OPEN)).text
    for number in range(1, 13):
        assert f'id="s{number}"' in page
    base = f"{OPEN}/v1"
    document = await planner.get(f"{base}/report.json")
    assert msgspec.json.decode(document.text, type=Report).version == 1
    for file, kind in (
        ("report.xlsx", "application/vnd.openxmlformats"),
        ("report.csv", "text/csv"),
        ("quarters.csv", "text/csv"),
        ("tables/prices.csv", "text/csv"),
        ("charts/heat.svg", "image/svg+xml"),
        ("charts/heat.png", "image/png"),
        ("report.pdf", "application/pdf"),
    ):
        answer = await planner.get(f"{base}/{file}")
        assert answer.status == 200, file
        assert answer.headers["Content-Type"].startswith(kind)
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Cache-Control"].startswith("private")


async def test_a_correction_is_published_beside_the_old_version(office: Desk) -> None:
    planner = await office.at_work("li", Role.PLANNER)
    await planner.get(OPEN)
    await made(office)
    refused = await planner.send(f"{OPEN}/again", {"note": ""}, page=OPEN)
    assert refused.status == 400
    assert "请填写原因" in refused.words
    asked = await planner.send(f"{OPEN}/again", {"note": "补录火车站数据"}, page=OPEN)
    assert (asked.status, asked.where) == (303, f"{OPEN}/progress")
    await made(office)
    newest = await planner.get(OPEN)
    assert "版本说明：补录火车站数据" in newest.words
    assert (await planner.get(f"{OPEN}/v1")).status == 200
    published = await planner.send(f"{OPEN}/v2/publish", {"reason": "局务会通过"}, page=OPEN)
    assert published.status == 303
    assert "局务会通过" in (await planner.get(OPEN)).words
    again = await planner.send(f"{OPEN}/v2/publish", {"reason": "再发"}, page=OPEN)
    assert again.status == 409


async def test_data_corrected_afterwards_is_said_on_the_page(office: Desk) -> None:
    planner = await office.at_work("li", Role.PLANNER)
    await planner.get(OPEN)
    await made(office)
    assert "补录或更正" not in (await planner.get(OPEN)).words
    await office.connections.execute(
        "CREATE TABLE rollup_60_x PARTITION OF rollup_60 "
        "FOR VALUES FROM ('2026-10-01') TO ('2026-11-01')"
    )
    await office.connections.execute(
        "INSERT INTO rollup_60 VALUES "
        "('sanda', '2026-10-09 04:00+00', 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0)"
    )
    assert "三达路在本期内的数据有补录或更正" in (await planner.get(OPEN)).words


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/reports/2026-13", 400, "请写成 2026-10"),
        ("/reports/2026-W60", 400, "请写成 2026-10"),
        ("/reports/latest", 400, "请写成 2026-10"),
        ("/reports/2025-01-01..2026-06-01", 400, "最多 400 天"),
        ("/reports/2026-10-15..2026-10-01", 400, "请对调"),
        ("/reports/2027-01", 400, "还没有开始"),
        ("/reports/1999-01", 400, "2020"),
        ("/reports/9999-12", 400, "2026"),
        ("/reports/2026-10?lots=nowhere", 404, "没有 nowhere 这个车场"),
        ("/reports/2026-10/v9", 404, "没有第 9 版"),
        ("/reports/2026-10/vx", 404, "没有第 x 版"),
        ("/reports/2026-10/v99999999999999", 404, "没有第"),
        ("/reports/2026-10/compare?with=x", 400, "请写成 2026-10"),
        ("/reports/open?from=2026-10-05&to=soon", 400, "不是日期"),
        ("/reports/2026-10/v1/charts/nothing.svg", 404, "没有"),
    ],
)
async def test_what_is_no_report_is_refused_in_words(
    office: Desk, path: str, status: int, words: str
) -> None:
    planner = await office.at_work("li", Role.PLANNER)
    answer = await planner.get(path)
    assert answer.status == status, answer.words
    assert words in answer.words


@pytest.mark.parametrize(
    "slug",
    ["2026-W41", "2026-10-01..2026-10-15", "2025-10-01..2026-10-31", "2026-11", "2026-10-07"],
)
async def test_weeks_halves_400_days_and_running_months_are_reports(
    office: Desk, slug: str
) -> None:
    planner = await office.at_work("li", Role.PLANNER)
    if slug == "2025-10-01..2026-10-31":
        slug = "2025-10-01..2026-11-01"
    assert (await planner.get(f"/reports/{slug}")).status == 202
    await made(office)
    assert (await planner.get(f"/reports/{slug}")).status == 200


async def test_a_form_leads_to_the_address_of_its_days(office: Desk) -> None:
    planner = await office.at_work("li", Role.PLANNER)
    answer = await planner.get("/reports/open?from=2026-10-01&to=2026-10-31&lot=sanda&lot=kangle")
    assert (answer.status, answer.where) == (303, f"{OPEN}?lots=kangle,sanda")


async def test_who_answers_for_one_car_park_gets_its_report_and_no_other(office: Desk) -> None:
    sanda = await office.at_work("chen", Role.MANAGER, ["sanda"])
    assert (await sanda.get(OPEN)).status == 202
    await made(office)
    assert (await sanda.get(OPEN)).status == 200
    assert (await sanda.get(f"{OPEN}?lots=kangle")).status == 404
    planner = await office.at_work("li", Role.PLANNER)
    await planner.get(OPEN)
    await made(office)
    versions = await office.connections.fetch("SELECT lots FROM report_version ORDER BY lots")
    assert [row["lots"] for row in versions] == [[], ["sanda"]]
    listed = (await sanda.get("/reports/")).text
    assert f'"{OPEN}?lots=sanda"' in listed
    assert f'"{OPEN}"' not in listed.split("<table>")[1]


async def test_who_may_only_look_neither_publishes_nor_plans(office: Desk) -> None:
    operator = await office.at_work("wang", Role.OPERATOR)
    await operator.get(OPEN)
    await made(office)
    page = await operator.get(OPEN)
    assert "生成新版本" not in page.words.split("版本与发布")[-1]
    token = await operator.token()
    assert (await operator.post(f"{OPEN}/v1/publish", {"csrf": token})).status == 403
    assert (await operator.get("/reports/schedule")).status == 403


async def test_two_periods_stand_beside_each_other(office: Desk) -> None:
    planner = await office.at_work("li", Role.PLANNER)
    await planner.get(OPEN)
    await made(office)
    lonely = await planner.get(f"{OPEN}/compare")
    assert "还没有这份报告" in lonely.words
    await planner.get("/reports/2026-09")
    await made(office)
    both = await planner.get(f"{OPEN}/compare?with=2026-09")
    assert "高峰饱和度 91.8% 91.8% 持平" in both.words
    assert both.text.count("/charts/heat.svg") == 2


async def test_a_plan_is_set_on_its_page(office: Desk) -> None:
    planner = await office.at_work("li", Role.PLANNER)
    form = {
        "kind": "month",
        "day": "2",
        "clock": "06:00",
        "recipients": "nobody",
        "reason": "月度例会",
        "is_on": "1",
    }
    wrong = await planner.send("/reports/schedule", form)
    assert wrong.status == 400
    assert "不是邮箱地址" in wrong.words
    assert 'value="月度例会"' in wrong.text
    set_ = await planner.send("/reports/schedule", {**form, "recipients": "plan@parking.example"})
    assert set_.status == 303
    page = await planner.get("/reports/schedule")
    assert "1 号计划" in page.words
    token = await planner.token()
    changed = {**form, "recipients": "plan@parking.example", "csrf": token}
    late = await planner.post("/reports/schedule/1", {**changed, "edit": "7"})
    assert late.status == 409
    assert (await planner.post("/reports/schedule/1", {**changed, "edit": "1"})).status == 303
    assert (await planner.post("/reports/schedule/9", {**changed, "edit": "1"})).status == 404


async def test_one_person_waits_for_so_many_reports_and_no_more(office: Desk) -> None:
    planner = await office.at_work("li", Role.PLANNER)
    for month in range(4, 10):
        assert (await planner.get(f"/reports/2026-{month:02d}")).status == 202
    refused = await planner.get("/reports/2026-02")
    assert refused.status == 429
    assert "请等它们完成" in refused.words
