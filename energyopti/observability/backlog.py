"""What waits, read from the database whenever Prometheus asks: followers' lag and open jobs."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from django.db import DatabaseError, InterfaceError
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from energyopti.foundation.events.queries import FollowerState, follower_states
from energyopti.foundation.jobs.queries import open_jobs_by_state


class BacklogCollector(Collector):
    """
    Follower and job numbers as the database has them at the scrape, one query each plus one a
    follower. Without a database the scrape says so (`energyopti_database_up 0`) and goes on.
    """

    def collect(self) -> Iterable[Metric]:
        try:
            states, jobs = follower_states(), open_jobs_by_state()
        except (DatabaseError, InterfaceError):
            yield _database_up(is_up=False)
            return
        yield _database_up(is_up=True)
        yield from _follower_gauges(states, now=datetime.now(UTC))
        gauge = GaugeMetricFamily(
            "energyopti_jobs_open", "Jobs that wait or run, all organizations.", labels=["state"]
        )
        for state, count in jobs.items():
            gauge.add_metric([state], count)
        yield gauge


def _database_up(*, is_up: bool) -> Metric:
    return GaugeMetricFamily(
        "energyopti_database_up", "1 if the database answered this scrape.", value=int(is_up)
    )


def _follower_gauges(states: list[FollowerState], *, now: datetime) -> Iterator[Metric]:
    """Yield one gauge a number, labelled by follower; `now` is real time, as `recorded_at` is."""
    for name, help_text, read in (
        ("events_behind", "Events yet to be read, counted up to 10,000.", lambda s: s.behind),
        ("seconds_behind", "Age of the oldest event yet to be read.", lambda s: _age(s, now)),
        ("parked_keys", "Keys (book, device) that wait for a person.", lambda s: s.parked),
        ("retrying_keys", "Keys that will be tried again.", lambda s: s.retrying),
        ("waiting_events", "Events behind parked or retried ones.", lambda s: s.waiting),
        ("registered", "1 if this build has the follower.", lambda s: int(s.is_registered)),
    ):
        gauge = GaugeMetricFamily(f"energyopti_follower_{name}", help_text, labels=["follower"])
        for state in states:
            gauge.add_metric([state.name], read(state))
        yield gauge


def _age(state: FollowerState, now: datetime) -> float:
    return max(0.0, (now - state.oldest_at).total_seconds()) if state.oldest_at else 0.0


# Apart from the process's own numbers: these are the same whichever process is asked, and with
# PROMETHEUS_MULTIPROC_DIR only files of processes are merged, no collectors.
BACKLOG = CollectorRegistry(auto_describe=False)
BACKLOG.register(BacklogCollector())
