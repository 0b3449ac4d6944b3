"""Replies as WeChat reads them: no text can break out of its element or be longer than it may."""

import re

from wechat.crypto import seal, signature

MOST_BYTES = 2048
NOTHING = b"success"
# What XML 1.0 cannot carry; a line break and a tab it can.
_UNSAYABLE = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HALF_A_LINK = re.compile(r"<a [^<]*$|<[^<>]*$|<a [^<>]*>[^<]*$|<a [^<>]*>[^<]*</?a?$")


def text_reply(to_user: str, from_user: str, created_seconds: int, text: str) -> bytes:
    """A text message to one citizen, cut to what WeChat takes."""
    words = cut(sayable(text))
    return (
        f"<xml><ToUserName>{_cdata(to_user)}</ToUserName>"
        f"<FromUserName>{_cdata(from_user)}</FromUserName>"
        f"<CreateTime>{created_seconds}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content>{_cdata(words)}</Content></xml>"
    ).encode()


def sealed_reply(
    reply: bytes, key: bytes, app_id: str, token: str, timestamp: str, nonce: str, random: bytes
) -> bytes:
    """A reply in its envelope, signed."""
    sealed = seal(reply, key, app_id, random)
    signed = signature(token, timestamp, nonce, sealed)
    return (
        f"<xml><Encrypt><![CDATA[{sealed}]]></Encrypt>"
        f"<MsgSignature><![CDATA[{signed}]]></MsgSignature>"
        f"<TimeStamp>{timestamp}</TimeStamp><Nonce>{_cdata(nonce)}</Nonce></xml>"
    ).encode()


def sayable(text: str) -> str:
    """Without the characters that XML cannot carry."""
    return _UNSAYABLE.sub("", text.replace("\r\n", "\n"))


def cut(text: str, most_bytes: int = MOST_BYTES) -> str:
    """The longest beginning that fits: no half character, no half link."""
    raw = text.encode()
    if len(raw) <= most_bytes:
        return text
    return _HALF_A_LINK.sub("", raw[:most_bytes].decode("utf-8", "ignore"))


def _cdata(text: str) -> str:
    """CDATA ends at `]]>`: such a text is told in two pieces."""
    return "<![CDATA[" + sayable(text).replace("]]>", "]]]]><![CDATA[>") + "]]>"
