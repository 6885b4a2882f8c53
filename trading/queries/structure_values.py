"""One contract with choices as its pages show it: value, hedge, plan by day, nominations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Any

from trading.deals import STRUCTURES, Structure
from trading.models import ProcessKind, StructureHedgeCheck, StructureNomination, StructureValue

from .deals import deal_of

if TYPE_CHECKING:
    from trading.valuation import PlanFact

VIEW = "trading.view_tradevalue"
_METHODS = {
    "LINEAR_PROGRAMME": "linear programme, intrinsic on today's curve",
    "MIXED_INTEGER_PROGRAMME": "mixed-integer programme, intrinsic on today's curve",
    "DYNAMIC_PROGRAMME": "dynamic programme, intrinsic on today's curve",
    "BACHELIER": "Bachelier by the hour",
    "QUADRATURE": "lognormal spread by the hour, exact quadrature",
    "INTRINSIC": "intrinsic on today's curve",
    "CHOSEN": "all is chosen",
}
_LEVELS = {"STORAGE": "In store", "SWING": "Taken so far", "BATTERY_TOLLING": "Stored"}
_FLOWS = {
    "STORAGE": "Withdrawn +, injected −", "SWING": "Taken", "TOLLING": "Output",
    "BATTERY_TOLLING": "Discharged +, charged −",
    "TRANSMISSION_RIGHT": "Volume",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlanDay:
    """
    A delivery day of a plan.

    start       of the day, UTC
    quantity    the holder's, in the contract's unit; of a power the MWh
    level       at the day's start; None of what stores nothing
    price       mean of the first price over the day's intervals, None where it is not known
    cash        ours, discounted
    is_chosen   begun, or nominated
    """

    day: date
    start: datetime
    quantity: float
    level: float | None
    price: float | None
    cash: float
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class HedgeLine:
    """
    What the value moves by with a delivery month, beside revaluation where that was done.

    down, up    one-sided differences; revalued is their mean
    agreement   AGREES, KINK or DIFFERS, as `trading.valuation.Agreement`; empty unchecked
    """

    role: str
    market: str
    unit: str
    month: date
    delta: float
    gamma: float
    vega: float
    down: float | None = None
    up: float | None = None
    revalued: float | None = None
    tolerance: float | None = None
    agreement: str = ""
    gamma_revalued: float | None = None
    vega_revalued: float | None = None

    @property
    def hedge(self) -> float:
        """Return what to trade of the month so that its price moves nothing: bought +, sold −."""
        return -self.delta

    @property
    def difference(self) -> float | None:
        return None if self.revalued is None else self.delta - self.revalued


@dataclass(frozen=True, slots=True)
class NominatedDay:
    """
    What holds for a delivery day.

    words       its quantities, hours that are alike together
    closes_at   when the day begins, and nobody can say or take back anything more
    """

    day: date
    words: str
    nominated_at: datetime
    closes_at: datetime
    is_open: bool


@dataclass(frozen=True, slots=True)
class SimulatedLine:
    """What the value with its time value moves by with a delivery month, and the error of that."""

    role: str
    market: str
    unit: str
    month: date
    delta: float
    error: float

    @property
    def hedge(self) -> float:
        """Return what to trade of the month so that its price moves nothing: bought +, sold −."""
        return -self.delta


@dataclass(frozen=True, slots=True)
class ComparedGreek:
    """A Greek of all months of a role by plan or formula and by full revaluation."""

    name: str
    unit: str
    formula: float
    revalued: float
    tolerance: float

    @property
    def difference(self) -> float:
        return self.formula - self.revalued

    @property
    def agrees(self) -> bool:
        return abs(self.difference) <= self.tolerance


@dataclass(frozen=True, slots=True)
class StructureView:
    """What is known of the value of one contract with choices."""

    leg: Structure
    value: StructureValue | None
    days: tuple[PlanDay, ...]
    nominations: tuple[StructureNomination, ...]
    check: StructureHedgeCheck | None = None

    @property
    def hedge(self) -> tuple[HedgeLine, ...]:
        """Return the hedge by role and month, with revaluation beside it if there was one."""
        rows = self.value.hedge if self.value is not None else []
        if self.check is not None:
            rows = self.check.rows
        return tuple(
            HedgeLine(**{**row, "month": date.fromisoformat(row["month"])}) for row in rows
        )

    @property
    def simulated(self) -> tuple[SimulatedLine, ...]:
        """Return the simulated deltas by role and month; empty where the plan holds."""
        kept = None if self.value is None else self.value.simulation
        return tuple(
            SimulatedLine(**{**row, "month": date.fromisoformat(row["month"])})
            for row in (kept or {}).get("deltas", ())
        )

    @property
    def processes(self) -> list[str]:
        """Return the price processes of a simulated value, in words."""
        kept = None if self.value is None else self.value.simulation
        return [
            f"{row['name']}, {ProcessKind(row['kind']).label[:1].lower()}"
            f"{ProcessKind(row['kind']).label[1:]}, version {row['version']}"
            for row in (kept or {}).get("processes", ())
        ]

    @property
    def compared(self) -> tuple[ComparedGreek, ...]:
        """Return what has curvature, by role; within 1 % it agrees."""
        found = []
        lines = self.hedge
        for role in dict.fromkeys(line.role for line in lines):
            mine = [line for line in lines if line.role == role]
            price = f"{self.leg.currency}/{mine[0].unit}"
            for name, unit, pairs in (
                ("Gamma", f"{mine[0].unit} per {price}",
                 [(line.gamma, line.gamma_revalued) for line in mine]),
                ("Vega", f"{self.leg.currency} per 1.00 of volatility",
                 [(line.vega, line.vega_revalued) for line in mine]),
            ):  # fmt: skip
                known = [(one, again) for one, again in pairs if again is not None]
                if known:
                    total = sum(one for one, _ in known)
                    again = sum(again for _, again in known)
                    found.append(
                        ComparedGreek(f"{name} {role}", unit, total, again, 0.01 * abs(total))
                    )
        return tuple(found)

    @property
    def agreement(self) -> str:
        """Say in a sentence whether the hedge and revaluation agree; empty unchecked."""
        if self.check is None:
            return ""
        words = [line.agreement for line in self.hedge]
        off = words.count("DIFFERS") + sum(not row.agrees for row in self.compared)
        if off:
            return f"{off} of them differ by more than the tolerance."
        if kinks := words.count("KINK"):
            return (
                f"All agree; {kinks} at a kink, where the plan changes with the price and the delta"
                " lies between what a lower and a higher price give."
            )
        return "All agree within the tolerance."

    @property
    def method(self) -> str:
        """Return how the value was found, in words."""
        return method_words(self.value.method) if self.value is not None else ""

    @property
    def facts(self) -> tuple[PlanFact, ...]:
        """Return what the plan comes to in all."""
        import numpy as np

        from trading.valuation import plan_facts

        if self.value is None or self.value.reason:
            return ()
        return plan_facts(self.leg, np.frombuffer(self.value.quantity, dtype="<f8"))

    @property
    def total(self) -> Decimal | None:
        return None if self.value is None else self.value.realised + self.value.unrealised

    @property
    def unit(self) -> str:
        return self.leg.schedule.amount_unit

    @property
    def columns(self) -> list[str]:
        """Return the names of what the chart shows by day."""
        kind = self.leg.kind.value
        level = [_LEVELS[kind]] if kind in _LEVELS else []
        return [_FLOWS.get(kind, "Volume"), *level]

    @property
    def rows(self) -> list[tuple[datetime, list[float | None]]]:
        """Return what the chart shows by day."""
        has_level = self.leg.kind.value in _LEVELS
        return [
            (one.start, [one.quantity, one.level] if has_level else [one.quantity])
            for one in self.days
        ]


def method_words(method: str) -> str:
    """Return how a value was found, in words."""
    return _METHODS.get(method, method)


def structure_of_trade(version: Any) -> StructureView | None:
    """
    Return a trade's contract with choices by its latest value; None of another product.

    Two queries beside those of the terms.
    """
    if version.product_kind not in STRUCTURES:
        return None
    number, leg = next(
        (n, leg)
        for n, leg in enumerate(deal_of(version).legs, start=1)
        if isinstance(leg, Structure)
    )
    value = (
        StructureValue.objects.filter(trade_id=version.trade_id, leg=number)
        .select_related("run", "model", "hedge_check")
        .order_by("-as_of", "-id")
        .first()
    )
    check = getattr(value, "hedge_check", None)
    return StructureView(leg, value, plan_days(leg, value), nominations_of(version, number), check)


def nominations_of(version: Any, number: int = 1) -> tuple[StructureNomination, ...]:
    """Return the nomination that holds for each day, by day; one query."""
    rows = StructureNomination.objects.filter(trade_id=version.trade_id, leg=number)
    latest = rows.order_by("day", "-id").distinct("day")
    return tuple(row for row in latest if row.quantities)


def nominated_days_of(view: StructureView, now: datetime) -> tuple[NominatedDay, ...]:
    """Return what was nominated as pages show it, by day."""
    calendar, found = view.leg.schedule.area.calendar, []
    for row in view.nominations:
        closes_at = calendar.day(row.day).start
        words = " ".join(
            one if count == 1 else f"{one}*{count}"
            for one, count in ((one, len(list(same))) for one, same in groupby(row.quantities))
        )
        found.append(NominatedDay(row.day, words, row.nominated_at, closes_at, closes_at > now))
    return tuple(found)


def next_open_day(leg: Structure, now: datetime) -> date | None:
    """Return the first delivery day that has not begun, None after the last has."""
    calendar, period = leg.schedule.area.calendar, leg.schedule.period
    day = max(period.first, calendar.date_of(now))
    while day < period.after and calendar.day(day).start <= now:
        day += timedelta(days=1)
    return day if day < period.after else None


def plan_days(leg: Structure, value: StructureValue | None) -> tuple[PlanDay, ...]:
    """Return the plan behind a value by delivery day."""
    if value is None or not value.starts or value.reason:
        return ()
    import numpy as np

    starts = np.frombuffer(value.starts, dtype="<i8")
    columns = [
        np.frombuffer(column, dtype="<f8") if column else np.full(len(starts), np.nan)
        for column in (value.quantity, value.level, value.price, value.cash)
    ]
    edges = _day_edges(leg)
    found = []
    places = np.searchsorted(edges[1:], starts, side="right")
    for at, rows in groupby(range(len(starts)), key=lambda n: int(places[n])):
        inside: Sequence[int] = list(rows)
        quantity, level, price, cash = (column[inside] for column in columns)
        mean = float(price.mean())
        found.append(
            PlanDay(
                day=leg.schedule.period.first + timedelta(days=at),
                start=datetime.fromtimestamp(int(starts[inside[0]]), tz=value.as_of.tzinfo),
                quantity=round(float(quantity.sum()), 6),
                level=None if np.isnan(level[0]) else round(float(level[0]), 6),
                price=None if np.isnan(mean) else round(mean, 6),
                cash=round(float(cash.sum()), 2),
                is_chosen=inside[-1] < value.chosen,
            )
        )
    return tuple(found)


def _day_edges(leg: Structure) -> Any:
    import numpy as np

    calendar, period = leg.schedule.area.calendar, leg.schedule.period
    days = (period.after - period.first).days + 1
    return np.array(
        [
            int(calendar.day(period.first + timedelta(days=n)).start.timestamp())
            for n in range(days)
        ],
        dtype=np.int64,
    )
