"""How long certificates last stands in `/metrics`."""

import datetime as dt
import math
from pathlib import Path

from aiohttp.test_utils import TestClient, TestServer
from cryptography.hazmat.primitives.asymmetric import ec
from prometheus_client.parser import text_string_to_metric_families

from gateway.process import now_ms
from occupancy.database import Pool
from occupancy.lot_file import load_shipped
from occupancy.web.certificates import Certificates
from occupancy.web.server import Behind, make_face
from tests.gateway.mosquitto import mosquitto
from tests.gateway.tls import certificate_files
from tests.gateway.valkey import free_port

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
