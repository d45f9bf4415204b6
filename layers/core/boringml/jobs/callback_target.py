"""Which URLs callbacks may go to: https to addresses of the public internet, and no others.

A name is judged by what it resolves to, all of it, and the connection is made to an address that
was judged, so that a name which changes its answer in between changes nothing.
"""

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from boringml.errors import BoringError

# Host and port -> every address that the name has.
Resolve: TypeAlias = Callable[[str, int], Sequence[str]]
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_URL_LENGTH: Final = 2048
PORTS: Final = frozenset({443, 8443})

# IANA IPv4 Special-Purpose Address Registry, multicast and reserved space. `is_global` of Python's
# ipaddress lacks some of them, more in older releases.
_CLOSED_V4: Final = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network, unspecified
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by carriers (CGNAT)
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, instance metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
# IPv6 the other way round: what is not global unicast is closed, and so IPv4-mapped, NAT64, local
# and multicast addresses are.
_OPEN_V6: Final = ipaddress.IPv6Network("2000::/3")
# Parts of it that are special, or that carry an IPv4 address.
_CLOSED_V6: Final = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
)
_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+")
_LABEL: Final = r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)"
_NAME: Final = re.compile(rf"{_LABEL}(\.{_LABEL})+")
# What resolvers take for a number: the last label decides, as in the URL standard's host parser.
_NUMBER: Final = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")


@dataclass(frozen=True)
class Place:
    """A URL that is well-formed and of an allowed kind: what is asked, and of whom."""

    scheme: str
    host: str
    port: int
    # Path and query.
    path: str


@dataclass(frozen=True)
class Target:
    """A place, and the addresses that were judged: connect to these, never to the name."""

    place: Place
    addresses: tuple[str, ...]


def judge(url: str, resolve: Resolve, *, loopback: bool) -> Target:
    """Return where a callback to `url` goes.

    `resolve` is asked once, for a name only. `loopback` is for the local AWS: then loopback
    addresses are open too, by http as well, on any port; all else is as strict.
    Raises BoringError `callback_url_refused` (422), whose message says what is wrong.
    """
    place = parse(url, loopback=loopback)
    literal = _literal(place.host)
    found = (
        [str(literal)]
        if literal is not None
        else list(dict.fromkeys(resolve(place.host, place.port)))
    )
    if not found:
        raise refused(f"{place.host} has no address")
    judged = [_judged(text, place.host, loopback=loopback) for text in found]
    usual = place.scheme == "https" and place.port in PORTS
    # Only loopback may be spoken to in another way.
    if not (usual or all(address.is_loopback for address in judged)):
        raise refused(f"{place.host} is not this machine: only https on {_ports()} goes there")
    return Target(place, tuple(map(str, judged)))


def parse(url: str, *, loopback: bool) -> Place:
    """Return the parts of a URL. Raises BoringError `callback_url_refused`."""
    if len(url) > MAX_URL_LENGTH:
        raise refused(f"it has more than {MAX_URL_LENGTH} characters")
    # urlsplit drops tabs and ends of lines: what is judged must be what is written.
    if not _PRINTABLE.fullmatch(url) or "\\" in url:
        raise refused("it has characters that no URL has: write a name in its xn-- form")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise refused(str(error)) from error
    if parts.scheme not in (("https", "http") if loopback else ("https",)):
        raise refused("it is not https")
    if "@" in parts.netloc:
        raise refused("it has a user or a password in it")
    if parts.fragment or "#" in url:
        raise refused("it has a fragment")
    if not host:
        raise refused("it has no host")
    if port is None and parts.netloc.endswith(":"):
        raise refused("its port is empty")
    port = port if port is not None else {"https": 443, "http": 80}[parts.scheme]
    if not (port in PORTS or (loopback and port)):
        raise refused(f"its port is not one of {_ports()}")
    if (
        _literal(host) is None
        and not _NAME.fullmatch(host)
        and not (loopback and host == "localhost")
    ):
        raise refused(f"{host!r} is no full name")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(parts.scheme, host, port, path)


def is_open(address: Address) -> bool:
    """Return whether an address is one of the public internet."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _CLOSED_V4)
    return address in _OPEN_V6 and not any(address in network for network in _CLOSED_V6)


def refused(why: str) -> BoringError:
    """Return the refusal of a URL. It does not repeat the URL, which may hold a token."""
    return BoringError("callback_url_refused", f"The callback URL is refused: {why}.", 422)


def _literal(host: str) -> Address | None:
    """Return the address that a host is, or None for a name.

    Raises BoringError for what is an address to some and not to others: decimal, octal, hex, short.
    """
    if ":" in host:
        if "%" in host:
            raise refused("its address has a zone")
        try:
            return ipaddress.IPv6Address(host)
        except ValueError as error:
            raise refused(f"{host!r} is no address") from error
    if not _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        return None
    try:
        return ipaddress.IPv4Address(host)
    except ValueError as error:
        raise refused(f"{host!r} is no address of four decimal parts") from error


def _judged(text: str, host: str, *, loopback: bool) -> Address:
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        raise refused(f"{host} resolves to what is no address") from error
    if is_open(address) or (loopback and address.is_loopback):
        return address
    raise refused(f"{host} leads to {address}, which is no address of the public internet")


def _ports() -> str:
    return " and ".join(map(str, sorted(PORTS)))
