"""A live page for tests: it counts, and watches the topics in its address."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import Http404

from energyopti.foundation.live.consumers import LiveConsumer

from .page import Page

AS_OF = datetime(2027, 3, 28, 1, tzinfo=UTC)


class Counters(LiveConsumer):
    """Watches the topics named in the path; `refusals` decides what happens to them."""

    values: dict[str, int] = {}
    refusals: dict[str, Exception] = {}

    def topics(self, scope: dict[str, Any]) -> list[str]:
        topics = scope["path"].strip("/").split("/")
        for topic in topics:
            if topic in self.refusals:
                raise self.refusals[topic]
        return topics

    def snapshot(self, topic: str) -> dict[str, Any]:
        return {"as_of": AS_OF, "value": self.values.get(topic, 0)}


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    yield
    Counters.values.clear()
    Counters.refusals.clear()


@pytest.fixture
def user(db: None) -> Any:
    return get_user_model().objects.create_user("live@example.org", "a-password")


@pytest.fixture
async def connect(user: Any) -> AsyncIterator[Callable[..., Any]]:
    opened = []

    async def connect_to(*topics: str, **scope: Any) -> Page:
        page = Page(Counters.as_asgi(), "/" + "/".join(topics), **{"user": user} | scope)
        await page.open()
        opened.append(page)
        return page

    yield connect_to
    for page in opened:
        await page.leave()


REFUSALS = [(PermissionDenied("no"), 4403), (Http404("none"), 4404)]
