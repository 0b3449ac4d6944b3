"""The resource directory (资源目录): an entry a data set, as government directories have them."""

from collections.abc import Sequence

from msgspec import Struct

from occupancy.open_month import COLUMNS
from occupancy.web.open_data.lot_table import COLUMNS as LOT_COLUMNS
from occupancy.web.open_data.publication import UNCONFIRMED, Publication

_WORDS = {
    "lot_id": ("", "停车场编号"),
    "name": ("", "名称"),
    "address": ("", "地址"),
    "hotline": ("", "服务电话"),
    "latitude": ("度", "入口纬度，WGS-84"),
    "longitude": ("度", "入口经度，WGS-84"),
    "capacity": ("个", "泊位总数"),
    "usable": ("个", "可用泊位，不含停用"),
    "occupied": ("辆", "在库车辆"),
    "free": ("个", "空位；数据失联 30 分钟后不给"),
    "out_of_service": ("个", "停用泊位"),
    "status": ("", "open 空闲，almost_full 较满，full 已满，closed 关闭，no_data 数据失联"),
    "is_open": ("", "现在是否开放"),
    "quality": ("", "counted、corrected、estimated、stale、suspect"),
    "calculation": ("", "数字的来历（APDS）：counted、derived、expected、verified"),
    "observed_at": ("", "观测时间，RFC 3339"),
    "opening_hours": ("", "开放时间，OpenStreetMap 写法"),
    "free_period": ("", "免费时长"),
    "price": ("", "收费标准"),
    "contradicting": ("", "自相矛盾、不能采信的原始数字"),
    "doubts": ("", "存疑的原因"),
    "placeholders": ("", "尚待核实的字段"),
    "owner": ("", "数据提供单位"),
    "licence": ("", "许可"),
}


class DataItem(Struct, frozen=True):
    """信息项: one field."""

    name: str
    kind: str
    unit: str
    about: str


class DataFormat(Struct, frozen=True):
    """One address the data set is had at."""

    format: str
    address: str
    media_type: str


class DataSet(Struct, frozen=True):
    """One entry. What nobody has confirmed says 待核实."""

    code: str
    name: str
    summary: str
    owner: str
    owner_code: str
    category: str
    items: tuple[DataItem, ...]
    formats: tuple[DataFormat, ...]
    update_period: str
    spatial: str
    temporal: str
    sharing: str
    opening: str
    licence: str
    related: tuple[str, ...]


class Catalogue(Struct, frozen=True):
    """Every data set."""

    name: str
    owner: str
    licence: str
    data_sets: tuple[DataSet, ...]


def catalogue(publication: Publication) -> Catalogue:
    sets = (_live(publication), _entities(publication), _history(publication), _vitals(publication))
    return Catalogue("三水区公共停车数据资源目录", publication.owner, publication.terms, sets)


def _entry(  # noqa: PLR0913  # what differs from entry to entry
    publication: Publication,
    *,
    code: str,
    name: str,
    summary: str,
    items: Sequence[DataItem],
    formats: Sequence[DataFormat],
    update_period: str,
    temporal: str,
    related: Sequence[str],
) -> DataSet:
    return DataSet(
        code=code,
        name=name,
        summary=summary,
        owner=publication.owner,
        owner_code=UNCONFIRMED,
        category="城市交通 / 静态交通",
        items=tuple(items),
        formats=tuple(formats),
        update_period=update_period,
        spatial="佛山市三水区，坐标 WGS-84",
        temporal=temporal,
        sharing=f"无条件共享（{UNCONFIRMED}）",
        opening=f"无条件开放，无需密钥（{UNCONFIRMED}）",
        licence=publication.terms,
        related=tuple(related),
    )


