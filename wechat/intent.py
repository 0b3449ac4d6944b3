"""What a citizen's words want: a destination with stay, arrival and wishes, or something else."""

import re
import unicodedata
from enum import StrEnum

import msgspec

from occupancy.tariff import VehicleClass
from routing.question import Vehicle, Wish
from wechat.spoken_time import Arrival, number, take_arrival, take_leaving, take_stay

SUV_HEIGHT_METRES = 1.9  # assumed, and said in the answer
MOST_LETTERS = 200
_TALLEST_METRES, _HEAVIEST_TONNES = 6.0, 60.0


class Want(StrEnum):
    """What kind of thing it is."""

    GO = "go"  # a destination, or changed wishes for the last one
    ANOTHER = "another"
    CHOICE = "choice"
    FEE = "fee"
    FREE_UNTIL = "free_until"
    REPORT = "report"
    COMPLAIN = "complain"
    REMIND_FULL = "remind_full"
    REMIND_FREE = "remind_free"
    FORGET_REMINDERS = "forget_reminders"
    ELDER = "elder"
    STANDARD = "standard"
    PRIVACY = "privacy"
    ERASE = "erase"
    HELP = "help"
    THANKS = "thanks"
    OVERVIEW = "overview"


class Intent(msgspec.Struct, frozen=True):
    """A text, understood; `words` is what is left for a destination."""

    want: Want
    words: str = ""
    stay_minutes: int | None = None
    arrival: Arrival | None = None
    leaving: Arrival | None = None
    wishes: frozenset[Wish] = frozenset()
    vehicle: Vehicle | None = None
    is_suv: bool = False
    choice: int = 0
    report: str = ""


# Traditional letters of the words below; destinations are the gazetteer's business.
_SIMPLER = str.maketrans(
    "點時鐘兩錢費換滿數據對後車嗎麼過準導報錯訴長輩隱說謝醒開記錄刪貴遠樓頂邊個間灣場幾價聽禮週",
    "点时钟两钱费换满数据对后车吗么过准导报错诉长辈隐说谢醒开记录删贵远楼顶边个间湾场几价听礼周",
)
_WISHES: tuple[tuple[Wish, str], ...] = (
    (
        Wish.CHEAP,
        r"(?:最|更|要|想)?(?:便宜(?:一?点|些|啲|d)?|平(?:一?点|些|啲))(?:的|嘅)?|省钱|(?:找|要|有)免费的?",
    ),
    (
        Wish.NEAR,
        (
            r"少走(?:点|些)?路|走路少(?:点|一点)?|(?:最|更|离得?)近(?:一?点|些|啲)?(?:的|嘅)?"
            r"|近(?:一?点|些|啲)(?:的|嘅)?|就近|不想走(?:太远|路)?|行少啲"
        ),
    ),
    (Wish.SURE, r"(?:最)?(?:有把握|保险|稳妥)(?:一?点)?的?|(?:一定|肯定|确保)有(?:车)?位的?"),
    (Wish.COVERED, r"有顶(?:棚)?的?|室内的?|不晒(?:太阳)?的?|遮阳的?|不淋雨的?|有遮盖的?"),
)
_NEW_ENERGY = r"新能源(?:汽)?车?|纯电(?:动车?)?|电动汽车|电车(?!站)|绿牌车?|插电(?:混动)?|混动"
_SUV = r"(?:开|驾|大|我的?)?(?:suv|越野车|商务车|mpv|七座车?|7座车?)"
_KINDS = (
    (VehicleClass.MOTORCYCLE, r"摩托车?"),
    (VehicleClass.LARGE, r"货车|大巴|中巴|大车|大?客车(?!站)"),
)
_HEIGHT = re.compile(
    r"(?:车)?(?:高|高度)(?:是|为)?(\d(?:\.\d{1,2})?)(?:米|m)|(\d\.\d{1,2})(?:米|m)高"
)
_WEIGHT = re.compile(r"(?:车)?重(?:量)?(?:是|为)?(\d{1,2}(?:\.\d{1,2})?)(?:吨|t)|(\d\.\d{1,2})吨")

