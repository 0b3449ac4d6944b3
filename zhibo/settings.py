"""Every setting of every package, as `zhibo --help` and the settings page list them."""

from collections.abc import Mapping

import gateway.bay_config
import gateway.config
import gateway.push_config
import lot_sim.config
import occupancy.config
import occupancy.escalation_config
import occupancy.vital_config
import occupancy.web.config
import routing.config
import wechat.config

SETTINGS = tuple(
    {
        setting.name: setting
        for setting in (
            *occupancy.config.SETTINGS,
            *occupancy.escalation_config.SETTINGS,
            *occupancy.vital_config.SETTINGS,
            *occupancy.web.config.SETTINGS,
            *routing.config.SETTINGS,
            *gateway.config.SETTINGS,
            gateway.push_config.PUSH_SECRETS,
            gateway.push_config.PUSH_URL,
            gateway.bay_config.MQTT_URL,
            *wechat.config.SETTINGS,
            *lot_sim.config.SETTINGS,
        )
    }.values()
)

# Addresses of servers that have a certificate where they speak TLS.
_TLS = (
    gateway.config.REDIS_URL,
    occupancy.config.POSTGRES_URL,
    occupancy.config.POSTGRES_REPLICA_URL,
    gateway.bay_config.MQTT_URL,
    gateway.push_config.PUSH_URL,
    occupancy.web.config.PUBLIC_URL,
)


def tls_addresses(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """The name of each such setting, and its address. Raises BadSettingError."""
    return [(setting.name, setting.read(environ)) for setting in _TLS]
