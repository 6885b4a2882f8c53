"""Trading's own checks before a deal: the same deal twice, and a price far off the curve."""

from datetime import date, timedelta
from itertools import pairwise

from energyopti.foundation.units import energy_mwh
from trading.checks import CheckResult, Outcome, Proposal
from trading.deals import LoadType
from trading.models import TradeVersion

from .marks import month_marks
from .quote_days import quote_days

DUPLICATE_WINDOW = timedelta(minutes=10)
PRICE_SIGMAS = 5
SIGMA_DAYS = 60


def check_duplicate(proposal: Proposal) -> CheckResult:
    """Warn of a live trade with equal terms in the same book within ten minutes."""
    terms = proposal.terms
    twin = (
        TradeVersion.objects.filter(
            trade__book_id=proposal.book_id,
            trade__counterparty_id=proposal.counterparty_id,
            market_id=proposal.market_id,
            side=terms.side.value,
            load_type=terms.load_type.value,
            quantity_mw=terms.quantity_mw,
            price=terms.price,
            currency=terms.currency,
            delivery_start=terms.interval.start,
            delivery_end=terms.interval.end,
            traded_at__gt=proposal.traded_at - DUPLICATE_WINDOW,
            traded_at__lt=proposal.traded_at + DUPLICATE_WINDOW,
        )
        .order_by("-id")
        .values_list("trade__ref", flat=True)
        .first()
    )
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
    terms = proposal.terms
    marks = month_marks(as_of=proposal.traded_at, market_ids=[proposal.market_id]).get(
        proposal.market_id
    )
    missing = marks is None or any(d.month not in marks.prices for d in proposal.deliveries)
    if marks is None or missing or terms.load_type is not LoadType.BASE:
        return CheckResult(
            "price_sanity",
            Outcome.SOFT,
            f"There is no {terms.load_type.value.lower()} curve of {terms.area.code} for the whole "
            "delivery to hold the price against.",
        )
    unit = f"{terms.currency}/MWh"
    energies = [float(energy_mwh(1, d.hours)) for d in proposal.deliveries]
    values = [
        energy * marks.prices[d.month]
        for energy, d in zip(energies, proposal.deliveries, strict=True)
    ]
    curve = sum(values) / sum(energies)
    sigma = _daily_sigma(proposal)
    off = abs(float(terms.price) - curve)
    if sigma is None:
        return CheckResult(
            "price_sanity",
            Outcome.SOFT,
            f"The curve is at {curve:.2f} {unit}; too few quotes to say how far is far.",
            curve,
            float(terms.price),
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
        float(terms.price),
        allowed,
        unit,
    )


def _daily_sigma(proposal: Proposal) -> float | None:
    """Return the standard deviation of daily changes of the quotes over the delivery, or None."""
    days = quote_days(market_id=proposal.market_id, as_of=proposal.traded_at, days=SIGMA_DAYS + 1)
    months = {d.month for d in proposal.deliveries}
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
