"""Several web processes on one port: the kernel shares the connections out among them."""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

from gateway.children import Child, keep_running

WORKER = "ZHIBO_WORKER"  # set by us in a worker's environment: it serves, and starts no others


async def run_workers(
    count: int, environ: Mapping[str, str], logs: Path, stopping: asyncio.Event
) -> None:
    """Keep `count` workers running until `stopping`; one that dies is started again."""
    command = (sys.executable, "-m", "zhibo", "serve")
    shared = {**environ, WORKER: "1", "ZHIBO_CHILD": "1"}
    async with asyncio.TaskGroup() as group:
        for number in range(1, count + 1):
            child = Child(f"serve-{number}", command, shared, logs)
            group.create_task(keep_running(child, stopping), name=child.name)