_FULL = re.compile(
    r"(?:说|显示|写).*(?:有位|有空|没满).*(?:满|没位|冇位|没有位|停不了)|到了(?:却|发现|才|都)?.{0,4}满"
    r"|(?:其实|实际|明明|已经|都|全|爆|说)(?:是)?满(?:了|晒)?$|^.{0,10}满(?:了|晒)$|没(?:有)?(?:空)?(?:车)?位(?:了|啊|停)$"
    r"|冇(?:车)?位(?:啊|停|喇)?$|没位$"
)
_WRONG = (
    (
        "wrong_price",
        re.compile(r"(?:收费|价格|价钱|多收|收多).*(?:不对|错|不准|不符|了钱)|多收了?钱|乱收费"),
    ),
    ("navigation", re.compile(r"导航.*(?:不对|错|偏|不准)|(?:位置|地址|入口).*(?:不对|错)")),
    (
        "wrong_number",
        re.compile(
            r"(?:数据|余位|数字|车位数|空位数?|信息|显示).*(?:不对|不准|错|有误|假)|不准确?$|数不对"
        ),
    ),
)
_FIXED: tuple[tuple[Want, re.Pattern[str]], ...] = (
    (
        Want.ERASE,
        re.compile(
            r"(?:删除?|清除?|注销|抹)(?:掉)?我的?(?:全部|所有)?(?:数据|记录|信息|资料)|忘记我"
        ),
    ),
    (Want.PRIVACY, re.compile(r"隐私|个人信息")),
    (Want.FORGET_REMINDERS, re.compile(r"(?:取消|关闭|关掉|不要|不用|别)(?:再)?(?:提醒|通知)")),
    (Want.REMIND_FREE, re.compile(r"免费.*(?:提醒|通知|告诉)|(?:提醒|通知).*免费")),
    (Want.REMIND_FULL, re.compile(r"提醒我?|通知我|满了(?:就|请|要)?(?:告诉|叫)我?")),
    (Want.ELDER, re.compile(r"长辈|老人(?:版|模式)|大字|关怀")),
    (Want.STANDARD, re.compile(r"^(?:普通|标准|正常)(?:版|模式)")),
    (Want.COMPLAIN, re.compile(r"投诉|举报|人工(?!湖|智能)|客服|热线")),
    (
        Want.THANKS,
        re.compile(r"^(?:谢谢|多谢|唔该|感谢|好的?|ok|嗯|知道了|收到)(?:你|您|啦|了|哦)?$"),
    ),
    (
        Want.ANOTHER,
        re.compile(
            r"^(?:再|还)?(?:换|另外?)(?:一|1)?(?:个|家|间|处)|还有(?:别的|其他|其它)|^下一个$|^别的$|其他的?(?:呢|吗)?$"
        ),
    ),
    (
        Want.HELP,
        re.compile(
            r"^(?:帮助|使用(?:说明|方法)|怎么用|help|菜单|功能|你好|您好|hi|hello|在吗|哈喽)$"
        ),
    ),
    (
        Want.OVERVIEW,
        re.compile(
            r"^(?:全部|所有|各个?)?(?:停车场|车位|余位|空位)(?:情况|列表|有哪些)?$|^哪里有(?:空)?(?:车)?位$"
        ),
    ),
)
_FREE = re.compile(
    r"(?:到)?几点(?:之?前|以前)?(?:都|是|还)?免费|免费(?:停)?(?:到|多久|多长时间|几久|时长|时段|时间|几个?小时|几分钟)(?:几点|多久)?"
    r"|能?免费停?(?:吗|不)|几耐免费|免费几耐"
)
_FEE = re.compile(
    r"(?:停车|收)?(?:要|需|得|收)?(?:多少|几多)(?:停车)?(?:钱|费用?|元)|几钱|怎么(?:收费|收钱|算钱|计费)|点收费"
    r"|(?:停车)?(?:收费(?!站)|费用|价格|价钱|停车费)(?:是)?(?:多少|怎么样|如何|标准|规则)?(?:呢|啊)?"
)
_CHOICE = re.compile(r"^(?:选|要|去)?(?:第)?([1-9]|[一二三四五六七八九])(?:个|家|号)?[.。、]?$")
_ASKING = re.compile(r"[吗嘛么?？]|没有$|有没有|是不是")
_FILLER_HEAD = re.compile(
    r"^(?:请问|麻烦|帮我|帮忙|我|想|要|准备|打算|现在|等下|等会|一会儿?|开车|驾车|自驾|带|去到|去|到|往|在|找|查(?:一?下)?"
    r"|搜|导航(?:到|去)?|附近|周边|停车|泊车|停在|停|泊|看看|睇|有冇|有没有|哪里|哪儿|怎么|的|里|嘅)"
)
_FILLER_TAIL = re.compile(
    r"(?:附近|周边|旁边|旁|周围|那里|那边|这边|哪里|哪儿|边度|停车场?|泊车|车位|空位|余位|位置|好停|好(?:不好)?|满(?:了|没)?|能停|可以停|停|泊|有没有|有冇"
    r"|有|还|没|空|多少|几多|个|怎么样|怎么|吗|嘛|呢|啊|呀|吧|么|冇|怎样|如何|最好|比较|的|到|去|玩|吃饭|看病|办事|逛街|购物|行街)$"
)
_NOISE = re.compile(r"[\s,，。.!！?？、;；:：~～…\"'“”‘’()（）【】\[\]<>《》]+")


