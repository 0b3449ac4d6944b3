"""Where the command centre wants vital signs pushed, and the key of the signature."""

from collections.abc import Mapping
from typing import NamedTuple

from gateway.settings import BadSettingError, Setting, text

WEBHOOK = Setting("ZHIBO_VITALS_WEBHOOK", "", text, "https address that vital signs are pushed to")
SECRET = Setting(
    "ZHIBO_VITALS_WEBHOOK_SECRET",
    "",
    text,
    "key of the signature that this address checks",
    secret=True,
)
SETTINGS = (WEBHOOK, SECRET)
_SAFE = ("https://", "http://127.0.0.1", "http://localhost")


class PushSettings(NamedTuple):
    """Checked: both or neither."""

    webhook: str = ""
    secret: str = ""


def load_settings(environ: Mapping[str, str]) -> PushSettings:
    """Raises BadSettingError."""
    webhook, secret = WEBHOOK.read(environ), SECRET.read(environ)
    if webhook and not webhook.startswith(_SAFE):
        raise BadSettingError(f"{WEBHOOK.name}={webhook}: must begin with https://")
    if webhook and not secret:
        raise BadSettingError(f"{SECRET.name} is not set: {SECRET.about}")
    return PushSettings(webhook, secret)
