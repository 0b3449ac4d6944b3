"""What a password must be, as the setting says; what is common is judged elsewhere."""

from collections.abc import Callable

import msgspec

LEAST_LETTERS, MOST_LETTERS = 12, 128
LEAST_DIFFERENT = 5
_KINDS: tuple[Callable[[str], bool], ...] = (
    str.islower,
    str.isupper,
    str.isdigit,
    lambda mark: not mark.isalnum(),
)


class PasswordRules(msgspec.Struct, frozen=True):
    """`kinds`: of small and capital letters, digits and other marks at least so many.

    `days`: after so many it must be changed; 0: never.
    """

    kinds: int = 0
    days: int = 0

    def is_over(self, age_days: float) -> bool:
        return 0 < self.days <= age_days

    @property
    def words(self) -> str:
        """For whoever chooses one."""
        told = f"{LEAST_LETTERS} 到 {MOST_LETTERS} 个字符，不含用户名，不用常见密码"
        if self.kinds > 1:
            told += f"；小写、大写字母、数字、符号至少 {self.kinds} 种"
        return f"{told}；每 {self.days} 天更换" if self.days else told


ASVS = PasswordRules()  # long and not common; no composition, no change without a reason
COMPLEX_KINDS = 3


def find_flaw(password: str, name: str, rules: PasswordRules) -> str | None:
    """Why nobody of this name should have it, in Chinese; None: so far it will do."""
    if not LEAST_LETTERS <= len(password) <= MOST_LETTERS:
        return f"密码要 {LEAST_LETTERS} 到 {MOST_LETTERS} 个字符，现在是 {len(password)} 个"
    if name.casefold() in password.casefold():
        return "密码里不要有用户名"
    if len(set(password)) < LEAST_DIFFERENT:
        return f"至少要有 {LEAST_DIFFERENT} 种不同的字符"
    if sum(any(map(kind, password)) for kind in _KINDS) < rules.kinds:
        return f"小写字母、大写字母、数字、符号里至少要有 {rules.kinds} 种"
    return None
