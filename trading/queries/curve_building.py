"""
Build a curve from what was known at a cut: quotes, hours of loads, spot history, edits by hand.

The same cut and terms give the same curve, so a stored version can be proved by building it again.
Prices in the hash are rounded to a millionth of a currency unit: machines differ beyond that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from energyopti.foundation.calendars import Calendar, DatePeriod, HolidaySet
from energyopti.foundation.intervals import Interval

from ..models import CurveFit, CurveMethod, HolidayCalendar, Market
from .curve_points import curve_points
from .curve_terms import (
    CurveTerms,
    EditRefused,
    MovedQuote,
    NoCurve,
    NodeEdit,
    OneLeftOut,
    Point,
)
from .load_hours import complements, loads_of_market
from .load_shapes import holiday_sets
from .prices import price_series
from .quotes import BASE, KnownQuote, quotes_at

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ..curves import CurveQuote, LeftOut, LoadCurve, LoadHours, ShapedCurve, SpotProfile

    Floats = npt.NDArray[np.float64]

BUILD_VERSION = "3"
_DAY = timedelta(days=1)
_PLACES = 6


@dataclass(frozen=True, eq=False)
class BuiltCurve:
    """
    A curve with all that it was built from.

    quotes      known at the cut; `taken` are the ids of those repriced
    moved       of these, those repriced at another price within their bid and ask
    shaped      prices of the fine grid; None where they are flat in each cell
    """

    market: Market
    terms: CurveTerms
    as_of: datetime
    quotes: tuple[KnownQuote, ...]
    edits: tuple[NodeEdit, ...]
    curve: LoadCurve
    shaped: ShapedCurve | None
    taken: tuple[int, ...]
    moved: tuple[MovedQuote, ...]
    left_out: tuple[OneLeftOut, ...]
    points: tuple[Point, ...]
    content_hash: str

    def average(self, interval: Interval, load: str = BASE) -> float:
        """
        Return the mean price of a delivery.

        :raises CurveDoesNotCover: unless the curve has a price at every hour of it.
        :raises CurveError: for a load without hours there.
        """
        return (self.shaped or self.curve).average(interval, load)

    def fine(
        self, period: DatePeriod, *, minutes: int
    ) -> tuple[npt.NDArray[np.datetime64], Floats]:
        """
        Return the starts and prices of a run of delivery days in periods of `minutes`.

        :raises CurveDoesNotCover: for days that the curve does not price in full.
        """
        from energyopti.foundation.calendars import period_starts

        step = min(minutes, self.terms.minutes)
        starts = period_starts(self.market.calendar, period, minutes=step)
        prices = (self.shaped or self.curve).prices_at(starts)
        count = minutes // step
        return starts[::count], prices.reshape(-1, count).mean(axis=1)


def known_curve(
    market: Market,
    terms: CurveTerms,
    *,
    as_of: datetime,
    known_at: datetime | None,
    edits: Sequence[NodeEdit] = (),
) -> BuiltCurve:
    """
    Build the curve of the quotes known at a cut.

    :raises NoCurve: if no quote is known.
    :raises CurveError: if the quotes make no curve, or the spot history no shape.
    :raises CalendarError: if the hours of a load are not known on all dates.
    :raises EditRefused: for an edit that finer quotes overrule.
    """
    quotes = quotes_at(market, as_of=as_of, known_at=known_at)
    return curve_from(market, terms, quotes, as_of=as_of, known_at=known_at, edits=edits)


def curve_from(
    market: Market,
    terms: CurveTerms,
    quotes: Sequence[KnownQuote],
    *,
    as_of: datetime,
    known_at: datetime | None = None,
    edits: Sequence[NodeEdit] = (),
) -> BuiltCurve:
    """Build the curve of quotes at hand; refuses as `known_curve`."""
    if not quotes:
        raise NoCurve(f"{market.code}: no forward quote is known at {as_of.isoformat()}.")
    calendar = market.calendar
    given, ids = _curve_quotes(calendar, terms, quotes, edits, as_of)
    period = _dates_of(calendar, given)
    is_shaped = terms.method == CurveMethod.HISTORY_SHAPED
    needs_loads = is_shaped or any(quote.load != BASE for quote in given)
    loads = loads_of_market(market, period, known_at=known_at) if needs_loads else {}
    partners = complements(market, period=period, known_at=known_at) if needs_loads else {}
    curve, moved, left_out = _fitted(terms, calendar, given, loads)
    for each in left_out:
        if each.quote.name not in ids:
            raise EditRefused(
                f"contract: {each}. Edit one of the finer contracts; they decide its price."
            )
    shaped, profile = _shaped(market, terms, curve, as_of=as_of, known_at=known_at)
    points = tuple(curve_points(calendar, curve, shaped, loads, partners, all_loads=is_shaped))
    return BuiltCurve(
        market=market,
        terms=terms,
        as_of=as_of,
        quotes=tuple(quotes),
        edits=tuple(edits),
        curve=curve,
        shaped=shaped,
        taken=tuple(ids[quote.name].id for quote in curve.quotes if quote.name in ids),
        moved=tuple(_moved(moved, ids)),
        left_out=tuple(_left_out(left_out, ids)),
        points=points,
        content_hash=_hash(market, terms, as_of, quotes, edits, loads, given, profile, points),
    )


def _fitted(
    terms: CurveTerms,
    calendar: Calendar,
    given: Sequence[CurveQuote],
    loads: Mapping[str, LoadHours],
) -> tuple[LoadCurve, Sequence[tuple[CurveQuote, CurveQuote]], Sequence[LeftOut]]:
    """Return the curve of quotes, those it moved within their bands, and those it left out."""
    # With NumPy: for whoever builds one.
    from ..curves import SpreadRule, bootstrap, bootstrap_within_bands

    how: dict[str, Any] = {
        "calendar": calendar,
        "loads": loads,
        "tolerance": float(terms.tolerance),
        "cut_months": terms.method != CurveMethod.MAXIMUM_SMOOTHNESS,
        "spread": SpreadRule(terms.spread),
    }
    if terms.fit == CurveFit.BANDS:
        banded = bootstrap_within_bands(given, **how)
        return banded.curve, banded.moved, (*banded.redundant, *banded.conflicts)
    curve = bootstrap(given, **how)
    return curve, (), curve.left_out


def _curve_quotes(
    calendar: Calendar,
    terms: CurveTerms,
    quotes: Sequence[KnownQuote],
    edits: Sequence[NodeEdit],
    as_of: datetime,
) -> tuple[list[CurveQuote], dict[str, KnownQuote]]:
    """Return what the curve is built from, and the stored quotes by the names used there."""
    from ..curves import CurveQuote, QuoteQuality, contract_interval

    nodes = {(contract_interval(e.contract, calendar), e.load): e for e in edits}
    by_name: dict[str, list[KnownQuote]] = {}
    for quote in quotes:
        if (quote.delivery, quote.load) not in nodes:
            by_name.setdefault(quote.name, []).append(quote)
    ids = {
        (name if len(same) == 1 else f"{name} of {quote.source}"): quote
        for name, same in by_name.items()
        for quote in same
    }
    is_banded = terms.fit == CurveFit.BANDS
    given = [
        CurveQuote(
            name,
            quote.delivery,
            float(quote.value),
            load=quote.load,
            quality=QuoteQuality(quote.quality),
            valid_from=quote.valid_from,
            bid=float(quote.bid) if is_banded and quote.bid is not None else None,
            ask=float(quote.ask) if is_banded and quote.ask is not None else None,
        )
        for name, quote in ids.items()
    ]
    for (delivery, load), edit in nodes.items():
        name = edit.contract if load == BASE else f"{edit.contract} {load}"
        given.append(
            CurveQuote(f"{name} (edited)", delivery, edit.price, load=load, valid_from=as_of)
        )
    return given, ids


def _dates_of(calendar: Calendar, given: Sequence[CurveQuote]) -> DatePeriod:
    first = calendar.date_of(min(quote.interval.start for quote in given))
    end = max(quote.interval.end for quote in given)
    last = calendar.date_of(end)
    return DatePeriod(first, last if calendar.start_of(last) == end else last + _DAY)


def _shaped(
    market: Market,
    terms: CurveTerms,
    curve: LoadCurve,
    *,
    as_of: datetime,
    known_at: datetime | None,
) -> tuple[ShapedCurve | None, str]:
    """Return the fine grid's prices, None if flat, and a digest of the history they follow."""
    from ..curves import Smoothing, SplineEnd, delivery_grid, shape_curve

    if terms.method == CurveMethod.FLAT:
        return None, ""
    grid = delivery_grid(curve, calendar=market.calendar, minutes=terms.minutes)
    if terms.method == CurveMethod.MAXIMUM_SMOOTHNESS:
        end = SplineEnd(terms.spline_end)
        return shape_curve(curve, grid, smoothing=Smoothing.MAXIMUM_SMOOTHNESS, end=end), ""
    profile = _profile(market, terms, as_of=as_of, known_at=known_at)
    additive = profile.on(grid)
    digest = hashlib.sha256(additive.round(_PLACES).tobytes()).hexdigest()
    if profile.holidays is not None:
        digest = f"{digest} {profile.holidays.name} {profile.holidays.version}"
    return shape_curve(curve, grid, additive=additive), digest


