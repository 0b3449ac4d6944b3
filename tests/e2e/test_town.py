import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.e2e.town import RunningTown, command_of, difference, shell_environ, stop, town
from tests.free_port import free_port
from tests.waiting import until

DEVICES = 65
OTHER_PARTS = ("Redis", "PostgreSQL", "alarms", "official account")
LOTS = ["huochezhan", "kangle", "sanda", "zhanqian", "zhongshan"]

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningTown]:
    data = tmp_path_factory.mktemp("town") / "data"
    async with town(data, "--speed", "20", "--seed", "7") as running:
        yield running


async def agreeing(running: RunningTown, lot_id: str) -> bool:
    """Does the lot agree with a truth that stood still around the reading?"""
    before = (await running.truth())[lot_id]
    lot = await running.get(f"/v1/lots/{lot_id}")
    after = (await running.truth())[lot_id]
    same_levels = [
        (level["level"], level["occupied"], level["out_of_service"]) for level in lot["levels"]
    ] == [(level["level"], level["occupied"], level["out_of_service"]) for level in after["levels"]]
    return before["occupied"] == after["occupied"] and not difference(lot, after) and same_levels


@pytest.mark.parametrize("lot_id", LOTS)
async def test_every_published_number_is_the_truth(running: RunningTown, lot_id: str) -> None:
    await until(lambda: agreeing(running, lot_id), within_seconds=60)


async def test_the_five_lots_have_889_spaces(running: RunningTown) -> None:
    lots = (await running.get("/v1/lots"))["lots"]
    assert sorted(lot["id"] for lot in lots) == LOTS
    assert sum(lot["live"]["capacity"] for lot in lots) == 889


async def test_the_stream_tells_each_change(running: RunningTown) -> None:
    seen: list[Any] = []
    async with asyncio.timeout(60), running.http.get(running.web + "/v1/stream") as stream:
        async for line in stream.content:
            if line.startswith(b"event: lot"):
                seen.append(line)
            if len(seen) > 20:
                break
    assert len(seen) > 20


async def test_a_jammed_group_leaves_service_and_comes_back(running: RunningTown) -> None:
    async def out_of_service() -> int:
        lot = await running.get("/v1/lots/zhanqian")
        count: int = lot["live"]["out_of_service"]
        return count

    before = await out_of_service()
    await running.switch(lot="zhanqian", device="zhanqian-g3", fault="group_jammed", on=True)

    async def is_out() -> bool:
        return await out_of_service() == before + 18

    await until(is_out)
    await until(lambda: agreeing(running, "zhanqian"), within_seconds=60)
    await running.switch(lot="zhanqian", device="zhanqian-g3", fault="group_jammed", on=False)

    async def is_back() -> bool:
        return await out_of_service() == before

    await until(is_back, within_seconds=60)


async def test_history_fills(running: RunningTown) -> None:
    async def has_rows() -> bool:
        history = await running.get("/v1/lots/kangle/history?step=PT1M")
        return any(point["occupied"] is not None for point in history["points"])

    await until(has_rows, within_seconds=60)


async def test_the_board_shows_five_lots_before_any_script_runs(running: RunningTown) -> None:
    async with running.http.get(running.web + "/board") as answer:
        page = await answer.text()
    assert all(name in page for name in ("康乐路", "站前路", "三达路", "中山路", "火车站"))


async def test_counters_agree_with_the_loops(running: RunningTown) -> None:
    async def agree() -> bool:
        before = (await running.truth())["kangle"]
        lot = await running.get("/v1/lots/kangle")
        after = (await running.truth())["kangle"]
        still = before["entries"] == after["entries"]
        return bool(still and lot["flow"]["entries_total"] <= after["entries"])

    await until(agree, within_seconds=60)


