"""
Deals from terms by name, as files and programs give them; each product by its own constructor.

A term that the product does not know is refused, not ignored. Refusals name the term.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from energyopti.foundation.calendars import CalendarError, DatePeriod
from energyopti.foundation.money import Side
from trading import deals
from trading.deals import (
    PERIOD_WORDS,
    CommodityKind,
    Deal,
    DealError,
    DeliveryArea,
    Fee,
    Frequency,
    GeneratingAsset,
    PriceIndex,
    ProductKind,
    Profile,
    Volume,
    parse_period,
)

from .areas import delivery_areas, generating_assets, price_indices

LOTS = "lots"
_POWER, _GAS = CommodityKind.POWER, CommodityKind.GAS
# What may be written as a unit, by commodity: the unit itself and what a quantity of it is per.
_FLOW_UNITS = {
    "MW": ("MW", Frequency.HOUR), "kW": ("kW", Frequency.HOUR), "GW": ("GW", Frequency.HOUR),
    "MWh": ("MWh", Frequency.TOTAL), "GWh": ("GWh", Frequency.TOTAL),
    "MWh/d": ("MWh", Frequency.DAY), "GWh/d": ("GWh", Frequency.DAY),
}  # fmt: skip
UNITS: Mapping[CommodityKind, Mapping[str, tuple[str, Frequency]]] = {
    _POWER: _FLOW_UNITS,
    _GAS: {
        **_FLOW_UNITS,
        "therm/d": ("therm", Frequency.DAY),
        "MMBtu/d": ("MMBtu", Frequency.DAY),
    },
    CommodityKind.OIL: {
        "bbl": ("bbl", Frequency.MONTH), "kbbl": ("kbbl", Frequency.MONTH),
        "t": ("t", Frequency.MONTH), "kt": ("kt", Frequency.MONTH),
    },
    CommodityKind.COAL: {"t": ("t", Frequency.MONTH), "kt": ("kt", Frequency.MONTH)},
    CommodityKind.CARBON: {"tCO2": ("tCO2", Frequency.TOTAL), "t": ("tCO2", Frequency.TOTAL)},
    CommodityKind.CERTIFICATE: {"certificate": ("certificate", Frequency.TOTAL)},
}  # fmt: skip

_COMMON = frozenset({"product", "side", "market", "period", "fees"})
_SIZE = frozenset({"quantity", "unit", "shape"})
_PRICE = frozenset({"price", "currency"})
_INDEX = frozenset({"index", "spread", "multiplier"})
_ASSET = frozenset({"asset", "profile", "quantity", "unit"}) | _PRICE | _INDEX
_EXCHANGE = frozenset({"quantity", "unit", "shape", "mic", "clearing_account"}) | _PRICE
_CERTIFICATE = frozenset({"quantity", "unit", "vintage", "registry"}) | _PRICE
# What each product is made of beside the common terms.
TERMS_OF: Mapping[ProductKind, frozenset[str]] = {
    ProductKind.PHYSICAL_FORWARD: _SIZE | _PRICE,
    ProductKind.INDEX_FORWARD: _SIZE | _INDEX,
    ProductKind.PROFILE_FORWARD: frozenset({"profile"}) | _PRICE | _INDEX,
    ProductKind.AS_GENERATED: _ASSET,
    ProductKind.PPA: _ASSET | {"floor", "cap"},
    ProductKind.FUTURE: _EXCHANGE,
    ProductKind.FINANCIAL_FORWARD: _SIZE | _PRICE | {"index"},
    ProductKind.SWAP: _SIZE | _PRICE | {"index"},
    ProductKind.BASIS_SWAP: _SIZE | {"index", "spread", "receive_index"},
    ProductKind.CERTIFICATE: _CERTIFICATE,
    ProductKind.OPTION: _SIZE | {"option"},
    **{ProductKind(kind.value): _SIZE | {"structure"} for kind in deals.StructureKind},
}
# Terms of an option that a refusal names themselves.
OF_SPREAD = frozenset({"ratio", "ratio_unit", "second_period", "cost"})
# What a deal calls a field, and what the terms call it.
_NAMES = {
    "area": "market", "product": "shape", "volume": "quantity", "lots": "quantity",
    "lot_size": "quantity", "share": "asset", "installed_mw": "asset", "contracted_mw": "asset",
    "kind": "product", "minutes": "profile", "fee": "fees", "fee_currency": "fees",
    "payee": "fees", "price_unit": "price", "underlying": "option", "expiry": "option",
    "exercises": "option", "strike": "option", "strikes": "option", "premium": "option",
    "premium_currency": "option", "style": "option",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """The areas, indices and plants that deals can name, by code; read once for many deals."""

    areas: Mapping[str, DeliveryArea]
    indices: Mapping[str, PriceIndex]
    plants: Mapping[str, GeneratingAsset]


def known_terms() -> Known:
    """Return every market, index and plant of the desk; at most six queries."""
    areas = delivery_areas()
    return Known(areas, price_indices(areas), generating_assets(areas))


def deal_from_terms(terms: Mapping[str, Any], *, known: Known, traded_at: datetime) -> Deal:
    """
    Return the deal that terms by name describe; numbers are Decimals, `docs/trade-files.md`.

    :raises DealError: naming the term, or one of `OF_SPREAD` in the terms of an option.
    """
    kind = _product(terms)
    given = {name: value for name, value in terms.items() if value not in (None, "", [], {}, ())}
    for name in given:
        if name not in _COMMON | TERMS_OF[kind]:
            raise DealError(name, f"does not go with {kind.value}.")
    try:
        return _Maker(given, kind, known, traded_at).deal()
    except CalendarError as error:
        raise DealError("period", str(error)) from error
    except DealError as error:
        if error.field in _COMMON | TERMS_OF[kind] and error.field != "product":
            raise
        if _is_of_structure(kind, error.field):
            raise DealError("structure", f"{error.field}: {error.rule}") from error
        name = _NAMES.get(error.field, error.field)
        raise DealError(name, error.rule) from error


def _is_of_structure(kind: ProductKind, name: str) -> bool:
    """Say whether a refused field is one of the terms of a contract with choices."""
    if kind.value not in deals.STRUCTURES:
        return False
    said = deals.StructureKind(kind.value)
    roles = deals.TERMS_OF_STRUCTURE[said].roles
    return name in {*deals.terms_of(said), *roles, "underlying", "premium"} or name not in _NAMES


def _product(terms: Mapping[str, Any]) -> ProductKind:
    said = str(terms.get("product") or ProductKind.PHYSICAL_FORWARD.value)
    try:
        return ProductKind(said.upper())
    except ValueError:
        names = ", ".join(kind.value for kind in ProductKind)
        raise DealError("product", f"“{said}” is none of {names}.") from None


class _Maker:
    """One set of terms while its deal is made."""

    def __init__(
        self, given: Mapping[str, Any], kind: ProductKind, known: Known, traded_at: datetime
    ) -> None:
        self.given, self.kind, self.known, self.traded_at = given, kind, known, traded_at
        self.side = self._side()
        self.area = self._named("market", known.areas, "is no market here")
        self.period = self._period()

    def deal(self) -> Deal:
        """Make the deal by its product's constructor."""
        if self.kind.value in deals.STRUCTURES:
            return self._structure()
        common: dict[str, Any] = {
            "side": self.side, "area": self.area, "period": self.period, "fees": self._fees(),
        }  # fmt: skip
        make: Callable[[dict[str, Any]], Deal] = getattr(self, f"_{self.kind.value.lower()}")
        return make(common)

    # The products.

    def _physical_forward(self, common: dict[str, Any]) -> Deal:
        return deals.physical_forward(
            **common, volume=self._volume(), shape=self._shape(), **self._fixed()
        )

    def _index_forward(self, common: dict[str, Any]) -> Deal:
        return deals.index_forward(
            **common, volume=self._volume(), shape=self._shape(), **self._floating()
        )

    def _profile_forward(self, common: dict[str, Any]) -> Deal:
        return deals.profile_forward(**common, profile=self._profile(), **self._either())

    def _as_generated(self, common: dict[str, Any]) -> Deal:
        return deals.asset_share(
            **common, asset=self._asset(), expected=self._expected(), **self._either()
        )

    def _ppa(self, common: dict[str, Any]) -> Deal:
        return deals.ppa(
            **common, asset=self._asset(), expected=self._expected(), **self._either(),
            floor=self.given.get("floor"), cap=self.given.get("cap"),
        )  # fmt: skip

    def _future(self, common: dict[str, Any]) -> Deal:
        if str(self.given.get("unit", LOTS)).lower() != LOTS:
            raise DealError("unit", "a future is in lots.")
        return deals.future(
            **common, lots=self._need("quantity"), mic=str(self._need("mic")).upper(),
            clearing_account=self.given.get("clearing_account", ""), shape=self._shape(),
            **self._fixed(),
        )  # fmt: skip

    def _financial_forward(self, common: dict[str, Any]) -> Deal:
        return deals.financial_forward(
            **common, volume=self._volume(), index=self._index("index"), shape=self._shape(),
            **self._fixed(),
        )  # fmt: skip

    def _swap(self, common: dict[str, Any]) -> Deal:
        return deals.fixed_float_swap(
            **common, volume=self._volume(), index=self._index("index"), shape=self._shape(),
            **self._fixed(),
        )  # fmt: skip

    def _basis_swap(self, common: dict[str, Any]) -> Deal:
        return deals.basis_swap(
            **common, volume=self._volume(), pay_index=self._index("index"),
            receive_index=self._index("receive_index"),
            spread=self.given.get("spread", Decimal(0)), shape=self._shape(),
        )  # fmt: skip

    def _certificate(self, common: dict[str, Any]) -> Deal:
        common["delivery"] = common.pop("period")
        size: dict[str, Any] = {"quantity": self._need("quantity")}
        if str(self.given.get("unit", "")).lower() == LOTS:
            size = {"lots": size["quantity"]}
        elif "unit" in self.given:
            size = {"quantity": self._volume().quantity}
        return deals.certificate(
            **common, **size, vintage=self.given.get("vintage"),
            registry=self.given.get("registry", ""), **self._fixed(),
        )  # fmt: skip

    def _option(self, common: dict[str, Any]) -> Deal:
        said = self._need("option")
        holds = deals.Direction.RECEIVE if self.side is Side.BUY else deals.Direction.PAY
        schedule = deals.Schedule(
            self.area, self.period, self._volume(),
            self.area.shape(self._shape(), on=self.period.first),
        )  # fmt: skip
        terms = deals.Option(
            direction=holds,
            schedule=schedule,
            style=_member(deals.OptionStyle, said.get("style"), "style"),
            option_type=_member(deals.OptionType, said.get("type"), "type"),
            underlying=tuple(self._index("option", code) for code in said.get("underlying", ())),
            strikes=tuple(said.get("strikes", ())),
            expiry=_needed(said, "expiry"),
            currency=said.get("currency", ""),
            exercises=tuple(said.get("exercises", ())),
            premium=said.get("premium", Decimal(0)),
            premium_currency=said.get("premium_currency", ""),
            premium_date=said.get("premium_date"),
            settlement=_member(deals.Settlement, said.get("settlement", "CASH"), "settlement"),
            ratio=said.get("ratio"),
            ratio_unit=said.get("ratio_unit", ""),
            second_period=self._second_period(said.get("second_period")),
            cost=said.get("cost", Decimal(0)),
        )
        return deals.option(terms=terms, fees=common["fees"])

    def _structure(self) -> Deal:
        said = dict(self._need("structure"))
        kind = deals.StructureKind(self.kind.value)
        underlying = tuple(self._index("structure", code) for code in said.pop("underlying", ()))
        premium = said.pop("premium", None)
        paid_on = said.pop("premium_date", None)
        leg = deals.Structure(
            direction=deals.Direction.RECEIVE if self.side is Side.BUY else deals.Direction.PAY,
            schedule=deals.Schedule(
                self.area, self.period, self._volume(),
                self.area.shape(self._shape(), on=self.period.first),
            ),
            kind=kind,
            underlying=underlying,
            terms=deals.structure_terms(kind, said),
            premium=Decimal(0) if premium in (None, "") else premium,
            premium_date=paid_on,
        )  # fmt: skip
        return deals.structure(terms=leg, fees=self._fees())

    # Their parts.

    def _side(self) -> Side:
        said = str(self._need("side")).upper()
        found = {"B": Side.BUY, "BUY": Side.BUY, "S": Side.SELL, "SELL": Side.SELL}.get(said)
        if found is None:
            raise DealError("side", f"“{said}” is neither BUY nor SELL.")
        return found

    def _second_period(self, said: Any) -> DatePeriod | None:
        if said in (None, ""):
            return None
        try:
            return self._named_period(str(said))
        except DealError as error:
            raise DealError("second_period", error.rule) from error

    def _period(self) -> DatePeriod:
        return self._named_period(str(self._need("period")))

    def _named_period(self, said: str) -> DatePeriod:
        first, dots, last = said.partition("..")
        try:
            return parse_period(said, calendar=self.area.calendar, traded_at=self.traded_at)
        except CalendarError as error:
            if dots and first > last and first[:1].isdigit() and last[:1].isdigit():
                raise DealError("period", f"{last} is before {first}.") from error
            words = ", ".join(PERIOD_WORDS)
            rule = f"“{said}” is no delivery period; write it like {words}."
            raise DealError("period", rule) from error

    def _volume(self) -> Volume:
        quantity = self._need("quantity")
        usable = UNITS[self.area.commodity]
        said = str(self.given.get("unit") or next(iter(usable)))
        if said.lower() == LOTS:
            if self.area.lot is None:
                raise DealError("unit", f"{self.area.code} has no lot.")
            return Volume.of_lots(quantity, self.area.lot)
        found = {name.lower(): unit for name, unit in usable.items()}.get(said.lower())
        if found is None:
            words = [*usable, *([LOTS] if self.area.lot else [])]
            raise DealError(
                "unit",
                f"“{said}” is no unit of {self.area.commodity.value.lower()} in "
                f"{self.area.code}; give {', '.join(words)}.",
            )
        return Volume(quantity, *found)

    def _expected(self) -> Profile | Volume:
        return self._profile() if "profile" in self.given else self._volume()

    def _profile(self) -> Profile:
        said = self._need("profile")
        return Profile.of_mw(_needed(said, "minutes", "profile"), _needed(said, "mw", "profile"))

    def _asset(self) -> deals.AssetShare:
        said = self._need("asset")
        return deals.AssetShare(
            _needed(said, "id", "asset"),
            _needed(said, "installed_mw", "asset"),
            _needed(said, "contracted_mw", "asset"),
        )

    def _shape(self) -> str:
        return str(self.given.get("shape", "BASE"))

    def _fixed(self) -> dict[str, Any]:
        return {"price": self._need("price"), "currency": self.given.get("currency", "")}

    def _floating(self) -> dict[str, Any]:
        return {
            "index": self._index("index"),
            "spread": self.given.get("spread", Decimal(0)),
            "multiplier": self.given.get("multiplier", Decimal(1)),
        }

    def _either(self) -> dict[str, Any]:
        if "index" in self.given:
            if "price" in self.given:
                raise DealError("price", "give a fixed price or an index, one of them.")
            return self._floating()
        for name in ("spread", "multiplier"):
            if name in self.given:
                raise DealError(name, "belongs to an index, not to a fixed price.")
        return self._fixed()

    def _index(self, name: str, code: str = "") -> PriceIndex:
        if code:
            found = {c.lower(): i for c, i in self.known.indices.items()}.get(code.lower())
            if found is None:
                raise DealError(name, f"“{code}” is no index here.")
            return found
        index: PriceIndex = self._named(name, self.known.indices, "is no index here")
        return index

    def _fees(self) -> Sequence[Fee]:
        return tuple(
            Fee(
                _member(deals.Direction, said.get("direction", "PAY"), "fees"),
                _member(deals.FeeKind, said.get("kind"), "fees"),
                _needed(said, "amount", "fees"),
                said.get("currency") or self.area.currency,
                _member(deals.FeeBasis, said.get("basis", "FLAT"), "fees"),
                said.get("payee", ""),
            )
            for said in self.given.get("fees", ())
        )

    def _named(self, name: str, table: Mapping[str, Any], rule: str) -> Any:
        said = str(self._need(name))
        found = table.get(said)
        if found is None:
            found = {code.lower(): row for code, row in table.items()}.get(said.lower())
        if found is None:
            raise DealError(name, f"“{said}” {rule}.")
        return found

    def _need(self, name: str) -> Any:
        if name not in self.given:
            raise DealError(name, f"is missing; {self.kind.value} needs it.")
        return self.given[name]


def _needed(said: Mapping[str, Any], name: str, field: str = "option") -> Any:
    if said.get(name) in (None, ""):
        raise DealError(field, f"{name} is missing.")
    return said[name]


def _member(words: Any, said: Any, field: str) -> Any:
    try:
        return words(str(said or "").upper())
    except ValueError:
        known = ", ".join(word.value for word in words)
        name = field if field in TERMS_OF[ProductKind.OPTION] | _COMMON else "option"
        raise DealError(name, f"“{said or ''}” is none of {known}.") from None
