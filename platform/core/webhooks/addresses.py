"""Where a webhook may go: http(s) and public addresses, so that nobody reaches our own network through us.

Networks that are allowed beside those are in WEBHOOK_NETWORKS (tools inside the company; the embedded stack's own).
"""

from __future__ import annotations

import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

RESOLVE_S = 5
LONGEST = 500
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_resolver = ThreadPoolExecutor(4, thread_name_prefix="resolve")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class BadAddressError(ValueError):
    """Nothing is sent there; `code` is stable, the message is for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Target:
    """A checked URL. `host` is a name in ASCII, or an address."""

    tls: bool
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


def target_of(url: str) -> Target:
    """Read a URL; an address in it must be allowed. Names are looked up when something is sent, not here.

    Raises:
        BadAddressError: not http(s), a login in it, no host, or an address that is not allowed.
    """
    if len(url) > LONGEST or not url.isprintable() or " " in url:
        raise BadAddressError("bad_url", f"A URL of at most {LONGEST} characters, without blanks.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host = host if ":" in host else host.encode("idna").decode()
    except (ValueError, UnicodeError) as error:
        raise BadAddressError("bad_url", "This is not a URL like https://tool.example.com/hook.") from error
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise BadAddressError("bad_url", "The URL must begin with https:// (or http://) and a host.")
    if parts.username is not None or parts.password is not None:
        raise BadAddressError("bad_url", "No name or password in the URL: what we send is signed instead.")
    if not parts.path.isascii() or not parts.query.isascii():
        raise BadAddressError("bad_url", "Write the path in ASCII (%-encoded).")
    if (address := _literal(host)) is not None:
        check(address)
    tls = parts.scheme == "https"
    path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    return Target(tls, host, port or (443 if tls else 80), path)


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def resolve(target: Target) -> str:
    """The address to connect to. All that the name stands for must be allowed: no mixture of public and private.

    Raises:
        BadAddressError: unknown name, or an address that is not allowed.
    """
    asked = _resolver.submit(socket.getaddrinfo, target.host, target.port, type=socket.SOCK_STREAM)
    try:
        found = [str(entry[4][0]) for entry in asked.result(RESOLVE_S)]
    except (OSError, UnicodeError, TookTooLong) as error:
        raise BadAddressError("unknown_host", f"The name {target.host} cannot be resolved.") from error
    for text in found:
        check(ipaddress.ip_address(text.partition("%")[0]))
    return found[0]


def check(address: Address) -> None:
    """Raises BadAddressError."""
    real = _inner(address)
    networks = [ipaddress.ip_network(text, strict=False) for text in settings.WEBHOOK_NETWORKS]
    if any(real.version == network.version and real in network for network in networks):
        return
    if not real.is_global or real.is_multicast or real.is_reserved:
        words = f"{address} is not a public address. Networks of our own that may be reached are in WEBHOOK_NETWORKS."
        raise BadAddressError("address_not_allowed", words)


def _inner(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one that leads there."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)
