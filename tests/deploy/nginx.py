"""The kit's own nginx configuration, run by a real nginx on ports of its own."""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.gateway.valkey import free_port
from tests.waiting import until

KIT = Path(__file__).parents[2] / "deploy"
PARTS = ("upstream.conf", "tls.conf", "push.conf")


def program(name: str) -> str:
    """Its path; without it the test is skipped on a laptop and fails in CI."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None:
        words = f"{name} is missing"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(words)  # noqa: TID251
    return str(found)


def write_proxy(
    name: str, folder: Path, https: int = 8443, http: int = 8081, push: str = "127.0.0.1:8095"
) -> Path:
    """The kit's file in a configuration of its own, with its certificate, logs and ports here."""
    text = (KIT / "nginx" / name).read_text(encoding="utf-8")
    # Debian's nginx knows neither `http2 on` (1.25) nor `resolve` (1.27) yet.
    text = text.replace("    http2 on;\n", "")
    text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{https} ssl http2")
    text = text.replace("listen 80;", f"listen 127.0.0.1:{http};").replace(" resolve max", " max")
    text = re.sub(r"    (resolver .*|zone zhibo_web .*);\n", "", text)
    text = text.replace("server web:8080", "server 127.0.0.1:8080")
    text = text.replace("server 127.0.0.1:8095", f"server {push}")
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
async def proxy(folder: Path, push: str) -> AsyncIterator[int]:
    """`zhibo.conf` before this push receiver, with fullchain.pem of the folder; its TLS port."""
    https, http = free_port(), free_port()
    config = write_proxy("zhibo.conf", folder, https, http, push)
    # However slowly the test goes: no more posts than the burst.
    config.write_text(config.read_text().replace("rate=50r/s", "rate=1r/s"))
    running = await asyncio.create_subprocess_exec(
        program("nginx"), "-p", str(folder), "-c", str(config), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await until(
            lambda: (folder / "pid").exists() and bool((folder / "pid").read_text().strip())
        )
        yield https
    finally:
        running.terminate()
        await running.wait()
