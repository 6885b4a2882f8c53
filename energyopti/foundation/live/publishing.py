"""Send a frame to every page that watches a topic."""

import functools
import json
import logging
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

if TYPE_CHECKING:
    from redis import Redis

logger = logging.getLogger(__name__)

# The number is given and the frame sent in one step, so the order of numbers is the order of
# sending. A topic new to this Redis starts with the time in µs: numbers rise across a restart too.
NUMBER_AND_SEND = """
local number = redis.call('INCR', KEYS[1])
if number == 1 then
  local time = redis.call('TIME')
  number = time[1] * 1000000 + time[2]
  redis.call('SET', KEYS[1], string.format('%.0f', number))
end
redis.call('EXPIRE', KEYS[1], 604800)
local text = string.format('%.0f', number)
redis.call('PUBLISH', KEYS[2], text .. ' ' .. ARGV[1])
return text
"""


def channel_prefix() -> str:
    """Return what every live channel of this installation begins with."""
    return f"{settings.REDIS_PREFIX}:live:"


def sequence_key(topic: str) -> str:
    """Return the key that counts a topic's frames."""
    return f"{settings.REDIS_PREFIX}:live-sequence:{topic}"


@functools.cache
def _client(url: str) -> "Redis":
    from redis import Redis  # with its tracing a fifth of a second, for whoever sends

    return Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1, health_check_interval=30)


def publish(topic: str, frame: dict[str, Any]) -> None:
    """
    Send the state of a topic to the pages that watch it, after the transaction has committed.

    A frame replaces the one before it (a slow page gets only the latest), so it carries the whole
    state of its topic and not a difference; the topic and a rising `sequence` are added.

    frame   JSON values, Decimal and datetime; `as_of` says when its numbers were true.

    :raises ValueError: if `as_of` is missing.
    """
    if "as_of" not in frame:
        raise ValueError(f"frame of topic {topic!r} lacks as_of, the time its numbers were true")
    text = json.dumps({"topic": topic} | frame, cls=DjangoJSONEncoder, separators=(",", ":"))
    transaction.on_commit(lambda: _send(topic, text))


def _send(topic: str, text: str) -> None:
    from redis import RedisError

    try:
        _client(settings.REDIS_URL).eval(
            NUMBER_AND_SEND, 2, sequence_key(topic), channel_prefix() + topic, text
        )
    except RedisError as error:
        # The change itself is committed: a page that misses a frame polls.
        logger.warning("live frame of %s is lost: %s", topic, error)
