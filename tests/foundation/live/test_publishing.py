"""Publishing: after commit only, with rising numbers, and never a reason to fail."""

import json
import logging
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import transaction

from energyopti.foundation.live import publish
from energyopti.foundation.live.publishing import channel_prefix, sequence_key

from .conftest import AS_OF

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers]


@pytest.fixture
def client() -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(settings.REDIS_URL)
    yield client
    client.close()


@pytest.fixture
def heard(client: redis.Redis) -> Iterator[Any]:
    with client.pubsub(ignore_subscribe_messages=True) as subscription:
        subscription.psubscribe(channel_prefix() + "*")
        subscription.get_message(timeout=5)

        def hear() -> tuple[int, dict[str, Any]] | None:
            message = subscription.get_message(timeout=0.3)
            if message is None:
                return None
            sequence, _, text = message["data"].decode().partition(" ")
            return int(sequence), json.loads(text)

        yield hear


def test_sends_after_commit_and_not_before(heard: Any) -> None:
    with transaction.atomic():
        publish("book:1", {"as_of": AS_OF, "value": Decimal("1.50")})
        before = heard()
    sequence, frame = heard()

    assert before is None
    assert sequence > 0
    assert frame == {"topic": "book:1", "as_of": "2027-03-28T01:00:00Z", "value": "1.50"}


def test_sends_nothing_of_what_was_rolled_back(heard: Any) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        publish("book:1", {"as_of": AS_OF})
        raise RuntimeError("undone")

    assert heard() is None


def test_numbers_rise_also_after_redis_has_forgotten(heard: Any, client: redis.Redis) -> None:
    numbers = []
    for lost in (False, True, False):
        if lost:
            client.delete(sequence_key("book:2"))
        publish("book:2", {"as_of": AS_OF})
        numbers.append(heard()[0])

    assert numbers == sorted(set(numbers))


def test_a_frame_says_when_it_was_true() -> None:
    with pytest.raises(ValueError, match="frame of topic 'book:1' lacks as_of"):
        publish("book:1", {"value": 1})


def test_a_lost_frame_is_logged_and_harms_nothing(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    with caplog.at_level(logging.WARNING):
        publish("book:1", {"as_of": AS_OF})

    assert "live frame of book:1 is lost" in caplog.text
