"""Refuse hosts that lead into our own network: loopback, private, link-local, metadata."""

import ipaddress
import socket


class AddressRefused(ValueError):
    """A host is not a public one; names it and why."""


def check_public_host(host: str, *, allow_private: bool) -> list[str]:
    """
    Resolve a host and return its addresses if every one of them is public.

    All count, not only the first: a name with one public and one private address is how a
    guard is passed by. Numbers in decimal, octal or hexadecimal are refused unread.

    :raises AddressRefused: for a private, reserved or unresolvable host.
    """
    name = host.strip("[]").rstrip(".").lower()
    if not name:
        raise AddressRefused("host: the address names no host.")
    try:
        addresses = {str(ipaddress.ip_address(name))}
    except ValueError:
        if _looks_like_a_number(name):
            raise AddressRefused(
                f"host: write {host} as a plain dotted address or a name."
            ) from None
        addresses = _resolve(name)
    if not allow_private:
        for address in addresses:
            if not is_public(address):
                raise AddressRefused(f"host: {host} leads to {address}, which is not public.")
    return sorted(addresses)


def is_public(address: str) -> bool:
    """Say whether an address may be reached from here; IPv4 inside IPv6 counts as itself."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour
        if inner is not None:
            return is_public(str(inner))
        if parsed in ipaddress.ip_network("64:ff9b::/96"):
            return is_public(str(ipaddress.ip_address(int(parsed) & 0xFFFFFFFF)))
    return parsed.is_global and not parsed.is_multicast


def _looks_like_a_number(name: str) -> bool:
    final = name.rsplit(".", 1)[-1]
    return final.isdigit() or final.startswith("0x")


def _resolve(name: str) -> set[str]:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressRefused(f"host: {name} cannot be resolved ({error}).") from error
    return {str(entry[4][0]) for entry in found}
