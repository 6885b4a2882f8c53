"""A run over several workers: the bytes of one alone, on one view of the database."""

import os
import subprocess
import sys
import threading
import time
from io import BytesIO

import numpy as np
import pytest
from celery import current_app
from django.conf import settings
from django.db import connection, connections

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.foundation.jobs.models import Job, JobState
from risk import tasks  # noqa: F401  # registers what a job calls
from risk.models import ScopeVector
from risk.queries.bases import from_bytes
from risk.services import sharded_runs
from risk.services.rebase import rebase_books
from risk.services.sharded_runs import (
    help_with_run,
    start_trade_run,
    value_trades_together,
)
from tests.factories.risk import curve, quote_history
from tests.factories.trades import TRADED_AT, make_desk
from trading.queries.books import UnknownBook

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers]


@pytest.fixture
def desk():
    desk = make_desk()
    quote_history(desk.market)
    curve(desk.market)
    for words in (
        "B 10MW DE base Cal27 @ 85.20",
        "S 7MW DE base Q1-27 @ 91",
        "B 3MW DE base Q3-27 @ 99",
        "S 1MW DE base Cal28 @ 80",
        "B 4MW DE base Q2-27 @ 70.5",
    ):
        desk.deal(words)
    rebase_books(actor=Actor.system("risk"), valued_at=TRADED_AT)
    return desk


def in_threads(count, *, wait=False):
    """Ask helpers who have connections of their own; with `wait` they finish before the asker."""
    running = []

    def help_once(run_id):
        help_with_run(run_id=run_id)
        connections.close_all()

    def ask(run_id, helpers):
        assert helpers == count
        for _ in range(helpers):
            running.append(threading.Thread(target=help_once, args=(run_id,)))
            running[-1].start()
        for thread in running if wait else ():
            thread.join()

    return ask, running


def keys_left():
    client = sharded_runs._client(settings.REDIS_URL)
    return list(client.scan_iter(f"{settings.REDIS_PREFIX}:risk-run:*"))


def test_helpers_give_the_bytes_of_one_process_even_where_one_dies(desk, monkeypatch):
    told = []
    alone = value_trades_together(
        book_id=desk.book.pk, helpers=0, trades_each=2,
        progress=lambda done, total: told.append((done, total)),
    )  # fmt: skip
    ask, _ = in_threads(1, wait=True)
    elsewhere = value_trades_together(book_id=desk.book.pk, helpers=1, trades_each=2, ask=ask)
    ask, running = in_threads(3)
    together = value_trades_together(book_id=desk.book.pk, helpers=3, trades_each=2, ask=ask)
    for thread in running:
        thread.join()
    monkeypatch.setattr(sharded_runs, "CLAIM_SECONDS", 1)

    def take_and_die(run_id, helpers):
        assert sharded_runs._Run(run_id).claim(1)

    again = value_trades_together(book_id=desk.book.pk, helpers=1, trades_each=2, ask=take_and_die)

    assert told[:3] == [(1, 3), (2, 3), (3, 3)]
    assert alone.to_file() == elsewhere.to_file() == together.to_file() == again.to_file()
    assert alone.content_hash == elsewhere.content_hash
    assert len(alone.vectors.trade) == 5
    row = ScopeVector.objects.get(book_id=desk.book.pk)
    held = from_bytes(row.values)
    assert np.abs(alone.total - held).max() <= 1e-9 * np.abs(held).max()
    assert alone.vectors.base_value.sum() == pytest.approx(row.base_value, rel=1e-9)
    assert keys_left() == []


def test_helpers_see_the_trades_as_they_were_when_the_run_began(desk):
    before = value_trades_together(book_id=desk.book.pk, helpers=0, trades_each=1)
    ask, _ = in_threads(1, wait=True)

    def deal_then_ask(run_id, helpers):
        def deal():
            desk.again(desk.trader)
            desk.deal("B 500MW DE base Cal27 @ 1")
            connections.close_all()

        dealing = threading.Thread(target=deal)
        dealing.start()
        dealing.join()
        ask(run_id, helpers)

    during = value_trades_together(
        book_id=desk.book.pk, helpers=1, trades_each=1, ask=deal_then_ask
    )
    after = value_trades_together(book_id=desk.book.pk, helpers=0, trades_each=1)

    assert during.to_file() == before.to_file()
    assert len(after.vectors.trade) == 6


