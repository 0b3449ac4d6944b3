"""Whose request this is: the peer, or what a proxy that we trust says of its own peer."""

import ipaddress
from collections.abc import Sequence

from aiohttp import web

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
FORWARDED = "X-Forwarded-For"
PROXIES: web.AppKey[Sequence[Network]] = web.AppKey("proxies", Sequence)


def networks(raw: str) -> tuple[Network, ...]:
    """`127.0.0.1, 10.0.0.0/8` as networks. Raises ValueError."""
    return tuple(ipaddress.ip_network(one.strip()) for one in raw.split(",") if one.strip())


def client_address(request: web.Request) -> str:
    """The nearest address on the way that is no proxy of ours; what it says itself is not heard."""
    return nearest_stranger(
        request.remote or "", request.headers.getall(FORWARDED, []), request.app.get(PROXIES, ())
    )


def nearest_stranger(peer: str, forwarded: Sequence[str], proxies: Sequence[Network]) -> str:
    """Each proxy adds its own peer at the end, so they are read from there."""
    hops = [hop.strip() for line in forwarded for hop in line.split(",") if hop.strip()]
    address = peer
    while _is_within(address, proxies) and hops:
        address = hops.pop()
    return address


def is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _is_within(address: str, proxies: Sequence[Network]) -> bool:
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(known in network for network in proxies if network.version == known.version)
