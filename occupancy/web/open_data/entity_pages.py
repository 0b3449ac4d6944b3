"""Which NGSI-LD entities are asked for, page by page, and where the next page is."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from occupancy.web.open_data.ngsi_ld import Entity, EntityType
from occupancy.web.problems import Problem

PATH = "/open/ngsi-ld/v1/entities"
MOST_ENTITIES = 1_000


class Form(StrEnum):
    """In full, or names and values alone; `simplified` is the newer word for `keyValues`."""

    NORMALIZED = "normalized"
    SIMPLIFIED = "simplified"
    KEY_VALUES = "keyValues"


class EntityQuery(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"type_": "type"}
):
    """As ETSI GS CIM 009 names them."""

    type_: Annotated[str, Meta(description="类型，逗号分隔：OffStreetParking、ParkingGroup")] = ""
    id: Annotated[str, Meta(description="实体 id，逗号分隔")] = ""
    limit: Annotated[int, Meta(ge=1, le=MOST_ENTITIES, description="每页最多多少个实体")] = 100
    offset: Annotated[int, Meta(ge=0, le=1_000_000, description="跳过多少个实体")] = 0
    count: Annotated[bool, Meta(description="在 NGSILD-Results-Count 里给出总数")] = False
    options: Annotated[Form, Meta(description="normalized 完整，keyValues 只有名和值")] = (
        Form.NORMALIZED
    )
    format: Annotated[Form, Meta(description="同 options，较新的写法")] = Form.NORMALIZED

    @property
    def is_simplified(self) -> bool:
        return not (self.options is self.format is Form.NORMALIZED)


class Page(msgspec.Struct, frozen=True):
    """One page of what was asked for; `links` are the pages beside it, by their relation."""

    entities: tuple[Entity, ...]
    total: int
    links: Mapping[str, str]


def page_of(entities: Sequence[Entity], query: EntityQuery) -> Page:
    """Raises Problem for a type or an entity that is not there, and behind the last page."""
    found = _chosen(entities, query)
    if query.offset and query.offset >= len(found):
        detail = f"offset={query.offset}: there are {len(found)} entities"
        raise Problem(400, detail, field="offset")
    end = query.offset + query.limit
    links = {}
    if end < len(found):
        links["next"] = _address(query, end)
    if query.offset:
        links["prev"] = _address(query, max(0, query.offset - query.limit))
    return Page(tuple(found[query.offset : end]), len(found), links)


def find_entity(entities: Sequence[Entity], entity_id: str) -> Entity:
    for one in entities:
        if one["id"] == entity_id:
            return one
    detail = f"there is no entity {entity_id!r}; {PATH} lists them"
    raise Problem(404, detail, field="entity_id")


def _chosen(entities: Sequence[Entity], query: EntityQuery) -> Sequence[Entity]:
    types = _listed(query.type_)
    known = tuple(kind.value for kind in EntityType)
    for kind in types:
        if kind not in known:
            raise Problem(400, f"there is no type {kind!r}", field="type", choices=known)
    asked = _listed(query.id)
    for entity_id in asked:
        find_entity(entities, entity_id)
    return [
        one
        for one in entities
        if (not types or one["type"] in types) and (not asked or one["id"] in asked)
    ]


def _listed(words: str) -> list[str]:
    return [word for word in words.split(",") if word]


def _address(query: EntityQuery, offset: int) -> str:
    told = {
        name: value
        for name, value in msgspec.to_builtins(query).items()
        if value not in ("", False, Form.NORMALIZED.value)
    }
    if query.count:
        told["count"] = "true"
    return f"{PATH}?{urlencode({**told, 'offset': offset})}"
