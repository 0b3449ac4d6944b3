"""What the big screen says of each car park, before any script runs; board.js says the same."""

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from gateway.observation import FaceState
from occupancy.live import Quality, Status, Trend
from occupancy.sign_faces import TownSign
from occupancy.web.formats import SHANGHAI, LotDetail, SignNow

DASH = "—"
WEEKDAYS = "一二三四五六日"


class Words(msgspec.Struct, frozen=True):
    """Every word that may change while the page is open; the page hands them to its script."""

    status: dict[Status, str]
    instead: dict[Status, str]  # in place of the number of free spaces
    trend: dict[Trend, str]
    sign: dict[FaceState, str]
    doubtful: str
    estimated: str
    silent: str
    closed: str
    full: str
    out_of_service: str
    free_period: str
    no_trend: str


STATUS_WORDS = {
    Status.OPEN: "空闲",
    Status.ALMOST_FULL: "较满",
    Status.FULL: "已满",
    Status.CLOSED: "关闭",
    Status.NO_DATA: "数据失联",
}
DOUBTFUL = "数据核对中，请以现场为准"
WORDS = Words(
    status=STATUS_WORDS,
    instead={Status.FULL: "满", Status.CLOSED: "关", Status.NO_DATA: DASH},
    trend={
        Trend.FILLING: "↘ 减少中",
        Trend.EMPTYING: "↗ 增加中",
        Trend.STEADY: "→ 平稳",
        Trend.UNKNOWN: "",
    },
    sign={
        FaceState.AS_DESIRED: "回读一致",
        FaceState.DIFFERS: "显示不符",
        FaceState.UNKNOWN: "状态不明",
    },
    doubtful=DOUBTFUL,
    estimated="部分机组失联，余位为估算",
    silent="超过 90 秒无数据，请以现场为准",
    closed="暂停开放",
    full="请前往其他停车场",
    out_of_service="停用 {} 位",
    free_period="{} 分钟内免费",
    no_trend="暂无走势",
)


class Tile(msgspec.Struct, frozen=True):
    """One car park's words and numbers."""

    lot: LotDetail
    word: str
    count: str
    usable: str
    trend: str
    note: str
    free_period: str
    age: str


class Face(msgspec.Struct, frozen=True):
    """One sign at a junction: its lines as car park and text, and whether they are as ordered."""

    sign_id: str
    title: str
    lines: tuple[tuple[str, str], ...]
    state: FaceState
    word: str


class Total(msgspec.Struct, frozen=True):
    """The district's sum over the open car parks whose numbers may be shown."""

    free: int | None
    usable: int
    trusted: int
    lots: int

    @property
    def occupied(self) -> int:
        return self.usable - (self.free or 0)

    @property
    def percent(self) -> str:
        """Rounded half up, as the page's script does."""
        if not self.usable:
            return DASH
        return f"{(200 * self.occupied + self.usable) // (2 * self.usable)}%"


def tile(lot: LotDetail) -> Tile:
    live = lot.live
    told = lot.status in (Status.OPEN, Status.ALMOST_FULL)
    return Tile(
        lot=lot,
        word=WORDS.status[lot.status],
        count=str(live.free) if told else WORDS.instead[lot.status],
        usable=DASH if live.usable is None else str(live.usable),
        trend=WORDS.trend[live.trend] if told else "",
        note=_note(lot),
        free_period=_free_period(lot),
        age=f"{live.observed_at[11:19]} 更新" if live.observed_at else "尚无数据",
    )


def _note(lot: LotDetail) -> str:
    if lot.status is Status.NO_DATA:
        return WORDS.silent if lot.live.quality is Quality.STALE else WORDS.doubtful
    if lot.status is Status.CLOSED:
        return lot.closed.words if lot.closed else WORDS.closed
    if lot.live.quality is Quality.ESTIMATED:
        return WORDS.estimated
    if lot.live.out_of_service:
        return WORDS.out_of_service.format(lot.live.out_of_service)
    return WORDS.full if lot.status is Status.FULL else ""


def _free_period(lot: LotDetail) -> str:
    if lot.tariff is None or not lot.tariff.free_minutes:
        return ""
    unconfirmed = "*" if lot.tariff.placeholder else ""
    return WORDS.free_period.format(lot.tariff.free_minutes) + unconfirmed


def total(lots: Sequence[LotDetail]) -> Total:
    trusted = [lot for lot in lots if lot.live.free is not None]
    serving = [lot.live for lot in trusted if lot.status is not Status.CLOSED]
    return Total(
        free=sum(live.free or 0 for live in serving) if serving else None,
        usable=sum(live.usable or 0 for live in serving),
        trusted=len(trusted),
        lots=len(lots),
    )


def faces(
    lots: Sequence[LotDetail], signs: Sequence[TownSign], names: Mapping[str, str] | None = None
) -> list[Face]:
    """The signs at the junctions, as their gateways read them back; `names` of all car parks."""
    names = names or {lot.id: lot.short_name for lot in lots}
    known = {sign.id: sign for lot in lots for sign in lot.signs}
    return [
        _face(f"{number} 号屏", sign, known.get(sign.sign_id), names)
        for number, sign in enumerate(signs, start=1)
    ]


def _face(title: str, sign: TownSign, now: SignNow | None, names: Mapping[str, str]) -> Face:
    texts = () if now is None or now.reported is None else now.reported
    state = FaceState.UNKNOWN if now is None else now.state
    lines = tuple(
        (names.get(lot_id, lot_id), texts[place] if place < len(texts) else DASH)
        for place, lot_id in enumerate(sign.lot_ids)
    )
    return Face(sign.sign_id, title, lines, state, WORDS.sign[state])


def date_words(now_ms: int) -> tuple[str, str]:
    """The date and the time of day in Sanshui."""
    now = dt.datetime.fromtimestamp(now_ms / 1_000, tz=SHANGHAI)
    return f"{now.month} 月 {now.day} 日　周{WEEKDAYS[now.weekday()]}", f"{now:%H:%M}"
