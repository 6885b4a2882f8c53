"""How often a client may call: one allowance per client, sized by its roles, counted in Redis."""

import logging
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from .clients import address_of, client_of

if TYPE_CHECKING:
    from redis.commands.core import Script

logger = logging.getLogger(__name__)

# Generic cell rate algorithm: the stored number is when the allowance is whole again. Reading,
# deciding and writing are one step inside Redis, on Redis's clock, so that no two processes can
# both spend the last request.
_SPEND = """
local limit, period, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local interval = period / limit
local whole_at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local after = whole_at + cost * interval
local wait = after - period - now
if wait > 0.000001 then
  local remaining = math.floor((now + period - whole_at) / interval + 0.000001)
  return {0, remaining, tostring(whole_at - now), tostring(wait)}
end
redis.call('SET', KEYS[1], string.format('%.6f', after), 'PX', math.ceil((after - now) * 1000))
return {1, math.floor((now + period - after) / interval + 0.000001), tostring(after - now), '0'}
"""


@dataclass(frozen=True)
class Allowance:
    """
    What is left to a client after this request.

    limit           requests that fit into one period at once.
    remaining       requests that may still be sent at once.
    reset_seconds   until the allowance is whole again.
    wait_seconds    until this request would have been let through; 0 if it was.
    """

    limit: int
    remaining: int
    reset_seconds: float
    wait_seconds: float

    @property
    def granted(self) -> bool:
        return self.wait_seconds == 0

    def headers(self) -> dict[str, str]:
        """Return the `RateLimit-*` fields of draft-ietf-httpapi-ratelimit-headers (03 to 07)."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(math.ceil(self.reset_seconds)),
        }


@lru_cache(maxsize=1)
def _script() -> "Script":
    from redis import Redis  # slow to import, and DRF imports this module at start-up

    connection = Redis.from_url(settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5)
    return connection.register_script(_SPEND)


def spend(name: str, *, limit: int, period_seconds: int, cost: int = 1) -> Allowance:
    """
    Take requests from a client's allowance, atomically over all processes.

    :raises redis.RedisError: if Redis does not answer within half a second.
    """
    granted, remaining, reset, wait = _script()(
        keys=[f"{settings.REDIS_PREFIX}:throttle:{name}"], args=[limit, period_seconds, cost]
    )
    # A wait that rounds to nothing is still a refusal.
    wait_seconds = 0.0 if granted else max(float(wait), 0.001)
    return Allowance(limit, max(int(remaining), 0), float(reset), wait_seconds)


class ClientThrottle(BaseThrottle):
    """
    Throttle by authenticated client, and strangers by address; a view may say `throttle_cost`.

    While Redis is away requests pass unthrottled, with an error in the log: a trade or a
    schedule must not wait for a counter.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        from redis import RedisError

        client = client_of(request)
        limit, period_seconds = rate_of(request)
        cost = getattr(view, "throttle_cost", 1)
        try:
            allowance = spend(
                client or f"address:{address_of(request)}",
                limit=limit,
                period_seconds=period_seconds,
                cost=cost,
            )
        except RedisError:
            logger.exception("throttle_unavailable")
            return True
        self._wait = allowance.wait_seconds
        request._request.api_allowance = allowance
        return allowance.granted

    def wait(self) -> float:
        return float(math.ceil(self._wait))


def rate_of(request: Request) -> tuple[int, int]:
    """Return (requests, seconds) of the caller: the best of its roles, else default."""
    rates: dict[str, tuple[int, int]] = settings.API_THROTTLE_RATES
    if not client_of(request):
        return rates["anonymous"]
    of_roles = [rates[role] for role in _roles(request.user) if role in rates]
    return max([*of_roles, rates["default"]], key=lambda rate: rate[0] / rate[1])


def _roles(user: Any) -> list[str]:
    """Return the names of a user's groups, remembered for a minute."""
    from redis import RedisError

    name = f"api:roles:{user.pk}"
    try:
        roles: list[str] | None = cache.get(name)
        if roles is None:
            roles = list(user.groups.values_list("name", flat=True))
            cache.set(name, roles, 60)
    except RedisError:
        logger.exception("throttle_roles_unavailable")
        return []
    return roles
