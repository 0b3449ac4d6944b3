"""What the web service is told: where to listen, how it is called from outside."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.config import REDIS_URL
from gateway.settings import BadSettingError, Setting, port, text, whole_number
from occupancy.config import POSTGRES_URL

HOST = Setting("ZHIBO_HOST", "127.0.0.1", text, "address the web service listens on")
PORT = Setting("ZHIBO_PORT", "8080", port, "port of the web service")
WORKERS = Setting(
    "ZHIBO_WORKERS",
    "1",
    lambda raw: whole_number(raw, least=1, most=64),
    "processes that share the web service's port",
)
PUBLIC_URL = Setting("ZHIBO_PUBLIC_URL", "", text, "the service's address as citizens see it")
SETTINGS = (HOST, PORT, WORKERS, PUBLIC_URL)


@dataclass(frozen=True)
class WebSettings:
    """Everything the web service needs, checked."""

    host: str
    port: int
    workers: int
    public_url: str
    redis_url: str
    postgres_url: str


def load_settings(environ: Mapping[str, str]) -> WebSettings:
    """Raises BadSettingError."""
    settings = WebSettings(
        host=HOST.read(environ),
        port=PORT.read(environ),
        workers=WORKERS.read(environ),
        public_url=PUBLIC_URL.read(environ),
        redis_url=REDIS_URL.read(environ),
        postgres_url=POSTGRES_URL.read(environ),
    )
    for setting, value in ((REDIS_URL, settings.redis_url), (POSTGRES_URL, settings.postgres_url)):
        if not value:
            raise BadSettingError(f"{setting.name} is not set: {setting.about}")
    return settings
