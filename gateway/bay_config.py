"""The bay receiver's file: which broker it listens to, and the car parks of bay sensors."""

import ssl
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from gateway.address import address
from gateway.bay_ledger import BayPark
from gateway.bay_map import BadBayMapError, BayMap, load_bay_map
from gateway.settings import BadSettingError, Setting

MQTT_URL = Setting(
    "ZHIBO_MQTT_URL", "", address, "broker of the bay sensors: mqtt(s)://user:password@host:port"
)
PORTS = {"mqtt": 1883, "mqtts": 8883}


class BayConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The receiver as its file says it. `authority` signs the broker's certificate."""

    parks: tuple[BayPark, ...] = msgspec.field(name="park")
    client_id: str = "zhibo"
    authority: str = ""
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 0


@dataclass(frozen=True)
class Broker:
    """Where the messages come from."""

    host: str
    port: int
    username: str | None
    password: str | None
    tls: ssl.SSLContext | None

    @property
    def address(self) -> str:
        """As it may be said and logged: without the password."""
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


def load_bay_config(path: Path) -> BayConfig:
    """Raises BadSettingError that names file, car park and field."""
    try:
        config = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), BayConfig)
    except OSError as reason:
        raise BadSettingError(f"{path}: {reason.strerror}; give the bay receiver's file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as reason:
        raise BadSettingError(f"{path.name}: {reason}") from None
    for trouble in _troubles(config):
        raise BadSettingError(f"{path.name}: {trouble}")
    return config


def _troubles(config: BayConfig) -> Iterator[str]:
    if not config.parks:
        yield "park: there is none"
    for field in ("lot_id", "name"):
        values = [getattr(park, field) for park in config.parks]
        if len(set(values)) < len(values):
            yield f"a {field} stands twice; give each park its own"
    for park in config.parks:
        sensors = [sensor for bays in park.bays.values() for sensor in bays]
        if not park.bays or not all(park.bays.values()):
            yield f"{park.lot_id}: bays needs at least one sensor in each area"
        if twice := {one for one in sensors if sensors.count(one) > 1}:
            yield f"{park.lot_id}: bays: sensor {min(twice)!r} stands twice"
        if odd := [one for one in (park.name, *sensors) if not one or set(one) & set("/+#\0")]:
            yield f"{park.lot_id}: {odd[0]!r}: a name in a topic has no /, + or #"


def load_maps(config: BayConfig) -> dict[str, BayMap]:
    """By lot_id. Raises BadSettingError."""
    try:
        return {park.lot_id: load_bay_map(park.map) for park in config.parks}
    except BadBayMapError as trouble:
        raise BadSettingError(str(trouble)) from None


def read_broker(url: str, authority: str) -> Broker:
    """Raises BadSettingError; an address without TLS must be this machine's own."""
    parts = urlsplit(url)
    name = MQTT_URL.name
    try:
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        port = 0
    if parts.scheme not in PORTS or not parts.hostname or not port:
        raise BadSettingError(f"{name}: write mqtts://user:password@host:8883")
    is_sealed = parts.scheme == "mqtts"
    if not is_sealed and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise BadSettingError(
            f"{name}: mqtt:// only on this machine; use mqtts:// to {parts.hostname}"
        )
    return Broker(
        parts.hostname,
        port,
        unquote(parts.username) if parts.username else None,
        unquote(parts.password) if parts.password else None,
        _trust(authority) if is_sealed else None,
    )


def _trust(authority: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=authority or None)
    except (OSError, ssl.SSLError) as reason:
        raise BadSettingError(f"authority {authority}: {reason}") from None
    context.sslsocket_class = _ClosedWhenRefused
    return context


class _ClosedWhenRefused(ssl.SSLSocket):
    """paho forgets a socket whose handshake fails without closing it."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as it is there
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise
