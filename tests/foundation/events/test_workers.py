"""Workers in threads: woken by NOTIFY, one at a time, back after a lost session."""

import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from energyopti.foundation.events.followers import FOLLOWERS, Follower, register_follower
from energyopti.foundation.events.models import Event, FollowerCursor, ParkedEvent
from energyopti.foundation.events.relay import advance, ensure_cursor
from energyopti.foundation.events.workers import FollowerWorker, run_followers
from energyopti.foundation.leases import Lease
from energyopti.foundation.registry import DuplicateEntry

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers]

Write = Callable[..., Event]


@pytest.fixture
def conninfo() -> str:
    settings = connection.settings_dict
    return psycopg.conninfo.make_conninfo(
        host=settings["HOST"],
        port=settings["PORT"],
        user=settings["USER"],
        password=settings["PASSWORD"],
        dbname=settings["NAME"],
    )


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


class Seen:
    """A handler that remembers in memory what came and when."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.times: list[float] = []
        self.news = threading.Condition()

    def __call__(self, event: Event) -> None:
        with self.news:
            self.numbers.append(event.payload["number"])
            self.times.append(time.monotonic())
            self.news.notify_all()

    def wait_for(self, count: int, seconds: float = 10) -> None:
        with self.news:
            assert self.news.wait_for(lambda: len(self.numbers) >= count, seconds), self.numbers


def test_a_commit_wakes_the_worker(write: Write, conninfo: str, stop: threading.Event) -> None:
    seen = Seen()
    worker = FollowerWorker(Follower("reader", seen), conninfo, stop)
    worker.start()
    assert worker.leading.wait(10)
    time.sleep(0.6)  # past the short pauses, so only a notification can be quick

    pauses = []
    for number in range(5):
        write("a", number)
        committed = time.monotonic()
        seen.wait_for(number + 1)
        pauses.append(seen.times[-1] - committed)
        time.sleep(0.45)

    stop.set()
    worker.join(5)
    assert not worker.is_alive()
    assert seen.numbers == [0, 1, 2, 3, 4]
    assert min(pauses) < 0.1


def test_of_two_workers_one_stands_by_until_the_other_goes(
    write: Write, conninfo: str, stop: threading.Event
) -> None:
    seen = Seen()
    stop_first = threading.Event()
    first = FollowerWorker(Follower("reader", seen), conninfo, stop_first)
    first.start()
    assert first.leading.wait(10)
    second = FollowerWorker(Follower("reader", seen), conninfo, stop)
    second.start()

    write("a", 0)
    seen.wait_for(1)
    stood_by = not second.leading.is_set()
    stop_first.set()
    first.join(5)
    assert second.leading.wait(10)
    write("a", 1)
    seen.wait_for(2)

    stop.set()
    second.join(5)
    assert stood_by
    assert seen.numbers == [0, 1]


def test_a_worker_comes_back_after_its_sessions_were_ended(
    write: Write, conninfo: str, stop: threading.Event
) -> None:
    seen = Seen()
    worker = FollowerWorker(Follower("reader", seen), conninfo, stop)
    worker.start()
    assert worker.leading.wait(10)
    write("a", 0)
    seen.wait_for(1)

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    write("a", 1)
    seen.wait_for(2)

    stop.set()
    worker.join(5)
    assert worker.failure is None
    # The ended session may have been about to commit: what is not in the database comes again.
    assert list(dict.fromkeys(seen.numbers)) == [0, 1]


def test_a_fault_of_ours_ends_all_workers_and_is_kept(conninfo: str, stop: threading.Event) -> None:
    FollowerCursor.objects.create(name="reader", transaction_id=2**60)
    followers = [Follower("reader", Seen()), Follower("other", Seen())]

    broken, healthy = run_followers(followers, conninfo=conninfo, stop=stop)

    assert "loaded into a new cluster" in str(broken.failure)
    assert healthy.failure is None


def test_a_lease_is_held_by_one_session(conninfo: str) -> None:
    with Lease(conninfo, "thing") as first, Lease(conninfo, "thing") as second:
        assert first.hold()
        assert first.hold()
        assert not second.hold()
        first.release()
        assert second.hold()


def test_a_lease_is_lost_with_its_session(conninfo: str) -> None:
    with Lease(conninfo, "thing") as lease, Lease(conninfo, "thing") as other:
        assert lease.hold()
        pid = lease.connection.info.backend_pid
        other.connection.execute("SELECT pg_terminate_backend(%s)", [pid])

        with pytest.raises(psycopg.OperationalError):
            lease.hold()
        deadline = time.monotonic() + 10
        while not other.hold():  # the server says farewell before it frees the lock
            assert time.monotonic() < deadline
        assert not lease.hold()


def fail_once(event: Event) -> None:
    if not Healed.is_so:
        raise ValueError("not yet")


class Healed:
    is_so = False


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Follower:
    monkeypatch.setattr(FOLLOWERS, "_entries", {})
    Healed.is_so = False
    return register_follower("reader", fail_once, attempts=1)


def test_registering_twice_is_once_but_another_of_the_name_is_refused(
    registered: Follower,
) -> None:
    again = register_follower("reader", fail_once, attempts=1)

    assert again is registered
    with pytest.raises(DuplicateEntry, match="“reader” is already registered"):
        register_follower("reader", fail_once, attempts=2)


def test_the_replay_command_replays_where_no_follower_runs(
    registered: Follower, write: Write, conninfo: str, settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.DATABASE_DIRECT_URL = conninfo
    write("a")
    ensure_cursor(registered)
    advance(registered)

    with pytest.raises(CommandError, match="still fail"):
        call_command("replay_events", "reader", wait=5)
    assert "a: event" in capsys.readouterr().out
    Healed.is_so = True
    call_command("replay_events", "reader", key="a", wait=5)

    assert "1 of 1 keys go on." in capsys.readouterr().out
    assert not ParkedEvent.objects.exists()
    with pytest.raises(CommandError, match="no event is parked"):
        call_command("replay_events", "reader")


def test_commands_name_the_followers_there_are(registered: Follower) -> None:
    for command in (["run_followers", "--follower", "nobody"], ["replay_events", "nobody"]):
        with pytest.raises(CommandError, match="No follower is called nobody; there are: reader"):
            call_command(*command)
