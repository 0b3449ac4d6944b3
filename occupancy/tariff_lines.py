"""Where in a TOML text a key stands: tomllib does not say, and an author needs the line."""

import re

_HEADER = re.compile(r"\s*(\[\[?)\s*([\w.-]+)\s*\]\]?")
_KEY = re.compile(r"\s*([\w-]+)\s*=\s*(.*)")


def line_of(text: str, path: str) -> int:
    """The line of `rates[0].bands[1].name`, or of the nearest thing around it; 1 if of nothing."""
    best, best_line = "", 1
    for place, line in _places(text):
        if _is_inside(path, place) and len(place) >= len(best):
            best, best_line = place, line
    return best_line


def _is_inside(path: str, place: str) -> bool:
    return path == place or (path.startswith(place) and path[len(place)] in ".[")


def _places(text: str) -> list[tuple[str, int]]:
    """Every table, key and row of a list over several lines, with its line."""
    places: list[tuple[str, int]] = []
    counts: dict[str, int] = {}
    table, listing, row = "", "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table, listing = _table(header, counts), ""
            places.append((table, number))
        elif listing and line.lstrip().startswith("{"):
            places.append((f"{listing}[{row}]", number))
            row += 1
        elif key := _KEY.match(line):
            place = f"{table}.{key[1]}" if table else key[1]
            places.append((place, number))
            listing, row = (place, 0) if key[2].rstrip() == "[" else ("", 0)
    return places


def _table(header: re.Match[str], counts: dict[str, int]) -> str:
    """`[[rates.bands]]` is `rates[0].bands[1]` when it is the second of the first rate."""
    place = ""
    names = header[2].split(".")
    for depth, name in enumerate(names):
        place = f"{place}.{name}" if place else name
        is_last = depth == len(names) - 1
        if is_last and header[1] == "[[":
            counts[place] = counts.get(place, -1) + 1
        if place in counts:
            place = f"{place}[{counts[place]}]"
    return place
