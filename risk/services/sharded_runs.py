"""
Value every trade of a book over several workers, to the digits that one process gives.

Whoever runs cuts the trades into blocks and asks for help; every process that comes takes a block
that nobody has, all see the database as it was when the run began, and the sum's order is that of
the blocks. Who runs works too, so a run ends with no other worker there, and does again what a
worker that died had taken.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.jobs.models import Job
from energyopti.foundation.jobs.services import enqueue_job
from risk.queries.bases import STORED, Basis, basis, latest_basis
from risk.queries.scopes import watched_book
from risk.queries.trade_vectors import TradeVectors, columns_file, value_trades
from trading.queries.books import reporting_currency, subtree
from trading.queries.trades import trade_ids_of

from .snapshots import NoBasis

if TYPE_CHECKING:
    from redis import Redis

    from risk.engine import Shard
    from risk.queries.bases import Floats

TRADES_EACH = 200
MOST_HELPERS = 15
# A block takes seconds; what was taken so long ago without a result is done again.
CLAIM_SECONDS = 60
KEPT_SECONDS = 3600
WAIT_SECONDS = 0.05
TASK = "risk.help_with_run"


@dataclass(frozen=True, slots=True, eq=False)
class TradeRun:
    """
    All trades of a book with those below it, valued on one basis in one currency.

    total       (scenario,), by the blocks' order
    workers     how many processes took part; of no account for any digit
    """

    book_id: UUID
    snapshot_id: int
    currency: str
    vectors: TradeVectors
    total: Floats
    workers: int

    @property
    def content_hash(self) -> str:
        """Return the sha256 of everything but who took part."""
        return hashlib.sha256(self.to_file()).hexdigest()

    def to_file(self) -> bytes:
        """Return the run as columns, .npz: trade, base_value, values, unvalued and total."""
        return columns_file(
            trade=self.vectors.trade.astype("<i8"),
            base_value=self.vectors.base_value.astype(STORED),
            values=self.vectors.values.astype(STORED),
            unvalued=self.vectors.unvalued,
            total=self.total.astype(STORED),
        )


def start_trade_run(*, actor: Actor, book_id: UUID) -> Job:
    """
    Ask for a run; its file has the vector of each trade.

    :raises UnknownBook: if the book is not among the actor's.
    :raises PermissionMissing: without `risk.rebase_risk`.
    """
    book = watched_book(actor, book_id)
    actor.require("risk.rebase_risk")
    return enqueue_job(
        actor=actor,
        kind="risk",
        title=f"Vectors of all trades of {book.code}",
        task="risk.value_trades",
        arguments={"book_id": str(book_id)},
        organization_id=book.organization_id,
    )


def value_trades_together(
    *,
    book_id: UUID,
    helpers: int | None = None,
    trades_each: int = TRADES_EACH,
    ask: Callable[[str, int], None] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> TradeRun:
    """
    Value each trade of a book and of those below it, on the latest basis.

    helpers     other workers to ask; by default one for each further block, to a bound
    ask         how: by the broker, unless another way is given
    progress    told of blocks done and of all

    In a transaction of its own, whose view of the database the helpers share.

    :raises NoBasis: if there is nothing to value on.
    """
    from risk.engine import merge, shards

    on = latest_basis()
    if on is None:
        raise NoBasis("There is no curve with a quote history to value on yet.")
    currency = reporting_currency(book_id)
    with _frozen_view() as view:
        trades = trade_ids_of(subtree(book_id))
        if not trades:
            nothing = value_trades((), on, currency=currency)
            return TradeRun(book_id, on.id, currency, nothing, on.zeros(), 1)
        plan = shards(len(trades), on.scenario_count, trades_each=trades_each)
        run = _Run(str(uuid4()))
        run.begin(view, on, currency, trades, plan)
        try:
            wanted = min(len(plan) - 1, MOST_HELPERS) if helpers is None else helpers
            if wanted > 0:
                (ask or _ask_workers)(run.id, wanted)
            parts = _finish(run, on, currency, trades, plan, progress)
            workers = run.workers()
        finally:
            run.end(plan)
    vectors = TradeVectors.joined([parts[shard.number] for shard in plan])
    total = merge(plan, {number: part.total() for number, part in parts.items()})
    return TradeRun(book_id, on.id, currency, vectors, total, workers)


def help_with_run(*, run_id: str) -> int:
    """
    Take blocks of a run until there are none, and return how many; none of a run that has ended.
    """
    run = _Run(run_id)
    found = run.plan()
    if found is None:
        return 0
    view, snapshot_id, currency, trades, plan = found
    on = basis(snapshot_id)
    try:
        with _shared_view(view):
            return sum(1 for _ in _work(run, on, currency, trades, plan))
    except DatabaseError:
        # With the run its view of the database has gone.
        if run.plan() is None:
            return 0
        raise


def _finish(
    run: _Run, on: Basis, currency: str, trades: list[int], plan: tuple[Shard, ...],
    progress: Callable[[int, int], None],
) -> dict[int, TradeVectors]:  # fmt: skip
    """Work beside the helpers until every block is there."""
    parts: dict[int, TradeVectors] = {}
    while True:
        for number, part in _work(run, on, currency, trades, plan):
            parts[number] = part
            progress(len(parts), len(plan))
        for shard in plan:
            if shard.number not in parts and (stored := run.part(shard.number)) is not None:
                parts[shard.number] = TradeVectors.from_bytes(stored)
        progress(len(parts), len(plan))
        if len(parts) == len(plan):
            return parts
        time.sleep(WAIT_SECONDS)


def _work(
    run: _Run, on: Basis, currency: str, trades: list[int], plan: tuple[Shard, ...]
) -> Iterator[tuple[int, TradeVectors]]:
    """Do the blocks that nobody has taken, one after the other."""
    for shard in plan:
        if not run.claim(shard.number):
            continue
        try:
            part = value_trades(trades[shard.first : shard.last], on, currency=currency)
            run.keep(shard.number, part.to_bytes())
        except BaseException:
            run.give_back(shard.number)
            raise
        yield shard.number, part


def _ask_workers(run_id: str, helpers: int) -> None:
    for _ in range(helpers):
        current_app.signature(TASK, kwargs={"run_id": run_id}).apply_async(expires=KEPT_SECONDS)


@contextmanager
def _frozen_view() -> Iterator[str]:
    """Open a transaction that sees one state of the database, and give it a name for others."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT pg_export_snapshot()")
        yield cursor.fetchone()[0]


