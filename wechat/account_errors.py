"""What WeChat's API answers when it does not do what it is asked, as named exceptions."""


class WechatError(Exception):
    """WeChat's API refused."""

    def __init__(self, code: int = 0, words: str = "") -> None:
        super().__init__(f"{type(self).__doc__} (errcode {code}: {words[:120]})")
        self.code = code


class UnreachableError(WechatError):
    """WeChat's API does not answer, or not in JSON: check the network and ZHIBO_WECHAT_API."""


class TokenRefusedError(WechatError):
    """The access token is no longer valid."""


class BadAppIdError(WechatError):
    """WeChat does not know this AppID: check ZHIBO_WECHAT_APP_ID."""


class BadSecretError(WechatError):
    """The AppSecret is wrong: check ZHIBO_WECHAT_SECRET, and whether it was reset."""


class AddressNotAllowedError(WechatError):
    """This machine's address is not on the account's IP whitelist (开发接口管理)."""


class NotAuthorisedError(WechatError):
    """The account has no right to this interface (未认证或未开通)."""


class QuotaUsedUpError(WechatError):
    """The interface's calls of today are used up."""


class TooFastError(WechatError):
    """The interface is called too often in a minute."""


class BusyError(WechatError):
    """WeChat is busy."""


class ReplyWindowClosedError(WechatError):
    """The citizen has not written within 48 hours."""


class ReplyCountUsedUpError(WechatError):
    """The citizen must write again before we may."""


class NotFollowingError(WechatError):
    """The citizen does not follow the account."""


class NoConsentError(WechatError):
    """The citizen has not agreed to this notice, or has used the consent up."""


class UnknownCitizenError(WechatError):
    """There is no such openid in this account."""


class BadCodeError(WechatError):
    """The code of a sign-in is wrong or was used."""


class BadMenuError(WechatError):
    """The menu breaks a rule of WeChat's."""


class BadContentError(WechatError):
    """The content is too long, empty or refused."""


_BUSY, _QUOTA, _FAST = -1, 45009, 45011
_BY_CODE: dict[int, type[WechatError]] = {
    _BUSY: BusyError,
    40001: TokenRefusedError,
    40014: TokenRefusedError,
    42001: TokenRefusedError,
    40013: BadAppIdError,
    41002: BadAppIdError,
    40125: BadSecretError,
    41004: BadSecretError,
    40164: AddressNotAllowedError,
    48001: NotAuthorisedError,
    50001: NotAuthorisedError,
    _QUOTA: QuotaUsedUpError,
    _FAST: TooFastError,
    45015: ReplyWindowClosedError,
    45047: ReplyCountUsedUpError,
    43004: NotFollowingError,
    43101: NoConsentError,
    40003: UnknownCitizenError,
    40029: BadCodeError,
    40163: BadCodeError,
    45002: BadContentError,
    87014: BadContentError,
    **dict.fromkeys(range(40015, 40028), BadMenuError),
    **dict.fromkeys((65301, 65303, 65317), BadMenuError),
}


def named(code: int, words: str) -> WechatError:
    """The exception for an errcode; a code nobody has met is a plain WechatError."""
    return _BY_CODE.get(code, WechatError)(code, words)
