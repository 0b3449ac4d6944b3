"""Wireless bay sensors as a broker hears them: retained words, repeated, late and out of order."""

import json
import random
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from gateway.bay_map import BayMap
from gateway.moment import TimeForm

WEAR_A_MESSAGE = 0.002  # percent of a battery
RADIO_DBM = (-105.0, -70.0)


class Sent(NamedTuple):
    """One message on its way to the broker; all are retained."""

    topic: str
    payload: bytes


class BaySensors:
    """The sensors of one car park. `mess` is the share of messages that come twice or late."""

    def __init__(
        self, bay_map: BayMap, name: str, sensors: Iterable[str], seed: str, mess: float = 0.0
    ) -> None:
        self._map, self._name, self._mess = bay_map, name, mess
        self._chance = random.Random(seed)
        self._sequences = dict.fromkeys(sensors, 0)
        self._batteries = {one: self._chance.uniform(60, 100) for one in self._sequences}
        self._held: list[Sent] = []

    def wear(self, sensor: str, battery_percent: float) -> None:
        """An old battery."""
        self._batteries[sensor] = battery_percent

    def say(self, taken: Mapping[str, bool], now_ms: int) -> list[Sent]:
        """What the sensors named say now, and what is still on its way from before."""
        sent = [self._message(sensor, is_taken, now_ms) for sensor, is_taken in taken.items()]
        late = [one for one in sent if self._chance.random() < self._mess]
        twice = [one for one in sent if self._chance.random() < self._mess]
        came = [one for one in sent if one not in late] + twice + self._held
        self._held = late
        if self._mess:
            self._chance.shuffle(came)
        return came

    def flush(self) -> list[Sent]:
        """What was still on its way, the last first."""
        came, self._held = self._held[::-1], []
        return came

    def status(self, *, is_up: bool) -> Sent:
        """What the radio gateway says of itself, and its last will."""
        word = self._map.online if is_up else self._map.offline
        return Sent(self._map.status_of(self._name), word.encode())

    def _message(self, sensor: str, is_taken: bool, now_ms: int) -> Sent:  # noqa: FBT001 -- a state
        topic = self._map.subscription(self._name).replace("+", sensor)
        word = (self._map.taken if is_taken else self._map.empty)[0]
        if self._map.fields is None:
            return Sent(topic, str(word).encode())
        self._sequences[sensor] += 1
        self._batteries[sensor] -= WEAR_A_MESSAGE
        names = self._map.fields
        at = now_ms // 1_000 if self._map.time is TimeForm.EPOCH_SECONDS else now_ms
        said = {
            names.taken: word,
            names.at: at,
            names.sequence: self._sequences[sensor],
            names.battery_percent: round(self._batteries[sensor], 1),
            names.radio_dbm: round(self._chance.uniform(*RADIO_DBM), 1),
        }
        return Sent(topic, json.dumps({key: said[key] for key in said if key}).encode())
