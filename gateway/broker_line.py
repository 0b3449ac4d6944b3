"""One connection to an MQTT broker: all that has come is read at one look, then handed on.

paho-mqtt keeps the protocol; this room tells it when, on the loop, without a task a message.
"""

import asyncio
import select
import ssl
from collections.abc import Callable, Iterable

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway.bay_config import Broker
from gateway.process import is_cancelled

AT_LEAST_ONCE = 1
KEEPALIVE_SECONDS = 15
ANSWER_SECONDS = 10  # for the broker to take us, and to take what we ask for
TICK_SECONDS = 1.0
AT_ONE_LOOK = 64  # messages; then whatever else runs in this process has its turn
NO_TOPIC = ""  # of a message whose topic is no text

Take = Callable[[str, bytes], None]


class BrokerLostError(Exception):
    """The broker cannot be reached, does not take us, or is gone; the message says why."""


class BrokerRefusedError(BrokerLostError):
    """The broker answers, and does not take us."""


class BrokerUntrustedError(BrokerLostError):
    """TLS with the broker does not come about."""


class FloodError(Exception):
    """More messages came on end than may, without one moment of rest between them."""


class BrokerLine:
    """One connection, from `open` to `close`; not to be used again."""

    def __init__(self, broker: Broker, client_id: str, take: Take) -> None:
        self._broker = broker
        self._take = take
        self._loop = asyncio.get_running_loop()
        self._readable = asyncio.Event()
        self._on_end = 0
        self._taken: ReasonCode | None = None
        self._granted: list[ReasonCode] | None = None
        self._looks = select.poll()
        self._client = client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id, reconnect_on_failure=False
        )
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_message = self._heard
        if broker.tls is not None:
            client.tls_set_context(broker.tls)
        if broker.username is not None:
            client.username_pw_set(broker.username, broker.password)

    async def open(self, topics: Iterable[str]) -> list[str]:
        """Connect and ask for these topics; those that the broker does not grant come back.

        Raises BrokerLostError.
        """
        asked = list(topics)
        broker = self._broker
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                # blocks while it connects and shakes hands
                await asyncio.to_thread(
                    self._client.connect, broker.host, broker.port, KEEPALIVE_SECONDS
                )
                self._watch()
                await self._read_until(lambda: self._taken is not None)
                self._client.subscribe([(topic, AT_LEAST_ONCE) for topic in asked])
                await self._read_until(lambda: self._granted is not None)
        except TimeoutError:
            raise BrokerLostError("the broker does not answer in time") from None
        except ssl.SSLError as trouble:
            raise BrokerUntrustedError(str(trouble)) from None
        except OSError as trouble:
            raise BrokerLostError(str(trouble)) from None
        granted = self._granted or []
        return [topic for topic, code in zip(asked, granted, strict=False) if code.is_failure]

    async def listen(self, most_on_end: int) -> None:
        """Hand messages on until cancelled. Raises BrokerLostError and FloodError."""
        await self._read_until(lambda: self._on_end > most_on_end)
        if not is_cancelled():
            raise FloodError

    def close(self) -> None:
        """Says goodbye, so that the broker does not think that we died."""
        self._client.disconnect()

    async def _read_until(self, is_enough: Callable[[], bool]) -> None:
        while not is_cancelled() and not is_enough():
            if not self._is_dry():
                await asyncio.sleep(0)
            else:
                self._on_end = 0
                await self._readable.wait()
            self._readable.clear()
            self._read()

    def _read(self) -> None:
        for _ in range(AT_ONE_LOOK):
            self._check(self._client.loop_read())
            if self._is_dry():
                break
        if self._client.want_write():
            self._check(self._client.loop_write())

    def _is_dry(self) -> bool:
        """Nothing more to be read, neither in the socket nor behind its seal."""
        line = self._client.socket()
        if isinstance(line, ssl.SSLSocket) and line.pending():
            return False
        return line is not None and not self._looks.poll(0)

    def _check(self, code: MQTTErrorCode) -> None:
        if self._taken is not None and self._taken.is_failure:
            raise BrokerRefusedError(f"the broker does not take us: {self._taken}")
        if code is MQTTErrorCode.MQTT_ERR_NO_CONN:  # it was us who hung up, at a tick
            raise BrokerLostError("the broker no longer answers")
        if code is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise BrokerLostError(paho.error_string(code))

    def _watch(self) -> None:
        line = self._client.socket()
        if line is None:
            raise BrokerLostError("the broker hung up")
        self._looks.register(line.fileno(), select.POLLIN)
        self._loop.add_reader(line.fileno(), self._readable.set)
        self._client.on_socket_close = self._forget
        self._loop.call_later(TICK_SECONDS, self._tick)

    def _forget(self, _: paho.Client, __: object, line: "paho.SocketLike") -> None:
        self._loop.remove_reader(line.fileno())
        self._looks.unregister(line.fileno())

    def _tick(self) -> None:
        """Keeps the line alive; a broker that is silent for too long is hung up on."""
        if self._client.loop_misc() is MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._loop.call_later(TICK_SECONDS, self._tick)
        self._readable.set()

    def _connected(
        self,
        _: paho.Client,
        __: object,
        ___: paho.ConnectFlags,
        code: ReasonCode,
        ____: Properties | None,
    ) -> None:
        self._taken = code

    def _subscribed(
        self,
        _: paho.Client,
        __: object,
        ___: int,
        codes: list[ReasonCode],
        ____: Properties | None,
    ) -> None:
        self._granted = codes

    def _heard(self, _: paho.Client, __: object, message: paho.MQTTMessage) -> None:
        self._on_end += 1
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = NO_TOPIC
        self._take(topic, bytes(message.payload))
