"""Live sockets: snapshot first, newest frames after it, and who may watch."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
import redis
from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied

from energyopti.foundation.live import publish
from energyopti.foundation.live.consumers import LiveConsumer
from energyopti.foundation.live.hub import Mailbox, hub

from .conftest import AS_OF, REFUSALS, Counters
from .page import Page

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers]

Connect = Callable[..., Any]


async def send(topic: str, value: int) -> None:
    await database_sync_to_async(publish)(topic, {"as_of": AS_OF, "value": value})


async def test_the_snapshot_comes_first_and_newer_states_follow(connect: Connect) -> None:
    Counters.values["a"] = 7
    page = await connect("a")

    first = await page.read()
    await send("a", 8)
    second = await page.read()
    await send("a", 9)
    third = await page.read()

    assert (first["topic"], first["value"], first["as_of"]) == ("a", 7, "2027-03-28T01:00:00Z")
    assert [second["value"], third["value"]] == [8, 9]
    assert first["sequence"] < second["sequence"] < third["sequence"]
    assert set(second) == {"sequence", "topic", "as_of", "value"}


async def test_a_reconnecting_page_gets_the_number_of_the_state_it_sees(connect: Connect) -> None:
    page = await connect("b")
    await page.read()
    await send("b", 1)
    frame = await page.read()

    again = await connect("b")

    assert (await again.read())["sequence"] == frame["sequence"]


async def test_topics_of_others_do_not_arrive(connect: Connect) -> None:
    page = await connect("a", "b")
    assert [(await page.read())["topic"] for _ in range(2)] == ["a", "b"]

    await send("c", 1)
    await send("b", 2)

    assert (await page.read())["topic"] == "b"
    assert await page.receive_nothing(0.1)


async def test_a_burst_collapses_to_the_newest() -> None:
    mailbox = Mailbox()
    for number in range(300):
        mailbox.put("a", number, f"a{number}")
        mailbox.put("b", number, f"b{number}")
    mailbox.put("a", 300, "a300")

    frames = await mailbox.take()

    assert list(frames.items()) == [("b", (299, "b299")), ("a", (300, "a300"))]


async def test_an_older_frame_than_the_snapshot_is_not_sent(connect: Connect) -> None:
    page = await connect("a")
    snapshot = await page.read()
    for box in hub()._topics["a"]:
        box.put("a", snapshot["sequence"], '{"late": true}')

    await send("a", 1)

    assert (await page.read())["value"] == 1


@pytest.mark.parametrize("user", [AnonymousUser(), None])
async def test_strangers_are_turned_away(user: Any) -> None:
    page = Page(Counters.as_asgi(), "/a", user=user)
    await page.open()

    assert await page.closed_with() == 4401
    await page.leave()


@pytest.mark.parametrize(("refusal", "code"), REFUSALS)
async def test_refusals_have_codes(connect: Connect, refusal: Exception, code: int) -> None:
    Counters.refusals["a"] = refusal
    page = await connect("a")

    assert await page.closed_with() == code


async def test_a_revoked_permission_closes_the_socket(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("energyopti.foundation.live.consumers.RECHECK_SECONDS", 0.05)
    page = await connect("a")
    await page.read()
    assert await page.receive_nothing(0.2)

    Counters.refusals["a"] = PermissionDenied("not any more")

    assert await page.closed_with() == 4403


async def test_a_closed_account_closes_the_socket(
    connect: Connect, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("energyopti.foundation.live.consumers.RECHECK_SECONDS", 0.05)
    page = await connect("a")
    await page.read()

    user.is_active = False
    await database_sync_to_async(user.save)()

    assert await page.closed_with() == 4401


@pytest.mark.parametrize("change", ["sign out", "password"])
async def test_the_end_of_the_session_closes_the_socket(
    connect: Connect, user: Any, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.setattr("energyopti.foundation.live.consumers.RECHECK_SECONDS", 0.05)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    await database_sync_to_async(session.save)()
    page = await connect("a", session=session)
    await page.read()
    assert await page.receive_nothing(0.2)

    if change == "password":
        user.set_password("another-password")
        await database_sync_to_async(user.save)()
    else:
        await database_sync_to_async(session.delete)(session.session_key)

    assert await page.closed_with() == 4401


async def test_a_client_may_ask_for_the_snapshot_again(connect: Connect) -> None:
    page = await connect("a")
    await page.read()
    Counters.values["a"] = 5

    await page.write('{"action": "snapshot"}')

    assert (await page.read())["value"] == 5


@pytest.mark.parametrize(
    ("text", "code"),
    [("x" * 2049, 1009), ("not json", 4400), ('{"action": "drop table"}', 4400), ("[]", 4400)],
)
async def test_other_messages_close_the_socket(connect: Connect, text: str, code: int) -> None:
    page = await connect("a")
    await page.read()

    await page.write(text)

    assert await page.closed_with() == code


async def test_a_client_that_asks_too_often_is_closed(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("energyopti.foundation.live.consumers.INBOUND_PER_MINUTE", 1)
    page = await connect("a")
    await page.read()

    await page.write('{"action": "snapshot"}')
    await page.read()
    await page.write('{"action": "snapshot"}')

    assert await page.closed_with() == 4429


async def test_a_lost_feed_is_told_and_snapshots_come_after_it(connect: Connect) -> None:
    page = await connect("a")
    await page.read()
    client = redis.Redis.from_url(settings.REDIS_URL)
    ours = [row for row in client.client_list() if row["name"] == f"{settings.REDIS_PREFIX}-live"]
    Counters.values["a"] = 3

    for row in ours:
        client.client_kill_filter(_id=row["id"])
    client.close()
    told = [await page.read() for _ in range(3)]
    await send("a", 4)

    assert [frame.get("feed") for frame in told] == ["down", "up", None]
    assert told[2]["value"] == 3
    assert (await page.read())["value"] == 4


async def test_a_page_opens_without_redis_and_hears_when_it_is_back(
    connect: Connect, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    reachable = settings.REDIS_URL
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    join = hub().join
    monkeypatch.setattr(hub(), "join", lambda box, topics: join(box, topics, seconds=0.1))

    page = await connect("a")
    while_down = [await page.read(), await page.read()]
    settings.REDIS_URL = reachable
    back = [await page.read(), await page.read()]

    assert while_down[0] == {"feed": "down"}
    assert while_down[1]["value"] == 0
    assert back[0] == {"feed": "up"}
    assert back[1]["topic"] == "a"


async def test_the_last_page_ends_the_subscription(connect: Connect) -> None:
    page = await connect("a")
    await page.read()
    assert hub()._reader is not None

    await page.leave()

    assert hub()._reader is None
    assert not hub()._topics


def test_a_consumer_says_what_it_watches() -> None:
    with pytest.raises(TypeError, match="LiveConsumer does not say which topics"):
        LiveConsumer().topics({})
    with pytest.raises(TypeError, match="does not say what is true of a"):
        LiveConsumer().snapshot("a")
