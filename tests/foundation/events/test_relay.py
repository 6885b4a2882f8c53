"""One follower in one process: order, batches, parking, retries and replay."""

from collections.abc import Callable

import psycopg
import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from energyopti.foundation.events import queries
from energyopti.foundation.events.followers import Follower, Start
from energyopti.foundation.events.models import (
    CurrentTransactionId,
    Event,
    FollowerCursor,
    ParkedEvent,
    ParkedState,
)
from energyopti.foundation.events.relay import (
    LogFromAnotherCluster,
    advance,
    ensure_cursor,
    retry_due,
)
from energyopti.foundation.events.services import NothingParked, replay_parked

from .conftest import Somebody, apply

pytestmark = pytest.mark.django_db(transaction=True)

Applied = Callable[[], list[tuple[str, int]]]
Write = Callable[..., Event]


class Broken(Exception):
    """What a test handler raises."""


def drain(follower: Follower) -> None:
    ensure_cursor(follower)
    while advance(follower).more:
        pass


def failing_for(*bad: tuple[str, int]) -> tuple[Callable[[Event], None], set[tuple[str, int]]]:
    broken = set(bad)

    def handle(event: Event) -> None:
        apply(event)
        if (event.key, event.payload["number"]) in broken:
            raise Broken(f"cannot apply {event.payload['number']}")

    return handle, broken


def make_due(follower: str) -> None:
    ParkedEvent.objects.filter(follower=follower, state=ParkedState.RETRYING).update(
        next_attempt_at=Now()
    )


def test_applies_each_event_once_in_order(write: Write, applied: Applied) -> None:
    for number in range(7):
        write("a", number)
    follower = Follower("reader", apply, batch_size=3)

    drain(follower)
    drain(follower)

    assert applied() == [("a", number) for number in range(7)]


def test_an_event_of_a_running_transaction_holds_back_later_ones_and_is_not_lost(
    write: Write, applied: Applied
) -> None:
    follower = Follower("reader", apply)
    drain(follower)
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None), parameters.pop("context", None)
    with psycopg.connect(**parameters) as slow:
        # Its transaction id is given out first, and it commits last.
        slow.execute(
            "INSERT INTO events_event (uid, version, type, aggregate_type, aggregate_id, key,"
            " actor_id, on_behalf_of, request_id, payload, changes) VALUES (gen_random_uuid(), 1,"
            " 't', 't', 's', 'slow', 'x', '', '', '{\"number\": 1}', '{}')"
        )
        write("fast", 2)

        drain(follower)
        before = applied()
        slow.commit()
        drain(follower)

    assert before == []
    assert applied() == [("slow", 1), ("fast", 2)]


def test_a_poisoned_event_blocks_only_its_key(write: Write, applied: Applied) -> None:
    handle, _ = failing_for(("a", 1))
    for key, number in [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 2), ("b", 2)]:
        write(key, number)
    follower = Follower("reader", handle, attempts=1)

    drain(follower)

    assert applied() == [("a", 0), ("b", 0), ("b", 1), ("b", 2)]
    parked = ParkedEvent.objects.order_by("id").values_list("key", "state", "attempts", "error")
    assert list(parked) == [
        ("a", "PARKED", 1, "Broken: cannot apply 1"),
        ("a", "WAITING", 0, ""),
    ]


def test_retries_with_growing_pauses_before_it_parks(write: Write, applied: Applied) -> None:
    handle, _ = failing_for(("a", 0))
    write("a", 0)
    follower = Follower("reader", handle, attempts=3, retry_seconds=100)
    drain(follower)

    too_early = retry_due(follower)
    states = [(row.state, row.attempts) for row in ParkedEvent.objects.all()]
    for _ in range(2):
        make_due("reader")
        assert retry_due(follower) == 1
        states += [(row.state, row.attempts) for row in ParkedEvent.objects.all()]
    make_due("reader")
    after_parking = retry_due(follower)

    assert (too_early, after_parking) == (0, 0)
    assert states == [("RETRYING", 1), ("RETRYING", 2), ("PARKED", 3)]
    assert applied() == []


def test_pauses_double_up_to_a_minute() -> None:
    follower = Follower("reader", apply, retry_seconds=2)

    assert [follower.pause_seconds(failures) for failures in (1, 2, 5, 9)] == [2, 4, 32, 60]


def test_a_retry_that_succeeds_frees_its_key_in_order(write: Write, applied: Applied) -> None:
    handle, broken = failing_for(("a", 0))
    for number in range(4):
        write("a", number)
    follower = Follower("reader", handle, attempts=9)
    drain(follower)
    broken.clear()
    make_due("reader")

    tried = retry_due(follower)
    write("a", 4)
    drain(follower)

    assert tried == 4
    assert applied() == [("a", number) for number in range(5)]
    assert not ParkedEvent.objects.exists()


