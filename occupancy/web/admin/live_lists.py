"""Devices and the quality of the numbers, over all car parks."""

from aiohttp import web

from gateway.observation import DeviceState
from occupancy.permissions import Permission
from occupancy.web.admin.admin_route import AdminRoute
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.visit import Visit

_TROUBLED = (DeviceState.LOST, DeviceState.SUSPECT)


class LiveLists:
    """`/admin/devices` and `/admin/quality`."""

    def __init__(self, ground: AdminGround) -> None:
        self._ground = ground

    def routes(self) -> list[AdminRoute]:
        return [
            AdminRoute("GET", "/admin/devices", self.devices, Permission.SEE),
            AdminRoute("GET", "/admin/quality", self.quality, Permission.SEE),
        ]

    async def devices(self, visit: Visit) -> web.StreamResponse:
        wanted = visit.asked("state")
        lots = self._ground.lots_of(visit)
        every = [device for lot in lots for device in lot.devices]
        shown = [
            (lot, [one for one in lot.devices if not wanted or one.state == wanted]) for lot in lots
        ]
        return visit.page(
            "devices.html",
            groups=[(lot, devices) for lot, devices in shown if devices],
            wanted=wanted,
            all=len(every),
            lost=sum(device.state in _TROUBLED for device in every),
        )

    async def quality(self, visit: Visit) -> web.StreamResponse:
        return visit.page("quality.html", lots=self._ground.lots_of(visit))
