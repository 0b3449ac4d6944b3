"""`/open/history/...`: finished months as files with their checksums, and the list of them."""

import datetime as dt
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec
from aiohttp import web

from occupancy import database, database_open_history
from occupancy.database_open_history import Published
from occupancy.web.formats import rfc3339
from occupancy.web.open_data.publication import Publication
from occupancy.web.problems import Problem
from occupancy.web.routes import Route

PREFIX = "/open/history/"
TAG = "open data"
_NAME = re.compile(
    r"(?P<month>\d{4}-\d{2})(?:\.v(?P<version>\d{1,4}))?\.(?P<kind>csv\.gz|parquet)"
    r"(?P<sum>\.sha256)?"
)
_TYPES = {"csv.gz": "application/gzip", "parquet": "application/vnd.apache.parquet"}
_FOR_EVER, _ASK_AGAIN = "public, max-age=31536000, immutable", "no-cache"
T = TypeVar("T")
EXAMPLE = "2026-10.csv.gz, 2026-10.parquet, 2026-10.v1.csv.gz, 2026-10.csv.gz.sha256"


class HistoryFile(msgspec.Struct, frozen=True):
    """One file; `address` stays the same for ever, with the same content."""

    name: str
    address: str
    format: str
    bytes: int
    sha256: str


class HistoryMonth(msgspec.Struct, frozen=True):
    """One version of a month; `is_newest` is the one that addresses without a version give."""

    month: str
    version: int
    is_newest: bool
    made_at: str
    note: str
    lines: int
    files: tuple[HistoryFile, ...]


class HistoryIndex(msgspec.Struct, frozen=True):
    """Every month, the newest first."""

    owner: str
    licence: str
    months: tuple[HistoryMonth, ...]


class HistoryFiles:
    """The answers, from PostgreSQL."""

    def __init__(self, connections: database.Pool, publication: Publication) -> None:
        self._connections = connections
        self._publication = publication

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET",
                PREFIX + "index.json",
                self.index,
                "Finished months: files, versions, checksums",
                gives=HistoryIndex,
                problems=(503,),
                tag=TAG,
            ),
            Route(
                "GET",
                PREFIX + "{name}",
                self.file,
                "Every car park's quarters of an hour of a month, as CSV (gzip) or Parquet",
                content_type="application/octet-stream",
                problems=(404, 503),
                tag=TAG,
                path_about={"name": EXAMPLE},
            ),
        ]

    async def index(self, _: web.Request, __: object) -> web.StreamResponse:
        published = await _or_away(lambda: database_open_history.list_published(self._connections))
        content = HistoryIndex(
            self._publication.owner, self._publication.terms, tuple(_months(published))
        )
        headers = {"Cache-Control": _ASK_AGAIN}
        body = msgspec.json.encode(content)
        return web.Response(body=body, content_type="application/json", headers=headers)

    async def file(self, request: web.Request, _: object) -> web.StreamResponse:
        """A file, or its checksum as `sha256sum -c` reads it."""
        name = request.match_info["name"]
        match = _NAME.fullmatch(name)
        if match is None:
            raise Problem(404, f"there is no file {name!r}; such are {EXAMPLE}", field="name")
        found = await self._find(match["month"], int(match["version"] or 0))
        kind = match["kind"]
        sha256 = found.csv_sha256 if kind == "csv.gz" else found.parquet_sha256
        if sha256 is None:
            detail = f"{found.month:%Y-%m} was published without Parquet; take the CSV"
            raise Problem(404, detail, field="name")
        caching = _FOR_EVER if match["version"] else _ASK_AGAIN
        if match["sum"]:
            words = f"{sha256}  {name.removesuffix('.sha256')}\n"
            return web.Response(text=words, headers={"Cache-Control": caching})
        headers = {"ETag": f'"{sha256}"', "Cache-Control": caching}
        if sha256 in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        content = await self._content(found, kind)
        return web.Response(body=content, content_type=_TYPES[kind], headers=headers)

    async def _find(self, month: str, version: int) -> Published:
        try:
            first = dt.date.fromisoformat(f"{month}-01")
        except ValueError:
            raise Problem(404, f"{month} is no month", field="name") from None
        found = await _or_away(
            lambda: database_open_history.find_published(self._connections, first, version)
        )
        if found is None:
            which = f"{month}.v{version}" if version else month
            detail = f"{which} is not published; {PREFIX}index.json lists what is"
            raise Problem(404, detail, field="name")
        return found

    async def _content(self, found: Published, kind: str) -> bytes:
        read = (
            database_open_history.read_csv
            if kind == "csv.gz"
            else database_open_history.read_parquet
        )
        return await _or_away(lambda: read(self._connections, found.month, found.version))


async def _or_away(read: Callable[[], Awaitable[T]]) -> T:
    try:
        return await read()
    except database.NOT_READY:
        detail = "the history database is away; live numbers are not affected"
        raise Problem(503, detail) from None


def _months(published: Sequence[Published]) -> list[HistoryMonth]:
    newest: dict[dt.date, int] = {}
    for one in published:
        newest.setdefault(one.month, one.version)
    return [
        HistoryMonth(
            f"{one.month:%Y-%m}",
            one.version,
            one.version == newest[one.month],
            rfc3339(one.made_at_ms),
            one.note,
            one.lines,
            tuple(_files(one)),
        )
        for one in published
    ]


def _files(one: Published) -> list[HistoryFile]:
    files = [_file(one, "csv.gz", one.csv_bytes, one.csv_sha256)]
    if one.parquet_bytes is not None and one.parquet_sha256 is not None:
        files.append(_file(one, "parquet", one.parquet_bytes, one.parquet_sha256))
    return files


def _file(one: Published, kind: str, size: int, sha256: str) -> HistoryFile:
    name = f"{one.month:%Y-%m}.v{one.version}.{kind}"
    return HistoryFile(name, PREFIX + name, kind, size, sha256)
