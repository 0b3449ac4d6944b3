"""What `zhibo doctor` says about field devices."""

import socket
from collections.abc import Callable

from gateway.config import CarPark, Device, GatewayConfig, Link, Role
from gateway.doctor import check_devices
from gateway.reading import FailureKind
from gateway.register_map import load_map
from tests.field_line import Act, FieldLine, Request, serving

# Registers as a group that works would show them: 1 at address 200.
WORKING = FieldLine(value=lambda _, address: int(address == 200))


def _config(port: int) -> GatewayConfig:
    devices = (
        Device("lane", "bus", "nice_lp22", Role.LANE, 11, timeout_ms=100),
        Device("group", "bus", "shengjiang_plc", Role.GROUP, 1, timeout_ms=100),
    )
    maps = {name: load_map(name) for name in ("nice_lp22", "shengjiang_plc")}
    return GatewayConfig(CarPark("x", (Link("bus", WORKING.kind, port),), devices), maps)


def _always(act: Act) -> Callable[[Request], Act]:
    return lambda _: act


async def test_devices_that_answer_in_full_are_sound() -> None:
    async with serving(FieldLine(value=WORKING.value)) as line:
        findings = await check_devices([_config(line.port)])
    assert [finding.ok for finding in findings] == [True, True]
    assert findings[0].line() == f"  ok    lane (unit 11 at 127.0.0.1:{line.port}, nice_lp22)"


async def test_one_device_that_fails_is_named_with_a_cure_and_the_others_are_checked() -> None:
    def script(request: Request) -> Act:
        return Act.SILENT if request.unit == 11 else Act.ANSWER

    async with serving(FieldLine(value=WORKING.value, script=script)) as line:
        lane, group = await check_devices([_config(line.port)])
    assert group.ok
    assert lane.trouble == "timeout: asked, no answer in time"
    assert lane.line().endswith("\n        " + lane.cure)
    assert "unit number" in lane.cure


async def test_a_device_that_answers_what_its_map_does_not_know_is_bad() -> None:
    async with serving(FieldLine(value=lambda _, address: address)) as line:
        _, group = await check_devices([_config(line.port)])
    assert group.trouble == "group_state: code 200 has no meaning in the map"
    assert "compare gateway/maps" in group.cure


async def test_every_way_to_fail_has_its_cure() -> None:
    cures = {}
    for act in Act:
        line = FieldLine(value=WORKING.value, script=_always(act))
        async with serving(line):
            finding = (await check_devices([_config(line.port)]))[0]
        cures[finding.trouble.partition(":")[0]] = finding.cure
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        finding = (await check_devices([_config(taken.getsockname()[1])]))[0]
    cures[finding.trouble.partition(":")[0]] = finding.cure
    assert set(cures) - {""} == {kind.value for kind in FailureKind}
    assert len(set(cures.values())) == len(cures)