def test_replay_keeps_order_and_stops_at_the_next_poisoned_event(
    write: Write, applied: Applied, actor: Somebody
) -> None:
    handle, broken = failing_for(("a", 0), ("a", 2), ("b", 0))
    for key, number in [("a", 0), ("b", 0), ("a", 1), ("a", 2), ("a", 3)]:
        write(key, number)
    follower = Follower("reader", handle, attempts=1)
    drain(follower)
    broken.discard(("a", 0))

    keys = replay_parked(actor=actor, follower="reader", key="a")
    retry_due(follower)

    assert keys == ["a"]
    assert applied() == [("a", 0), ("a", 1)]
    left = ParkedEvent.objects.order_by("key", "id").values_list("key", "event__payload", "state")
    assert list(left) == [
        ("a", {"number": 2}, "PARKED"),
        ("a", {"number": 3}, "WAITING"),
        ("b", {"number": 0}, "PARKED"),
    ]
    assert Event.objects.filter(type="follower.replay_requested").count() == 1


def test_replaying_what_is_not_parked_is_refused(applied: Applied, actor: Somebody) -> None:
    with pytest.raises(NothingParked, match="'reader' with key 'a': no event is parked"):
        replay_parked(actor=actor, follower="reader", key="a")


def test_a_failing_statement_undoes_only_its_own_event(write: Write, applied: Applied) -> None:
    def handle(event: Event) -> None:
        apply(event)
        if event.key == "bad":
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")

    for key in ("good", "bad", "fine"):
        write(key)
    follower = Follower("reader", handle, attempts=1)

    drain(follower)

    assert [key for key, _ in applied()] == ["good", "fine"]
    assert "division by zero" in ParkedEvent.objects.get().error


def test_follows_named_types_and_prefixes_only(write: Write, applied: Applied) -> None:
    for number, kind in enumerate(["trade.captured", "trade_x.made", "quote.set", "price.set"]):
        write("k", number, kind)
    follower = Follower("reader", apply, event_types=frozenset({"trade.*", "price.set"}))

    drain(follower)

    assert [number for _, number in applied()] == [0, 3]


def test_a_follower_may_start_with_the_present(write: Write, applied: Applied) -> None:
    write("old", 1)
    follower = Follower("reader", apply, start=Start.NOW)
    drain(follower)
    write("new", 2)

    drain(follower)

    assert applied() == [("new", 2)]


def test_a_follower_of_rare_events_moves_on_over_the_others(
    write: Write, applied: Applied, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("energyopti.foundation.events.relay.QUIET_TRANSACTIONS", 0)
    follower = Follower("reader", apply, event_types=frozenset({"rare.thing"}))
    latest = write("a", 0)
    drain(follower)

    position = FollowerCursor.objects.get(name="reader").transaction_id
    write("b", 1, "rare.thing")
    drain(follower)

    assert position > latest.transaction_id
    assert applied() == [("b", 1)]


def test_another_key_function_serializes_everything(write: Write, applied: Applied) -> None:
    handle, _ = failing_for(("a", 0))
    for key in ("a", "b", "c"):
        write(key, 0)
    follower = Follower("chain", handle, key_of=lambda event: "chain", attempts=1)

    drain(follower)

    assert applied() == []
    assert ParkedEvent.objects.filter(key="chain").count() == 3


def test_a_slow_batch_is_cut(write: Write, applied: Applied) -> None:
    for number in range(3):
        write("a", number)
    follower = Follower("reader", apply, batch_seconds=0)
    ensure_cursor(follower)

    step = advance(follower)

    assert (step.events, step.more, applied()) == (1, True, [("a", 0)])


def test_says_when_the_log_was_loaded_into_a_younger_cluster(applied: Applied) -> None:
    follower = Follower("reader", apply)
    FollowerCursor.objects.create(name="reader", transaction_id=2**60)

    with pytest.raises(LogFromAnotherCluster, match="loaded into a new cluster"):
        advance(follower)


def test_states_tell_lag_and_parked_events(write: Write, applied: Applied) -> None:
    handle, _ = failing_for(("a", 0))
    write("a", 0)
    write("a", 1)
    follower = Follower("reader", handle, attempts=1)
    drain(follower)
    unread = write("b", 0)

    (state,) = queries.follower_states()

    assert (state.name, state.behind, state.parked, state.retrying, state.waiting) == (
        *("reader", 1),
        *(1, 0, 1),
    )
    assert state.oldest_at == unread.recorded_at
    assert not state.is_registered


def test_the_transaction_id_is_the_one_of_the_writer(write: Write) -> None:
    with transaction.atomic():
        event = write("a")
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {CurrentTransactionId.template}")
            (current,) = cursor.fetchone()

    event.refresh_from_db()
    assert event.transaction_id == current
