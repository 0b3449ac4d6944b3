"""How long real certificates last stands in `/metrics`, and near their end in the alarms."""

import asyncio
import datetime as dt
import math
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from cryptography.hazmat.primitives.asymmetric import ec
from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio import Redis

from gateway.process import now_ms
from gateway.redis_client import connect
from occupancy import alarm_board, database_alarms
from occupancy.alarm import Alarm, AlarmKind, Severity
from occupancy.certificates import Certificates
from occupancy.database import Pool
from occupancy.lot_file import load_shipped
from occupancy.recorder import Chores, run_recorder
from occupancy.web.server import Behind, make_face
from tests.free_port import free_port
from tests.gateway.mosquitto import mosquitto
from tests.gateway.test_expired import before_redis
from tests.gateway.tls import certificate_files
from tests.occupancy.test_duty import Watched, on_duty
from tests.waiting import until
from zhibo.commands.recorder import chores_of
from zhibo.settings import tls_addresses

LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
ENDED_MS = 1_580_428_800_000  # 2020-01-31, thirty days later


async def test_metrics_tell_how_long_each_certificate_lasts(
    connections: Pool, tmp_path: Path
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    silent = free_port()
    async with mosquitto(tmp_path, certificate_files(tmp_path, key, LONG_AGO, 30)) as broker:
        certificates = Certificates(
            [
                ("ZHIBO_MQTT_URL", f"mqtts://localhost:{broker.port}"),
                ("ZHIBO_PUSH_URL", f"https://localhost:{silent}"),
            ]
        )
        await certificates.look()
    told = await _metric(connections, certificates, ENDED_MS - 60_000)
    assert told["ZHIBO_MQTT_URL", f"localhost:{broker.port}"] == 60
    assert math.isnan(told["ZHIBO_PUSH_URL", f"localhost:{silent}"])
    told = await _metric(connections, certificates, now_ms())
    assert told["ZHIBO_MQTT_URL", f"localhost:{broker.port}"] < 0


def told(redis: Redis, *kinds: AlarmKind) -> Callable[[], Awaitable[bool]]:
    """Whether just these alarms of certificates are open in Redis."""

    async def holds() -> bool:
        return [one.key.kind for one in await _open(redis)] == list(kinds)

    return holds


async def _open(redis: Redis) -> list[Alarm]:
    sheet = await alarm_board.read(redis)
    alarms = sheet.alarms if sheet else ()
    return [one for one in alarms if one.key.kind.value.startswith("certificate")]


async def test_an_alarm_tells_of_a_brokers_certificate_until_it_is_renewed(
    redis: Redis, connections: Pool, tmp_path: Path
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    watched = Watched(redis, connections, now_ms=ENDED_MS - 3_600_000)
    async with mosquitto(tmp_path, certificate_files(tmp_path, key, LONG_AGO, 30)) as broker:
        certificates = Certificates([("ZHIBO_MQTT_URL", f"mqtts://localhost:{broker.port}")])
        async with on_duty(watched) as holder:
            holder.certificates = certificates
            await until(told(redis))
            await certificates.look()
            await until(told(redis, AlarmKind.CERTIFICATE_ENDS))
            watched.now_ms = ENDED_MS
            await until(told(redis, AlarmKind.CERTIFICATE_ENDED))
            (alarm,) = await _open(redis)
            assert alarm.severity is Severity.CRITICAL
            assert f"localhost:{broker.port}（ZHIBO_MQTT_URL）" in alarm.words
            await broker.stop()
            await certificates.look()
            watched.now_ms += 3_600_000
            await _looked_at(redis, watched.now_ms)
            assert await _open(redis) == [alarm]
            certificate_files(tmp_path, key)
            await broker.start()
            await certificates.look()
            await until(told(redis))
    kept = await database_alarms.list_between(connections, 0, now_ms(), 10)
    assert [one.alarm.key.kind for one in kept if one.alarm.cleared_at_ms] == [
        *(AlarmKind.CERTIFICATE_ENDED, AlarmKind.CERTIFICATE_ENDS),
    ]


async def _looked_at(redis: Redis, at_ms: int) -> None:
    async def holds() -> bool:
        sheet = await alarm_board.read(redis)
        return sheet is not None and sheet.at_ms >= at_ms

    await until(holds)


async def test_a_recorder_looks_at_the_certificates_of_its_settings(
    redis: Redis, postgres_url: str, connections: Pool, tmp_path: Path
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    stopping = asyncio.Event()
    async with mosquitto(tmp_path, certificate_files(tmp_path, key, LONG_AGO, 30)) as broker:
        chores = Chores(tls=[("ZHIBO_MQTT_URL", f"mqtts://localhost:{broker.port}")])
        async with asyncio.TaskGroup() as group:
            work = run_recorder(redis, postgres_url, [], now_ms, stopping, chores=chores)
            group.create_task(work, name="recorder")
            await until(told(redis, AlarmKind.CERTIFICATE_ENDED))
            stopping.set()
    (kept,) = [
        one.alarm
        for one in await database_alarms.list_open(connections)
        if one.alarm.key.kind is AlarmKind.CERTIFICATE_ENDED
    ]
    assert kept.key.subject == f"localhost:{broker.port}（ZHIBO_MQTT_URL）"


async def test_a_redis_that_is_lost_by_its_own_certificate_is_told_at_the_desk(
    redis_url: str, postgres_url: str, connections: Pool, tmp_path: Path
) -> None:
    certificate = certificate_files(
        tmp_path, ec.generate_private_key(ec.SECP256R1()), LONG_AGO, days=30
    )
    stopping = asyncio.Event()
    async with before_redis(redis_url, certificate) as port:
        chores = Chores(tls=[("ZHIBO_REDIS_URL", f"rediss://localhost:{port}")])
        lost = f"rediss://localhost:{port}?ssl_ca_certs={certificate[0]}"
        async with connect(lost) as redis, asyncio.TaskGroup() as group:
            work = run_recorder(redis, postgres_url, [], now_ms, stopping, chores=chores)
            group.create_task(work, name="recorder")

            async def is_kept() -> bool:
                kept = await database_alarms.list_open(connections)
                return AlarmKind.CERTIFICATE_ENDED in {one.alarm.key.kind for one in kept}

            await until(is_kept)
            stopping.set()


@pytest.mark.parametrize("public_url", ["", "https://parking.example.org"])
def test_the_recorders_addresses_are_those_of_the_doctor(public_url: str) -> None:
    environ = {"ZHIBO_PUBLIC_URL": public_url} if public_url else {}
    assert chores_of(environ).tls == tls_addresses(environ)


async def _metric(
    connections: Pool, certificates: Certificates, at_ms: int
) -> dict[tuple[str, str], float]:
    lots = {lot.lot_id: lot for lot in load_shipped()}
    behind = Behind(certificates=certificates)
    face = make_face(lots, [], connections, lambda: at_ms, behind=behind)
    async with TestClient(TestServer(face.app)) as client:
        text = await (await client.get("/metrics")).text()
    return {
        (sample.labels["setting"], sample.labels["host"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "zhibo_certificate_expires_seconds"
    }
