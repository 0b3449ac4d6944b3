"""The push receiver's file: where it listens and which car parks may push to it."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

import msgspec

from gateway.address import address
from gateway.push_dialect import BadDialectError, Dialect, load_dialect
from gateway.push_ledger import PushPark
from gateway.settings import BadSettingError, Setting

PUSH_SECRETS = Setting(
    "ZHIBO_PUSH_SECRETS", "", Path, "folder with one file a pushing car park, named by its lot_id"
)
PUSH_URL = Setting(
    "ZHIBO_PUSH_URL",
    "",
    address,
    "where gate systems push, as they see it: https://push.example.org",
)
SECRET_BYTES_LEAST = 16
PORT_MAX = 65_535


class PushConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The receiver as its file says it."""

    parks: tuple[PushPark, ...] = msgspec.field(name="park")
    host: str = "127.0.0.1"
    port: int = 8095


@dataclass(frozen=True)
class Sender:
    """A car park that may push, with what it needs to be understood and believed."""

    park: PushPark
    dialect: Dialect
    secret: bytes


def load_push_config(path: Path) -> PushConfig:
    """Raises BadSettingError."""
    try:
        config = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), PushConfig)
    except OSError as reason:
        raise BadSettingError(f"{path}: {reason.strerror}; give the receiver's file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as reason:
        raise BadSettingError(f"{path.name}: {reason}") from None
    if not 1 <= config.port <= PORT_MAX:
        words = f"port: {config.port} must lie between 1 and {PORT_MAX}"
        raise BadSettingError(f"{path.name}: {words}")
    for field in ("lot_id", "park_code"):
        values = [getattr(park, field) for park in config.parks]
        if len(set(values)) < len(values):
            raise BadSettingError(f"{path.name}: a {field} stands twice; give each park its own")
    for park in config.parks:
        if not park.bays_by_area or min(park.bays_by_area.values()) < 1:
            words = "bays_by_area needs at least one bay in each area"
            raise BadSettingError(f"{path.name}: {park.lot_id}: {words}")
    return config


def load_senders(config: PushConfig, secrets: Path) -> list[Sender]:
    """Raises BadSettingError."""
    return [Sender(park, _dialect(park), _secret(secrets / park.lot_id)) for park in config.parks]


def _dialect(park: PushPark) -> Dialect:
    try:
        return load_dialect(park.dialect)
    except BadDialectError as reason:
        raise BadSettingError(f"{park.lot_id}: {reason}") from None


def _secret(path: Path) -> bytes:
    try:
        secret = path.read_bytes().strip()
    except OSError as reason:
        raise BadSettingError(f"{PUSH_SECRETS.name}: {path}: {reason.strerror}") from None
    if len(secret) < SECRET_BYTES_LEAST:
        words = f"has fewer than {SECRET_BYTES_LEAST} bytes; agree on a longer one"
        raise BadSettingError(f"{PUSH_SECRETS.name}: {path} {words}")
    return secret
