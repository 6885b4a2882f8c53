"""Quotes by trading day, for those who study how a curve moved from one day to the next."""

from dataclasses import dataclass
from datetime import date, datetime

from trading.models import Market

from .quotes import BASE, standing_quotes


@dataclass(frozen=True, slots=True)
class MonthContract:
    """
    The price of a contract over whole delivery months, of the load that was asked for.

    first       first day of the first month in the market's calendar
    months      how many
    price       currency/MWh
    """

    first: date
    months: int
    price: float


@dataclass(frozen=True, slots=True)
class DayOfQuotes:
    """What a market quoted on one trading day."""

    day: date
    contracts: tuple[MonthContract, ...]


def quote_days(
    *,
    market_id: int,
    as_of: datetime,
    days: int,
    load: str = BASE,
    known_at: datetime | None = None,
) -> list[DayOfQuotes]:
    """
    Return the last trading days with quotes of a load valid at `as_of`, ascending, at most `days`.

    Of a quote that was corrected, the latest version; contracts of days and weeks are left out.
    Three queries.

    known_at    real time: no quote recorded later counts; None for all
    """
    market = Market.objects.get(pk=market_id)
    quotes = standing_quotes().filter(market=market, load_type=load, valid_from__lte=as_of)
    if known_at is not None:
        quotes = quotes.filter(recorded_at__lte=known_at)
    instants = list(
        quotes.order_by("-valid_from").values_list("valid_from", flat=True).distinct()[:days]
    )
    if not instants:
        return []
    calendar = market.calendar
    # Few contracts and many days: each contract's months are looked up once.
    spans: dict[tuple[datetime, datetime], tuple[date, int]] = {}
    by_day: dict[date, list[MonthContract]] = {}
    rows = (
        quotes.filter(valid_from__gte=instants[-1])
        .order_by("valid_from", "contract", "-recorded_at", "-id")
        .distinct("valid_from", "contract")
        .values_list("valid_from", "delivery_start", "delivery_end", "value")
    )
    local_days = {instant: calendar.date_of(instant) for instant in instants}
    for valid_from, start, end, value in rows:
        if (start, end) not in spans:
            first = calendar.date_of(start)
            spans[start, end] = first, whole_months(first, calendar.date_of(end))
        first, months = spans[start, end]
        if months:
            by_day.setdefault(local_days[valid_from], []).append(
                MonthContract(first, months, float(value))
            )
    return [DayOfQuotes(day, tuple(by_day[day])) for day in sorted(by_day)]


def whole_months(first: date, after: date) -> int:
    """Return how many whole months lie between two dates, 0 if they do not bound months."""
    if first.day != 1 or after.day != 1:
        return 0
    return (after.year - first.year) * 12 + after.month - first.month
