"""What the occupancy service is told: data folder, servers, log level."""

from pathlib import Path

from gateway.settings import Setting, text, whole_number


def _level(raw: str) -> str:
    if raw not in ("debug", "info", "warning", "error"):
        raise ValueError("must be debug, info, warning or error")
    return raw


def _days(raw: str) -> int:
    return whole_number(raw, least=32, most=36_500)


DATA = Setting("ZHIBO_DATA", ".zhibo", Path, "folder of everything that `zhibo up` keeps")
POSTGRES_URL = Setting(
    "ZHIBO_POSTGRES_URL", "", text, "PostgreSQL >= 15; without it `zhibo up` embeds one"
)
LOG_LEVEL = Setting("ZHIBO_LOG_LEVEL", "info", _level, "debug, info, warning or error")
RUNNING_FILE = "running.env"  # in the data folder, while `zhibo up` runs: where its servers are
KEEP_OBSERVATIONS = Setting(
    "ZHIBO_KEEP_OBSERVATIONS_DAYS", "400", _days, "days for which every observation is kept"
)
KEEP_MINUTES = Setting(
    "ZHIBO_KEEP_MINUTES_DAYS", "800", _days, "days for which windows of a minute are kept"
)
KEEP_QUARTERS = Setting(
    "ZHIBO_KEEP_QUARTERS_DAYS", "4000", _days, "the same for 15 minutes; hours are kept for ever"
)
SETTINGS = (DATA, POSTGRES_URL, LOG_LEVEL, KEEP_OBSERVATIONS, KEEP_MINUTES, KEEP_QUARTERS)
