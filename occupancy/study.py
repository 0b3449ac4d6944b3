"""A what-if study as planners ask for it: the change, the recorded period, what is supposed."""

import datetime as dt
from collections.abc import Mapping

import msgspec

from occupancy.edit import BadEditError, require_text
from occupancy.lot import Lot
from occupancy.rollup import date_start_ms

MOST_NAME, MOST_SPACES, MOST_RECORDED_DAYS, LEAST_RECORDED_DAYS = 40, 2_000, 400, 7
MOST_FREE_MINUTES, MOST_PERCENT, MOST_METRES_A_YUAN = 1_440, 500, 500.0
LENGTHS_DAYS = (7, 14, 28)
SEEDS = 30
METRES_A_YUAN = 20.0  # placeholder: 0.25 generalised minutes a yuan, walked at 80 m a minute
BOARD_SHARE = 0.5  # placeholder: nobody has counted who heeds a sign


class NewPrice(msgspec.Struct, frozen=True):
    """Another price at one car park: other free minutes, or all prices by a percentage."""

    lot_id: str
    free_minutes: int | None = None
    percent: int | None = None


class NewBoard(msgspec.Struct, frozen=True):
    """A sign on the way to a car park that tells of all the others; `share` of drivers heed it."""

    lot_id: str
    share: float


class StudyWish(msgspec.Struct, frozen=True):
    """What is asked. Days are local; `days` is how long each town is played."""

    name: str
    first_day: dt.date
    last_day: dt.date
    days: int = 7
    spaces: Mapping[str, int] = {}
    closed: tuple[str, ...] = ()
    price: NewPrice | None = None
    board: NewBoard | None = None
    metres_a_yuan: float = METRES_A_YUAN
    seeds: int = SEEDS

    @property
    def first_ms(self) -> int:
        return date_start_ms(self.first_day)

    @property
    def end_ms(self) -> int:
        """The midnight after the last day."""
        return date_start_ms(self.last_day + dt.timedelta(days=1))

    @property
    def lot_ids(self) -> tuple[str, ...]:
        """Every car park that is named, once."""
        named = [*self.spaces, *self.closed]
        named += [one.lot_id for one in (self.price, self.board) if one is not None]
        return tuple(dict.fromkeys(named))


def require_possible(wish: StudyWish, lots: Mapping[str, Lot], today: dt.date) -> StudyWish:
    """The wish, its name without blanks. Raises BadEditError for the first wrong field."""
    name = require_text("name", wish.name, MOST_NAME, "请给方案起个名字，如“中山路加 60 位”")
    _require_period(wish, today)
    if wish.days not in LENGTHS_DAYS:
        raise BadEditError("days", f"模拟天数可选：{'、'.join(map(str, LENGTHS_DAYS))}")
    if not 0 <= wish.metres_a_yuan <= MOST_METRES_A_YUAN:
        raise BadEditError("metres_a_yuan", f"请填 0 到 {MOST_METRES_A_YUAN:.0f} 米")
    if unknown := [lot_id for lot_id in wish.lot_ids if lot_id not in lots]:
        raise BadEditError("change", f"没有 {unknown[0][:30]} 这个车场")
    _require_change(wish, lots)
    return msgspec.structs.replace(wish, name=name)


def _require_period(wish: StudyWish, today: dt.date) -> None:
    recorded = (wish.last_day - wish.first_day).days + 1
    if recorded < LEAST_RECORDED_DAYS:
        raise BadEditError("last_day", f"依据至少要 {LEAST_RECORDED_DAYS} 天，请改起止日期")
    if recorded > MOST_RECORDED_DAYS:
        raise BadEditError("first_day", f"依据最长 {MOST_RECORDED_DAYS} 天，请改起止日期")
    if wish.last_day >= today:
        raise BadEditError("last_day", "只能用已经过完的日子，最晚到昨天")


def _require_change(wish: StudyWish, lots: Mapping[str, Lot]) -> None:
    if not wish.lot_ids:
        raise BadEditError("change", "没有选任何变化：加车位、改价、加屏、关闭至少选一项")
    for more in wish.spaces.values():
        if not 1 <= more <= MOST_SPACES:
            raise BadEditError("spaces", f"增加的车位请填 1 到 {MOST_SPACES}")
    if set(lots) <= set(wish.closed):
        raise BadEditError("closed", "所有车场都关了，没有可比的；请至少留一个")
    if both := set(wish.closed) & (set(wish.lot_ids) - set(wish.closed) | set(wish.spaces)):
        raise BadEditError("closed", f"{lots[both.pop()].short_name} 已选了别的变化，不能同时关闭")
    if wish.price is not None:
        _require_price(wish.price)
    if wish.board is not None and not 0 < wish.board.share <= 1:
        raise BadEditError("board_share", "听从诱导屏的司机比例请填 1 到 100（%）")


def _require_price(price: NewPrice) -> None:
    if price.free_minutes is None and price.percent is None:
        raise BadEditError("percent", "改价要填新的免费分钟数，或价格是原来的百分之几")
    if price.free_minutes is not None and not 0 <= price.free_minutes <= MOST_FREE_MINUTES:
        raise BadEditError("free_minutes", f"免费分钟数请填 0 到 {MOST_FREE_MINUTES}")
    if price.percent is not None and not 0 <= price.percent <= MOST_PERCENT:
        raise BadEditError("percent", f"价格百分比请填 0 到 {MOST_PERCENT}")


def words_of(wish: StudyWish, names: Mapping[str, str]) -> list[str]:
    """The changes in the planners' words, one each."""
    said = [f"{names.get(lot, lot)}增加 {more} 个车位" for lot, more in wish.spaces.items()]
    said += [f"关闭{names.get(lot, lot)}" for lot in wish.closed]
    if wish.price is not None:
        name = names.get(wish.price.lot_id, wish.price.lot_id)
        if wish.price.free_minutes is not None:
            said.append(f"{name}免费时间改为 {wish.price.free_minutes} 分钟")
        if wish.price.percent is not None:
            said.append(f"{name}价格改为原来的 {wish.price.percent}%")
    if wish.board is not None:
        name = names.get(wish.board.lot_id, wish.board.lot_id)
        said.append(f"去{name}的路上加一块诱导屏（{wish.board.share:.0%} 的司机听从）")
    return said
