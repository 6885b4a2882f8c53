"""Trading's background work: months ahead of the data, forecasts when due, imports as jobs."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from celery import shared_task
from django.core.files.storage import default_storage
from django.urls import reverse

from energyopti.accounts.actors import Actor
from energyopti.accounts.models import User
from energyopti.foundation import clock
from energyopti.foundation.jobs.runner import JobResult, RunningJob, job_task
from energyopti.foundation.partitions.months import ensure_months

from .markets.price_files import Clock
from .queries.markets import market_by_code
from .queries.trades import trade_by_ref
from .services.calibrations import calibrate, terms_of
from .services.closing_proofs import prove_end_of_day
from .services.closing_times import start_due_closings
from .services.end_of_day import run_end_of_day
from .services.exercise import decide_options
from .services.forecast_rounds import issue_due_forecasts
from .services.hedge_checks import check_run, check_value
from .services.locks import server_time
from .services.maturity import mature_trades
from .services.prices import import_price_file
from .services.reference_files import compare_staged, import_reference
from .services.structure_previews import preview_structure
from .services.structure_settlement import settle_nominations
from .services.structure_values import value_structure
from .services.trade_files import UnknownTradeImport, book_trades, check_trades
from .services.valuation import take_cut

_PARTITIONED = ("trading_price", "trading_actual")
_BACK, _AHEAD = timedelta(days=31), timedelta(days=120)


@shared_task(name="trading.ensure_months")
def ensure_months_ahead(**_: Any) -> int:
    """Make the monthly partitions around today, so that no insert finds its month missing."""
    today = clock.now().date()
    return sum(
        ensure_months(table=table, first=today - _BACK, last=today + _AHEAD)
        for table in _PARTITIONED
    )


@shared_task(name="trading.issue_forecasts")
def issue_forecasts(**_: Any) -> int:
    """Issue tomorrow's forecasts where they are due."""
    return len(issue_due_forecasts(actor=Actor.system("beat"), issued_at=clock.now()))


@shared_task(name="trading.mature_trades")
def mature(**_: Any) -> int:
    """Decide options and settle nominated days whose time has come; mature, settle what is due."""
    actor, now = Actor.system("beat"), clock.now()
    decided = decide_options(actor=actor, as_of=now)
    paid = settle_nominations(actor=actor, as_of=now)
    moved = mature_trades(actor=actor, as_of=now)
    return decided.fixed + decided.lapsed + paid + moved.matured + moved.settled


@shared_task(name="trading.close_days")
def close_days(**_: Any) -> int:
    """Start the end of day of each organization whose closing time has come."""
    return len(start_due_closings(actor=Actor.system("beat"), now=clock.now()))


@job_task("trading.import_prices")
def import_prices(job: RunningJob, *, path: str, market: str, clock_name: str = "") -> JobResult:
    """
    Import a stored price file; its permission was checked when the job was asked for.

    path          name in the default storage
    clock_name    a `Clock`, empty for files with offsets
    """
    with default_storage.open(path, "rb") as file:
        content = file.read()
    import_price_file(
        actor=Actor.system("jobs", request_id=job.actor.request_id),
        market=market_by_code(market),
        content=content,
        source=path,
        clock=Clock(clock_name) if clock_name else None,
        received_at=clock.now(),
        progress=lambda stage, done, total: job.progress(done, total, stage),
    )
    return JobResult(url=reverse("trading:market_prices", args=[market]))


@job_task("trading.import_reference")
def import_reference_files(
    job: RunningJob, *, paths: dict[str, str], organization: str, expected: str = ""
) -> JobResult:
    """
    Import stored files of reference data; permissions were checked when the job was asked for.

    paths           name in the default storage by file name
    organization    id, empty for shared kinds only
    expected        digest of the difference that was agreed to, empty for any
    """
    files = {}
    for name, path in paths.items():
        with default_storage.open(path, "rb") as file:
            files[name] = file.read()
    import_reference(
        actor=_asker(job),
        files=files,
        organization_id=UUID(organization) if organization else None,
        expected=expected,
        progress=lambda stage, done, total: job.progress(done, total, stage),
    )
    return JobResult(url=reverse("trading:reference"))


@job_task("trading.compare_reference")
def compare_reference_files(job: RunningJob, *, import_id: str) -> JobResult:
    """Work out what staged files would change; the page of the import shows it."""
    compare_staged(
        actor=_asker(job),
        import_id=UUID(import_id),
        progress=lambda stage, done, total: job.progress(done, total, stage),
    )
    return JobResult(url=reverse("trading:reference_import", args=[import_id]))