@contextmanager
def _shared_view(name: str) -> Iterator[None]:
    """Open a transaction that sees what the one of that name sees."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SET TRANSACTION SNAPSHOT %s", [name])
        yield


@functools.cache
def _client(url: str) -> Redis:
    from redis import Redis  # with its tracing a fifth of a second, for whoever runs

    return Redis.from_url(url, socket_connect_timeout=5, socket_timeout=30)


class _Run:
    """What the processes of a run share; it goes by itself if nobody ends it."""

    def __init__(self, run_id: str) -> None:
        self.id = run_id
        self._redis = _client(settings.REDIS_URL)
        self._key = f"{settings.REDIS_PREFIX}:risk-run:{run_id}"

    def begin(
        self, view: str, on: Basis, currency: str, trades: list[int], plan: tuple[Shard, ...]
    ) -> None:
        """Write down what there is to do; trades go as bytes."""
        import numpy as np

        about = {
            "view": view, "snapshot_id": on.id, "currency": currency, "blocks": len(plan),
            "scenarios": on.scenario_count, "trades_each": plan[0].last,
        }  # fmt: skip
        self._redis.set(f"{self._key}:trades", np.array(trades, "<i8").tobytes(), ex=KEPT_SECONDS)
        self._redis.set(f"{self._key}:about", json.dumps(about), ex=KEPT_SECONDS)

    def plan(self) -> tuple[str, int, str, list[int], tuple[Shard, ...]] | None:
        """Return view, snapshot, currency, trades and blocks; None of a run that has ended."""
        import numpy as np

        from risk.engine import shards

        about, stored = self._get("about"), self._get("trades")
        if about is None or stored is None:
            return None
        said: dict[str, Any] = json.loads(about)
        trades = np.frombuffer(stored, "<i8").tolist()
        plan = shards(len(trades), said["scenarios"], trades_each=said["trades_each"])
        return said["view"], said["snapshot_id"], said["currency"], trades, plan

    def claim(self, number: int) -> bool:
        """Take a block that is neither done nor taken."""
        if self._redis.exists(f"{self._key}:part:{number}"):
            return False
        return bool(
            self._redis.set(f"{self._key}:claim:{number}", _me(), nx=True, ex=CLAIM_SECONDS)
        )

    def give_back(self, number: int) -> None:
        self._redis.delete(f"{self._key}:claim:{number}")

    def keep(self, number: int, part: bytes) -> None:
        """Keep a block's result. The same block done twice has the same bytes."""
        self._redis.set(f"{self._key}:part:{number}", part, ex=KEPT_SECONDS)
        self._redis.sadd(f"{self._key}:workers", _me())
        self._redis.expire(f"{self._key}:workers", KEPT_SECONDS)

    def part(self, number: int) -> bytes | None:
        return self._get(f"part:{number}")

    def workers(self) -> int:
        found: Any = self._redis.scard(f"{self._key}:workers")
        return int(found)

    def end(self, plan: tuple[Shard, ...]) -> None:
        """Leave nothing behind."""
        names = ["about", "trades", "workers"]
        names += [f"{what}:{shard.number}" for shard in plan for what in ("claim", "part")]
        self._redis.delete(*(f"{self._key}:{name}" for name in names))

    def _get(self, name: str) -> bytes | None:
        found: Any = self._redis.get(f"{self._key}:{name}")
        return found if isinstance(found, bytes) else None


def _me() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"
