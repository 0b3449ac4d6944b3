"""What WeChat sends, from hostile XML to one typed message; everything else is refused cheaply."""

from enum import StrEnum
from xml.parsers import expat

import msgspec

DEEPEST = 6
MOST_ELEMENTS = 200
MOST_BYTES = 64 * 1024
_LONGEST_NUMBER = 20


class UnreadableError(Exception):
    """The body is no message of WeChat's; the words say why, and never quote it."""


class Kind(StrEnum):
    """What a citizen or the account's client did."""

    TEXT = "text"
    IMAGE = "image"
    VOICE = "voice"
    VIDEO = "video"
    SHORT_VIDEO = "shortvideo"
    LOCATION = "location"
    LINK = "link"
    EVENT = "event"
    OTHER = "other"


class Message(msgspec.Struct, frozen=True):
    """One message. Latitude and longitude are GCJ-02 and go no further than the answer."""

    to_user: str
    from_user: str
    created: str
    kind: Kind
    msg_id: str = ""
    content: str = ""
    event: str = ""
    event_key: str = ""
    latitude: float | None = None
    longitude: float | None = None
    label: str = ""
    template_id: str = ""
    consent: str = ""
    openid: str = ""

    @property
    def key(self) -> str:
        """The same for WeChat's repetitions of one message."""
        if self.msg_id:
            return f"{self.from_user}\x1f{self.msg_id}"
        return f"{self.from_user}\x1f{self.created}\x1f{self.event}\x1f{self.event_key}"


def read_message(body: bytes) -> Message:
    """Raises UnreadableError."""
    fields = read_fields(body)
    kind = fields.get("MsgType", "")
    found = Message(
        to_user=fields.get("ToUserName", ""),
        from_user=fields.get("FromUserName", ""),
        created=fields.get("CreateTime", ""),
        kind=Kind(kind) if kind in set(Kind) else Kind.OTHER,
        msg_id=fields.get("MsgId", ""),
        content=fields.get("Content", "") or fields.get("Recognition", ""),
        event=fields.get("Event", "").lower(),
        event_key=fields.get("EventKey", ""),
        latitude=_degrees(fields, "Location_X", 90),
        longitude=_degrees(fields, "Location_Y", 180),
        label=fields.get("Label", "") or fields.get("Poiname", ""),
        template_id=fields.get("TemplateId", ""),
        consent=fields.get("SubscribeStatusString", ""),
        openid=fields.get("OpenID", ""),
    )
    if not found.from_user or not found.to_user:
        raise UnreadableError("nobody sent it, or to nobody")
    if not (found.created.isascii() and found.created.isdigit()):
        raise UnreadableError("it was made at no time")
    return found


def read_sealed(body: bytes) -> str:
    """What is sealed in a body of safe or compatible mode. Raises UnreadableError."""
    sealed = read_fields(body).get("Encrypt", "")
    if not sealed:
        raise UnreadableError("nothing is sealed in it")
    return sealed


def read_fields(body: bytes) -> dict[str, str]:
    """Every leaf's name to its text; of two with one name the first. Raises UnreadableError."""
    if len(body) > MOST_BYTES:
        raise UnreadableError("too long")
    reader = _Reader()
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.ProcessingInstructionHandler = _refuse_instruction
    try:
        parser.Parse(body, True)  # noqa: FBT003  # expat takes no names
    except expat.ExpatError as fault:
        raise UnreadableError(f"no XML: {expat.ErrorString(fault.code)}") from None
    return reader.fields


class _Reader:
    """Collects leaves; refuses what is deeper, longer or other than WeChat's messages are."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self._path: list[str] = []
        self._text: list[str] = []
        self._elements = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        self._path.append(name)
        self._text.clear()
        if attributes:
            raise UnreadableError("an element has attributes")
        if len(self._path) > DEEPEST or self._elements > MOST_ELEMENTS:
            raise UnreadableError("too deep, or too many elements")
        if len(self._path) == 1 and name != "xml":
            raise UnreadableError("its root is not <xml>")

    def text(self, words: str) -> None:
        self._text.append(words)

    def end(self, name: str) -> None:
        words = "".join(self._text).strip()
        self._text.clear()
        depth = len(self._path)
        self._path.pop()
        if not words:
            return
        if depth == 2 and name in self.fields:  # noqa: PLR2004  # a field of the message itself
            raise UnreadableError("a field stands twice")
        self.fields.setdefault(name, words)


def _refuse_doctype(*_: object) -> None:
    raise UnreadableError("a document type")


def _refuse_instruction(*_: object) -> None:
    raise UnreadableError("a processing instruction")


def _degrees(fields: dict[str, str], name: str, most: float) -> float | None:
    """None where it does not stand, or cannot be on Earth."""
    raw = fields.get(name, "")
    if not raw or len(raw) > _LONGEST_NUMBER:
        return None
    try:
        degrees = float(raw)
    except ValueError:
        return None
    return degrees if abs(degrees) <= most else None
