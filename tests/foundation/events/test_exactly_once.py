"""Relaying twice is relaying once, wherever a relay dies, and each key keeps its order."""

import uuid
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from energyopti.foundation.events import relay
from energyopti.foundation.events.followers import Follower, Start
from energyopti.foundation.events.models import Event, ParkedEvent
from energyopti.foundation.events.services import NothingParked, record_event, replay_parked

from .conftest import Somebody, apply

pytestmark = pytest.mark.django_db(transaction=True)


class RelayDied(BaseException):
    """Stands for SIGKILL: nothing may catch it."""


# One transaction is a list of (key, whether its event is poisoned).
transactions = st.lists(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 6).map(lambda n: n == 0)), max_size=3
    ),
    max_size=8,
)


def append(name: str, history: list[list[tuple[str, bool]]]) -> None:
    number = 0
    for events in history:
        with transaction.atomic():
            for key, poisoned in events:
                record_event(
                    type=f"{name}.happened",
                    actor=Somebody(),
                    aggregate_type="thing",
                    aggregate_id=number,
                    organization_id=None,
                    key=f"{name}:{key}",
                    payload={"number": number, "poisoned": poisoned},
                )
                number += 1


def by_key(rows: list[tuple[str, int]]) -> dict[str, list[int]]:
    found = defaultdict(list)
    for key, number in rows:
        found[key[-1]].append(number)
    return dict(found)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    history=transactions,
    deaths=st.lists(st.booleans(), max_size=12),
    batch_size=st.integers(1, 5),
)
def test_relaying_twice_is_once(
    applied: Callable[[], list[tuple[str, int]]],
    history: list[list[tuple[str, bool]]],
    deaths: list[bool],
    batch_size: int,
) -> None:
    name = f"p{uuid.uuid4().hex[:8]}"
    healed = False

    def handle(event: Event) -> None:
        apply(event)
        if event.payload["poisoned"] and not healed:
            raise ValueError("poisoned")

    follower = Follower(
        name,
        handle,
        event_types=frozenset({f"{name}.*"}),
        start=Start.NOW,
        batch_size=batch_size,
        attempts=1,
    )
    relay.ensure_cursor(follower)
    append(name, history)
    before = len(applied())
    pending = iter(deaths)
    move = relay._move

    def move_or_die(*arguments: Any) -> None:
        move(*arguments)
        if next(pending, False):
            raise RelayDied  # after all effects, before the commit

    def drain() -> None:
        while True:
            try:
                if not relay.advance(follower).more:
                    return
            except RelayDied:
                continue

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(relay, "_move", move_or_die)
        drain()
        drain()
    once = by_key(applied()[before:])
    healed = True
    try:
        replay_parked(actor=Somebody(), follower=name)
    except NothingParked:
        assert not any(poisoned for events in history for _, poisoned in events)
    while relay.retry_due(follower):
        pass

    wanted, until_poisoned, stopped = defaultdict(list), defaultdict(list), set()
    for number, (key, poisoned) in enumerate(event for events in history for event in events):
        wanted[key].append(number)
        if poisoned:
            stopped.add(key)
        if key not in stopped:
            until_poisoned[key].append(number)
    assert once == until_poisoned
    assert by_key(applied()[before:]) == wanted
    assert not ParkedEvent.objects.filter(follower=name).exists()
