"""The driver's page on the real application, advised and with a box for reports."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from redis.asyncio import Redis

from occupancy.lot import Place
from occupancy.web.floors import Ground
from occupancy.web.routes import Route
from occupancy.web.showcase import Showcase
from occupancy.web.tariff_shelf import TariffShelf
from tests.browser.stage import Stage, staged
from wechat.driver_page import Advice, AdvisedLot, DriverPage, Unclear


@dataclass
class Desk:
    """Advises what the test says; keeps reports unless it is closed."""

    answer: Advice | Unclear = field(default_factory=lambda: Unclear("没有找到这个地方"))
    asked: list[tuple[str, int, str]] = field(default_factory=list)
    visits: list[str] = field(default_factory=list)
    kept: list[tuple[str, str, str]] = field(default_factory=list)
    is_open: bool = True

    async def advise(self, to: str, stay_minutes: int, wish: str, visit: str) -> Advice | Unclear:
        self.visits.append(visit)
        self.asked.append((to, stay_minutes, wish))
        return self.answer

    async def keep(self, lot_id: str, kind: str, words: str) -> bool:
        if self.is_open:
            self.kept.append((lot_id, kind, words))
        return self.is_open


HOSPITAL = Advice(
    destination="三水区人民医院",
    place=Place(23.1556, 112.8921),
    verdict="推荐康乐路",
    options=(
        AdvisedLot(
            "kangle",
            "有位可能约 96%",
            ("行车约 4 分钟", "步行约 3 分钟", "停 2 小时约 4 元"),
            "/v1/trips/abc/go",
        ),
        AdvisedLot("sanda", "有位可能约 99%", ("步行约 9 分钟",), "/v1/trips/def/go"),
    ),
    left_out=(("中山路", "到达时多半已满：有空位的可能约 8%"),),
    notes=("行车时间按直线距离估计",),
)


@asynccontextmanager
async def driver_stage(desk: Desk, app_id: str = "") -> AsyncIterator[Stage]:
    """A town whose driver's page asks this desk."""

    def build(showcase: Showcase, shelf: TariffShelf) -> list[Route]:
        ground = Ground(showcase, shelf, None, Redis(), showcase.now_ms)
        return DriverPage(ground, desk, desk, app_id).routes()

    async with staged(above=build) as stage:
        yield stage
