"""The contracts that positions share, and the hours and days that each of them delivers in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from energyopti.foundation.calendars import Calendar
from energyopti.foundation.intervals import Interval
from trading.deals import BASE, LoadShape, NoSuchShape, shape_intervals
from trading.models import Market

from ..areas import delivery_areas

if TYPE_CHECKING:
    from trading.valuation import Contract

    from .bounds import BoundKey
    from .options import OptionletKey

_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class ContractKey:
    """What tells contracts apart; `month` is the first day in the market's calendar."""

    market_id: int
    currency: str
    basis: str
    unit: str
    shape: str
    shape_version: int
    month: date
    start: datetime
    end: datetime
    minutes: int = 0

    @property
    def order(self) -> tuple[Any, ...]:
        """Return what contracts are sorted by; text in the order of its code points."""
        return tuple(getattr(self, name) for name in self.__slots__)

    def words(self) -> bytes:
        """Return the key in one form, times in UTC."""
        text = [str(getattr(self, name)) for name in self.__slots__ if name not in ("start", "end")]
        text += [instant.astimezone(UTC).isoformat() for instant in (self.start, self.end)]
        return ("|".join(text) + "\n").encode()


@dataclass
class Universe:
    """
    Contracts, rights and lines (a trade in one currency) that the states of two days share.

    exposed     contracts that some line gains with the price of
    """

    contracts: list[Contract] = field(default_factory=list)
    keys: dict[ContractKey, int] = field(default_factory=dict)
    lines: dict[tuple[int, str], int] = field(default_factory=dict)
    markets: dict[int, Market] = field(default_factory=dict)
    optionlets: dict[OptionletKey, int] = field(default_factory=dict)
    bounds: dict[BoundKey, int] = field(default_factory=dict)
    exposed: set[int] = field(default_factory=set)

    def line(self, trade_id: int, currency: str) -> int:
        return self.lines.setdefault((trade_id, currency), len(self.lines))

    def optionlet(self, key: OptionletKey) -> int:
        return self.optionlets.setdefault(key, len(self.optionlets))

    def bound(self, key: BoundKey) -> int:
        return self.bounds.setdefault(key, len(self.bounds))

    def add_contracts(self, keys: Iterable[ContractKey]) -> None:
        """Add what is not there yet; at most five queries."""
        # Each once: positions in `contracts` are those of `keys`.
        new = [key for key in dict.fromkeys(keys) if key not in self.keys]
        unknown = {key.market_id for key in new} - self.markets.keys()
        if unknown:
            self.markets |= {row.pk: row for row in Market.objects.filter(pk__in=unknown)}
        loads = _loads(
            {(self.markets[key.market_id].code, key.shape, key.shape_version) for key in new}
        )
        for key in new:
            market = self.markets[key.market_id]
            load = loads.get((market.code, key.shape, key.shape_version))
            self.keys[key] = len(self.contracts)
            self.contracts.append(_contract(key, market, load))


def _loads(wanted: set[tuple[str, str, int]]) -> dict[tuple[str, str, int], LoadShape]:
    found = {key: BASE for key in wanted if key[1:] == (BASE.code, BASE.version)}
    others = wanted - found.keys()
    areas = delivery_areas({key[0] for key in others}) if others else {}
    for key in others:
        try:
            found[key] = areas[key[0]].shape(key[1], version=key[2])
        except NoSuchShape:
            continue
    return found


def _contract(key: ContractKey, market: Market, load: LoadShape | None) -> Contract:
    from trading.valuation import Basis, Contract, seconds

    basis = Basis(key.basis)
    windows = None
    if basis is Basis.PROFILE or load is None:
        if basis is Basis.AMOUNT:
            windows = _whole(key.start, key.end)
    elif basis is Basis.DAY:
        windows = _days(market.calendar, load, key.start, key.end)
    else:
        windows = _hours(market.calendar, load, key.start, key.end)
    return Contract(market.code, basis, seconds(key.start), seconds(key.end), windows, key.minutes)


def _whole(start: datetime, end: datetime) -> Any:
    import numpy as np

    return np.array([[int(start.timestamp()), int(end.timestamp())]], dtype=np.int64)


@lru_cache(maxsize=4096)
def _hours(calendar: Calendar, load: LoadShape, start: datetime, end: datetime) -> Any:
    import numpy as np

    found = [
        (int(part.start.timestamp()), int(part.end.timestamp()))
        for part in shape_intervals(calendar, load, Interval(start, end))
    ]
    return np.array(found, dtype=np.int64).reshape(-1, 2) if found else None


@lru_cache(maxsize=4096)
def _days(calendar: Calendar, load: LoadShape, start: datetime, end: datetime) -> Any:
    import numpy as np

    day, last = calendar.date_of(start), calendar.date_of(end - _INSTANT)
    found = []
    while day <= last:
        whole = calendar.day(day)
        if shape_intervals(calendar, load, whole).hours:
            found.append((int(whole.start.timestamp()), int(whole.end.timestamp())))
        day += _DAY
    return np.array(found, dtype=np.int64).reshape(-1, 2) if found else None
