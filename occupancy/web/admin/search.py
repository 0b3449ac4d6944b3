"""The search box: car parks, devices, alarms and pages, by words, pinyin or initials."""

from collections.abc import Iterable, Iterator

import msgspec
from aiohttp import web
from pypinyin import Style, lazy_pinyin

from occupancy.permissions import Permission
from occupancy.web.admin import words
from occupancy.web.admin.admin_route import Access, AdminRoute
from occupancy.web.admin.ground import AdminGround
from occupancy.web.admin.menu import menu_of
from occupancy.web.admin.visit import Visit

MOST_HITS, LONGEST = 10, 60


class Hit(msgspec.Struct, frozen=True):
    """Something that was found, and where it is."""

    title: str
    kind: str
    path: str


class Search:
    """`/admin/search`."""

    def __init__(self, ground: AdminGround) -> None:
        self._ground = ground

    def routes(self) -> list[AdminRoute]:
        return [
            AdminRoute("GET", "/admin/search", self.page, Access.LOGGED_IN),
            AdminRoute("GET", "/admin/search/hits", self.hits, Access.LOGGED_IN),
        ]

    async def page(self, visit: Visit) -> web.StreamResponse:
        asked = visit.asked("q").strip()[:LONGEST]
        return visit.page("search.html", asked=asked, hits=find(asked, self._things(visit)))

    async def hits(self, visit: Visit) -> web.StreamResponse:
        asked = visit.asked("q").strip()[:LONGEST]
        return visit.fragment("hits.html", asked=asked, hits=find(asked, self._things(visit)))

    def _things(self, visit: Visit) -> Iterator[Hit]:
        for part in menu_of(visit.person):
            for item in part.items:
                yield Hit(item.title, "页面", item.path)
        if visit.may(Permission.SEE):
            for lot in self._ground.lots_of(visit):
                yield Hit(lot.name, "车场", f"/admin/lots/{lot.id}")
                for device in lot.devices:
                    title = f"{lot.short_name} {device.id}"
                    yield Hit(title, "设备", f"/admin/lots/{lot.id}/devices")
            for alarm in self._ground.alarms.open.alarms:
                if visit.sees(alarm.key.lot_id):
                    title = f"{words.ALARM[alarm.key.kind]} {alarm.words}"
                    yield Hit(title, "告警", "/admin/alarms")


def find(asked: str, things: Iterable[Hit]) -> list[Hit]:
    """What holds the words, its pinyin or its initials; the earliest place first."""
    sought = _bare(asked)
    if not sought:
        return []
    found = [(place, hit) for hit in things if (place := _place(sought, hit.title)) is not None]
    return [hit for _, hit in sorted(found, key=lambda one: one[0])][:MOST_HITS]


def _place(sought: str, title: str) -> int | None:
    """Where it begins in the title as written, in pinyin or in initials; the best of them."""
    plain = _bare(title)
    sounds = "".join(lazy_pinyin(plain))
    initials = "".join(lazy_pinyin(plain, style=Style.FIRST_LETTER))
    places = [text.find(sought) for text in (plain, sounds, initials)]
    return min((place for place in places if place >= 0), default=None)


def _bare(text: str) -> str:
    """Letters and digits alone: nobody types the marks between them."""
    return "".join(mark for mark in text.casefold() if mark.isalnum())
