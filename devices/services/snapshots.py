"""
What a poll needs, in one Redis hash a device: its token's digest, its ETag, its document.

PostgreSQL stays the truth. Every entry dies after five minutes, so that whatever a lost
invalidation leaves behind (Redis away for a moment) does not stay long.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings

logger = logging.getLogger(__name__)
LIFETIME_SECONDS = 300
_CHUNK = 500

# A document read before a newer one was committed must not overwrite it: revisions only grow.
_FILL = """
local held = redis.call('HGET', KEYS[1], 'revision')
if held and tonumber(held) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'revision', ARGV[1], 'document', ARGV[2])
if redis.call('TTL', KEYS[1]) < 0 then redis.call('EXPIRE', KEYS[1], ARGV[3]) end
return 1
"""
_ANNOUNCE = """
for i, key in ipairs(KEYS) do
  local held = redis.call('HGET', key, 'revision')
  if not held or tonumber(held) < tonumber(ARGV[i + 1]) then
    redis.call('HSET', key, 'revision', ARGV[i + 1])
    redis.call('HDEL', key, 'document')
    if redis.call('TTL', key) < 0 then redis.call('EXPIRE', key, ARGV[1]) end
  end
end
return #KEYS
"""
_REMEMBER = """
redis.call('HSET', KEYS[1], 'token', ARGV[1])
if redis.call('TTL', KEYS[1]) < 0 then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
return 1
"""


@dataclass(frozen=True)
class Snapshot:
    """What Redis knows of a device; None where it knows nothing. Revision 0: no schedule."""

    token_sha256: str | None = None
    revision: int | None = None


@lru_cache(maxsize=1)
def _client() -> Any:  # redis-py types one class for both decoded and raw answers
    from redis import Redis  # slow to import: here and below where it is used

    return Redis.from_url(
        settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1, retry_on_timeout=False
    )


def _key(device_id: UUID) -> str:
    return f"{settings.REDIS_PREFIX}:device:{device_id}"


def read_snapshot(device_id: UUID) -> Snapshot:
    """Return what Redis knows; nothing if it does not answer."""
    from redis import RedisError

    try:
        token, revision = _client().hmget(_key(device_id), ["token", "revision"])
    except RedisError as error:
        logger.warning("device snapshots: Redis does not answer (%s); reading the database", error)
        return Snapshot()
    return Snapshot(
        token_sha256=token.decode() if token else None,
        revision=int(revision) if revision else None,
    )


def read_document(device_id: UUID, revision: int) -> bytes | None:
    """Return the rendered document of exactly this revision, if Redis holds it."""
    from redis import RedisError

    try:
        held, document = _client().hmget(_key(device_id), ["revision", "document"])
    except RedisError:
        return None
    found: bytes | None = document if held and int(held) == revision else None
    return found


def fill_document(device_id: UUID, revision: int, document: bytes) -> None:
    """Keep a rendered document unless a newer one has been announced."""
    _evaluate(_FILL, [_key(device_id)], [revision, document, LIFETIME_SECONDS])


def remember_token(device_id: UUID, token_sha256: str) -> None:
    """Spare the next polls the look-up of the credential."""
    _evaluate(_REMEMBER, [_key(device_id)], [token_sha256, LIFETIME_SECONDS])


def announce_revisions(revisions: Sequence[tuple[UUID, int]]) -> None:
    """Make every poll from now on see that these devices have a newer document."""
    for first in range(0, len(revisions), _CHUNK):
        chunk = revisions[first : first + _CHUNK]
        _evaluate(
            _ANNOUNCE,
            [_key(device_id) for device_id, _ in chunk],
            [LIFETIME_SECONDS, *(revision for _, revision in chunk)],
        )


def forget_devices(device_ids: Sequence[UUID]) -> None:
    """Drop what is known of devices, their tokens above all."""
    from redis import RedisError

    try:
        for first in range(0, len(device_ids), _CHUNK):
            _client().delete(*(_key(i) for i in device_ids[first : first + _CHUNK]))
    except RedisError as error:
        logger.warning("device snapshots: %s; what they hold ends in %s s", error, LIFETIME_SECONDS)


def _evaluate(script: str, keys: list[str], arguments: list[object]) -> None:
    from redis import RedisError

    try:
        _client().eval(script, len(keys), *keys, *arguments)
    except RedisError as error:
        logger.warning("device snapshots: %s; polls read the database meanwhile", error)
