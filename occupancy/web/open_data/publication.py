"""Whose data this is, and on which terms it may be used."""

import msgspec

OWNER = "三水区城市管理和综合执法局"
UNCONFIRMED = "待核实"


class Publication(msgspec.Struct, frozen=True):
    """What every open document says of itself; the licence is a placeholder until somebody decides.

    `public_url` is the service's address as citizens see it, "" where nobody has said it.
    """

    owner: str = OWNER
    licence: str = UNCONFIRMED
    licence_url: str = ""
    public_url: str = ""

    @property
    def terms(self) -> str:
        """The licence in one text field."""
        return f"{self.licence} {self.licence_url}".strip()

    def address_of(self, path: str) -> str:
        """The whole address of a page of ours; "" while the service does not know its own."""
        return f"{self.public_url.rstrip('/')}{path}" if self.public_url else ""


UNKNOWN_TERMS = Publication()
