"""Open alarms from memory, the past from PostgreSQL, changes on the stream."""

import aiohttp

from occupancy import database_alarms, database_corrections
from occupancy.alarm import NOT_PUBLIC, Alarm, AlarmKind, Key, Severity
from occupancy.alarm_board import AlarmSheet
from occupancy.database import Pool
from occupancy.truth_check import check
from tests.builders import MORNING_MS
from tests.occupancy.web.faces import a_picture, served

OFFLINE = Alarm(
    Key(AlarmKind.DEVICE_OFFLINE, "kangle", "kangle-g1"), Severity.MAJOR, "设备离线", MORNING_MS
)


async def test_open_alarms_are_told_with_when_they_were_looked_at() -> None:
    async with served() as site:
        nothing = await site.get("/v1/alarms")
        assert nothing == {"looked_at": None, "is_watched": False, "alarms": []}
        site.face.alarms.take_in(AlarmSheet(MORNING_MS, (OFFLINE,)))
        told = await site.get("/v1/alarms")
        assert told["is_watched"]
        assert told["alarms"] == [
            {
                "kind": "device_offline",
                "lot": "kangle",
                "subject": "kangle-g1",
                "severity": "major",
                "words": "设备离线",
                "raised_at": "2026-11-23T08:00:00.000+08:00",
                "cleared_at": None,
            }
        ]
        site.clock.now_ms += 60_000
        assert not (await site.get("/v1/alarms"))["is_watched"]
        async with site.http.get(site.url("/metrics")) as answer:
            metrics = await answer.text()
        assert 'zhibo_open_alarms{kind="device_offline",severity="major"} 1.0' in metrics


async def _two_events(reader: aiohttp.ClientResponse) -> list[bytes]:
    """The next two alarms that the stream tells."""
    events: list[bytes] = []
    while len(events) < 2:
        line = await reader.content.readline()
        if line.startswith(b"event: alarm"):
            events.append(await reader.content.readline())
    return events


async def test_the_stream_tells_when_an_alarm_is_raised_and_when_it_is_over() -> None:
    async with served() as site, site.http.get(site.url("/v1/stream")) as reader:
        site.face.alarms.take_in(AlarmSheet(MORNING_MS, (OFFLINE,)))
        site.face.alarms.take_in(AlarmSheet(MORNING_MS + 1_000, (OFFLINE,)))
        site.face.alarms.take_in(AlarmSheet(MORNING_MS + 2_000, ()))
        site.face.alarms.take_in(AlarmSheet(0, ()))
        events = await _two_events(reader)
    assert b'"cleared_at":null' in events[0]
    assert b'"cleared_at":"2026-11-23T08:00:02.000+08:00"' in events[1]


async def test_nobody_outside_hears_which_servers_of_ours_have_which_certificates(
    connections: Pool,
) -> None:
    secret = [
        Alarm(
            Key(kind, "district", "cache:6379（ZHIBO_REDIS_URL）"), Severity.MINOR, "x", MORNING_MS
        )
        for kind in NOT_PUBLIC
    ]
    for alarm in (*secret, OFFLINE):
        await database_alarms.save(connections, alarm)
    async with served(connections=connections) as site:
        async with site.http.get(site.url("/v1/stream")) as reader:
            site.face.alarms.take_in(AlarmSheet(MORNING_MS, (*secret, OFFLINE)))
            site.face.alarms.take_in(AlarmSheet(MORNING_MS, ()))
            events = await _two_events(reader)
        assert all(b"device_offline" in event for event in events)
        site.face.alarms.take_in(AlarmSheet(MORNING_MS, (*secret, OFFLINE)))
        site.clock.now_ms += 60_000
        for path in ("/v1/alarms", "/v1/alarms/history", "/v1/alarms/history?lot=kangle"):
            told = await site.get(path)
            assert [one["kind"] for one in told["alarms"]] == ["device_offline"]
        async with site.http.get(site.url("/metrics")) as answer:
            assert 'kind="certificate_ends"' in await answer.text()


async def test_the_past_is_kept_and_can_be_asked_for(connections: Pool) -> None:
    await database_alarms.save(connections, OFFLINE)
    await database_alarms.save(connections, OFFLINE)
    async with served(connections=connections) as site:
        site.clock.now_ms += 60_000
        (found,) = (await site.get("/v1/alarms/history?lot=kangle"))["alarms"]
        assert (found["words"], found["acknowledged_by"], found["note"]) == ("设备离线", None, "")
        assert (await site.get("/v1/alarms/history?lot=sanda"))["alarms"] == []
        late = "/v1/alarms/history?from=2026-11-24T00:00:00Z&to=2026-11-25T00:00:00Z"
        assert len((await site.get(late))["alarms"]) == 1  # it lasts
        problem = await site.get("/v1/alarms/history?lot=nowhere", 404)
        assert problem["field"] == "lot"
        turned = "/v1/alarms/history?from=2026-11-24T00:00:00Z&to=2026-11-23T00:00:00Z"
        assert (await site.get(turned, 400))["field"] == "to"


async def test_truth_checks_are_listed_the_newest_first(connections: Pool) -> None:
    async with served(connections=connections) as site:
        for second in (1, 2):
            seen = a_picture(site.lots["kangle"], second, cars_inside=12 + second)
            found = check(seen, None, MORNING_MS + second * 1_000, "li")
            await database_corrections.add_check(connections, found)
        checks = (await site.get("/v1/lots/kangle/truth-checks"))["checks"]
    assert [one["drift_cars"] for one in checks] == [2, 1]


async def test_without_postgresql_the_past_is_away_and_the_present_is_not() -> None:
    async with served() as site:
        assert (await site.get("/v1/alarms/history", 503))["detail"]
        assert (await site.get("/v1/lots/kangle/truth-checks", 503))["detail"]
        assert await site.get("/v1/alarms")
