"""Who may do what, and to which car parks: one table of roles and permissions."""

from collections.abc import Collection, Mapping
from enum import StrEnum

import msgspec


class Permission(StrEnum):
    """One thing that may be done."""

    SEE = "see"  # the live pages
    CALIBRATE = "calibrate"
    CLOSE = "close"  # and reserve
    OVERRIDE_SIGN = "override_sign"
    ACKNOWLEDGE = "acknowledge"
    EDIT_RULES = "edit_rules"
    DRAFT_TARIFF = "draft_tariff"
    APPROVE_TARIFF = "approve_tariff"
    EDIT_CALENDAR = "edit_calendar"
    EDIT_LOTS = "edit_lots"  # facts of car parks: names, places, limits, thresholds
    JOIN_LOTS = "join_lots"  # bring car parks in, take them out
    EXPERIMENT = "experiment"  # with guidance: plan, start, stop
    EDIT_SITES = "edit_sites"  # of the construction plan
    EXPORT = "export"
    PUBLISH_REPORT = "publish_report"  # correct one, and set when one is sent
    SEE_AUDIT = "see_audit"
    STUDY = "study"  # try a change out in a simulated town
    MANAGE_USERS = "manage_users"
    SEE_SETTINGS = "see_settings"


class Role(StrEnum):
    """What a person is here for."""

    OPERATOR = "operator"  # on duty
    MANAGER = "manager"  # answers for car parks
    APPROVER = "approver"  # the second person for prices
    PLANNER = "planner"  # reads, keeps the construction plan, and experiments
    AUDITOR = "auditor"  # reads the log, nothing else
    ADMIN = "admin"


_READ = frozenset({Permission.SEE, Permission.EXPORT})
_DUTY = _READ | {
    Permission.CALIBRATE,
    Permission.CLOSE,
    Permission.OVERRIDE_SIGN,
    Permission.ACKNOWLEDGE,
}
ROLES: Mapping[Role, frozenset[Permission]] = {
    Role.OPERATOR: _DUTY,
    Role.MANAGER: _DUTY
    | {
        Permission.EDIT_RULES,
        Permission.DRAFT_TARIFF,
        Permission.EDIT_CALENDAR,
        Permission.EDIT_LOTS,
        Permission.JOIN_LOTS,
        Permission.STUDY,
    },
    Role.APPROVER: _READ
    | {Permission.DRAFT_TARIFF, Permission.APPROVE_TARIFF, Permission.SEE_AUDIT},
    Role.PLANNER: _READ
    | {
        Permission.EDIT_SITES,
        Permission.EXPERIMENT,
        Permission.PUBLISH_REPORT,
        Permission.STUDY,
    },
    Role.AUDITOR: frozenset({Permission.SEE_AUDIT}),
    Role.ADMIN: frozenset(Permission),
}
# Whoever may change who may do what proves himself twice.
NEEDS_SECOND_FACTOR = frozenset({Role.ADMIN})


class ForbiddenError(Exception):
    """This person may not do this, or not to this car park; the message names both."""

    def __init__(self, person: "Person", permission: Permission, lots: Collection[str]) -> None:
        self.person = person
        self.permission = permission
        self.lots = tuple(lots)
        where = f" at {', '.join(self.lots)}" if self.lots else ""
        super().__init__(
            f"{person.name} ({person.role.value}) may not {permission.value}{where}; "
            "an administrator can change role and car parks"
        )


class Person(msgspec.Struct, frozen=True):
    """Who acts; `lots` empty is every car park."""

    name: str
    role: Role
    lots: tuple[str, ...] = ()

    def may(self, permission: Permission, lot_id: str = "") -> bool:
        """Whether he may; without a car park: whether he may at all."""
        return permission in ROLES[self.role] and (
            not lot_id or not self.lots or lot_id in self.lots
        )

    def require(self, permission: Permission, lot_id: str = "") -> None:
        """Raises ForbiddenError."""
        if not self.may(permission, lot_id):
            raise ForbiddenError(self, permission, [lot_id] if lot_id else [])

    def covers(self, lots: Collection[str]) -> bool:
        """Whether he answers for every one of them."""
        return not self.lots or set(lots) <= set(self.lots)

    def require_all(self, permission: Permission, lots: Collection[str]) -> None:
        """What several car parks share is for who holds them all. Raises ForbiddenError."""
        self.require(permission)
        if not self.covers(lots):
            raise ForbiddenError(self, permission, [lot for lot in lots if lot not in self.lots])