def read_intent(text: str) -> Intent:
    """What this text wants. Never fails: what nobody understands is a destination's words."""
    plain = _plain(text)
    bare = _NOISE.sub("", plain)
    chosen = _CHOICE.match(bare)
    if chosen is not None:
        return Intent(Want.CHOICE, choice=int(number(chosen[1]) or 0))
    report = _report(plain, bare)
    if report:
        return Intent(Want.REPORT, report=report, words=_report_words(plain))
    for want, pattern in _FIXED:
        if pattern.search(bare):
            return _with_details(want, pattern.sub(" ", plain))
    for want, pattern in ((Want.FREE_UNTIL, _FREE), (Want.FEE, _FEE)):
        if pattern.search(plain):
            return _with_details(want, pattern.sub(" ", plain))
    return _with_details(Want.GO, plain)


def _with_details(want: Want, text: str) -> Intent:
    height, text = _take_number(_HEIGHT, text, _TALLEST_METRES)
    weight, text = _take_number(_WEIGHT, text, _HEAVIEST_TONNES)
    new_energy, text = _take(_NEW_ENERGY, text)
    is_suv, text = _take(_SUV, text)
    kind = VehicleClass.CAR
    for one, pattern in _KINDS:
        is_kind, text = _take(pattern, text)
        kind = one if is_kind else kind
    wishes = set()
    for wish, pattern in _WISHES:
        is_wished, text = _take(pattern, text)
        if is_wished:
            wishes.add(wish)
    leaving, text = take_leaving(text)
    arrival, text = take_arrival(text)
    stay, text = take_stay(text)
    assumed = SUV_HEIGHT_METRES if is_suv and height is None else height
    vehicle = None
    if is_suv or new_energy or height or weight or kind is not VehicleClass.CAR:
        vehicle = Vehicle(kind, assumed, weight, new_energy=new_energy)
    return Intent(
        want,
        words=_destination(text),
        stay_minutes=stay,
        arrival=arrival,
        leaving=leaving,
        wishes=frozenset(wishes),
        vehicle=vehicle,
        is_suv=is_suv and height is None,
    )


def _plain(text: str) -> str:
    """One width, one case, simplified; at most as much as anybody types."""
    return unicodedata.normalize("NFKC", text[:MOST_LETTERS]).lower().translate(_SIMPLER).strip()


def _report(plain: str, bare: str) -> str:
    """The kind of trouble that is reported; empty for a question."""
    if _ASKING.search(plain):
        return ""
    for kind, pattern in _WRONG:
        if pattern.search(bare):
            return kind
    return "full" if _FULL.search(bare) and "提醒" not in bare else ""


def _report_words(plain: str) -> str:
    """What may be the car park's name in it."""
    return _NOISE.sub(" ", plain).strip()


def _destination(text: str) -> str:
    """The words without what is said around a destination."""
    words = _NOISE.sub(" ", text).strip()
    while (shorter := _shorter(words)) != words:
        words = shorter
    return words


def _shorter(words: str) -> str:
    """Without one filler; never down to nothing but one letter of a name."""
    for pattern in (_FILLER_TAIL, _FILLER_HEAD):
        cut = pattern.sub("", words, count=1).strip()
        if cut != words:
            return cut
    return words


def _take(pattern: str, text: str) -> tuple[bool, str]:
    without, times = re.subn(pattern, " ", text)
    return bool(times), without


def _take_number(pattern: re.Pattern[str], text: str, most: float) -> tuple[float | None, str]:
    found = pattern.search(text)
    if found is None:
        return None, text
    value = float(found[1] or found[2])
    without = f"{text[: found.start()]} {text[found.end() :]}"
    return (value, without) if 0 < value <= most else (None, text)
