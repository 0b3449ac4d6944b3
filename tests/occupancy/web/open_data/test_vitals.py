"""The vital signs and the catalogue over real HTTP, and as people see them."""

import datetime as dt

import asyncpg
import pytest

from occupancy.vital_signs import CODES, Grain
from tests.occupancy.web.faces import served
from tests.occupancy.web.open_data.vital_past import after_october

V1 = "/open/vitals/v1"
NAMED = {
    "code",
    "name",
    "value",
    "unit",
    "band",
    "period",
    "coverage",
    "method_version",
    "source_age",
    "previous",
    "year_before",
}


async def test_every_subject_has_every_figure_of_the_day_before(connections: asyncpg.Pool) -> None:
    async with after_october(connections) as past:
        told = await past.shown.get(V1)
        signs = told["indicators"]
        assert {one["subject"] for one in signs} == {"district", *past.shown.lots}
        assert [one["code"] for one in signs[:6]] == [one.code for one in CODES[Grain.DAY]]
        district = signs[0]
        assert set(district) >= NAMED
        assert district["period"] == {
            "grain": "day",
            "from": "2026-10-31T00:00:00.000+08:00",
            "to": "2026-11-01T00:00:00.000+08:00",
        }
        assert 0 <= district["value"] <= 10
        assert district["band"]
        assert district["previous"] is not None
        assert district["year_before"] is None
        assert district["source_age"] == 0
        (one,) = (await past.shown.get(f"{V1}?grain=month&subject=sanda&code=turnover"))[
            "indicators"
        ]
        assert (one["subject_name"], one["unit"]) == ("三达路立体停车场", "次/泊位·日")
        assert one["band"] is None
        hours = await past.shown.get(f"{V1}/series?subject=zhongshan")
        assert len(hours["points"]) == 96
        assert sum(point["value"] is not None for point in hours["points"]) >= 90
        months = await past.shown.get(f"{V1}/series?span=13m")
        assert [point["value"] is None for point in months["points"]] == [True] * 12 + [False]
        page = await (await past.shown.http.get(past.shown.url("/vitals"))).text()
        assert f"{district['value']:.1f}" in page
        assert "近 2 天" in page
        assert "近 24 小时" in page
        days = await past.shown.get(f"{V1}/series?span=31d")
        assert [point["value"] is None for point in days["points"]] == [True] * 29 + [False] * 2
        now = await past.shown.get(f"{V1}?code=congestion_now")
        assert (now["grain"], now["note"], len(now["indicators"])) == ("quarter", "", 6)


@pytest.mark.parametrize(
    ("asked", "status", "field"),
    [
        ("?grain=week", 400, "grain"),
        ("?subject=moon", 404, "subject"),
        ("?code=luck", 404, "code"),
        ("?grain=quarter&code=turnover", 404, "code"),
        ("?colour=red", 400, "colour"),
        ("/series?span=9d", 400, "span"),
        ("/series?subject=moon", 404, "subject"),
        ("/series?code=turnover", 404, "code"),
        ("/kept/0", 404, "number"),
        ("/kept/x", 404, "number"),
        ("/kept/99999999999999999999/again", 404, "number"),
    ],
)
async def test_what_is_not_there_is_said_in_words(
    connections: asyncpg.Pool, asked: str, status: int, field: str
) -> None:
    async with served(connections=connections) as shown:
        assert (await shown.get(f"{V1}{asked}", status))["field"] == field


async def test_before_the_first_day_there_is_a_page_that_says_so(connections: asyncpg.Pool) -> None:
    async with served(connections=connections) as shown:
        for asked, words in (
            ("", "这以前可以读 grain=quarter"),
            ("?grain=quarter", "第一个 15 分钟结束才有"),
            ("?grain=month", "第一个月结束才有"),
        ):
            told = await shown.get(V1 + asked)
            assert told["indicators"] == []
            assert words in told["note"]
        page = await (await shown.http.get(shown.url("/vitals"))).text()
        assert "还没有算出任何时段" in page
        assert "近 24 小时没有数据" in page
        assert "第一天结束后才有" in page


