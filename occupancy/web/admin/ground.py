"""What every operators' page stands on: live pictures, alarms, both servers, the clock."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from redis.asyncio import Redis

from occupancy import database
from occupancy.certificates import Certificates
from occupancy.lot import Lot
from occupancy.password_rules import ASVS, PasswordRules
from occupancy.reading import Reading
from occupancy.sign_faces import TownSign
from occupancy.vital_signs import DISTRICT, DISTRICT_NAME
from occupancy.web.admin.visit import Visit
from occupancy.web.alarms import Alarms
from occupancy.web.formats import LotDetail
from occupancy.web.problems import Problem
from occupancy.web.showcase import Showcase
from occupancy.web.tariff_shelf import TariffShelf
from occupancy.web.trends import Trends


@dataclass(frozen=True)
class AdminGround:
    """`clock` is UTC milliseconds."""

    showcase: Showcase
    trends: Trends
    alarms: Alarms
    shelf: TariffShelf
    signs: Sequence[TownSign]
    connections: database.Pool
    redis: Redis
    clock: Callable[[], int]
    password_rules: PasswordRules = ASVS
    reading: Reading | None = None
    certificates: Certificates = field(default_factory=Certificates)

    @property
    def history(self) -> database.Pool:
        """For heavy reads of what was: the replica, where there is one that keeps up."""
        return self.connections if self.reading is None else self.reading.pool

    def lots_of(self, visit: Visit) -> list[LotDetail]:
        """The car parks he answers for, as they are now."""
        return [self.showcase.detail(lot) for lot in self.showcase.lots if visit.sees(lot)]

    def short_names(self) -> dict[str, str]:
        return {lot.lot_id: lot.short_name for lot in self.showcase.lots.values()}

    def name_of(self, lot_id: str) -> str:
        """As people say it; of what is no car park its own word."""
        if lot_id == DISTRICT:
            return DISTRICT_NAME
        lot = self.showcase.lots.get(lot_id)
        return lot_id if lot is None else lot.short_name

    @property
    def town_signs(self) -> list[TownSign]:
        return [sign for sign in self.signs if not sign.at_entrance]

    def known(self, visit: Visit, lot_id: str) -> Lot:
        """Raises Problem 404 for a car park that is not there or not his."""
        lot = self.showcase.lots.get(lot_id)
        if lot is None or not visit.sees(lot_id):
            raise Problem(404, f"没有 {lot_id} 这个车场，或者不归你管", field="lot")
        return lot
