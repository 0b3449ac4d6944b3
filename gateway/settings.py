"""Settings from the environment: each named, checked and listed; a bad one names itself."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from gateway.address import without_password

T = TypeVar("T")


class BadSettingError(Exception):
    """A setting has a value that cannot be used; the message names it and the way out."""


@dataclass(frozen=True)
class Setting(Generic[T]):
    """One environment variable. `parse` raises ValueError with the reason."""

    name: str
    default: str
    parse: Callable[[str], T]
    about: str
    secret: bool = False

    def read(self, environ: Mapping[str, str]) -> T:
        raw = environ.get(self.name, "").strip() or self.default
        try:
            return self.parse(raw)
        except ValueError as reason:
            shown = "(secret)" if self.secret else repr(without_password(raw))
            raise BadSettingError(f"{self.name}={shown}: {reason}. {self.about}") from None


def port(raw: str) -> int:
    return whole_number(raw, least=1, most=65_535)


def whole_number(raw: str, *, least: int, most: int) -> int:
    try:
        value = int(raw)
    except ValueError:
        raise ValueError("not a whole number") from None
    if not least <= value <= most:
        raise ValueError(f"must lie between {least} and {most}")
    return value


def number(raw: str, *, least: float, most: float) -> float:
    try:
        value = float(raw)
    except ValueError:
        raise ValueError("not a number") from None
    if not least <= value <= most:
        raise ValueError(f"must lie between {least:g} and {most:g}")
    return value


def text(raw: str) -> str:
    return raw


def listing(settings: Iterable[Setting[Any]]) -> str:
    """The settings as lines for --help and the README."""
    return "\n".join(
        f"  {s.name:<30} {s.about}" + (f" (default {s.default})" if s.default else "")
        for s in settings
    )
