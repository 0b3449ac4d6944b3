"""`zhibo doctor`: checks every connection and device, and says how to mend what is wrong."""

import asyncio
from argparse import Namespace
from typing import TYPE_CHECKING

import gateway.config
import occupancy.config
import wechat.config
from gateway.process import now_ms
from zhibo.command import FOUND_TROUBLE, Command, Environ
from zhibo.field import joined_folder
from zhibo.settings import tls_addresses

if TYPE_CHECKING:
    from gateway.doctor import Finding


def run(_: Namespace, environ: Environ) -> int:
    from gateway.doctor import check_devices
    from occupancy.doctor import check_alarms, check_certificates, check_servers, tell_of_pdf
    from occupancy.lot_file import load_shipped

    offset = gateway.config.PORT_OFFSET.read(environ)
    paths = gateway.config.list_shipped()
    configs = [gateway.config.load_config(path, port_offset=offset) for path in paths]
    joined = joined_folder(environ).glob("*.modbus.toml")
    configs += [gateway.config.load_config(path) for path in sorted(joined)]
    redis_url = gateway.config.REDIS_URL.read(environ)
    postgres_url = occupancy.config.POSTGRES_URL.read(environ)
    replica_url = occupancy.config.POSTGRES_REPLICA_URL.read(environ)
    findings = asyncio.run(check_servers(redis_url, postgres_url, replica_url))
    findings += asyncio.run(check_alarms(redis_url))
    findings += asyncio.run(check_certificates(tls_addresses(environ), now_ms()))
    findings += asyncio.run(check_devices(configs))
    findings.append(_check_account(redis_url, environ))
    for finding in findings:
        print(finding.line())
    print(tell_of_pdf())
    for lot in load_shipped():
        print(f"  待核实 {lot.lot_id}: {', '.join(lot.placeholders)}")
    return 0 if all(finding.ok for finding in findings) else FOUND_TROUBLE


def _check_account(redis_url: str, environ: Environ) -> "Finding":
    from gateway.redis_client import connect
    from wechat.commands import check_account

    settings = wechat.config.load_settings(environ)

    async def check() -> "Finding":
        async with connect(redis_url or "redis://127.0.0.1:1") as redis:
            return await check_account(redis, settings, now_ms)

    return asyncio.run(check())


COMMAND = Command(
    "doctor", "check every connection and device; says how to mend what is wrong", run
)
