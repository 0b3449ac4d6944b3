"""Settings: what this service was started with, and what of the town administrators edit."""

from collections.abc import Sequence

from aiohttp import web

from occupancy.permissions import Permission
from occupancy.web.admin.admin_route import AdminRoute
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.settings_told import SettingTold
from occupancy.web.admin.visit import Visit

PARTS = (
    ("网页服务", ("HOST", "PORT", "WORKERS", "PUBLIC_URL", "PROXIES", "READS_", "WRITES_")),
    ("数据与服务器", ("DATA", "POSTGRES", "REDIS", "LOG_", "KEEP_")),
    ("告警外发", ("ALARM_", "SMTP_", "MAIL_")),
    ("推荐与地图", ()),
    ("网关", ("OUTBOX", "MODBUS_", "COUNTER_", "PUSH_")),
    ("公众号", ("WECHAT_",)),
    ("模拟", ("SIM_",)),
)
REST = "推荐与地图"  # whatever no other part claims


class SettingsPage:
    """`/admin/settings`."""

    def __init__(self, ground: AdminGround, settings: Sequence[SettingTold]) -> None:
        self._ground = ground
        self._settings = settings

    def routes(self) -> list[AdminRoute]:
        return [AdminRoute("GET", "/admin/settings", self.page, Permission.SEE_SETTINGS)]

    async def page(self, visit: Visit) -> web.StreamResponse:
        lots = self._ground.showcase.lots.values()
        return visit.page(
            "settings.html",
            parts=parts_of(self._settings),
            lots=[lot for lot in lots if visit.sees(lot.lot_id)],
        )


def parts_of(settings: Sequence[SettingTold]) -> list[tuple[str, list[SettingTold]]]:
    """Those that belong together, in the order of PARTS; empty parts are left out."""
    found: dict[str, list[SettingTold]] = {title: [] for title, _ in PARTS}
    for setting in settings:
        found[_part(setting.name.removeprefix("ZHIBO_"))].append(setting)
    return [(title, told) for title, told in found.items() if told]


def _part(name: str) -> str:
    return next((title for title, begins in PARTS if begins and name.startswith(begins)), REST)
