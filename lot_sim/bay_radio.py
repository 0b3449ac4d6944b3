"""A radio gateway that is not there: publishes what simulated bay sensors say, with a last will."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import aiomqtt

from lot_sim.bay_sensors import BaySensors, Sent

AT_LEAST_ONCE = 1
KEEPALIVE_SECONDS = 5


class BayRadio:
    """Connected to a broker."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client

    async def publish(self, messages: Iterable[Sent]) -> None:
        for one in messages:
            await self._client.publish(one.topic, one.payload, qos=AT_LEAST_ONCE, retain=True)


@asynccontextmanager
async def on_the_air(
    sensors: BaySensors, host: str, port: int, identifier: str
) -> AsyncIterator[BayRadio]:
    """Says that it is up, and that it is not when the block ends; killed, the broker says so."""
    gone = sensors.status(is_up=False)
    will = aiomqtt.Will(gone.topic, gone.payload, AT_LEAST_ONCE, retain=True)
    async with aiomqtt.Client(
        host, port, identifier=identifier, will=will, keepalive=KEEPALIVE_SECONDS
    ) as client:
        radio = BayRadio(client)
        await radio.publish([sensors.status(is_up=True)])
        yield radio
        await radio.publish([gone])
