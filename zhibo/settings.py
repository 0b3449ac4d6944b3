"""Every setting of every package, as `zhibo --help` and the settings page list them."""

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
            gateway.bay_config.MQTT_URL,
            *wechat.config.SETTINGS,
            *lot_sim.config.SETTINGS,
        )
    }.values()
)
