"""How long a calibration takes until the car park's own sign shows it, in a town that runs."""

import tempfile
import time
from pathlib import Path

from tests.e2e.test_town import agreeing, zhibo
from tests.e2e.town import RunningTown, town
from tests.waiting import until

LOT = "sanda"


async def calibrated() -> dict[str, float]:
    """From the command's start until the sign has said that it shows what was counted."""
    with tempfile.TemporaryDirectory(prefix="zhibo-sign-") as folder:
        async with town(Path(folder) / "data") as running:
            await running.set_speed(0)
            await until(lambda: agreeing(running, LOT), within_seconds=90)
            lot = await running.get(f"/v1/lots/{LOT}")
            inside, free = lot["counters"]["cars_by_machines"], lot["live"]["free"]
            words = ("--cars", str(inside - 1), "--reason", "夜间盘点", "--by", "bench")
            begun = time.monotonic()
            code, told = await zhibo(running, "correct", LOT, *words)
            if code != 0:
                raise SystemExit(told)
            await until(lambda: _shows(running, str(free + 1)), within_seconds=60)
            return {"calibration on its sign": time.monotonic() - begun}


async def _shows(running: RunningTown, number: str) -> bool:
    lot = await running.get(f"/v1/lots/{LOT}")
    sign = next(one for one in lot["signs"] if one["desired"] and len(one["desired"]) == 1)
    return (sign["reported"] or ("",))[0] == number