def _profile(
    market: Market, terms: CurveTerms, *, as_of: datetime, known_at: datetime | None
) -> SpotProfile:
    import numpy as np

    from ..curves import CurveError, DayKinds, DeliveryGrid, learn_profile

    calendar = market.calendar
    after = calendar.date_of(as_of)
    period = DatePeriod(after - terms.history_days * _DAY, after)
    series = price_series(market, calendar.span(period), as_of=known_at, known_at=as_of)
    if not len(series.starts):
        raise CurveError(
            f"prices: {market.code} has no spot price in the {terms.history_days} days before"
            f" {after}; a history-shaped curve needs them."
        )
    grid = DeliveryGrid.over(calendar, period, minutes=series.minutes)
    prices = np.full(len(grid), np.nan)
    at = np.searchsorted(grid.starts, series.starts)
    prices[at] = series.values
    return learn_profile(
        grid,
        prices,
        holidays=_holidays(terms, known_at),
        day_kinds=DayKinds(terms.day_kinds),
    )


def _holidays(terms: CurveTerms, known_at: datetime | None) -> HolidaySet | None:
    from ..curves import CurveError

    if not terms.holidays:
        return None
    ids = set(HolidayCalendar.objects.filter(code=terms.holidays).values_list("pk", flat=True))
    for found in holiday_sets(ids, known_at).values():
        return found
    raise CurveError(f"holidays: no version of {terms.holidays} is known.")


