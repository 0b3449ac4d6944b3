"""The real gateway reads the shipped town and finds what is true, device by device."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from msgspec.structs import replace

from gateway.config import GatewayConfig, list_shipped, load_config
from gateway.observation import DeviceState, GroupState
from gateway.poller import Field as Poller
from gateway.process import monotonic_seconds, now_ms
from gateway.reading import Failure, Reading
from gateway.signs import to_registers
from gateway.station_state import StationState
from lot_sim.field import Field
from lot_sim.pace import Pace
from lot_sim.town import Town
from lot_sim.truth_document import describe
from tests.lot_sim.serve import Served, served
from tests.lot_sim.towns import HOUR_MS, MAPS, MONDAY_NOON_MS, SANSHUI
from tests.waiting import until


def uptime_ms() -> int:
    return int(monotonic_seconds() * 1_000)


class Gateways:
    """The five gateways' field side, without outbox and Redis."""

    def __init__(self, at: Served) -> None:
        configs = [moved(load_config(path), at.ports) for path in list_shipped()]
        self.states = {c.car_park.lot_id: StationState(c, {}, None, uptime_ms()) for c in configs}
        self.pollers = {
            c.car_park.lot_id: Poller(
                c,
                now_ms,
                monotonic_seconds,
                self._folding(c.car_park.lot_id),
                random.Random(1),  # noqa: S311
            )
            for c in configs
        }

    def _folding(self, lot_id: str) -> Callable[[Reading | Failure], None]:
        def fold(news: Reading | Failure) -> None:
            self.states[lot_id].fold(news, uptime_ms())

        return fold

    def know_everything(self) -> bool:
        observed = [state.observe(now_ms(), uptime_ms()) for state in self.states.values()]
        devices = [device for observation in observed for device in observation.devices]
        groups = [group for observation in observed for group in observation.groups]
        return (
            len(devices) == 65
            and all(device.state is DeviceState.ONLINE for device in devices)
            and all(group.state is not GroupState.SILENT for group in groups)
            and all(len(state.counters) == 2 for state in self.states.values())
        )


def moved(config: GatewayConfig, ports: dict[int, int]) -> GatewayConfig:
    links = tuple(replace(link, port=ports[link.port]) for link in config.car_park.links)
    return GatewayConfig(replace(config.car_park, links=links), config.maps)


@asynccontextmanager
async def gateways(field: Field) -> AsyncIterator[Gateways]:
    pace = Pace(field.town, 0, monotonic_seconds, now_ms)
    async with served(field, pace) as at, asyncio.TaskGroup() as tasks:
        all_ = Gateways(at)
        polling = [
            tasks.create_task(poller.run(), name=lot_id) for lot_id, poller in all_.pollers.items()
        ]
        await until(all_.know_everything)
        yield all_
        for task in polling:
            task.cancel()


async def test_all_65_devices_tell_the_gateways_what_is_true() -> None:
    field = Field(Town(SANSHUI, "1", MONDAY_NOON_MS), MAPS)
    field.switch("sanda", "sanda-g2", "group_jammed", on=True)
    field.switch("kangle", "kangle-g1", "group_maintenance", on=True)
    field.town.run_until(MONDAY_NOON_MS + HOUR_MS)
    truth = {lot["lot_id"]: lot for lot in describe(field, 0)["lots"]}
    async with gateways(field) as seen:
        for lot_id, state in seen.states.items():
            observed = state.observe(now_ms(), uptime_ms())
            assert [
                (g.group_id, g.state.value, list(g.occupied_by_level or ()), g.storing_queue)
                for g in observed.groups
            ] == [
                (g["group_id"], g["state"].value, g["on_pallets_by_level"], g["storing_queue"])
                for g in truth[lot_id]["groups"]
            ]
            assert observed.cars_on_pallets == (
                truth[lot_id]["occupied"] + truth[lot_id]["locked_in"]
            )
            assert observed.doubts == ()
            counters = {lane["device"]: lane["counter"] for lane in truth[lot_id]["lanes"]}
            assert {id_: c.raw for id_, c in state.counters.items()} == counters
    jammed = seen.states["sanda"].observe(now_ms(), uptime_ms()).groups[1]
    assert jammed.state is GroupState.JAMMED


async def test_a_face_a_gateway_writes_is_what_people_see() -> None:
    field = Field(Town(SANSHUI, "1", MONDAY_NOON_MS), MAPS)
    faces = {"kangle-sign": ("17",), "junction-north": ("17", "满", "关", "—")}

    def shown() -> dict[str, tuple[str, ...]]:
        (kangle,) = (lot for lot in describe(field, 0)["lots"] if lot["lot_id"] == "kangle")
        texts = {s["device"]: tuple(line["text"] for line in s["lines"]) for s in kangle["signs"]}
        return {device: texts[device][: len(face)] for device, face in faces.items()}

    async with gateways(field) as all_:
        for device_id, face in faces.items():
            all_.pollers["kangle"].write(device_id, to_registers(face))
        await until(lambda: shown() == faces)