async def test_while_no_day_is_over_the_newest_quarters_are_told(
    connections: asyncpg.Pool,
) -> None:
    async with after_october(connections) as past:
        await connections.execute("DELETE FROM vital WHERE grain <> 'quarter'")
        told = await past.shown.get(V1)
        assert told["grain"] == "quarter"
        assert {one["subject"] for one in told["indicators"]} == {"district", *past.shown.lots}


async def test_the_page_grows_with_its_past(connections: asyncpg.Pool) -> None:
    """Six hours, then two months, then thirteen."""
    async with after_october(connections) as past:
        months = [f"2026-{number:02d}-01" for number in range(9, 0, -1)]
        months += [f"2025-{number:02d}-01" for number in range(12, 9, -1)]
        before_ms = past.now_ms[0] - 6 * 3_600_000
        await connections.execute(
            "DELETE FROM vital WHERE grain = 'quarter' AND from_at < to_timestamp($1::float8)",
            before_ms / 1_000,
        )
        page = await (await past.shown.http.get(past.shown.url("/vitals"))).text()
        assert "18:30 以前没有数据" in page
        for number, month in enumerate(months, start=2):
            await add_month(connections, dt.date.fromisoformat(month))
            page = await (await past.shown.http.get(past.shown.url("/vitals"))).text()
            assert f"近 {number} 个月" in page
            assert ("更早没有数据" in page) == (number < 13)


async def add_month(connections: asyncpg.Pool, first: dt.date) -> None:
    """Another month as good as October."""
    await connections.execute(
        "INSERT INTO vital (subject, grain, from_at, until_at, made_at, query, figures, seal) "
        "SELECT subject, grain, at, at + interval '1 month', made_at, "
        "query::jsonb || jsonb_build_object('from_ms', (extract(epoch FROM at) * 1000)::bigint), "
        "figures, seal || at FROM (SELECT DISTINCT ON (subject) * FROM vital "
        "WHERE grain = 'month' ORDER BY subject, from_at DESC) AS october, "
        "(SELECT $1::date::timestamp AT TIME ZONE 'Asia/Shanghai' AS at) AS there",
        first,
    )


async def test_the_open_ways_lead_to_the_catalogue() -> None:
    async with served() as shown:
        for path in ("/open", "/open/"):
            async with shown.http.get(shown.url(path), allow_redirects=False) as answer:
                assert (answer.status, answer.headers["Location"]) == (302, "/open/catalogue")


async def test_while_postgresql_is_away_the_vital_signs_say_so() -> None:
    async with served() as shown:
        for path in (V1, f"{V1}/series", f"{V1}/kept/1"):
            assert "away" in (await shown.get(path, 503))["detail"]


async def test_the_catalogue_names_fields_units_owner_and_licence_of_each_data_set() -> None:
    async with served() as shown:
        told = await shown.get("/open/catalogue.json")
        assert told["owner"] == "三水区城市管理和综合执法局"
        for one in told["data_sets"]:
            assert one["items"]
            assert one["update_period"]
            assert (one["licence"], one["owner_code"]) == ("待核实", "待核实")
        page = await (await shown.http.get(shown.url("/open/catalogue"))).text()
        assert all(one["name"] in page for one in told["data_sets"])


async def test_every_address_of_the_catalogue_is_served(connections: asyncpg.Pool) -> None:
    async with served(connections=connections) as shown:
        told = await shown.get("/open/catalogue.json")
        ways = [way for one in told["data_sets"] for way in one["formats"]]
        for way in ways:
            if "{" not in way["address"]:
                async with shown.http.get(shown.url(way["address"])) as answer:
                    assert answer.status == 200, way
                    assert (
                        answer.content_type == way["media_type"] or "ld+json" in way["media_type"]
                    )
