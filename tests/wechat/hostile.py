"""Random and nearly right input for everything that reads what a stranger sends."""

from hypothesis import strategies as st

from tests.wechat.account_server import ACCOUNT, CITIZEN, as_xml
from wechat.config import Mode
from wechat.crypto import SealError, open_sealed, seal
from wechat.dialogue import decide
from wechat.guard import RefusedError, check_query, check_sealed
from wechat.intent import read_intent
from wechat.message import UnreadableError, read_fields, read_message, read_sealed
from wechat.reply_xml import MOST_BYTES, cut, sayable, text_reply
from wechat.session import Session

KEY = bytes(range(32))
NOW_MS = 1_795_392_000_000
_NAMES = (
    *("ToUserName", "FromUserName", "CreateTime", "MsgType", "Content", "MsgId", "Event"),
    *("EventKey", "Location_X", "Location_Y", "Encrypt", "xml", "ScanCodeInfo", "a", "!"),
)
_VALUES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(("text", "event", "location", "1e999", "nan", "-0", "９", "]]>", "&lt;", "")),
    st.integers().map(str),
    st.floats().map(str),
)
_NODE = st.recursive(
    st.tuples(st.sampled_from(_NAMES), _VALUES).map(lambda one: f"<{one[0]}>{one[1]}</{one[0]}>"),
    lambda inner: st.tuples(st.sampled_from(_NAMES), st.lists(inner, max_size=4)).map(
        lambda one: f"<{one[0]}>{''.join(one[1])}</{one[0]}>"
    ),
    max_leaves=12,
)
_GOOD = as_xml(
    {
        "ToUserName": ACCOUNT,
        "FromUserName": CITIZEN,
        "CreateTime": 1_795_392_000,
        "MsgType": "text",
        "Content": "人民医院 停2小时",
        "MsgId": 1,
    }
).encode()


def _mutated(good: bytes, changes: list[tuple[int, bytes]]) -> bytes:
    raw = bytearray(good)
    for place, new in changes:
        at = place % (len(raw) + 1)
        raw[at : at + len(new)] = new
    return bytes(raw)


_CHANGES = st.lists(
    st.tuples(st.integers(0, 400), st.binary(min_size=1, max_size=4)), min_size=1, max_size=6
)
bodies = st.one_of(
    st.binary(max_size=300),
    st.lists(_NODE, max_size=6).map(
        lambda nodes: f"<xml>{''.join(nodes)}</xml>".encode("utf-8", "replace")
    ),
    _CHANGES.map(lambda changes: _mutated(_GOOD, changes)),
)
sealed_texts = st.one_of(
    st.text(max_size=100),
    st.binary(max_size=200).map(lambda raw: seal(raw, KEY, "wx", bytes(16))),
    _CHANGES.map(
        lambda changes: _mutated(seal(_GOOD, KEY, "wx", bytes(16)).encode(), changes).decode(
            "latin-1"
        )
    ),
)
queries = st.lists(
    st.tuples(
        st.sampled_from(
            ("signature", "timestamp", "nonce", "encrypt_type", "msg_signature", "echostr", "x")
        ),
        st.one_of(st.text(max_size=50), st.sampled_from((str(NOW_MS // 1_000), "aes", "raw"))),
    ),
    max_size=7,
)
_SPOKEN = st.sampled_from(
    (
        *(
            "人民医院",
            "停",
            "2",
            "两个半",
            "小时",
            "点",
            "明早",
            "9",
            "周",
            "日",
            "下",
            "半",
            "后",
            "到",
            "天",
        ),
        *(
            "便宜",
            "SUV",
            "换一个",
            "多少钱",
            "免费",
            "满了",
            "吗",
            "：",
            "30",
            "十",
            "零",
            "²",
            "½",
            "٣",
            "①",
        ),
        *(" ", "\u3000", "2.5", "99999999999", "车高", "米", "吨", "\u202e", "\x00"),
    )
)
spoken = st.one_of(st.text(max_size=300), st.lists(_SPOKEN, max_size=14).map("".join))


def read_a_body(body: bytes) -> None:
    """Only refusals come out."""
    for read in (read_message, read_sealed):
        try:
            read(body)
        except UnreadableError:
            continue


def open_a_seal(sealed: str) -> None:
    try:
        open_sealed(sealed, KEY, "wx")
    except SealError:
        return


def check_a_query(pairs: list[tuple[str, str]]) -> None:
    for mode in Mode:
        try:
            passed = check_query(pairs, ("token", "before"), mode, NOW_MS)
            check_sealed(passed, "sealed")
        except RefusedError:
            continue


def talk(words: str) -> None:
    """Any words are understood as something, and answered whole."""
    plan = decide(read_intent(words), Session(destination="三水广场"), NOW_MS)
    assert plan.session.stay_minutes > 0
    reply = text_reply("to", "from", NOW_MS // 1_000, words * 20)
    content = read_fields(reply).get("Content", "")
    assert content == cut(sayable(words * 20)).strip()
    assert len(content.encode()) <= MOST_BYTES
