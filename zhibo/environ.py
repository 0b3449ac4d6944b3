"""What is set: flags, the environment, systemd's credentials and files of lines `NAME=value`."""

import os
from argparse import Namespace
from pathlib import Path

from dotenv import dotenv_values

import gateway.config
import occupancy.config
from gateway.settings import BadSettingError, Setting
from zhibo.command import Environ

FLAG_SETTINGS = {
    "data": "ZHIBO_DATA",
    "port": "ZHIBO_PORT",
    "workers": "ZHIBO_WORKERS",
    "speed": "ZHIBO_SIM_SPEED",
    "seed": "ZHIBO_SIM_SEED",
    "faults": "ZHIBO_SIM_FAULTS",
}


def gather(arguments: Namespace, *, joins_running: bool) -> Environ:
    """A flag wins over the environment, the environment over `.env`.

    Last comes what a `zhibo up` that runs in this data folder says of its own servers.
    """
    flags = {
        setting: str(value)
        for flag, setting in FLAG_SETTINGS.items()
        if (value := getattr(arguments, flag, None)) is not None
    }
    told = {**_read_file(Path(".env")), **os.environ, **_credentials(), **flags}
    if not joins_running:
        return told
    return {**_read_file(occupancy.config.DATA.read(told) / occupancy.config.RUNNING_FILE), **told}


def own_port_offset(arguments: Namespace) -> int:
    """As this person set it: that of a `zhibo up` that runs is of its simulated devices."""
    return gateway.config.PORT_OFFSET.read(gather(arguments, joins_running=False))


def needed(setting: Setting[str], environ: Environ) -> str:
    value = setting.read(environ)
    if not value:
        raise BadSettingError(f"{setting.name} is not set: {setting.about}")
    return value


def _credentials() -> dict[str, str]:
    """Secrets as systemd (LoadCredential=) and Docker hand them over: a file a setting."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    files = Path(folder).glob("ZHIBO_*") if folder else ()
    return {file.name: _read_secret(file) for file in files if file.is_file()}


def _read_secret(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as reason:
        words = f"let user {os.geteuid()} read it"
        raise BadSettingError(f"{file.name}: {file}: {reason.strerror}; {words}") from None
    except UnicodeDecodeError:
        raise BadSettingError(f"{file.name}: {file}: is not UTF-8; save it as UTF-8") from None


def _read_file(file: Path) -> dict[str, str]:
    return {name: value for name, value in dotenv_values(file).items() if value is not None}
