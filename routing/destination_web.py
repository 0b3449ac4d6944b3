"""`GET /v1/destinations`: places that match words, pinyin, initials or a typing error."""

from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from occupancy.web.formats import BothDatums, both_datums
from occupancy.web.problems import Problem
from occupancy.web.routes import Route
from routing.destination_shelf import DestinationShelf
from routing.gazetteer import Match
from routing.spoken_name import MOST_LETTERS


class DestinationQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody wrote or said."""

    q: Annotated[str, Meta(description="例如 人民医院、rmyy、renminyiyuan")] = ""


class DestinationMatch(msgspec.Struct, frozen=True):
    """A destination that may be meant; `score` 1 is certain. `placeholders`: unconfirmed fields."""

    id: str
    name: str
    kind: str
    place: BothDatums
    score: float
    placeholders: tuple[str, ...]


class DestinationsDocument(msgspec.Struct, frozen=True):
    """`best` is null where it is not clear which one is meant: then ask."""

    query: str
    best: DestinationMatch | None
    candidates: tuple[DestinationMatch, ...]


class DestinationPages:
    """The answers, from memory."""

    def __init__(self, shelf: DestinationShelf) -> None:
        self._shelf = shelf

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET",
                "/v1/destinations",
                self.find,
                "Places that match words, pinyin, initials or a typing error",
                gives=DestinationsDocument,
                query=DestinationQuery,
                tag="guidance",
            )
        ]

    async def find(self, _: web.Request, query: DestinationQuery) -> web.StreamResponse:
        words = query.q.strip()
        if not words:
            raise Problem(400, "say where to: ?q=人民医院", field="q")
        if len(words) > MOST_LETTERS:
            raise Problem(400, f"at most {MOST_LETTERS} characters", field="q")
        finding = self._shelf.search(words)
        matches = tuple(map(_match, finding.candidates))
        best = next(
            (
                match
                for match in matches
                if finding.best is not None and match.id == finding.best.destination_id
            ),
            None,
        )
        body = msgspec.json.encode(DestinationsDocument(words, best, matches))
        return web.Response(body=body, content_type="application/json")


def _match(match: Match) -> DestinationMatch:
    one = match.destination
    return DestinationMatch(
        one.destination_id,
        one.name,
        one.kind,
        both_datums(one.place),
        match.score,
        one.placeholders,
    )
