"""Who is calling, as throttles and idempotency keys count: the credential, never a header."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request


def client_of(request: Request) -> str:
    """
    Return a stable name for the authenticated caller, "" for a stranger.

    A token names its client (`request.auth.client_id`), so that one partner's two tokens share
    one allowance; a session names its user.
    """
    client_id = getattr(request.auth, "client_id", None)
    if client_id:
        return f"client:{client_id}"
    if request.user is not None and request.user.is_authenticated:
        return f"user:{request.user.pk}"
    return ""


def address_of(request: HttpRequest | Request) -> str:
    """
    Return the peer's address; behind n trusted proxies, what the outermost of them saw.

    Each trusted proxy appends to X-Forwarded-For, so the n-th entry from the right is the first
    that was not written by the caller. An IPv6 peer counts as its /64, which is what one
    household or server gets.
    """
    peer = request.META.get("REMOTE_ADDR") or "unknown"
    proxies: int = settings.API_TRUSTED_PROXY_COUNT
    if proxies:
        hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        if len(hops) >= proxies:
            peer = hops[-proxies] or peer
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return str(request.META.get("REMOTE_ADDR") or "unknown")
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
