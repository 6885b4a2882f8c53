"""What rights are valued on: the model of each, volatilities, correlations, rates and fixings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any

from energyopti.foundation.calendars import Calendar
from trading.deals import OptionletKind, OptionStyle
from trading.models import Discounting, PricingFormula, PricingModel, VolKind

from ..pricing_models import model_key, models_at
from .contracts import ContractKey, Universe
from .market import last_marks
from .options import OptionletKey
from .quoted import NotQuoted, Quoted, VolPart, is_flat

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from trading.curves import VolSurface
    from trading.valuation import EarlyDates, MarketState, Optionlets, OptionMarket

    Floats = npt.NDArray[np.float64]

_PAGE = "Pricing models"
_INSTANT = timedelta(microseconds=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, eq=False)
class OptionFacts:
    """
    What the rights of a universe are valued on by a cut, by position.

    models      what is chosen for each, None where nothing is
    reasons     by right: why it must not be valued
    notes       by right: what its volatility is composed of
    inputs      what is told of it in a run's inputs
    """

    optionlets: Optionlets
    market: OptionMarket
    models: tuple[PricingModel | None, ...]
    reasons: Mapping[int, str]
    notes: Mapping[int, str]
    inputs: dict[str, Any]


def option_facts(
    universe: Universe, state: MarketState, *, as_of: datetime, known_at: datetime
) -> OptionFacts:
    """
    Return models, volatilities and rates that a cut knew, for the rights of a universe.

    The number of queries depends on markets and currencies, not on rights. A volatility is of the
    shortest quoted contract that covers the delivery, at strike over forward; of a spread's two
    sides it is that at the money. Where none covers it, it is composed of those of its parts. Two
    deliveries of one market are valued by its model of forwards and correlation of contracts.
    """
    import numpy as np

    from trading.valuation import OptionMarket, optionlet_forwards

    rights = _arrays(universe)
    keys = list(universe.optionlets)
    count = len(keys)
    market = OptionMarket(
        formula=np.full(count, "", dtype="<U16"), displacement=np.zeros(count),
        volatility=np.full((2, count), np.nan), correlation=np.full(count, np.nan),
        rate=np.full(len(rights.row_side), np.nan), settled=np.full(len(rights.row_side), np.nan),
        known=np.ones(count, dtype=np.bool_),
        early_rate=None if rights.early is None else np.full(rights.early.at.size, np.nan),
    )  # fmt: skip
    looked = _Lookup(universe, keys, as_of, known_at)
    models = looked.choose(market, state.at)
    looked.decide(rights, market)
    looked.discount(rights, market, models, state.at)
    forward = optionlet_forwards(universe.contracts, rights, state, market)
    looked.volatilities(market, models, forward, state)
    for position in looked.reasons:
        market.known[position] = False
    return OptionFacts(rights, market, tuple(models), looked.reasons, looked.notes, looked.told())


def _arrays(universe: Universe) -> Optionlets:
    import numpy as np

    from trading.valuation import Optionlets, seconds

    keys = list(universe.optionlets)
    rows = [(n, row) for n, key in enumerate(keys) for row in key.rows]
    starts: dict[tuple[int, date], int] = {}
    for _, row in rows:
        paid = (row.contract.market_id, row.pays_on)
        if paid not in starts:
            starts[paid] = seconds(universe.markets[paid[0]].calendar.day(paid[1]).start)
    return Optionlets(
        sign=np.array([key.sign for key in keys], dtype=np.float64),
        strike=np.array([key.strike for key in keys], dtype=np.float64),
        expiry=np.array([seconds(key.expires_at) for key in keys], dtype=np.int64),
        averages=np.array([key.kind.is_average for key in keys], dtype=np.bool_),
        delivers=np.array([key.delivers for key in keys], dtype=np.bool_),
        row_optionlet=np.array([n for n, _ in rows], dtype=np.int64),
        row_contract=np.array([universe.keys[row.contract] for _, row in rows], dtype=np.int64),
        row_side=np.array([row.side for _, row in rows], dtype=np.int64),
        row_weight=np.array([row.weight for _, row in rows], dtype=np.float64),
        row_payment=np.array(
            [starts[row.contract.market_id, row.pays_on] for _, row in rows], dtype=np.int64
        ),
        row_factor=np.array([row.factor for _, row in rows], dtype=np.float64),
        early=_early_dates(universe, keys),
    )


def _early_dates(universe: Universe, keys: Sequence[OptionletKey]) -> EarlyDates | None:
    import numpy as np

    from trading.valuation import ANY_TIME, WEEK, EarlyDates, seconds

    found: list[tuple[int, int, int, int]] = []
    for n, key in enumerate(keys):
        if key.style is OptionStyle.AMERICAN:
            found.append((n, ANY_TIME, ANY_TIME, 0 if key.physical else WEEK))
        calendar = universe.markets[key.rows[0].contract.market_id].calendar
        for one in key.exercises:
            paid = 0 if one.pays_on is None else seconds(calendar.day(one.pays_on).start)
            found.append((n, seconds(one.opens_at), seconds(one.at), paid))
    if not found:
        return None
    return EarlyDates(*np.array(found, dtype=np.int64).T)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A side of a right with the quoted contracts of its delivery, and their volatilities."""

    side: int
    position: int
    parts: tuple[VolPart, ...]
    vols: Floats


