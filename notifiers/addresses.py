"""Which addresses may be dialled: the check is made on the address itself, after the name was resolved."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_TRANSLATED = ipaddress.IPv6Network("64:ff9b:1::/48")
_EMBEDDED = ipaddress.IPv6Network("::/96")
# Public by number, but answered by the cloud's own platform service.
_PLATFORM = frozenset({ipaddress.IPv4Address("168.63.129.16")})


class RefusedAddress(OSError):
    """The name leads to an address that is not on the public internet."""


def dial(host: str, port: int, timeout_s: float, allow_loopback: bool = False) -> socket.socket:
    """A connected socket to the first public address of ``host``. Raises RefusedAddress, OSError.

    Resolved once, checked, and that very address is dialled: a name that changes between check and use changes
    nothing. One forbidden address among several refuses them all.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_, target in found:
        if not is_allowed(str(target[0]), allow_loopback):
            raise RefusedAddress(f"the address of {host} is not public")
    failure = OSError(f"{host} has no address")
    for family, kind, protocol, _, target in found:
        connection = socket.socket(family, kind, protocol)
        connection.settimeout(timeout_s)
        try:
            connection.connect(target)
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    raise failure


def is_allowed(text: str, allow_loopback: bool = False) -> bool:
    """Whether the address is on the public internet, also where it hides an IPv4 address inside.

    >>> [is_allowed(text) for text in ("93.184.216.34", "10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1")]
    [True, False, False, False]
    """
    address = _innermost(ipaddress.ip_address(text.partition("%")[0]))
    if address.is_loopback:
        return allow_loopback
    if address in _PLATFORM or address.is_multicast or address.is_reserved or address.is_unspecified:
        return False
    if isinstance(address, ipaddress.IPv6Address) and (address.is_site_local or address in _TRANSLATED):
        return False
    return address.is_global


def is_https_or_loopback(url: str) -> bool:
    """Whether a secret may travel there: https, or plain http to this very machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme == "https":
        return bool(host)
    return parts.scheme == "http" and (host == "localhost" or _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _innermost(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one (mapped, compatible, NAT64, 6to4, Teredo), else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour or address
    if address.teredo:
        return address.teredo[1]
    if address in _NAT64 or (address in _EMBEDDED and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
