"""The sites of the construction plan as their TOML file says them, checked."""

import tomllib
from importlib.resources import files
from typing import Any

import msgspec

from occupancy.edit import BadEditError
from occupancy.site import Site, require_site


class BadSiteFileError(Exception):
    """The file of the sites cannot be used; the message names file, site and key."""


def shipped_sites() -> list[Site]:
    """The five car parks as built. Raises BadSiteFileError."""
    source = files("occupancy") / "sites.toml"
    return parse_sites(source.read_text(encoding="utf-8"), "sites.toml")


def parse_sites(text: str, file_name: str) -> list[Site]:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as reason:
        raise BadSiteFileError(f"{file_name}: {reason}") from None
    defaults = content.get("defaults", {})
    return [_site({**defaults, **raw}, file_name) for raw in content.get("site", [])]


def _site(raw: dict[str, Any], file_name: str) -> Site:
    name = raw.get("site_id", "a site without site_id")
    try:
        return require_site(msgspec.convert(raw, Site))
    except (msgspec.ValidationError, BadEditError) as reason:
        raise BadSiteFileError(f"{file_name}: {name}: {reason}") from None
