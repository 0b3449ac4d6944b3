"""One Redis user a gateway or receiver: it writes its own streams, and reads what is meant for it.

Lines of an ACL file (`aclfile` of redis.conf). Streams are write-only: of what reads them only
XINFO is allowed, which tells the last id and not what stands there.
"""

import hashlib
from collections.abc import Sequence

from gateway import stream

USER = "gateway-{lot_id}"
RECEIVER = "receiver-{name}"
_COMMANDS = (
    "+@connection",
    "+time",
    "+cluster|slots",  # where on a cluster its keys lie
    "+xadd",
    "+xinfo|stream",
    "+del",
    "+get",
    "+set",
    "+hgetall",
)
LEAST_PASSWORD = 20
SERVICE, REPLICA, SENTINEL, KEEPER = "service", "replica", "sentinel", "keeper"
_SENTINEL_COMMANDS = (
    "+multi",
    "+slaveof",
    "+ping",
    "+exec",
    "+subscribe",
    "+config|rewrite",
    "+role",
    "+publish",
    "+info",
    "+client|setname",
    "+client|kill",
    "+script|kill",
)
_ASKING = ("+@connection", "+sentinel|masters", "+sentinel|get-master-addr-by-name", "+role")


def user_line(name: str, password: str) -> str:
    """The line of any of the users above, by its name."""
    known = {REPLICA: replica_line, SENTINEL: sentinel_line, KEEPER: keeper_line}
    if name == SERVICE:
        return service_line(SERVICE, password)
    if name in known:
        return known[name](password)
    return gateway_line(name.removeprefix(USER.format(lot_id="")), password)


def gateway_line(lot_id: str, password: str) -> str:
    """The user of one gateway. Raises ValueError for a password somebody could guess."""
    return _writer_line(USER.format(lot_id=lot_id), [lot_id], password)


def receiver_line(name: str, lots: Sequence[str], password: str) -> str:
    """The user of one process that writes several car parks. Raises ValueError as above."""
    return _writer_line(RECEIVER.format(name=name), lots, password)


def service_line(name: str, password: str) -> str:
    """A user of our own servers (web, recorder): all our keys, nothing that runs the server."""
    rules = ["~zhibo:*", "&zhibo:*", "+@all", "-@admin", "-@dangerous", "+info", "+client", "+keys"]
    return _line(name, password, rules)


def replica_line(password: str) -> str:
    """Who a replica is at its primary (`masteruser`): it may follow, and read nothing by a key."""
    return _line(REPLICA, password, ["-@all", "+psync", "+replconf", "+ping"])


def sentinel_line(password: str) -> str:
    """Who a sentinel is at the servers it watches (`sentinel auth-user`), as Redis names it."""
    return _line(SENTINEL, password, ["allchannels", "-@all", *_SENTINEL_COMMANDS])


def keeper_line(password: str) -> str:
    """A person who puts a cluster together and looks after it: no process uses this name."""
    return _line(KEEPER, password, ["~*", "&*", "+@all"])


def sentinels_own_lines(password: str) -> list[str]:
    """The list of the sentinels themselves: anybody may ask who is the primary, and nothing else.

    They are each other's `sentinel sentinel-user`.
    """
    asking = "user default on nopass resetkeys resetchannels -@all " + " ".join(_ASKING)
    return [asking, _line(SENTINEL, password, ["allchannels", "+@all"])]


def nobody_line() -> str:
    """Without a name nobody may do anything."""
    return "user default off resetkeys resetchannels -@all"


def _writer_line(user: str, lots: Sequence[str], password: str) -> str:
    if len(password) < LEAST_PASSWORD:
        raise ValueError(f"the password of {user} needs at least {LEAST_PASSWORD} characters")
    written = (stream.observations_key, stream.now_key, stream.displaced_key)
    read = (stream.recorded_key, stream.faces_key, stream.correction_key)
    keys = [f"~{key(lot)}" for lot in lots for key in written]
    keys += [f"%R~{key(lot)}" for lot in lots for key in read]
    return _line(user, password, [*keys, "-@all", *_COMMANDS])


def _line(name: str, password: str, rules: Sequence[str]) -> str:
    digest = hashlib.sha256(password.encode()).hexdigest()
    return f"user {name} on resetkeys resetchannels #{digest} {' '.join(rules)}"