def _live(publication: Publication) -> DataSet:
    json = "application/json"
    return _entry(
        publication,
        code="sanshui-parking-live",
        name="公共立体停车库实时余位",
        summary="各停车场的位置、泊位、空位、状态、收费和数据质量；失联 30 分钟后不给数字。",
        items=[DataItem(one.title, one.kind.value, *_WORDS[one.title]) for one in LOT_COLUMNS],
        formats=[
            DataFormat("ParkAPI v1", "/open/parkapi/v1/sanshui.json", json),
            DataFormat("ParkAPI v3", "/open/parkapi/v3/parking-sites", json),
            DataFormat("DATEX II 3.4", "/open/datex2/v3.4/parking.json", json),
            DataFormat("GeoJSON", "/open/geojson/parking.geojson", "application/geo+json"),
            DataFormat("CSV", "/open/csv/parking.csv", "text/csv"),
            DataFormat("JSON", "/v1/lots", json),
        ],
        update_period="实时（有变化即更新）",
        temporal="当前",
        related=["sanshui-parking-entities", "sanshui-parking-history"],
    )


def _entities(publication: Publication) -> DataSet:
    told = (
        ("totalSpotNumber", "number", "个", "泊位总数"),
        ("availableSpotNumber", "number", "个", "空位"),
        ("occupiedSpotNumber", "number", "个", "占用泊位"),
        ("occupancy", "number", "0—1", "占有率"),
        ("outOfServiceSlotNumber", "number", "个", "停用泊位"),
        ("status", "text", "", "open、closed、full、almostFull、spacesAvailable"),
        ("observationDateTime", "moment", "", "观测时间"),
        ("quality", "text", "", "数据质量"),
        ("occupancyCalculation", "text", "", "数字的来历（APDS）"),
        ("refParkingSite", "text", "", "机组所属停车场"),
    )
    return _entry(
        publication,
        code="sanshui-parking-entities",
        name="公共立体停车库实体（NGSI-LD）",
        summary="停车场（OffStreetParking）与机组（ParkingGroup）两类实体，可按类型、编号分页查询。",
        items=[DataItem(*one) for one in told],
        formats=[DataFormat("NGSI-LD", "/open/ngsi-ld/v1/entities", "application/ld+json")],
        update_period="实时（有变化即更新）",
        temporal="当前",
        related=["sanshui-parking-live"],
    )


def _history(publication: Publication) -> DataSet:
    address = "/open/history/{yyyy-mm}"
    return _entry(
        publication,
        code="sanshui-parking-history",
        name="公共立体停车库历史数据（15 分钟）",
        summary="每月一份：各停车场每 15 分钟的在库、空位、进出；无数据处留空；附 SHA-256。",
        items=[DataItem(one.name, one.sql_type, one.unit, one.about) for one in COLUMNS],
        formats=[
            DataFormat("索引", "/open/history/index.json", "application/json"),
            DataFormat("CSV（gzip）", f"{address}.csv.gz", "application/gzip"),
            DataFormat("Parquet", f"{address}.parquet", "application/vnd.apache.parquet"),
        ],
        update_period="每月（月末后 6 小时起；更正另出新版本）",
        temporal="自有观测的第一个月起",
        related=["sanshui-parking-live", "sanshui-parking-vitals"],
    )


def _vitals(publication: Publication) -> DataSet:
    told = (
        ("code", "text", "", "指标代码"),
        ("name", "text", "", "指标名称"),
        ("value", "number", "见 unit", "数值；null 为无数据，reason 说明原因"),
        ("unit", "text", "", "单位"),
        ("band", "text", "", "等级：畅通、基本畅通、较满、紧张、严重"),
        ("period", "text", "", "统计期：粒度与起止"),
        ("coverage", "number", "0—1", "数据完整率"),
        ("method_version", "text", "", "算法版本"),
        ("source_age", "number", "秒", "最久未更新的来源距今"),
        ("previous", "number", "见 unit", "上一期"),
        ("year_before", "number", "见 unit", "去年同期"),
        ("seal", "text", "", "查询与结果的 SHA-256"),
    )
    return _entry(
        publication,
        code="sanshui-parking-vitals",
        name="停车体征",
        summary="全区和各停车场的停车拥堵指数（0—10）、占有率、饱和时长、周转率、数据接入率。",
        items=[DataItem(*one) for one in told],
        formats=[
            DataFormat("JSON", "/open/vitals/v1", "application/json"),
            DataFormat("序列", "/open/vitals/v1/series", "application/json"),
            DataFormat("网页", "/vitals", "text/html"),
        ],
        update_period="每 15 分钟、每日、每月",
        temporal="近 24 小时（15 分钟），近 13 个月（月）",
        related=["sanshui-parking-history"],
    )
