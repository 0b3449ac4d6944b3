"""One-time codes: as the RFC has them, each taken once."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from occupancy import second_factor
from occupancy.second_factor import STEP_SECONDS, code_at, find_step

# RFC 6238, appendix B (SHA-1), its last six digits.
RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
RFC_CODES = {
    59: "287082",
    1_111_111_109: "081804",
    1_111_111_111: "050471",
    1_234_567_890: "005924",
    2_000_000_000: "279037",
    20_000_000_000: "353130",
}
times_ms = st.integers(1_000_000_000_000, 4_000_000_000_000)


def test_the_codes_of_the_rfc() -> None:
    told = {at: code_at(RFC_SECRET, at // STEP_SECONDS) for at in RFC_CODES}
    assert told == RFC_CODES


@given(times_ms)
def test_a_code_is_taken_once(now_ms: int) -> None:
    code = code_at(RFC_SECRET, second_factor.step_at(now_ms))
    step = find_step(RFC_SECRET, code, now_ms, last_step=0)
    assert step is not None
    assert find_step(RFC_SECRET, code, now_ms, last_step=step) is None


@given(times_ms)
def test_a_code_ends_with_its_step(now_ms: int) -> None:
    old = code_at(RFC_SECRET, second_factor.step_at(now_ms) - 1)
    new = code_at(RFC_SECRET, second_factor.step_at(now_ms))
    found = find_step(RFC_SECRET, old, now_ms, last_step=0)
    assert found is None or old == new


def test_letters_are_no_code() -> None:
    assert find_step(RFC_SECRET, "十二万三千", 59_000, last_step=0) is None


def test_a_recovery_code_is_read_as_people_type_it() -> None:
    code = second_factor.make_recovery_codes()[0]
    assert second_factor.hash_code(f" {code[:4].upper()}-{code[4:]} ") == second_factor.hash_code(
        code
    )


def test_recovery_codes_are_ten_and_all_other() -> None:
    codes = second_factor.make_recovery_codes()
    assert len(set(codes)) == 10
    assert {len(code) for code in codes} == {24}  # of 32 letters: 120 bits


def test_an_app_reads_the_address() -> None:
    link = second_factor.address("ABC", "li.ming")
    assert link.startswith("otpauth://totp/")
    assert link.endswith(":li.ming?secret=ABC&issuer=%E4%B8%89%E6%B0%B4%E6%99%BA%E6%B3%8A")
