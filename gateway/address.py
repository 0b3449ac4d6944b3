"""Addresses of servers: how one is checked, and how it is told without the secrets in it."""

import re
from urllib.parse import urlsplit

PORT_MAX = 65_535
HIDDEN = "••••"
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
_SECRET_PAIR = re.compile(r"(?i)([\w.-]*(?:pass|key|token|secret)[\w.-]*=)[^&#\s]*")
_ESCAPES = "in a name or password write / ? # @ : as %2F %3F %23 %40 %3A"


def without_password(value: str) -> str:
    """An address without the password in it, also one that stands in its query.

    Everything from the first colon to the last @ is hidden: a password may hold any character,
    and rather too much of an odd address is hidden than too little.
    """
    scheme, slashes, rest = value.partition("://") if "://" in value else ("", "", value)
    before, at, after = rest.rpartition("@")
    name, colon, _ = before.partition(":")
    shown = f"{name}{colon}{HIDDEN if colon else ''}{at}{after}"
    return _SECRET_PAIR.sub(rf"\1{HIDDEN}", f"{scheme}{slashes}{shown}")


def hide_passwords(words: str) -> str:
    """The words, but each address in them without its password."""
    if "://" not in words:
        return words
    return _ADDRESS.sub(lambda found: without_password(found.group()), words)


def address(raw: str) -> str:
    """A server's address, or several with commas between, whose parts are where they seem to be.

    Raises ValueError with words that hold nothing of the address: any part may be of a password.
    """
    try:
        parts = urlsplit(raw)
    except ValueError:
        raise ValueError("is no address") from None
    strays = parts.path + parts.fragment
    if parts.netloc and "@" not in parts.netloc and "@" in strays:
        raise ValueError(f"has its @ behind the host; {_ESCAPES}")
    for place in parts.netloc.rpartition("@")[2].split(","):
        port = place.rpartition("]")[2].partition(":")[2]
        if port and not (port.isdecimal() and int(port) <= PORT_MAX):
            raise ValueError(f"has a port that is none; {_ESCAPES}")
    return raw
