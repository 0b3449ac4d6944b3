"""`zhibo up` as a person would run it, on free ports and a data folder of its own."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.free_port import free_port

START_SECONDS = 90.0
STOP_SECONDS = 40.0


@dataclass(frozen=True)
class RunningTown:
    """A town that runs: its web service, its truth, its process."""

    web: str
    sim: str
    data: Path
    process: asyncio.subprocess.Process
    http: aiohttp.ClientSession

    async def get(self, path: str) -> Any:  # noqa: ANN401  # JSON
        async with self.http.get(self.web + path) as answer:
            assert answer.status == 200, (path, answer.status, await answer.text())
            return await answer.json()

    async def truth(self) -> Mapping[str, Any]:
        """What is really in each lot, by lot id."""
        async with self.http.get(self.sim + "/truth") as answer:
            assert answer.status == 200
            return {lot["lot_id"]: lot for lot in (await answer.json())["lots"]}

    async def switch(self, *, lot: str, device: str, fault: str, on: bool) -> None:
        body = {"lot": lot, "device": device, "fault": fault, "on": on}
        async with self.http.post(self.sim + "/faults", json=body) as answer:
            assert answer.status < 300, await answer.text()

    async def set_speed(self, speed: float) -> None:
        async with self.http.post(self.sim + "/clock", json={"speed": speed}) as answer:
            assert answer.status < 300, await answer.text()

    def children(self) -> list[int]:
        """Every process below the front door, at any depth."""
        return _below(self.process.pid)


@asynccontextmanager
async def town(data: Path, *arguments: str) -> AsyncIterator[RunningTown]:
    """Start, wait until ready, and stop with Ctrl-C."""
    port, sim_port = free_port(), free_port()
    command = (sys.executable, "-m", "zhibo", "up", "--data", str(data), "--port", str(port))
    output = data.with_suffix(".log")
    with output.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command,
            *arguments,
            env={**shell_environ(), "ZHIBO_SIM_PORT": str(sim_port)},
            stdout=log,
            stderr=log,
        )
    web, sim = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{sim_port}"
    try:
        async with aiohttp.ClientSession() as http:
            running = RunningTown(web, sim, data, process, http)
            await _until_ready(running, output)
            yield running
    finally:
        await stop(process)


def shell_environ() -> dict[str, str]:
    """What any shell hands down, and what makes child processes count as covered."""
    return {
        name: value
        for name, value in os.environ.items()  # noqa: TID251
        if name in ("PATH", "HOME", "LANG") or name.startswith("COV")
    }


async def stop(process: asyncio.subprocess.Process) -> int:
    """Ctrl-C; the exit code."""
    if process.returncode is None:
        process.send_signal(signal.SIGINT)
    try:
        async with asyncio.timeout(STOP_SECONDS):
            return await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise


async def _until_ready(running: RunningTown, output: Path) -> None:
    async with asyncio.timeout(START_SECONDS):
        while not await _is_ready(running):
            assert running.process.returncode is None, output.read_text()
            await asyncio.sleep(0.1)


async def _is_ready(running: RunningTown) -> bool:
    try:
        async with running.http.get(running.sim + "/truth") as truth:
            assert truth.status == 200
        async with running.http.get(running.web + "/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


def _below(process_id: int) -> list[int]:
    children = [
        int(child)
        for task in Path(f"/proc/{process_id}/task").glob("*/children")
        for child in _read(task).split()
    ]
    return [*children, *(deeper for child in children for deeper in _below(child))]


def command_of(process_id: int) -> bytes:
    return _read(Path(f"/proc/{process_id}/cmdline"))


def _read(file: Path) -> bytes:
    """Empty for a process that has just ended."""
    try:
        return file.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def difference(lot: Mapping[str, Any], truth: Mapping[str, Any]) -> str:
    """What the service says otherwise than the truth; empty when every number agrees."""
    live = lot["live"]
    pairs = {
        "capacity": (live["capacity"], truth["bays"]),
        "occupied": (live["occupied"], truth["occupied"]),
        "free": (live["free"], truth["free"]),
        "out_of_service": (live["out_of_service"], truth["out_of_service"]),
    }
    wrong = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    return json.dumps({lot["id"]: wrong}) if wrong else ""
