"""What the official account is told: its names, secrets and mode, checked before anything runs."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.settings import BadSettingError, Setting, text

AES_KEY_LENGTH = 43


class Mode(StrEnum):
    """How messages travel: as the account's server settings say."""

    PLAIN = "plain"
    COMPATIBLE = "compatible"
    SAFE = "safe"


def _mode(raw: str) -> Mode:
    try:
        return Mode(raw)
    except ValueError:
        raise ValueError(f"must be one of {', '.join(Mode)}") from None


def _token(raw: str) -> str:
    if raw and not (raw.isascii() and raw.isalnum() and 3 <= len(raw) <= 32):  # noqa: PLR2004
        raise ValueError("must be 3 to 32 letters and digits")
    return raw


def _aes_key(raw: str) -> bytes:
    """The 32 bytes behind the 43 letters that the account's page shows."""
    if not raw:
        return b""
    if len(raw) != AES_KEY_LENGTH:
        raise ValueError(f"must be {AES_KEY_LENGTH} letters and digits, as the account shows it")
    try:
        return base64.b64decode(raw + "=", validate=True)
    except binascii.Error:
        raise ValueError("must be letters and digits only") from None


def _address(raw: str) -> str:
    if not raw.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise ValueError("must begin with https:// (http only on this machine)")
    return raw.rstrip("/")


APP_ID = Setting("ZHIBO_WECHAT_APP_ID", "", text, "AppID of the official account")
SECRET = Setting("ZHIBO_WECHAT_SECRET", "", text, "AppSecret of the account", secret=True)
TOKEN = Setting(
    "ZHIBO_WECHAT_TOKEN",
    "",
    _token,
    "token of the account's server settings; without it `/wechat` is not served",
    secret=True,
)
TOKEN_PREVIOUS = Setting(
    "ZHIBO_WECHAT_TOKEN_PREVIOUS", "", _token, "the token before, during a rotation", secret=True
)
AES_KEY = Setting(
    "ZHIBO_WECHAT_AES_KEY", "", _aes_key, "EncodingAESKey of the account", secret=True
)
AES_KEY_PREVIOUS = Setting(
    "ZHIBO_WECHAT_AES_KEY_PREVIOUS",
    "",
    _aes_key,
    "the EncodingAESKey before, during a rotation",
    secret=True,
)
MODE = Setting("ZHIBO_WECHAT_MODE", "safe", _mode, "plain, compatible or safe")
API = Setting(
    "ZHIBO_WECHAT_API", "https://api.weixin.qq.com", _address, "base address of WeChat's API"
)
REMINDER_TEMPLATE = Setting(
    "ZHIBO_WECHAT_REMINDER_TEMPLATE",
    "",
    text,
    "id of the subscribe notice for reminders; without it they are customer-service messages",
)
SETTINGS = (
    APP_ID,
    SECRET,
    TOKEN,
    TOKEN_PREVIOUS,
    AES_KEY,
    AES_KEY_PREVIOUS,
    MODE,
    API,
    REMINDER_TEMPLATE,
)


@dataclass(frozen=True)
class WechatSettings:
    """Everything the account is told, checked; secrets never show in a print."""

    app_id: str = ""
    secret: str = field(default="", repr=False)
    tokens: tuple[str, ...] = field(default=(), repr=False)
    aes_keys: tuple[bytes, ...] = field(default=(), repr=False)
    mode: Mode = Mode.SAFE
    api: str = API.default
    reminder_template: str = ""

    @property
    def is_served(self) -> bool:
        """Whether there is an account to answer for."""
        return bool(self.tokens)

    @property
    def has_api(self) -> bool:
        """Whether we may call WeChat by ourselves."""
        return bool(self.app_id and self.secret)


def load_settings(environ: Mapping[str, str]) -> WechatSettings:
    """Raises BadSettingError."""
    settings = WechatSettings(
        app_id=APP_ID.read(environ),
        secret=SECRET.read(environ),
        tokens=tuple(filter(None, (TOKEN.read(environ), TOKEN_PREVIOUS.read(environ)))),
        aes_keys=tuple(filter(None, (AES_KEY.read(environ), AES_KEY_PREVIOUS.read(environ)))),
        mode=MODE.read(environ),
        api=API.read(environ),
        reminder_template=REMINDER_TEMPLATE.read(environ),
    )
    if TOKEN_PREVIOUS.read(environ) and not TOKEN.read(environ):
        raise BadSettingError(f"{TOKEN_PREVIOUS.name} is set and {TOKEN.name} is not")
    if settings.is_served and settings.mode is not Mode.PLAIN:
        for setting, value in ((APP_ID, settings.app_id), (AES_KEY, AES_KEY.read(environ))):
            if not value:
                raise BadSettingError(
                    f"{setting.name} is not set, and {MODE.name}={settings.mode} needs it: "
                    f"{setting.about}"
                )
    return settings
