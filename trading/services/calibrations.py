"""Calibrate how a market's prices move to what is known of it, as a job, and keep the fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from math import isfinite, log
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.events.services import record_event
from energyopti.foundation.jobs.models import Job
from energyopti.foundation.jobs.services import enqueue_job
from trading.models import CalibrationBasis, Market, ProcessCalibration, ProcessKind
from trading.queries.quote_days import quote_days
from trading.queries.rates import NoRates, vol_surface
from trading.queries.valuation import digest_of, known_fixings

from .curve_definitions import require_operator
from .price_processes import PROPOSE

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from trading.pricing import Parameter

    Floats = npt.NDArray[np.float64]

TASK = "trading.calibrate_process"
FEWEST_DAYS = 60
_LONGEST = 366 * 20
_YEAR = 365.0
_DAY = timedelta(days=1)
_SPOT = (ProcessKind.SPOT_NORMAL, ProcessKind.SPOT_LOGNORMAL)
Progress = Callable[[str, int, int], None]
Row = tuple[str, str, list[float]]


class CalibrationRefused(ValueError):
    """What is known cannot be fitted; names the market, what is wrong, and what to do."""


@dataclass(frozen=True, slots=True)
class CalibrationTerms:
    """
    What is fitted to what; fields as in `trading.models.ProcessCalibration`, the market by code.

    correlation     of the two factors, held while volatilities are fitted; None fits it too
    """

    market: str
    kind: ProcessKind
    basis: CalibrationBasis
    until_date: date
    first_date: date | None = None
    minutes: int = 1440
    vol_source: str = ""
    correlation: float | None = None


@dataclass(frozen=True, slots=True)
class _Fit:
    """What a fit found; fields as in `trading.models.ProcessCalibration`."""

    parameters: tuple[Parameter, ...]
    days: int
    observations: int
    figures: list[tuple[str, float, str]]
    columns: list[str]
    rows: list[Row]
    findings: list[str] = field(default_factory=list)


def ask_calibration(*, actor: Actor, terms: CalibrationTerms, as_of: datetime) -> Job:
    """
    Start to calibrate a process, as a job; its result is the page of the fit.

    :raises PermissionMissing: without `trading.propose_price_process` in an operating company.
    :raises ValidationError: naming the field.
    """
    require_operator(actor, PROPOSE)
    market = _checked(terms, as_of)
    given = asdict(terms) | {"market": market.code, "kind": str(terms.kind),
                             "basis": str(terms.basis)}  # fmt: skip
    for name in ("first_date", "until_date"):
        given[name] = None if given[name] is None else given[name].isoformat()
    return enqueue_job(
        actor=actor,
        kind="process_calibration",
        title=f"Calibration of {market.code}: {terms.kind.label.lower()}",
        task=TASK,
        arguments={"terms": given},
        organization_id=None,
    )


def terms_of(given: dict[str, Any]) -> CalibrationTerms:
    """Return terms from what a job keeps of them."""
    days = {
        name: None if given[name] is None else date.fromisoformat(given[name])
        for name in ("first_date", "until_date")
    }
    kinds = {"kind": ProcessKind(given["kind"]), "basis": CalibrationBasis(given["basis"])}
    return CalibrationTerms(**{**given, **days, **kinds})


def calibrate(
    *,
    actor: Actor,
    terms: CalibrationTerms,
    as_of: datetime,
    known_at: datetime,
    progress: Progress = lambda stage, done, total: None,
) -> ProcessCalibration:
    """
    Fit a process to what a cut knew of its market, and keep it; the worker's part of asking.

    :raises ValidationError: as `ask_calibration`.
    :raises CalibrationRefused: for too little history, prices that never move, or prices that the
        process cannot have.
    """
    from trading.pricing import PricingError

    market = _checked(terms, None)
    today = market.calendar.date_of(as_of)
    if terms.until_date > today:
        raise CalibrationRefused(f"{market.code}: until {terms.until_date} is after {today}.")
    fits = {
        CalibrationBasis.FIXINGS: _of_fixings,
        CalibrationBasis.QUOTES: _of_quotes,
        CalibrationBasis.VOLATILITIES: _of_volatilities,
    }
    progress("reading", 0, 2)
    try:
        fit = fits[terms.basis](market, terms, as_of, known_at, progress)
    except PricingError as error:
        raise CalibrationRefused(f"{market.code}: {error}") from error
    parameters = [[one.name, one.value, _finite(one.standard_error)] for one in fit.parameters]
    for name, _, spread in parameters:
        if spread is None:
            fit.findings.append(f"{name}: these figures do not tell it; it is a convention.")
    content = {"parameters": parameters, "figures": fit.figures, "rows": fit.rows,
               "findings": fit.findings}  # fmt: skip
    row = ProcessCalibration(
        market=market, kind=terms.kind, basis=terms.basis, minutes=terms.minutes,
        first_date=terms.first_date, until_date=terms.until_date, vol_source=terms.vol_source,
        as_of=as_of, known_at=known_at, parameters=parameters, days=fit.days,
        observations=fit.observations, figures=fit.figures, columns=fit.columns, rows=fit.rows,
        findings=fit.findings, actor_id=actor.id,
        content_hash=digest_of(content),
    )  # fmt: skip
    with transaction.atomic():
        row.save(force_insert=True)
        record_event(
            type="price_process.calibrated",
            actor=actor,
            aggregate_type="process_calibration",
            aggregate_id=row.pk,
            organization_id=None,
            key=f"market:{market.code}",
            payload={
                "market": market.code, "kind": str(terms.kind), "basis": str(terms.basis),
                "days": row.days, "parameters": parameters, "content_hash": row.content_hash,
            },
        )  # fmt: skip
    return row


def _checked(terms: CalibrationTerms, as_of: datetime | None) -> Market:
    """Return the market, or refuse by field; `as_of` bounds the days."""
    market = Market.objects.filter(code__iexact=terms.market).first()
    if market is None:
        raise ValidationError({"market": f"There is no market “{terms.market}”."})
    if terms.kind == ProcessKind.CORRELATION:
        raise ValidationError({"kind": "A correlation is stated, not calibrated."})
    if (terms.kind in _SPOT) is not (terms.basis == CalibrationBasis.FIXINGS):
        raise ValidationError(
            {"basis": "Spot is calibrated to fixings; forwards to contracts or volatilities."}
        )
    if as_of is not None and terms.until_date > market.calendar.date_of(as_of):
        raise ValidationError({"until_date": "Must not be after today."})
    if terms.basis == CalibrationBasis.VOLATILITIES:
        if terms.first_date is not None:
            raise ValidationError(
                {"first_date": "Volatilities are those of one day: leave it out."}
            )
    elif terms.first_date is None:
        raise ValidationError({"first_date": "Say from when."})
    else:
        days = (terms.until_date - terms.first_date).days
        if days < FEWEST_DAYS:
            raise ValidationError(
                {"first_date": f"Must be {FEWEST_DAYS} days before the last, or earlier."}
            )
        if days > _LONGEST:
            raise ValidationError({"first_date": "Is more than 20 years before the last day."})
    if terms.minutes not in (60, 1440) or (
        terms.minutes == 60 and terms.basis != CalibrationBasis.FIXINGS
    ):
        raise ValidationError({"minutes": "Is 1440, a day; or 60, an hour, of fixings."})
    if terms.vol_source and terms.basis != CalibrationBasis.VOLATILITIES:
        raise ValidationError({"vol_source": "Only volatilities have one."})
    if terms.correlation is not None:
        if terms.basis != CalibrationBasis.VOLATILITIES:
            raise ValidationError({"correlation": "Is held only where volatilities are fitted."})
        if not abs(terms.correlation) < 0.998:
            raise ValidationError({"correlation": "Is between −0.998 and 0.998."})
    return market


def _of_fixings(
    market: Market, terms: CalibrationTerms, as_of: datetime, known_at: datetime, progress: Progress
) -> _Fit:
    """Fit a spot process to the mean of each day, or to each hour."""
    import numpy as np

    from trading.pricing import fit_spot

    assert terms.first_date is not None, "it was checked"
    starts, prices, days, left = _means(market, terms, as_of, known_at)
    if days < FEWEST_DAYS:
        raise CalibrationRefused(
            f"{market.code}: {days} days with all their prices are known of {terms.first_date} to"
            f" {terms.until_date}; {FEWEST_DAYS} is the least. Import prices, or take longer."
        )
    is_lognormal = terms.kind == ProcessKind.SPOT_LOGNORMAL
    low = prices <= 0
    if is_lognormal and low.any():
        first = datetime.fromtimestamp(int(starts[low][0]), UTC)
        raise CalibrationRefused(
            f"{market.code}: {int(low.sum())} of {len(prices)} prices are not above 0, the first"
            f" on {market.calendar.date_of(first)}; a lognormal process has none such. Choose the"
            " normal one."
        )
    if float(prices.std()) <= 1e-9 * max(1.0, float(np.abs(prices).max())):
        raise CalibrationRefused(f"{market.code}: no price ever moves; there is nothing to fit.")
    progress("fitting", 1, 2)
    times = (starts - starts[0]) / (86400 * _YEAR)
    span = (terms.until_date - terms.first_date).days
    harmonics = 2 if span >= 365 else 1 if span >= 180 else 0
    moments = [datetime.fromtimestamp(at, UTC) for at in starts.tolist()]
    if terms.minutes == 60:
        local = [at.astimezone(market.calendar.zone) for at in moments]
        groups = np.array([at.hour + 24 * (at.weekday() >= 5) for at in local])
        said = "hours of working days and weekends"
    else:
        groups = np.array([market.calendar.date_of(at).weekday() for at in moments])
        said = "days of the week"
    fit = fit_spot(times, prices, groups=groups, harmonics=harmonics, is_lognormal=is_lognormal)
    left.append(f"Season: {said}, {harmonics} harmonics of the year.")
    if not fit.process.jump_intensity:
        left.append("Jumps: the history does not ask for them.")
    if not fit.has_settled:
        left.append("The search ended for want of steps, not by its own rule.")
    usual = fit.season.at(times, groups)
    usual = np.exp(usual) if is_lognormal else usual
    residuals = fit.residuals
    return _Fit(
        parameters=_all_jumps(fit.parameters),
        days=days,
        observations=fit.observations,
        figures=[
            ("Half-life of a deviation", fit.process.half_life * _YEAR, "days"),
            ("Variance that the season explains", 100.0 * fit.season_share, "%"),
            ("Log-likelihood", fit.log_likelihood, ""),
            ("Log-likelihood without jumps", fit.log_likelihood_without_jumps, ""),
            ("Residuals: mean (0 where it fits)", residuals.mean, ""),
            ("Residuals: deviation (1)", residuals.deviation, ""),
            ("Residuals: skewness (0)", residuals.skewness, ""),
            ("Residuals: excess kurtosis (0)", residuals.excess_kurtosis, ""),
            ("Residuals: autocorrelation (0)", residuals.autocorrelation, ""),
        ],
        columns=["Price", "Season"],
        rows=_by_day(market, starts, prices, usual),
        findings=left,
    )


def _means(
    market: Market, terms: CalibrationTerms, as_of: datetime, known_at: datetime
) -> tuple[npt.NDArray[np.int64], Floats, int, list[str]]:
    """Return starts and means of whole days or hours, how many days, and what was left out."""
    import numpy as np

    assert terms.first_date is not None, "it was checked"
    period = DatePeriod(terms.first_date, terms.until_date + _DAY)
    calendar = market.calendar
    asked = (period.after - period.first).days
    firsts = [calendar.day(period.first + n * _DAY).start for n in range(asked)]
    edges = np.array(
        [int(at.timestamp()) for at in (*firsts, calendar.span(period).end)], dtype=np.int64
    )
    of_day = np.arange(asked)
    if terms.minutes == 60:
        hours = (np.diff(edges) // 3600).astype(np.int64)
        of_day = np.repeat(of_day, hours)
        edges = np.arange(edges[0], edges[-1] + 1, 3600, dtype=np.int64)
    series = known_fixings(market.pk, calendar.span(period), as_of=as_of, known_at=known_at)
    if series is None:
        return edges[:0], np.zeros(0), 0, []
    place = np.clip(np.searchsorted(edges, series.starts, side="right") - 1, 0, len(edges) - 2)
    length = (np.minimum(series.ends, edges[place + 1]) - series.starts).astype(np.float64)
    seen = np.bincount(place, length, len(edges) - 1)
    total = np.bincount(place, length * series.prices, len(edges) - 1)
    whole = seen >= np.diff(edges) - 0.5
    days = len(np.unique(of_day[whole]))
    left = []
    if days < asked:
        left.append(f"{asked - days} of {asked} days are left out: not all their prices are known.")
    return edges[:-1][whole], total[whole] / seen[whole], days, left


def _by_day(
    market: Market, starts: npt.NDArray[np.int64], prices: Floats, usual: Floats
) -> list[Row]:
    """Return the picture: each day's mean price and season; of hours, their day's."""
    import numpy as np

    day = (starts - starts[0]) // 86400
    _, first = np.unique(day, return_index=True)
    means = [np.add.reduceat(row, first) / np.diff(np.append(first, len(row)))
             for row in (prices, usual)]  # fmt: skip
    return [
        ("", datetime.fromtimestamp(int(starts[at]), UTC).isoformat(),
         [round(float(means[0][n]), 4), round(float(means[1][n]), 4)])
        for n, at in enumerate(first)
    ]  # fmt: skip


def _all_jumps(parameters: tuple[Parameter, ...]) -> tuple[Parameter, ...]:
    """Return all five parameters of a spot process; without jumps theirs are 0, and known."""
    from trading.pricing import Parameter

    names = ("jump_intensity", "jump_mean", "jump_deviation")
    known = {one.name for one in parameters}
    return (*parameters, *(Parameter(name, 0.0, 0.0) for name in names if name not in known))


def _of_quotes(
    market: Market, terms: CalibrationTerms, as_of: datetime, known_at: datetime, progress: Progress
) -> _Fit:
    """Fit two-factor forwards to the daily quotes of whole-month contracts, at base load."""
    import numpy as np

    from trading.pricing import fit_forwards_to_history

    assert terms.first_date is not None, "it was checked"
    until = min(as_of, market.calendar.day(terms.until_date).end)
    quoted = quote_days(
        market_id=market.pk, as_of=until, known_at=known_at,
        days=(terms.until_date - terms.first_date).days + 1,
    )  # fmt: skip
    quoted = [one for one in quoted if terms.first_date <= one.day <= terms.until_date]
    seen = {
        (contract.first, contract.months): None
        for one in quoted
        for contract in one.contracts
        if contract.first > one.day
    }
    contracts = sorted(seen)
    if len(quoted) < 30 or len(contracts) < 2:
        raise CalibrationRefused(
            f"{market.code}: {len(quoted)} trading days with {len(contracts)} contracts are quoted"
            f" from {terms.first_date} to {terms.until_date}; 30 days and 2 contracts are the"
            " least. Import quotes, or take longer."
        )
    place = {contract: n for n, contract in enumerate(contracts)}
    prices = np.full((len(quoted), len(contracts)), np.nan)
    begun = 0
    for n, one in enumerate(quoted):
        for contract in one.contracts:
            if contract.first <= one.day:
                begun += 1
                continue
            prices[n, place[contract.first, contract.months]] = contract.price
    low = np.nan_to_num(prices, nan=1.0) <= 0
    if low.any():
        n, m = (int(row[0]) for row in np.nonzero(low))
        raise CalibrationRefused(
            f"{market.code}: {_named(contracts[m])} is quoted at {prices[n, m]:g} on"
            f" {quoted[n].day}; a lognormal process has no price that is not above 0."
        )
    start = quoted[0].day
    times = np.array([(one.day - start).days for one in quoted]) / _YEAR
    delivery = np.array([(first - start).days for first, _ in contracts]) / _YEAR
    length = np.array([(_after(one) - one[0]).days for one in contracts]) / _YEAR
    progress("fitting", 1, 2)
    fit = fit_forwards_to_history(times, prices, delivery=delivery, length=length)
    findings = [] if not begun else [f"{begun} quotes are left out: their delivery had begun."]
    bare = [one for one, vol in zip(contracts, fit.seen, strict=True) if not vol]
    if bare:
        findings.append(
            f"{len(bare)} of {len(contracts)} contracts were never quoted on two days in a row"
            " and say nothing."
        )
    if not fit.has_settled:
        findings.append("The search ended for want of steps, not by its own rule.")
    rows = [
        (_named(one), market.calendar.day(one[0]).start.isoformat(),
         [round(float(seen), 6), round(float(modelled), 6)])
        for one, seen, modelled in zip(contracts, fit.seen, fit.modelled, strict=True)
        if seen
    ]  # fmt: skip
    return _Fit(
        parameters=fit.parameters,
        days=len(quoted),
        observations=fit.observations,
        figures=[
            ("Variance that both factors explain", 100.0 * fit.explained, "%"),
            ("RMSE of volatilities", fit.rmse, "per √year"),
            ("Half-life of the short factor", log(2) / fit.model.mean_reversion * _YEAR, "days"),
            ("Log-likelihood", fit.log_likelihood, ""),
        ],
        columns=["Volatility seen", "Volatility modelled"],
        rows=rows,
        findings=findings,
    )


def _of_volatilities(
    market: Market, terms: CalibrationTerms, as_of: datetime, known_at: datetime, progress: Progress
) -> _Fit:
    """Fit two-factor forwards to lognormal volatilities at the money."""
    import numpy as np

    from trading.curves import contract_period
    from trading.pricing import fit_forwards_to_volatilities

    until = min(as_of, market.calendar.day(terms.until_date).end)
    try:
        surface = vol_surface(
            market, "LOGNORMAL", as_of=until, known_at=known_at, source=terms.vol_source
        )
    except NoRates as error:
        raise CalibrationRefused(
            f"{market.code}: no lognormal volatility is quoted by {terms.until_date}. Import"
            " volatilities, or calibrate to history."
        ) from error
    today, used, late = surface.valued_on, [], 0
    for one in surface.slices:
        period = contract_period(one.contract)
        if one.expiry > period.first:
            late += 1
            continue
        vol = float(surface.vols(one.contract, one.expiry, np.ones(1))[0])
        used.append((one.contract, one.expiry, period, vol))
    progress("fitting", 1, 2)
    years = [
        np.array([(day - today).days for day in days]) / _YEAR
        for days in (
            [expiry for _, expiry, _, _ in used],
            [period.first for _, _, period, _ in used],
            [period.after for _, _, period, _ in used],
        )
    ]
    fit = fit_forwards_to_volatilities(
        [vol for *_, vol in used], expiry=years[0], delivery=years[1], length=years[2] - years[1],
        correlation=terms.correlation,
    )  # fmt: skip
    findings = [f"Quoted on {today}, at the money; strikes away from it are left out."]
    if late:
        findings.append(f"{late} volatilities are left out: they expire after delivery began.")
    if terms.correlation is not None:
        findings.append(f"The correlation of the factors is held at {terms.correlation:g}.")
    if not fit.has_settled:
        findings.append("The search ended for want of steps, not by its own rule.")
    rows = [
        (f"{contract} until {expiry}", market.calendar.day(expiry).start.isoformat(),
         [round(float(quoted), 6), round(float(modelled), 6)])
        for (contract, expiry, _, _), quoted, modelled in zip(
            used, fit.quoted, fit.modelled, strict=True
        )
    ]  # fmt: skip
    return _Fit(
        parameters=fit.parameters,
        days=1,
        observations=len(used),
        figures=[
            ("RMSE of volatilities", fit.rmse, "per √year"),
            ("Half-life of the short factor", log(2) / fit.model.mean_reversion * _YEAR, "days"),
        ],
        columns=["Volatility quoted", "Volatility modelled"],
        rows=sorted(rows, key=lambda row: row[1]),
        findings=findings,
    )


def _after(contract: tuple[date, int]) -> date:
    first, months = contract
    whole = first.year * 12 + first.month - 1 + months
    return date(whole // 12, whole % 12 + 1, 1)


def _named(contract: tuple[date, int]) -> str:
    first, months = contract
    return f"{first:%b %Y}" if months == 1 else f"{first:%b %Y}, {months} months"


def _finite(value: float) -> float | None:
    return float(value) if isfinite(value) else None