async def test_ctrl_c_ends_every_process_and_the_next_start_finds_its_data(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with town(data, "--speed", "60") as first:

        async def recorded() -> bool:
            history = await first.get("/v1/lots/sanda/history?step=PT1M")
            return any(point["occupied"] is not None for point in history["points"])

        await until(recorded, within_seconds=60)
        children = first.children()
        assert len(children) >= 9
        assert await stop(first.process) == 0
    assert not [child for child in children if Path(f"/proc/{child}").exists()]
    async with town(data, "--speed", "60") as second:
        history = await second.get("/v1/lots/sanda/history?step=PT1M")
        assert any(point["occupied"] is not None for point in history["points"])


async def test_a_part_that_is_killed_comes_back_and_tells_the_truth(running: RunningTown) -> None:
    recorder = next(child for child in running.children() if b"recorder" in command_of(child))
    running_before = set(running.children())

    os.kill(recorder, signal.SIGKILL)

    async def is_replaced() -> bool:
        now = set(running.children())
        return recorder not in now and bool(now - running_before)

    await until(is_replaced)
    await until(lambda: agreeing(running, "kangle"), within_seconds=60)


async def test_a_taken_port_is_named(running: RunningTown, tmp_path: Path) -> None:
    port = running.web.rsplit(":", 1)[1]

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "zhibo", "up", "--data", str(tmp_path), "--port", port),
        stderr=asyncio.subprocess.PIPE,
    )
    _, complaint = await process.communicate()
    assert process.returncode == 2
    assert port in complaint.decode()
    assert "ZHIBO_PORT" in complaint.decode()


async def test_an_unknown_lot_is_a_problem_that_names_it(running: RunningTown) -> None:
    async with running.http.get(running.web + "/v1/lots/nowhere") as answer:
        problem = await answer.json(content_type=None)
    assert answer.status == 404
    assert answer.content_type == "application/problem+json"
    assert "nowhere" in problem["detail"]
    assert isinstance(running.http, aiohttp.ClientSession)


async def zhibo(running: RunningTown, *words: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "zhibo", *words),
        env={**shell_environ(), "ZHIBO_DATA": str(running.data)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def test_the_doctor_finds_the_running_town_sound(running: RunningTown) -> None:
    code, told = await zhibo(running, "doctor")
    assert "BAD" not in told
    checked = [line for line in told.splitlines() if line.startswith("  ok ")]
    assert sum("(unit " in line for line in checked) == DEVICES
    # Pango is a part that may be missing: a note then, and no defect
    parts = (*OTHER_PARTS, *(("PDF of reports",) if "PDF of reports" in told else ()))
    assert sum("(unit " not in line for line in checked) == len(parts)
    for part in parts:
        assert any(part in line for line in checked), part
    assert "待核实" in told
    assert code == 0


async def test_the_doctor_names_a_dead_device_and_its_cure(running: RunningTown) -> None:
    await running.switch(lot="kangle", device="kangle-g2", fault="comms_error", on=True)
    code, told = await zhibo(running, "doctor")
    await running.switch(lot="kangle", device="kangle-g2", fault="comms_error", on=False)
    assert code == 1
    assert [line for line in told.splitlines() if "BAD" in line and "kangle-g2" in line]


async def test_a_count_reaches_picture_and_sign_and_a_second_one_takes_it_back(
    running: RunningTown,
) -> None:
    await running.set_speed(0)
    await until(lambda: agreeing(running, "sanda"), within_seconds=60)
    before = await running.get("/v1/lots/sanda")
    inside = before["counters"]["cars_by_machines"]

    async def shown() -> tuple[str, int, str]:
        lot = await running.get("/v1/lots/sanda")
        sign = next(s for s in lot["signs"] if s["desired"] and len(s["desired"]) == 1)
        return lot["live"]["quality"], lot["live"]["occupied"], (sign["reported"] or ("",))[0]

    words = ("--reason", "夜间盘点", "--by", "li")
    code, told = await zhibo(running, "correct", "sanda", "--cars", str(inside - 1), *words)
    assert code == 0, told
    free = before["live"]["free"] + 1

    async def is_corrected() -> bool:
        occupied = before["live"]["occupied"] - 1
        return await shown() == ("corrected", occupied, str(free))

    await until(is_corrected)
    code, told = await zhibo(running, "correct", "sanda", "--cars", str(inside), *words)
    assert code == 0, told
    await until(lambda: agreeing(running, "sanda"), within_seconds=60)
    code, told = await zhibo(running, "truth-check")
    assert code == 0, told
    assert len((await running.get("/v1/lots/sanda/truth-checks"))["checks"]) >= 1
    code, told = await zhibo(running, "correct", "sanda", "--cars", "9999", *words)
    assert code == 2
    assert "9999" in told
    await running.set_speed(20)


async def test_what_a_citizen_reports_is_read_beside_what_was_shown(running: RunningTown) -> None:
    form = {"lot": "kangle", "kind": "full", "words": "三楼没有位"}
    async with running.http.post(running.web + "/m/report", data=form) as answer:
        assert answer.status == 200
    code, told = await zhibo(running, "reports", "kangle")
    assert code == 0
    assert "显示有位，到了却满，当时显示" in told
    assert "三楼没有位" in told
    assert "nothing was reported" in (await zhibo(running, "reports", "sanda"))[1]


async def test_migrating_a_running_database_changes_nothing(running: RunningTown) -> None:
    code, told = await zhibo(running, "migrate")
    assert (code, told.strip()) == (0, "the database is up to date")


async def test_a_second_town_in_the_same_folder_is_refused(running: RunningTown) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "zhibo", "up", "--data", str(running.data), "--port", "18"),
        env={**shell_environ(), "ZHIBO_SIM_PORT": "19"},
        stderr=asyncio.subprocess.PIPE,
    )
    _, complaint = await process.communicate()
    assert process.returncode == 2
    assert "another `zhibo up` runs in this folder" in complaint.decode()


