"""Trading's own checks before a deal: the same deal twice, and a price far off the curve."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import F

from trading.checks import CheckResult, Outcome, Proposal
from trading.deals import Profile, Schedule
from trading.models import CurveVersion, TradeStatus, TradeVersion

from .marks import MarketMarks, month_marks
from .quote_days import DayOfQuotes, quote_days
from .quotes import BASE, standing_quotes
from .summaries import compared_terms

DUPLICATE_WINDOW = timedelta(minutes=10)
PRICE_SIGMAS = 5
SIGMA_DAYS = 60
_NO_TWIN = CheckResult("duplicate", Outcome.PASS, "No equal trade within ten minutes.")


def check_duplicate(proposal: Proposal) -> CheckResult:
    """Warn of a trade that holds with equal terms in the same book within ten minutes."""
    deal = proposal.deal
    schedule = deal.schedule
    twins = TradeVersion.objects.filter(
        trade__book_id=proposal.book_id,
        trade__counterparty_id=proposal.counterparty_id,
        trade__status__in=(TradeStatus.LIVE, TradeStatus.PENDING),
        version=F("trade__latest_version"),
        market_id=proposal.market_id,
        product_kind=deal.kind.value,
        delivery_start=schedule.interval.start,
        delivery_end=schedule.interval.end,
        traded_at__gt=proposal.traded_at - DUPLICATE_WINDOW,
        traded_at__lt=proposal.traded_at + DUPLICATE_WINDOW,
        **compared_terms(deal),
    )
    if proposal.trade_id is not None:
        twins = twins.exclude(trade_id=proposal.trade_id)
    twin = twins.order_by("-id").values_list("trade__ref", flat=True).first()
    return _NO_TWIN if twin is None else _is_twin(twin)


def _is_twin(name: str) -> CheckResult:
    return CheckResult(
        "duplicate", Outcome.SOFT, f"{name} has the same terms and is less than ten minutes apart."
    )


def check_duplicates(proposals: Sequence[Proposal]) -> list[CheckResult]:
    """
    Warn of each of many new deals that equals a trade, or one of them before it; one query.

    A deal among them has no reference yet and is called by its place.
    """
    times = [proposal.traded_at for proposal in proposals]
    held = TradeVersion.objects.filter(
        trade__book_id__in={p.book_id for p in proposals},
        trade__counterparty_id__in={p.counterparty_id for p in proposals},
        trade__status__in=(TradeStatus.LIVE, TradeStatus.PENDING),
        version=F("trade__latest_version"),
        market_id__in={p.market_id for p in proposals},
        traded_at__gt=min(times) - DUPLICATE_WINDOW,
        traded_at__lt=max(times) + DUPLICATE_WINDOW,
    )
    compared = ("side", "shape", "quantity", "quantity_unit", "frequency", "price", "currency")
    twins: dict[tuple[Any, ...], list[tuple[datetime, str]]] = defaultdict(list)
    for at, ref, *key in held.order_by("id").values_list(
        "traded_at", "trade__ref", "trade__book_id", "trade__counterparty_id", "market_id",
        "product_kind", "delivery_start", "delivery_end", *compared,
    ):  # fmt: skip
        twins[tuple(key)].append((at, ref))
    results = []
    for place, proposal in enumerate(proposals, start=1):
        deal, terms = proposal.deal, compared_terms(proposal.deal)
        interval = deal.schedule.interval
        found = twins[
            proposal.book_id, proposal.counterparty_id, proposal.market_id, deal.kind.value,
            interval.start, interval.end, *(terms[name] for name in compared),
        ]  # fmt: skip
        near = [n for at, n in found if abs(at - proposal.traded_at) < DUPLICATE_WINDOW]
        results.append(_is_twin(near[-1]) if near else _NO_TWIN)
        found.append((proposal.traded_at, f"Deal {place} of these"))
    return results


def check_prices(proposals: Sequence[Proposal]) -> list[CheckResult]:
    """Say of many deals what `check_price` says of each; curves and quotes are read once."""
    curves = _instants(
        CurveVersion.objects.filter(definition__is_mark=True, published_at__isnull=False),
        "definition__market_id", "snapshot__as_of", proposals,
    )  # fmt: skip
    quoted = _instants(
        standing_quotes().filter(load_type=BASE), "market_id", "valid_from", proposals
    )
    kept: dict[tuple[Any, ...], Any] = {}

    def marks_of(proposal: Proposal) -> MarketMarks | None:
        # The latest curve of then is the same until the next one's time.
        as_of = _latest(curves[proposal.market_id], proposal.traded_at)
        key = ("marks", proposal.market_id, as_of)
        if key not in kept:
            kept[key] = as_of and month_marks(as_of=as_of, market_ids=[proposal.market_id]).get(
                proposal.market_id
            )
        marks: MarketMarks | None = kept[key]
        return marks

    def sigma_of(proposal: Proposal, months: set[date]) -> float | None:
        as_of = _latest(quoted[proposal.market_id], proposal.traded_at)
        if as_of is None:
            return None
        days = ("days", proposal.market_id, as_of)
        if days not in kept:
            kept[days] = quote_days(market_id=proposal.market_id, as_of=as_of, days=SIGMA_DAYS + 1)
        key = ("sigma", proposal.market_id, as_of, frozenset(months))
        if key not in kept:
            kept[key] = _sigma(kept[days], months)
        sigma: float | None = kept[key]
        return sigma

    return [_judged_price(proposal, marks_of, sigma_of) for proposal in proposals]


def _instants(
    rows: Any, market: str, instant: str, proposals: Sequence[Proposal]
) -> dict[int, list[datetime]]:
    """Return by market the instants from which something held, ascending."""
    found: dict[int, list[datetime]] = defaultdict(list)
    rows = rows.filter(
        **{
            f"{market}__in": {p.market_id for p in proposals},
            f"{instant}__lte": max(p.traded_at for p in proposals),
        }
    )
    for market_id, at in rows.order_by(instant).values_list(market, instant).distinct():
        found[market_id].append(at)
    return found


def _latest(instants: Sequence[datetime], by: datetime) -> datetime | None:
    place = bisect_right(instants, by)
    return instants[place - 1] if place else None


def check_price(proposal: Proposal) -> CheckResult:
    """
    Warn of a price more than five daily standard deviations off the curve, or of no curve.

    The deviation is that of the delivery's own months: daily changes of the quotes that cover
    them, over the last sixty trading days.
    """

    def marks_of(proposal: Proposal) -> MarketMarks | None:
        found = month_marks(as_of=proposal.traded_at, market_ids=[proposal.market_id])
        return found.get(proposal.market_id)

    def sigma_of(proposal: Proposal, months: set[date]) -> float | None:
        days = quote_days(
            market_id=proposal.market_id, as_of=proposal.traded_at, days=SIGMA_DAYS + 1
        )
        return _sigma(days, months)

    return _judged_price(proposal, marks_of, sigma_of)


def _judged_price(
    proposal: Proposal,
    marks_of: Callable[[Proposal], MarketMarks | None],
    sigma_of: Callable[[Proposal, set[date]], float | None],
) -> CheckResult:
    deal, sums = proposal.deal, proposal.totals
    price = sums.average_price
    if price is None:
        return CheckResult(
            "price_sanity", Outcome.PASS, "The deal has no fixed price to hold against a curve."
        )
    weights = _weights(deal.schedule)
    marks = marks_of(proposal)
    shape = "profile" if isinstance(deal.schedule.volume, Profile) else deal.schedule.shape.code
    prices: dict[date, float | None] = {}
    if marks is not None and shape != "profile" and marks.price_unit == deal.fixed_legs[0].per:
        prices = {month: marks.price(month, shape) for month in weights}
    known = {month: value for month, value in prices.items() if value is not None}
    if len(known) < len(weights):
        return CheckResult(
            "price_sanity",
            Outcome.SOFT,
            f"There is no {shape.lower()} curve of {deal.schedule.area.code} for the whole "
            "delivery to hold the price against.",
        )
    unit = f"{proposal.currency}/{deal.fixed_legs[0].per}"
    curve = sum(w * known[month] for month, w in weights.items()) / sum(weights.values())
    sigma = sigma_of(proposal, set(weights))
    off = abs(float(price) - curve)
    if sigma is None:
        return CheckResult(
            "price_sanity",
            Outcome.SOFT,
            f"The curve is at {curve:.2f} {unit}; too few quotes to say how far is far.",
            curve,
            float(price),
            unit=unit,
        )
    allowed = PRICE_SIGMAS * sigma
    outcome = Outcome.SOFT if off > allowed else Outcome.PASS
    return CheckResult(
        "price_sanity",
        outcome,
        f"The price is {off:.2f} off the curve at {curve:.2f} {unit}; "
        f"{PRICE_SIGMAS} daily standard deviations are {allowed:.2f}.",
        curve,
        float(price),
        allowed,
        unit,
    )


def _weights(schedule: Schedule) -> dict[date, float]:
    """Return how much of the volume falls on each month."""
    if isinstance(schedule.volume, Profile):
        return {part.month: float(part.hours) for part in schedule.parts}
    return {m.part.month: float(m.count * m.rate) for m in schedule.months()}


def _sigma(days: Sequence[DayOfQuotes], months: set[date]) -> float | None:
    """Return the standard deviation of daily changes of the quotes over the delivery, or None."""
    changes: list[float] = []
    for before, after in pairwise(days):
        earlier = {(c.first, c.months): c.price for c in before.contracts}
        changes += [
            c.price - earlier[c.first, c.months]
            for c in after.contracts
            if (c.first, c.months) in earlier and any(_covers(c.first, c.months, m) for m in months)
        ]
    if len(changes) < SIGMA_DAYS // 2:
        return None
    mean = sum(changes) / len(changes)
    return float((sum((c - mean) ** 2 for c in changes) / (len(changes) - 1)) ** 0.5)


def _covers(first: date, months: int, month: date) -> bool:
    number, start = month.year * 12 + month.month, first.year * 12 + first.month
    return start <= number < start + months
