"""What the gateways' files say of the field: the signs of the town, the drivers that joined."""

from pathlib import Path

import gateway.config
import occupancy.config
from gateway.config import TOWN_SIGN_LEVEL
from occupancy.sign_faces import TownSign
from zhibo.command import Environ


def joined_folder(environ: Environ) -> Path:
    """Where the drivers' files of car parks that joined are kept."""
    return occupancy.config.DATA.read(environ) / "car_parks"


def list_signs() -> list[TownSign]:
    """The signs at junctions and at entrances, as the gateways' files that drive them say."""
    configs = [gateway.config.load_config(path) for path in gateway.config.list_shipped()]
    return [
        TownSign(
            device.device_id,
            config.car_park.lot_id,
            device.lines,
            at_entrance=device.sign_level != TOWN_SIGN_LEVEL,
        )
        for config in configs
        for device in config.devices_of(gateway.config.Role.SIGN)
    ]
