"""What an operator does with destinations: show them, bring in a file of them, take one out."""

from pathlib import Path

from occupancy.database import Pool
from routing.config import District
from routing.database_destinations import (
    list_destinations,
    remove_destination,
    seed_destinations,
    write_destinations,
)
from routing.destination import BadDestinationError, Destination
from routing.destination_file import load_shipped, parse
from routing.gazetteer import Gazetteer

SOON = "web processes find them within 20 seconds"


async def show(connections: Pool, words: str = "") -> str:
    """A line for each, or for those that `words` may mean, with the score."""
    await seed_destinations(connections, load_shipped())
    known = await list_destinations(connections)
    if not words:
        return "\n".join(map(_line, known))
    finding = Gazetteer(known).find(words)
    if not finding.candidates:
        return f"{words!r} may mean none of {len(known)} destinations"
    clear = "" if finding.best is None else f"clear: {finding.best.destination_id}\n"
    lines = (f"{match.score:.2f} {_line(match.destination)}" for match in finding.candidates)
    return clear + "\n".join(lines)


async def bring(connections: Pool, file: Path, district: District, by: str) -> str:
    """Add those of a TOML file, or replace what has their ids. Raises BadDestinationError."""
    brought = parse(_text(file), str(file))
    if not brought:
        raise BadDestinationError(f"{file}: there is no [[destination]] in it")
    for one in brought:
        if not district.contains(one.place):
            place = f"{one.place.latitude}, {one.place.longitude}"
            raise BadDestinationError(
                f"{file}: {one.destination_id}: {place} lies outside the district that is served "
                "(ZHIBO_DISTRICT); mind latitude, longitude and that they are WGS-84"
            )
    await seed_destinations(connections, load_shipped())
    added = await write_destinations(connections, brought, by)
    return f"{added} added, {len(brought) - added} replaced; {SOON}"


async def take_out(connections: Pool, destination_id: str) -> str:
    """Raises BadDestinationError where there is none of that id."""
    await seed_destinations(connections, load_shipped())
    if await remove_destination(connections, destination_id):
        return f"{destination_id} is taken out; {SOON}"
    known = await list_destinations(connections)
    near = [m.destination.destination_id for m in Gazetteer(known).find(destination_id).candidates]
    asked = f"; did you mean {', '.join(near)}?" if near else ""
    raise BadDestinationError(f"there is no destination {destination_id!r}{asked}")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as trouble:
        raise BadDestinationError(f"{file} cannot be read: {trouble}") from None


def _line(one: Destination) -> str:
    place = f"{one.place.latitude:.5f},{one.place.longitude:.5f}"
    others = f"  ({'、'.join((*one.aliases, *one.english))})" if one.aliases or one.english else ""
    doubt = f"  待核实: {', '.join(one.placeholders)}" if one.placeholders else ""
    return f"{one.destination_id:<24} {place}  {one.name}{others}{doubt}"
