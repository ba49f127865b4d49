"""Where a request comes from: the names that this server answers to, and the pages that may post to it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import Request


@dataclass(frozen=True)
class Origins:
    """``hosts``: names beside loopback, in lower case. ``public``: the origin that people see behind a proxy."""

    hosts: Collection[str]
    public: str = ""

    def knows(self, header: str) -> bool:
        """True where the name in a ``Host`` header is ours: a foreign name could lead here and read our pages."""
        name = host_name(header)
        return is_loopback(name) or name in self.hosts

    def is_foreign(self, request: Request) -> bool:
        """True where a browser says that another site's page asks; programs say nothing."""
        if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return True
        said = request.headers.get("origin")
        if said is None:
            return False
        host = request.headers.get("host", "").casefold()
        return said.casefold() not in (f"http://{host}", f"https://{host}", self.public)


def origins(listen: str, hosts: Collection[str], public_url: str | None) -> Origins:
    public = urlsplit(public_url or "")
    names = (listen, public.hostname or "", *map(host_name, hosts))
    known = frozenset(name.casefold() for name in names if name)
    return Origins(known, f"{public.scheme}://{public.netloc}".casefold() if public_url else "")


def host_name(header: str) -> str:
    """The name in a ``Host`` header, without its port.

    >>> host_name("Metrics.Example:8050"), host_name("[::1]:8050"), host_name("127.0.0.1")
    ('metrics.example', '::1', '127.0.0.1')
    """
    if header.startswith("["):
        return header[1:].partition("]")[0].casefold()
    return header.partition(":")[0].rstrip(".").casefold()


def is_loopback(name: str) -> bool:
    """True for names that only this machine answers to.

    >>> is_loopback("localhost"), is_loopback("127.0.0.2"), is_loopback("0.0.0.0"), is_loopback("localhost.example")
    (True, True, False, False)
    """
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
