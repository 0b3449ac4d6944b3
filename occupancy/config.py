"""What the occupancy service is told: data folder, servers, log level."""

from pathlib import Path

from gateway.settings import Setting, text


def _level(raw: str) -> str:
    if raw not in ("debug", "info", "warning", "error"):
        raise ValueError("must be debug, info, warning or error")
    return raw


DATA = Setting("ZHIBO_DATA", ".zhibo", Path, "folder of everything that `zhibo up` keeps")
POSTGRES_URL = Setting(
    "ZHIBO_POSTGRES_URL", "", text, "PostgreSQL >= 15; without it `zhibo up` embeds one"
)
LOG_LEVEL = Setting("ZHIBO_LOG_LEVEL", "info", _level, "debug, info, warning or error")
RUNNING_FILE = "running.env"  # in the data folder, while `zhibo up` runs: where its servers are
SETTINGS = (DATA, POSTGRES_URL, LOG_LEVEL)
