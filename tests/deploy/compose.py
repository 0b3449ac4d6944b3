"""The kit's compose file read as Docker would, and one of its services laid out in a folder."""

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.nginx import KIT

COMPOSE: Mapping[str, Any] = yaml.safe_load((KIT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: Mapping[str, Any] = COMPOSE["services"]
OURS = {name: one for name, one in SERVICES.items() if one["image"] == "zhibo"}


@dataclass(frozen=True)
class Mount:
    """What stands at a place inside the container: a volume, or something that lies here."""

    source: str
    target: str
    is_read_only: bool

    @property
    def is_volume(self) -> bool:
        return self.source in COMPOSE["volumes"]


def mounts(name: str) -> list[Mount]:
    parts = (volume.split(":") for volume in SERVICES[name].get("volumes", ()))
    return [Mount(source, target, more == ["ro"]) for source, target, *more in parts]


def secrets(name: str) -> dict[str, str]:
    """Files below /run/secrets, and which of the secrets each is."""
    said = SERVICES[name].get("secrets", ())
    pairs = ((one, one) if isinstance(one, str) else (one["target"], one["source"]) for one in said)
    return dict(pairs)


def secret_file(secret: str) -> str:
    """Where whoever runs it puts the secret."""
    file: str = COMPOSE["secrets"][secret]["file"]
    return file


def lies_here(source: str) -> Path:
    """Part of the kit, or the example of what is filled in beside it."""
    first, *rest = Path(source).parts
    filled_in = KIT / f"{first}.example"
    return (filled_in if filled_in.exists() else KIT / first).joinpath(*rest)


def lay_out(name: str, root: Path) -> None:
    """Everything that the service is given, as its container would have it below `/`."""
    for mount in mounts(name):
        if mount.is_read_only:
            shutil.copytree(lies_here(mount.source), _inside(root, mount.target))
        else:
            _inside(root, mount.target).mkdir(parents=True)
    for target, secret in secrets(name).items():
        place = root / "run/secrets" / target
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(lies_here(secret_file(secret)), place)


def command(name: str, root: Path) -> list[str]:
    return list(_rooted(SERVICES[name]["command"], root))


def environment(name: str, root: Path) -> dict[str, str]:
    told = SERVICES[name]["environment"]
    return dict(zip(told, _rooted(told.values(), root), strict=True))


def _rooted(words: Iterable[str], root: Path) -> Iterable[str]:
    return (str(_inside(root, word)) if word.startswith("/") else word for word in words)


def _inside(root: Path, path: str) -> Path:
    return root / path.lstrip("/")
