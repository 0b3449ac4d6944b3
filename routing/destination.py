"""Places people want to go to, as operators edit them."""

import msgspec

from occupancy.lot import Place


class Destination(msgspec.Struct, frozen=True):
    """One place: its name, what else it is called, and where it is (WGS-84).

    `placeholders` names the fields that nobody has confirmed (待核实).
    """

    destination_id: str
    name: str
    kind: str
    place: Place
    aliases: tuple[str, ...] = ()
    english: tuple[str, ...] = ()
    placeholders: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Everything it is called in Chinese, its own name first."""
        return (self.name, *self.aliases)


class BadDestinationError(Exception):
    """A destination that cannot be; the message names it and the field."""


def check(destinations: tuple[Destination, ...]) -> None:
    """Every id once, every name of one place only. Raises BadDestinationError."""
    ids: set[str] = set()
    owner: dict[str, str] = {}
    for one in destinations:
        if one.destination_id in ids:
            raise BadDestinationError(f"destination_id {one.destination_id!r} stands twice")
        ids.add(one.destination_id)
        for name in (*one.names, *one.english):
            if not name.strip():
                raise BadDestinationError(f"{one.destination_id}: an empty name")
            other = owner.setdefault(name.casefold(), one.destination_id)
            if other != one.destination_id:
                raise BadDestinationError(
                    f"{one.destination_id}: {name!r} is a name of {other} already"
                )
