import pytest

from occupancy.edit import LONGEST_REASON, BadEditError, StaleEditError, require_reason


def test_a_reason_is_kept_without_blanks_around_it() -> None:
    assert require_reason(" 发改局来文\n") == "发改局来文"
    assert len(require_reason("字" * LONGEST_REASON)) == LONGEST_REASON


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("", "请填写原因"),
        (" \n", "请填写原因"),
        ("字" * (LONGEST_REASON + 1), "最多 500 个字"),
        ("a\0b", "控制字符"),
        ("a\ud800", "控制字符"),
    ],
)
def test_a_bad_reason_is_told_beside_its_field(reason: str, words: str) -> None:
    with pytest.raises(BadEditError, match=words) as refused:
        require_reason(reason)
    assert refused.value.field == "reason"


def test_a_stale_edit_carries_both() -> None:
    conflict = StaleEditError("mine", "theirs")
    assert (conflict.mine, conflict.theirs) == ("mine", "theirs")