async def test_several_workers_share_one_port(running: RunningTown) -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "zhibo", "serve", "--workers", "2", "--port", str(port)),
        env={**shell_environ(), "ZHIBO_DATA": str(running.data)},
    )

    async def answers() -> bool:
        try:
            async with running.http.get(f"http://127.0.0.1:{port}/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    await until(answers, within_seconds=60)
    assert await stop(process) == 0


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("gateway", "nowhere.toml"), "nowhere.toml"),
        (("serve", "--port", "many"), "ZHIBO_PORT"),
        (("sim", "--speed", "fast"), "ZHIBO_SIM_SPEED"),
        (("sim", "--faults", "all"), "ZHIBO_SIM_FAULTS"),
        (("bench", "nothing"), "zhibo bench"),
    ],
)
async def test_what_is_wrong_is_named_and_ends_with_2(
    running: RunningTown, words: tuple[str, ...], complaint: str
) -> None:
    code, told = await zhibo(running, *words)
    assert code == 2
    assert complaint in told
    assert "Traceback" not in told


async def test_the_benches_are_listed_with_what_each_measures(running: RunningTown) -> None:
    code, told = await zhibo(running, "bench")
    assert code == 0
    assert {"latency", "gateway", "bus", "rtu", "api", "quote"} <= set(told.split())


async def test_a_driver_is_guided_by_name_to_a_car_park_with_a_space(running: RunningTown) -> None:
    question = {"destination": "rmyy", "stay": "PT1H", "driver": "e2e"}
    async with running.http.post(running.web + "/v1/recommendations", json=question) as answer:
        assert answer.status == 200, await answer.text()
        told = await answer.json()
    first = told["recommendations"][0]
    assert first["lot"] in LOTS
    assert first["chance"] >= 0.5
    assert first["fee"]["currency"] == "CNY"
    assert {one["lot"] for one in (*told["recommendations"], *told["left_out"])} == set(LOTS)
    link = f"{running.web}/v1/trips/{told['trip']}/open/{first['lot']}/amap"
    async with running.http.get(link, allow_redirects=False) as led:
        assert led.headers["Location"] == first["navigation"]["amap"]
    trip = await running.get(f"/v1/trips/{told['trip']}")
    assert (trip["stage"], trip["lot"]) == ("chosen", first["lot"])
