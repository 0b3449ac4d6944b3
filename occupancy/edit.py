"""Why an operator's edit may be refused: no reason, a bad field, somebody else was faster."""

LONGEST_REASON = 500


class BadEditError(Exception):
    """One field is not as it must be; the words stand beside it and name the way out."""

    def __init__(self, field: str, words: str) -> None:
        self.field = field
        self.words = words
        super().__init__(f"{field}: {words}")


class StaleEditError(Exception):
    """Somebody changed the thing meanwhile: `mine` is what was to be kept, `theirs` what is."""

    def __init__(self, mine: object, theirs: object) -> None:
        self.mine = mine
        self.theirs = theirs
        super().__init__("他人已修改，请核对两个版本后重新提交")


class SettledError(Exception):
    """The thing is past the step at which this could be done; the words say where it stands."""


class SamePersonError(Exception):
    """Whoever wrote a thing does not approve it: a second person must."""


def require_reason(reason: str) -> str:
    """The reason without blanks around it. Raises BadEditError."""
    return require_text("reason", reason, LONGEST_REASON, "请填写原因，如“发改局2026年第12号文”")


def require_text(field: str, text: str, most: int, missing: str) -> str:
    """Text that PostgreSQL can keep, of one to `most` characters. Raises BadEditError."""
    stripped = text.strip()
    if not stripped:
        raise BadEditError(field, missing)
    if len(stripped) > most:
        raise BadEditError(field, f"最多 {most} 个字，现有 {len(stripped)} 个，请缩短")
    if any(is_unkeepable(mark) for mark in stripped):
        raise BadEditError(field, "含有不可保存的控制字符，请删去后重新输入")
    return stripped


def is_unkeepable(mark: str) -> bool:
    """Nought and half a surrogate pair: no UTF-8 text of PostgreSQL holds them."""
    return mark == "\0" or "\ud800" <= mark <= "\udfff"
