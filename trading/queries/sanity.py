"""Trading's own checks before a deal: the same deal twice, and a price far off the curve."""

from datetime import date, timedelta
from itertools import pairwise

from django.db.models import F

from trading.checks import CheckResult, Outcome, Proposal
from trading.deals import Profile, Schedule, deal_totals
from trading.models import TradeStatus, TradeVersion

from .marks import month_marks
from .quote_days import quote_days
from .summaries import terms_summary

DUPLICATE_WINDOW = timedelta(minutes=10)
PRICE_SIGMAS = 5
SIGMA_DAYS = 60
_COMPARED = ("side", "shape", "quantity", "quantity_unit", "frequency", "price", "currency")


def check_duplicate(proposal: Proposal) -> CheckResult:
    """Warn of a trade that holds with equal terms in the same book within ten minutes."""
    deal = proposal.deal
    schedule, summary = deal.schedule, terms_summary(deal)
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
        **{name: summary[name] for name in _COMPARED},
    )
    if proposal.trade_id is not None:
        twins = twins.exclude(trade_id=proposal.trade_id)
    twin = twins.order_by("-id").values_list("trade__ref", flat=True).first()
    if twin is None:
        return CheckResult("duplicate", Outcome.PASS, "No equal trade within ten minutes.")
    return CheckResult(
        "duplicate", Outcome.SOFT, f"{twin} has the same terms and is less than ten minutes apart."
    )


def check_price(proposal: Proposal) -> CheckResult:
    """
    Warn of a price more than five daily standard deviations off the curve, or of no curve.

    The deviation is that of the delivery's own months: daily changes of the quotes that cover
    them, over the last sixty trading days.
    """
    deal, sums = proposal.deal, deal_totals(proposal.deal)
    price = sums.average_price
    if price is None:
        return CheckResult(
            "price_sanity", Outcome.PASS, "The deal has no fixed price to hold against a curve."
        )
    weights = _weights(deal.schedule)
    marks = month_marks(as_of=proposal.traded_at, market_ids=[proposal.market_id]).get(
        proposal.market_id
    )
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
    sigma = _daily_sigma(proposal, set(weights))
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


def _daily_sigma(proposal: Proposal, months: set[date]) -> float | None:
    """Return the standard deviation of daily changes of the quotes over the delivery, or None."""
    days = quote_days(market_id=proposal.market_id, as_of=proposal.traded_at, days=SIGMA_DAYS + 1)
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
