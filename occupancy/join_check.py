"""Whether a car park that joins may go live: every reason against it, in words."""

from collections.abc import Sequence

from occupancy.live import LiveOccupancy, Quality, stale_at_ms
from occupancy.lot import Lot


def reasons_to_wait(
    lot: Lot, picture: LiveOccupancy | None, tariffs: Sequence[str], now_ms: int
) -> list[str]:
    """Empty when citizens may be led there."""
    reasons = []
    if lot.tariff_id not in tariffs:
        reasons.append(f"收费标准 {lot.tariff_id} 还没有生效的版本：请先在“收费标准”发布")
    if picture is None:
        return [*reasons, "还没有收到网关的数据：请启动这个车场的网关进程，检查网络和账号"]
    if now_ms >= stale_at_ms(picture):
        reasons.append("数据已中断超过 90 秒：请检查网关进程和现场设备")
    elif picture.capacity != lot.capacity:
        words = f"设备报 {picture.capacity} 个车位，资料写 {lot.capacity} 个"
        reasons.append(f"{words}：请改正资料或设备文件，使两者一致")
    elif picture.free is None or picture.quality is Quality.SUSPECT:
        told = "；".join(picture.doubts) or "没有可用的余位"
        reasons.append(f"余位还不可信（{told}）：请按“设备状态”逐个处理")
    return reasons


def first_readings(picture: LiveOccupancy) -> list[str]:
    """What came first, a line each, for those who bring it in."""
    lines = [f"车位 {picture.capacity}，可用 {picture.usable}，空闲 {_or_dash(picture.free)}"]
    for group in picture.groups:
        taken = group.occupied_by_level
        cars = "—" if taken is None else str(sum(taken))
        lines.append(f"{group.group_id}：{sum(group.bays_by_level)} 个车位，在停 {cars}")
    lines.append(f"累计进 {picture.entries_total}，出 {picture.exits_total}")
    return lines


def _or_dash(number: int | None) -> str:
    return "—" if number is None else str(number)
