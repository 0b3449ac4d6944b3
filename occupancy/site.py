"""A site of the construction plan: what is planned, built and open, and what nobody confirmed."""

import re
from datetime import date
from enum import StrEnum

import msgspec

from occupancy.edit import BadEditError, require_text

MOST_SPACES = 20_000
FIRST_YEAR, LAST_YEAR = 1990, 2099
LONGEST_NAME, LONGEST_NOTE = 60, 300
_ID = re.compile(r"[a-z][a-z0-9_-]{1,30}")
# Facts that may be known only roughly: a page marks them until somebody confirms them.
UNSURE = ("name", "address", "planned_spaces", "built_spaces", "opened_on")


class Stage(StrEnum):
    """How far a site has come. Whether its data arrives is seen in history, not entered."""

    PLANNED = "planned"
    BUILDING = "building"
    BUILT = "built"
    DROPPED = "dropped"


class Site(msgspec.Struct, frozen=True):
    """One site; None is not known. `placeholders` names the fields that nobody has confirmed."""

    site_id: str
    name: str
    stage: Stage
    lot_id: str = ""
    address: str = ""
    planned_spaces: int | None = None
    built_spaces: int | None = None
    opened_on: date | None = None
    note: str = ""
    placeholders: tuple[str, ...] = ()

    @property
    def spaces(self) -> int | None:
        """What was built; before that, what is planned."""
        return self.planned_spaces if self.built_spaces is None else self.built_spaces


def require_site(site: Site) -> Site:
    """The site with its words trimmed. Raises BadEditError for the first field that cannot be."""
    if not _ID.fullmatch(site.site_id):
        words = "编号用 2 到 31 个小写字母、数字、- 或 _，以字母开头，如 renmin_lu"
        raise BadEditError("site_id", words)
    for field in ("planned_spaces", "built_spaces"):
        spaces = getattr(site, field)
        if spaces is not None and not 1 <= spaces <= MOST_SPACES:
            raise BadEditError(field, f"泊位数在 1 到 {MOST_SPACES} 之间；不知道就留空")
    _require_order(site)
    if wrong := [name for name in site.placeholders if name not in UNSURE]:
        raise BadEditError("placeholders", f"没有 {wrong[0][:20]} 这一项")
    return msgspec.structs.replace(
        site,
        name=require_text("name", site.name, LONGEST_NAME, "请填写名称，如“人民路立体停车场”"),
        address=_optional("address", site.address, LONGEST_NAME),
        note=_optional("note", site.note, LONGEST_NOTE),
    )


def _require_order(site: Site) -> None:
    """What is not built has no built spaces, nobody opened it, and no data comes from it."""
    if site.opened_on is not None and not FIRST_YEAR <= site.opened_on.year <= LAST_YEAR:
        raise BadEditError("opened_on", f"开放日期在 {FIRST_YEAR} 到 {LAST_YEAR} 年之间")
    if site.stage is Stage.BUILT:
        return
    if site.built_spaces is not None:
        raise BadEditError("built_spaces", "还没有建成：请留空，或把阶段改为“已建成”")
    if site.opened_on is not None:
        raise BadEditError("opened_on", "还没有建成：请留空，或把阶段改为“已建成”")


def _optional(field: str, text: str, most: int) -> str:
    return require_text(field, text, most, "") if text.strip() else ""