@job_task("trading.end_of_day")
def close_day(job: RunningJob, *, end_of_day_id: int) -> JobResult:
    """Close a day; its permission was checked when it was started."""
    row = run_end_of_day(
        actor=_asker(job),
        end_of_day_id=end_of_day_id,
        progress=lambda stage, done, total: job.progress(done, total, stage),
    )
    return JobResult(url=reverse("trading:end_of_day", args=[row.pk]))


@job_task("trading.prove_end_of_day")
def prove_day(job: RunningJob, *, end_of_day_id: int) -> JobResult:
    """Compute a closed day again from its cut, and keep whether the hashes are the same."""
    prove_end_of_day(
        actor=_asker(job),
        end_of_day_id=end_of_day_id,
        progress=lambda stage, done, total: job.progress(done, total, stage),
    )
    return JobResult(url=reverse("trading:end_of_day", args=[end_of_day_id]))


@job_task("trading.value_structure")
def value_one_structure(job: RunningJob, *, ref: str) -> JobResult:
    """Value a contract with choices on the curves of now, and its hedge by revaluation."""
    actor = _asker(job)
    version = trade_by_ref(actor, ref)
    cut = take_cut(version.trade.organization_id)
    for value in value_structure(actor=actor, ref=ref, as_of=clock.now(), known_at=cut):
        check_value(
            actor=actor,
            value=value,
            progress=lambda done, total: job.progress(done, total, "Months revalued"),
        )
    return JobResult(url=reverse("trading:trade", args=[ref]))


@job_task("trading.preview_structure")
def value_preview(job: RunningJob, *, key: str, leg: dict[str, Any]) -> JobResult:
    """Value a contract with choices that is not booked; the ticket's preview shows it."""
    assert job.organization_id is not None
    preview_structure(
        asked_by=job.actor.id, key=key, leg=leg, as_of=clock.now(),
        known_at=take_cut(job.organization_id),
    )  # fmt: skip
    return JobResult(url=reverse("trading:ticket"))


@job_task("trading.check_hedges")
def check_hedges(job: RunningJob, *, run_id: int) -> JobResult:
    """Hold the hedges that a closing stored against revaluation; trades' pages show them."""
    check_run(
        actor=_asker(job),
        run_id=run_id,
        progress=lambda ref, done, total: job.progress(done, total, ref),
    )
    return JobResult(url=reverse("trading:trades"))


@job_task("trading.calibrate_process")
def calibrate_process(job: RunningJob, *, terms: dict[str, Any]) -> JobResult:
    """Calibrate a price process to what is known now; its page shows the fit and proposes it."""
    row = calibrate(
        actor=_asker(job),
        terms=terms_of(terms),
        as_of=clock.now(),
        known_at=server_time(),
        progress=lambda stage, done, total: job.progress(done, total, stage),
    )
    return JobResult(url=reverse("trading:process_calibration", args=[row.pk]))


@job_task("trading.check_trades")
def try_trades(job: RunningJob, *, import_id: str) -> JobResult:
    """Try a staged file of trades with all checks; its page shows what they say."""
    check_trades(
        actor=_person(job),
        import_id=UUID(import_id),
        progress=lambda stage, done, total: job.progress(done, total, stage),
    )
    return JobResult(url=reverse("trading:trade_import", args=[import_id]))


@job_task("trading.book_trades")
def import_staged_trades(job: RunningJob, *, import_id: str) -> JobResult:
    """Book a staged file of trades; the blotter shows what it added."""
    found = book_trades(
        actor=_person(job),
        import_id=UUID(import_id),
        progress=lambda stage, done, total: job.progress(done, total, stage),
    )
    if found.captured_at is None:  # all of it was there already
        return JobResult(url=reverse("trading:trade_import", args=[import_id]))
    query = urlencode({"captured_at": found.captured_at.isoformat()})
    return JobResult(url=f"{reverse('trading:trades')}?{query}")


def _person(job: RunningJob) -> Actor:
    """
    Return who asked for a job with the books and rights that it has now.

    :raises UnknownTradeImport: if the person is gone.
    """
    kind, _, key = job.actor.id.partition(":")
    user = User.objects.filter(pk=key, is_active=True).first() if kind == "user" else None
    if user is None:
        raise UnknownTradeImport("Who uploaded the file has no account any more.")
    return Actor.for_user(
        user, on_behalf_of=job.actor.on_behalf_of, request_id=job.actor.request_id
    )


def _asker(job: RunningJob) -> Actor:
    """Return who asked for a job, with the rights that were looked at then; events name them."""
    return Actor(
        id=job.actor.id, on_behalf_of=job.actor.on_behalf_of, request_id=job.actor.request_id
    )