def _moved(
    moved: Iterable[tuple[CurveQuote, CurveQuote]], ids: Mapping[str, KnownQuote]
) -> Iterator[MovedQuote]:
    for quoted, taken in moved:
        stored = ids[quoted.name]
        yield MovedQuote(
            stored.id, stored.contract, stored.load, stored.source, quoted.price, taken.price
        )


def _left_out(left_out: Iterable[LeftOut], ids: Mapping[str, KnownQuote]) -> Iterator[OneLeftOut]:
    for each in left_out:
        stored = ids[each.quote.name]
        yield OneLeftOut(
            quote_id=stored.id,
            contract=stored.contract,
            load=stored.load,
            source=stored.source,
            price=each.quote.price,
            implied=each.implied,
            amount=each.amount,
            profit=each.profit,
            hours=each.hours,
            is_conflict=each.is_conflict,
            against=each.against,
            text=str(each),
        )


def _hash(
    market: Market,
    terms: CurveTerms,
    as_of: datetime,
    quotes: Sequence[KnownQuote],
    edits: Sequence[NodeEdit],
    loads: Mapping[str, LoadHours],
    given: Sequence[CurveQuote],
    profile: str,
    points: Sequence[Point],
) -> str:
    used = {quote.load for quote in given} - {BASE}
    content: list[Any] = [
        BUILD_VERSION,
        market.code,
        terms.hashed(),
        as_of.astimezone(UTC).isoformat(),
        [
            [q.id, q.contract, q.load, f"{q.value.normalize():f}", q.quality, q.source]
            for q in sorted(quotes, key=lambda q: q.id)
        ],
        [asdict(edit) for edit in edits],
        [
            [code, hashlib.sha256(loads[code].edges.astype("<i8").tobytes()).hexdigest()]
            for code in sorted(used)
        ],
        profile,
        [
            [p.load, p.interval.start.isoformat(), p.interval.end.isoformat(), f"{p.price:.6f}"]
            for p in points
        ],
    ]
    if terms.fit == CurveFit.BANDS:
        content.append([[each.name, *each.band] for each in given])
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