def test_a_job_keeps_the_file_for_who_may_and_a_run_that_fails_leaves_nothing(desk, monkeypatch):
    elsewhere = make_desk("Elsewhere")
    empty = value_trades_together(book_id=elsewhere.book.pk)
    assert empty.vectors.values.shape == (0, empty.total.size)
    assert not empty.total.any()
    with pytest.raises(UnknownBook):
        start_trade_run(actor=elsewhere.officer, book_id=desk.book.pk)
    with pytest.raises(PermissionMissing):
        start_trade_run(actor=desk.trader, book_id=desk.book.pk)

    job = start_trade_run(actor=Actor.system("risk"), book_id=desk.book.pk)

    job.refresh_from_db()
    assert (job.state, job.error) == (JobState.SUCCEEDED, "")
    alone = value_trades_together(book_id=desk.book.pk, helpers=0)
    with np.load(BytesIO(job.result_file.read())) as columns:
        assert columns["total"].tobytes() == alone.total.tobytes()
        assert columns["values"].shape == alone.vectors.values.shape

    def without_a_curve(*_, **__):
        raise ValueError("no curve")

    monkeypatch.setattr(sharded_runs, "value_trades", without_a_curve)
    failed = start_trade_run(actor=Actor.system("risk"), book_id=desk.book.pk)
    failed.refresh_from_db()
    assert (failed.state, failed.error) == (JobState.FAILED, "ValueError: no curve")
    assert keys_left() == []
    assert help_with_run(run_id="of yesterday") == 0


@pytest.fixture
def by_broker():
    current_app.conf.task_always_eager = False
    yield
    current_app.conf.task_always_eager = True


@pytest.mark.slow
def test_two_real_workers_give_the_bytes_of_one_process(desk, tmp_path, by_broker):
    database = connection.settings_dict
    url = (
        f"postgresql://{database['USER']}:{database['PASSWORD']}"
        f"@{database['HOST'] or '127.0.0.1'}:{database['PORT'] or 5432}/{database['NAME']}"
    )
    environment = {
        **os.environ, "DATABASE_URL": url, "DATABASE_OWNER_URL": "",
        "DJANGO_SETTINGS_MODULE": "energyopti.settings.local", "EOP_STATE_DIR": str(tmp_path),
        "REDIS_PREFIX": settings.REDIS_PREFIX,
    }  # fmt: skip
    alone = value_trades_together(book_id=desk.book.pk, helpers=0, trades_each=1)
    logs, workers = [], []
    for name in ("one", "two"):
        logs.append(tmp_path / f"{name}.log")
        command = [sys.executable, "-m", "celery", "-A", "energyopti.celery", "worker",
                   "--pool=solo", "--loglevel=INFO", f"--hostname={name}@test"]  # fmt: skip
        with logs[-1].open("wb") as log:
            workers.append(
                subprocess.Popen(
                    command, cwd=settings.BASE_DIR, env=environment, stdout=log, stderr=log
                )
            )
    try:
        seen = threading.Event()

        def ask(run_id, helpers):
            sharded_runs._ask_workers(run_id, helpers)
            # The workers have it all to themselves until they are done with some of it.
            client = sharded_runs._client(settings.REDIS_URL)
            deadline = time.monotonic() + 90
            while client.scard(f"{settings.REDIS_PREFIX}:risk-run:{run_id}:workers") < 1:
                assert time.monotonic() < deadline, [log.read_text() for log in logs]
                time.sleep(0.2)
            seen.set()

        run = value_trades_together(book_id=desk.book.pk, helpers=2, trades_each=1, ask=ask)

        assert seen.is_set()
        assert run.to_file() == alone.to_file()

        job = Job.objects.create(
            kind="risk", title="by the workers", task="risk.value_trades",
            arguments={"book_id": str(desk.book.pk)}, requested_by="system:test",
        )  # fmt: skip
        current_app.send_task("risk.value_trades", kwargs={"job_id": str(job.pk)})
        deadline = time.monotonic() + 60
        while not job.is_finished:
            assert time.monotonic() < deadline, [log.read_text() for log in logs]
            time.sleep(0.2)
            job.refresh_from_db()
        assert job.state == JobState.SUCCEEDED, job.error
        (file,) = (tmp_path / "media").rglob("*.npz")
        whole = value_trades_together(book_id=desk.book.pk, helpers=0)
        assert file.read_bytes() == whole.to_file()
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
