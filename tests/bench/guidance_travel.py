"""What everybody in a world may compute: ways, walks and fees between places and lots."""

import numpy as np

from routing.cost import generalised_minutes, hourly_fee_fen
from tests.bench.guidance_world import FloatArray, Lots, Rules


class Travel:
    """Minutes to and from each lot; the last column is the overflow."""

    def __init__(self, lots: Lots, rules: Rules) -> None:
        self.rules = rules
        self.x_m = np.append(lots.x_m, rules.overflow.x_m)
        self.y_m = np.append(lots.y_m, rules.overflow.y_m)
        self.fen_per_hour = np.append(lots.fen_per_hour, rules.overflow.fen_per_hour)

    def distances_m(self, x_m: FloatArray, y_m: FloatArray) -> FloatArray:
        """n x (lots + 1), as the crow flies."""
        apart: FloatArray = np.hypot(x_m[:, None] - self.x_m, y_m[:, None] - self.y_m)
        return apart

    def drive_minutes(self, x_m: FloatArray, y_m: FloatArray) -> FloatArray:
        """Expected; the true time is this times the trip's own factor."""
        rules = self.rules
        return self.distances_m(x_m, y_m) * (rules.drive_detour / rules.drive_speed_m_per_min)

    def reroute_minutes(self, x_m: FloatArray, y_m: FloatArray) -> FloatArray:
        """Expected, going on from a full lot."""
        rules = self.rules
        return self.distances_m(x_m, y_m) * (rules.reroute_detour / rules.reroute_speed_m_per_min)

    def walk_minutes(self, x_m: FloatArray, y_m: FloatArray) -> FloatArray:
        rules = self.rules
        walks = self.distances_m(x_m, y_m) * (rules.walk_detour / rules.walk_speed_m_per_min)
        walks[:, -1] = rules.overflow.walk_minutes
        return walks

    def fee_fen(self, stay_minutes: FloatArray) -> FloatArray:
        fees: FloatArray = np.asarray(
            hourly_fee_fen(stay_minutes[:, None], self.fen_per_hour[None, :])
        )
        return fees

    def total_minutes(
        self, on_the_way: FloatArray, walk: FloatArray, stay_minutes: FloatArray
    ) -> FloatArray:
        weight = self.rules.fee_weight_minutes_per_yuan
        total = generalised_minutes(on_the_way, walk, self.fee_fen(stay_minutes), weight)
        return np.asarray(total)
