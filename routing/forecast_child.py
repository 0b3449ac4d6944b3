"""Learns forecasts in a process of its own: whoever answers requests keeps his interpreter."""

import asyncio
import os
import sys

import msgspec

from gateway.process import die_with_parent
from occupancy.calendar import DayType
from routing.forecast_learn import learn
from routing.forecast_model import Model
from routing.forecast_past import Quarter, remember

BEHIND_READERS = 15  # learning takes a core for seconds; whoever waits for an answer comes first


class LearningFailedError(Exception):
    """The process that should have learned ended without a model."""


class Task(msgspec.Struct, frozen=True):
    """What is learned from; `kinds` go on into the future."""

    lots: dict[str, list[Quarter]]
    first_day: int
    days: int
    kinds: list[DayType]
    now_ms: int


async def learn_apart(task: Task) -> Model:
    """Raises LearningFailedError: it was killed, or there was no memory for it."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "routing.forecast_child"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        packed, _ = await child.communicate(msgspec.msgpack.encode(task))
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        raise LearningFailedError(f"the learning process ended with {child.returncode}")
    return msgspec.msgpack.decode(packed, type=Model)


def _work_out(task: Task) -> Model:
    past = remember(task.lots, task.first_day, task.days, task.kinds)
    return learn(past, task.first_day, task.now_ms)


if __name__ == "__main__":
    die_with_parent()
    os.nice(BEHIND_READERS)
    given = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Task)
    sys.stdout.buffer.write(msgspec.msgpack.encode(_work_out(given)))