def _days_within(contract: ContractKey, calendar: Calendar, part: VolPart) -> float:
    """Return the share of a month's delivery days that lie in a part."""
    first = calendar.date_of(contract.start)
    after = calendar.date_of(contract.end - _INSTANT) + _DAY
    shared = (min(after, part.after) - max(first, part.first)).days
    return max(shared, 0) / (after - first).days


class _Lookup:
    """Fill the market of rights step by step, and keep why one cannot be valued."""

    def __init__(
        self, universe: Universe, keys: Sequence[OptionletKey], as_of: datetime, known_at: datetime
    ) -> None:
        self.universe, self.keys = universe, keys
        self.as_of, self.known_at = as_of, known_at
        self.reasons: dict[int, str] = {}
        self.notes: dict[int, str] = {}
        self.quoted = Quoted(universe, as_of=as_of, known_at=known_at)
        self._told: dict[str, list[list[Any]]] = {"models": [], "decided": [], "composed": []}

    def told(self) -> dict[str, Any]:
        own = {name: sorted(rows) for name, rows in self._told.items()}
        return {**own, **self.quoted.told()}

    def refuse(self, position: int, reason: str) -> None:
        self.reasons.setdefault(position, reason)

    def codes(self, key: OptionletKey) -> tuple[str, str]:
        """Return the market of each side; the second is empty but of a spread."""
        found = {row.side: self.universe.markets[row.contract.market_id] for row in key.rows}
        return found[0].code, found[1].code if 1 in found else ""

    def is_calendar(self, key: OptionletKey) -> bool:
        """Say whether it is on two deliveries of one market."""
        first, second = self.codes(key)
        return first == second

    def choose(self, market: OptionMarket, at: int) -> list[PricingModel | None]:
        """Choose the model of each right, by its kind and markets."""
        approved = models_at(self.known_at)
        found, used = [], {}
        for position, key in enumerate(self.keys):
            family, codes = key.kind, self.codes(key)
            if self.is_calendar(key):
                # Two contracts of one curve: its own model says how they move together.
                family, codes = OptionletKind.VANILLA, (codes[0], "")
            elif key.kind.is_spread:
                family = OptionletKind.SPREAD
            model = approved.get(model_key(family.value, *codes))
            found.append(model)
            if model is not None:
                used[model.pk] = model
                market.formula[position] = str(model.formula)
                market.displacement[position] = float(model.displacement) * key.rows[0].factor
                if model.correlation is not None:
                    market.correlation[position] = float(model.correlation)
            elif key.expires_at.timestamp() > at:
                on = " − ".join(code for code in codes if code)
                kind = {"VANILLA": "a forward", "SPREAD": "a spread", "AVERAGE": "an average"}
                self.refuse(
                    position,
                    f"{on}: no pricing model for options on {kind[family.value]} is approved;"
                    f" propose one under {_PAGE}.",
                )
        self._told["models"] = [
            [m.pk, m.name, m.number, str(m.formula), str(m.displacement.normalize()),
             str(m.correlation), str(m.contract_correlation), str(m.discounting), m.vol_source]
            for m in used.values()
        ]  # fmt: skip
        return found

    def decide(self, rights: Optionlets, market: OptionMarket) -> None:
        """Fetch the price at which each expired right in cash was decided: the curve of then."""
        asked, row = [], 0
        for position, key in enumerate(self.keys):
            for each in key.rows:
                if not key.kind.is_average and not key.delivers and key.expires_at <= self.as_of:
                    asked.append((row, position, (each.contract, key.expires_at)))
                row += 1
        if not asked:
            return
        prices = last_marks(self.universe, list({mark for *_, mark in asked}), self.known_at)
        for row, position, mark in asked:
            contract, instant = mark
            name = f"{self.universe.markets[contract.market_id].code} {contract.month:%b %Y}"
            if mark not in prices:
                self.refuse(
                    position,
                    f"{name}: no curve was published by {instant:%Y-%m-%d %H:%M} UTC, when an"
                    " option on it expired.",
                )
                continue
            market.settled[row] = prices[mark][0]
            told = [name, contract.shape, instant.astimezone(UTC).isoformat(),
                    repr(prices[mark][0])]  # fmt: skip
            if told not in self._told["decided"]:
                self._told["decided"].append(told)

    def discount(
        self, rights: Optionlets, market: OptionMarket, models: Sequence[PricingModel | None],
        at: int,
    ) -> None:  # fmt: skip
        """Give each payment the zero rate to its date."""
        import numpy as np

        rows: dict[str, list[tuple[int, date]]] = defaultdict(list)
        row = 0
        for position, key in enumerate(self.keys):
            model = models[position]
            for each in key.rows:
                if model is not None and model.discounting == Discounting.NONE:
                    market.rate[row] = 0.0
                elif (
                    rights.row_payment[row] > at
                    and self.quoted.curve(each.contract.currency) is None
                ):
                    self.refuse(
                        position,
                        f"{each.contract.currency}: no interest rate is quoted, so payments"
                        " cannot be discounted; import rates.",
                    )
                else:
                    rows[each.contract.currency].append((row, each.pays_on))
                row += 1
        for currency, wanted in rows.items():
            places = np.array([place for place, _ in wanted], dtype=np.int64)
            days = [day for _, day in wanted]
            market.rate[places] = self.quoted.rates(currency, days, rights.row_payment[places], at)
        self._discount_early(rights, market, models, at)

    def _discount_early(
        self, rights: Optionlets, market: OptionMarket, models: Sequence[PricingModel | None],
        at: int,
    ) -> None:  # fmt: skip
        """Give each payment of an early exercise the zero rate to its date."""
        import numpy as np

        from trading.valuation import ANY_TIME

        early, rate = rights.early, market.early_rate
        if early is None or rate is None:
            return
        rows: dict[str, list[tuple[int, date]]] = defaultdict(list)
        payments = np.where(early.at == ANY_TIME, at + early.payment, early.payment)
        for n, position in enumerate(early.optionlet.tolist()):
            key, model, payment = self.keys[position], models[position], int(payments[n])
            if not early.payment[n]:
                continue
            if payment <= at or (model is not None and model.discounting == Discounting.NONE):
                rate[n] = 0.0
            elif self.quoted.curve(key.rows[0].contract.currency) is not None:
                calendar = self.universe.markets[key.rows[0].contract.market_id].calendar
                day = calendar.date_of(datetime.fromtimestamp(payment, UTC))
                rows[key.rows[0].contract.currency].append((n, day))
        for currency, wanted in rows.items():
            places = np.array([place for place, _ in wanted], dtype=np.int64)
            days = [day for _, day in wanted]
            rate[places] = self.quoted.rates(currency, days, payments[places], at)

    def volatilities(
        self, market: OptionMarket, models: Sequence[PricingModel | None], forward: Floats,
        state: MarketState,
    ) -> None:  # fmt: skip
        """Read the volatility of each side of each right that is not decided."""
        import numpy as np

        asked: dict[Any, list[tuple[int, int, float]]] = defaultdict(list)
        surfaces: dict[tuple[int, VolKind, str], VolSurface] = {}
        pieces: list[_Piece] = []
        for position, key in enumerate(self.keys):
            model = models[position]
            if model is None or key.expires_at <= self.as_of or position in self.reasons:
                continue
            is_normal = model.formula == PricingFormula.BACHELIER
            kind = VolKind("NORMAL" if is_normal else "LOGNORMAL")
            if not is_normal:
                self._check_prices(position, key, model, forward)
            for side in sorted({row.side for row in key.rows}):
                market_id = next(r.contract.market_id for r in key.rows if r.side == side)
                listed = self.universe.markets[market_id]
                now = listed.calendar.date_of(self.as_of)
                first, after = key.delivery(side)
                open_from = now if key.kind.is_average else first
                try:
                    surface, parts = self.quoted.parts(
                        market_id, kind, model.vol_source, first, after, open_from
                    )
                except NotQuoted as error:
                    self.refuse(position, str(error))
                    continue
                surfaces[market_id, kind, model.vol_source] = surface
                node = 1.0
                if not key.kind.is_spread and not all(
                    is_flat(surface, part.contract) for part in parts
                ):
                    price = forward[side, position]
                    if not price > 0:
                        if not np.isnan(price):
                            self.refuse(
                                position,
                                f"{listed.code} {' + '.join(p.contract for p in parts)}: the"
                                f" forward of {price:.2f} has no strike over forward to read a"
                                " volatility at; quote one for all strikes.",
                            )
                        continue
                    node = key.strike / price
                expiry = self.quoted.expiry(market_id, surface, key.expires_at)
                piece = _Piece(side, position, parts, np.zeros(len(parts)))
                pieces.append(piece)
                for n, part in enumerate(parts):
                    group = (market_id, kind, model.vol_source, part.contract, expiry)
                    asked[group].append((len(pieces) - 1, n, node))
        for (market_id, kind, source, contract, expiry), places in asked.items():
            vols = surfaces[market_id, kind, source].vols(
                contract, expiry, np.array([node for *_, node in places])
            )
            for (at, n, _), vol in zip(places, vols.tolist(), strict=True):
                pieces[at].vols[n] = vol
        for piece in pieces:
            chosen = models[piece.position]
            assert chosen is not None
            if len(piece.parts) == 1:
                market.volatility[piece.side, piece.position] = piece.vols[0]
            else:
                self._compose(piece, chosen, market, state)
            if chosen.formula == PricingFormula.BACHELIER:
                # Quoted per the market's unit, as its prices are.
                market.volatility[piece.side, piece.position] *= self._factor(piece)
        sides: dict[int, list[_Piece]] = defaultdict(list)
        for piece in pieces:
            if self.is_calendar(self.keys[piece.position]):
                sides[piece.position].append(piece)
        for both in sides.values():
            if len(both) == 2:
                self._relate(both, models, market, state)

    def _relate(
        self, both: Sequence[_Piece], models: Sequence[PricingModel | None],
        market: OptionMarket, state: MarketState,
    ) -> None:  # fmt: skip
        """Put the correlation of two deliveries of one market in place, and say so."""
        from trading.pricing import PriceModel, composed_correlation
        from trading.valuation import YEAR

        position = both[0].position
        key, model = self.keys[position], models[position]
        assert model is not None
        baskets = [self._basket(piece, model, state) for piece in both]
        if position in self.reasons or not all(
            isfinite(p) for prices, _ in baskets for p in prices
        ):
            return
        within = float(model.contract_correlation)
        (forward, weight), (forward2, weight2) = baskets
        found = composed_correlation(
            PriceModel(str(model.formula)), forward=forward, weight=weight,
            volatility=both[0].vols, forward2=forward2, weight2=weight2,
            volatility2=both[1].vols, correlation=within,
            expiry=(key.expires_at.timestamp() - state.at) / YEAR,
        )  # fmt: skip
        market.correlation[position] = found
        said = f"a correlation of {within:g} between contracts"
        if within == 1:
            said += f", the lower bound; state another under {_PAGE}"
        elif found != within:
            said += f", {found:.4f} between the two sums"
        first, after = key.delivery(1)
        self._note(
            position,
            f"{self.codes(key)[0]} {key.first} to {key.after - _DAY} less {first} to"
            f" {after - _DAY}: valued at {said}.",
        )

    def _note(self, position: int, note: str) -> None:
        before = self.notes.get(position)
        self.notes[position] = note if before is None else f"{before} {note}"

    def _basket(
        self, piece: _Piece, model: PricingModel, state: MarketState
    ) -> tuple[list[float], list[float]]:
        """Return the forward, displaced, and the share of each quoted contract of a delivery."""
        rows = [row for row in self.keys[piece.position].rows if row.side == piece.side]
        calendar = self.universe.markets[rows[0].contract.market_id].calendar
        weights, prices = [], []
        for part in piece.parts:
            weight = value = 0.0
            for row in rows:
                share = row.weight * _days_within(row.contract, calendar, part)
                weight += share
                value += share * float(state.marks[self.universe.keys[row.contract]])
            weights.append(weight)
            prices.append(value / weight + float(model.displacement) if weight else 1.0)
        return prices, weights

    def _factor(self, piece: _Piece) -> float:
        rows = self.keys[piece.position].rows
        return next(row.factor for row in rows if row.side == piece.side)

    def _compose(
        self, piece: _Piece, model: PricingModel, market: OptionMarket, state: MarketState
    ) -> None:
        """Put the volatility of a delivery of several quoted contracts in place, and say so."""
        from trading.pricing import PriceModel, composed_volatility
        from trading.valuation import YEAR

        key, side = self.keys[piece.position], piece.side
        rows = [row for row in key.rows if row.side == side]
        listed = self.universe.markets[rows[0].contract.market_id]
        prices, weights = self._basket(piece, model, state)
        names = " + ".join(part.contract for part in piece.parts)
        if not all(isfinite(price) for price in prices):
            return  # the market's own findings name what has no price
        if model.formula != PricingFormula.BACHELIER and min(prices) <= 0:
            self.refuse(
                piece.position,
                f"{listed.code} {names}: a forward of {min(prices):.2f} is no price for"
                f" {model.get_formula_display()}; choose Bachelier or a larger displacement under"
                f" {_PAGE}.",
            )
            return
        within = float(model.contract_correlation)
        market.volatility[side, piece.position] = composed_volatility(
            PriceModel(str(model.formula)), forward=prices, weight=weights,
            volatility=piece.vols, correlation=within,
            expiry=(key.expires_at.timestamp() - state.at) / YEAR,
        )  # fmt: skip
        bound = ", the upper bound" if within == 1 else ""
        after = key.delivery(side)[1]
        self._note(
            piece.position,
            f"{listed.code} {piece.parts[0].first} to {after - _DAY}: volatility composed of"
            f" {names} at a correlation of {within:g} between contracts{bound}.",
        )
        told = [listed.code, piece.parts[0].first.isoformat(), after.isoformat(), names,
                str(model.contract_correlation)]  # fmt: skip
        if told not in self._told["composed"]:
            self._told["composed"].append(told)

    def _check_prices(
        self, position: int, key: OptionletKey, model: PricingModel, forward: Floats
    ) -> None:
        """Refuse what has no logarithm under the model."""
        factors = {row.side: row.factor for row in key.rows}
        named = [("forward", float(forward[0, position]), factors[0])]
        if key.kind.is_spread:
            named.append(("second forward", float(forward[1, position]), factors[1]))
        elif key.kind is OptionletKind.VANILLA:
            named.append(("strike", key.strike, factors[0]))
        for name, price, factor in named:
            if price + float(model.displacement) * factor <= 0:
                on = " − ".join(code for code in self.codes(key) if code)
                self.refuse(
                    position,
                    f"{on}: the {name} of {price:.2f} is no price for"
                    f" {model.get_formula_display()}; choose Bachelier or a larger displacement"
                    f" under {_PAGE}.",
                )
