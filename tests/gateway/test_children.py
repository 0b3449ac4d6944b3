import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from gateway.children import Child, ChildRefusedError, keep_running
from tests.waiting import until

WRITES_ITS_ID = "import os,sys,time; print(os.getpid(), flush=True); time.sleep(600)"


def child_that(code: str, tmp_path: Path) -> Child:
    return Child("part", (sys.executable, "-c", code), {}, tmp_path / "logs")


def process_ids(child: Child) -> list[int]:
    return (
        [int(line) for line in child.log_path.read_text().split()]
        if child.log_path.exists()
        else []
    )


def is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_child_that_is_killed_is_started_again(tmp_path: Path) -> None:
    child, stopping = child_that(WRITES_ITS_ID, tmp_path), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(keep_running(child, stopping), name="child")
        await until(lambda: len(process_ids(child)) == 1)
        os.kill(process_ids(child)[0], signal.SIGKILL)
        await until(lambda: len(process_ids(child)) == 2)
        stopping.set()
    assert not any(is_alive(process_id) for process_id in process_ids(child))


async def test_stopping_ends_a_child_with_its_own_signal(tmp_path: Path) -> None:
    code = (
        "import signal,sys,time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('asked', flush=True), sys.exit(0)))\n"
        "print('up', flush=True)\n"
        "time.sleep(600)\n"
    )
    child, stopping = child_that(code, tmp_path), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(keep_running(child, stopping), name="child")
        await until(lambda: child.log_path.exists() and "up" in child.log_path.read_text())
        stopping.set()
    assert child.log_path.read_text().split() == ["up", "asked"]


async def test_a_child_that_will_not_stop_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.children.STOP_SECONDS", 0.2)
    code = (
        "import os,signal,time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print(os.getpid(), flush=True)\n"
        "time.sleep(600)\n"
    )
    child, stopping = child_that(code, tmp_path), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(keep_running(child, stopping), name="child")
        await until(lambda: len(process_ids(child)) == 1)
        stopping.set()
    assert not is_alive(process_ids(child)[0])


async def test_a_long_log_is_set_aside_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.children.LOG_BYTES_KEPT", 3)
    child = child_that("print('new')", tmp_path)
    child.log_folder.mkdir()
    child.log_path.write_text("an old line\n")
    await (await child.start()).wait()
    assert child.log_path.read_text() == "new\n"
    assert child.log_path.with_suffix(".log.1").read_text() == "an old line\n"


async def test_a_child_that_refuses_its_input_is_not_started_again(tmp_path: Path) -> None:
    child = child_that("import sys; print('port 1 is taken'); sys.exit(2)", tmp_path)
    with pytest.raises(ChildRefusedError, match="part: port 1 is taken"):
        await keep_running(child, asyncio.Event())
