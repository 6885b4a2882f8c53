"""
The one-line language of traders, for every product that fits on a line.

``B 10MW DE base Cal27 @ 85.20 EUR cpty:ACME book:EU tag:hedge``

Order: side, quantity, area, product, period, ``@``, price, currency, then words in any order.
Upper and lower case are the same. An error carries the position of the word it is about and the
nearest word that would do.

side        B, S (buy, sell)
quantity    a number and its unit, with or without a space: MW, kW, GW · MWh, GWh (in all) ·
            MWh/d, GWh/d, therm/d, MMBtu/d · bbl, kbbl, t of oil and coal (a delivery month) ·
            t, tCO2, cert (in all) · lots (of the area) · MWp (a plant's output, as generated)
product     base, peak, offpeak and what else the area defines (efa1, 5x16 …); a daily block by
            clock times, H08-H20 (08:00 to 20:00), or by hours ending, HE09-HE20 (the same).
            Where the area has no shapes (gas, oil, allowances) it may be left out.
period      Cal27 Q1-27 Jan27 W05-27 Sum27 Win27 GY27 DA WE 2027-03-28, or two with .. between
            them, both included
price       a number, or an index with what is added to it: EPEX-DE-DA+1.50
currency    of a price that is a number; the area's if left out
words       swap             the price against the area's index, settled in cash
            swap:INDEX       … against this index; at an index price a basis swap, in which the
                             buyer pays the price and receives INDEX
            fut:MIC          a future of the exchange, in lots; acct:NAME its clearing account
            asset:NAME       the plant, with MWp; floor:5 cap:90 bound an index price
            vintage:2026 reg:NAME    of certificates
            pkg:NAME         the package;  cpty:CODE  book:CODE  tag:NAME (any number)

Profiles by the interval, options, fees and sizes of lots other than the area's have no line.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from energyopti.foundation.calendars import CalendarError, DatePeriod
from energyopti.foundation.money import MINOR_UNITS, Side
from trading.deals._areas import CommodityKind, DeliveryArea, PriceIndex
from trading.deals._deals import Deal
from trading.deals._errors import DealError, NoSuchShape
from trading.deals._numbers import checked_price
from trading.deals._periods import PERIOD_WORDS, parse_period
from trading.deals._plants import GeneratingAsset, ppa
from trading.deals._products import (
    basis_swap,
    certificate,
    fixed_float_swap,
    future,
    index_forward,
    physical_forward,
)
from trading.deals._quick_words import (
    CARBON,
    CERTIFICATE,
    LOTS,
    PEAK_POWER,
    UNIT_WORDS,
    UNITS,
    QuickTextError,
    Reader,
    Token,
    choice_of,
    number_of,
    refuse_at,
)
from trading.deals._volumes import Volume
from trading.deals._written_deals import DealText

MAXIMUM_LENGTH = 300
_SIDES = {"b": Side.BUY, "buy": Side.BUY, "s": Side.SELL, "sell": Side.SELL}
_VALUED = (
    "cpty", "book", "tag", "swap", "fut", "acct", "asset", "floor", "cap", "vintage", "reg", "pkg",
)  # fmt: skip
_QUANTITY = re.compile(r"(?P<number>[+-]?[\d.,]+)(?P<unit>[A-Za-z][A-Za-z0-9/]*)?")
_INDEX = re.compile(r"(?P<code>[A-Za-z][A-Za-z0-9_.+-]*?)(?P<spread>[+-][0-9.]+)?")

Slots = dict[str, Token]
# From the field that a deal refuses to the word that it stands in; the first there is, wins.
_SLOTS_OF_FIELD: Mapping[str, Sequence[str]] = {
    "quantity": ("quantity",), "volume": ("quantity",), "lots": ("quantity",),
    "lot_size": ("quantity",), "unit": ("quantity",), "share": ("quantity",),
    "minutes": ("period",), "product": ("product", "period"), "spread": ("price",),
    "currency": ("currency", "price"), "price_unit": ("price",), "index": ("swap", "price"),
    "mic": ("fut",), "clearing_account": ("acct",), "registry": ("reg",),
    "package_id": ("pkg",), "strike": ("cap", "floor"),
    "kind": ("swap", "fut", "asset", "quantity"),
}  # fmt: skip


def parse_deal_text(
    text: str,
    *,
    areas: Mapping[str, DeliveryArea],
    traded_at: datetime,
    indices: Mapping[str, PriceIndex] | None = None,
    assets: Mapping[str, GeneratingAsset] | None = None,
    counterparties: Collection[str] | None = None,
    books: Collection[str] | None = None,
) -> DealText:
    """
    Read a deal from one line of text.

    areas           the delivery areas by code
    traded_at       aware; DA and WE are counted from its delivery day in the area
    indices, assets     by code; without them no price floats and no plant is sold
    counterparties, books   the known codes; None leaves codes unchecked

    :raises QuickTextError: pointing at the first word that cannot stand where it does.
    """
    if len(text) > MAXIMUM_LENGTH:
        raise QuickTextError(
            MAXIMUM_LENGTH, "", f"The text is longer than {MAXIMUM_LENGTH} characters."
        )
    line = _Line(Reader(text), areas, indices or {}, assets or {}, traded_at)
    named = line.read(counterparties, books)
    try:
        deal = line.deal()
    except NoSuchShape as error:
        token = line.slots["product"]
        raise QuickTextError(token.position, token.text, str(error)) from error
    except DealError as error:
        token = line.slot_of(error.field)
        raise QuickTextError(token.position, token.text, str(error)) from error
    except CalendarError as error:
        token = line.slots["period"]
        raise QuickTextError(token.position, token.text, str(error)) from error
    return DealText(deal, *named)


class _Line:
    """One line while it is read: its words by what they are for, then the deal they make."""

    def __init__(
        self,
        reader: Reader,
        areas: Mapping[str, DeliveryArea],
        indices: Mapping[str, PriceIndex],
        assets: Mapping[str, GeneratingAsset],
        traded_at: datetime,
    ) -> None:
        self.reader = reader
        self.areas, self.indices, self.assets = areas, indices, assets
        self.traded_at = traded_at
        self.slots: Slots = {}
        self.values: dict[str, str] = {}
        self.price: Decimal | None = None
        self.index: PriceIndex | None = None
        self.spread = Decimal(0)
        self.shape = "BASE"
        self.currency = ""

    def read(
        self, counterparties: Collection[str] | None, books: Collection[str] | None
    ) -> tuple[str, str, tuple[str, ...]]:
        """Read all the words, and return what they name beside the deal."""
        reader = self.reader
        self.side = choice_of(reader.next("B or S"), _SIDES, "starts with B (buy) or S (sell)")
        self._read_quantity()
        self.area = choice_of(
            reader.next("the area"),
            {c.lower(): a for c, a in self.areas.items()}, "is no area here", self.areas,
        )  # fmt: skip
        self._resolve_unit()
        self._read_product_and_period()
        at = reader.next("@ and the price")
        if at.text != "@":
            raise QuickTextError(at.position, at.text, "Write @ before the price.")
        self._read_price()
        self._read_currency()
        return self._read_words(counterparties, books)

    def slot_of(self, field: str) -> Token:
        """Return the word that a field of the deal was read from."""
        for name in (field, *_SLOTS_OF_FIELD.get(field, ()), "quantity"):
            if name in self.slots:
                return self.slots[name]
        raise KeyError(field)  # pragma: no cover - every line has a quantity

    def _read_quantity(self) -> None:
        token = self.reader.next("the quantity, such as 10MW,")
        match = _QUANTITY.fullmatch(token.text)
        if match is None:
            refuse_at(token, f"“{token.text}” is no quantity; write it like 10MW.")
        self.quantity, unit = number_of(match["number"], token, "quantity"), match["unit"]
        if not unit:
            token = self.reader.next("the unit, such as MW,")
            unit = token.text
        self.slots["quantity"], self.unit_text = token, unit

    def _resolve_unit(self) -> None:
        """Find the unit among those of the area's commodity."""
        token, lowered = self.slots["quantity"], self.unit_text.lower()
        commodity = self.area.commodity
        usable = [u for u in UNITS if commodity in u.commodities]
        words = [u.written for u in usable] + ([LOTS] if self.area.lot else [])
        words += [PEAK_POWER] if commodity is CommodityKind.POWER else []
        self.unit = next((u for u in usable if u.written.lower() == lowered), None)
        if self.unit is not None or lowered in {w.lower() for w in words}:
            self.is_lots, self.is_peak_power = lowered == LOTS, lowered == PEAK_POWER.lower()
            return
        is_known = lowered in {w.lower() for w in UNIT_WORDS}
        why = (
            f"is no unit of {commodity.value.lower()} in {self.area.code}"
            if is_known
            else ("is no unit here")
        )
        refuse_at(
            token, f"“{self.unit_text}” {why}; give {', '.join(words)}.", words, self.unit_text
        )

    def _read_product_and_period(self) -> None:
        area = self.area
        token = self.reader.next("the product, such as base," if area.shapes else "the period")
        words = area.product_words()
        lowered = token.text.lower()
        looks_like_block = re.fullmatch(r"he?[0-9]+-he?[0-9]+", lowered) is not None
        if lowered in (*words, "peak", "offpeak") or looks_like_block:
            self.slots["product"], self.shape = token, token.text.upper()
            self.slots["period"] = token = self.reader.next("the period")
            self.period = self._period(token)
        elif area.commodity is CommodityKind.POWER:
            refuse_at(
                token, f"“{token.text}” is no product; {', '.join(words)} or H08-H20 are.", words
            )
        else:
            self.slots["period"] = token
            self.period = self._period(token)

    def _period(self, token: Token) -> DatePeriod:
        try:
            return parse_period(token.text, calendar=self.area.calendar, traded_at=self.traded_at)
        except CalendarError:
            refuse_at(
                token,
                f"“{token.text}” is no delivery period; write it like {', '.join(PERIOD_WORDS)}.",
                PERIOD_WORDS,
            )

    def _read_price(self) -> None:
        token = self.slots["price"] = self.reader.next("the price")
        if re.match("[A-Za-z]", token.text) and self.indices:
            self.index, self.spread = self._index(token)
            return
        self.price = number_of(token.text, token, "price")

    def _index(self, token: Token) -> tuple[PriceIndex, Decimal]:
        known = {code.lower(): index for code, index in self.indices.items()}
        match = _INDEX.fullmatch(token.text)
        code = match["code"] if match else token.text
        found = known.get(code.lower())
        if found is None or match is None:
            refuse_at(token, f"“{code}” is no price and no index here.", self.indices, code)
        spread = match["spread"]
        return found, number_of(spread, token, "spread") if spread else Decimal(0)

    def _read_currency(self) -> None:
        token = self.reader.peek()
        if token is None or ":" in token.text or token.text.lower() == "swap":
            return
        self.reader.next("")
        code = token.text.upper()
        if code not in MINOR_UNITS:
            refuse_at(
                token,
                f"“{token.text}” is no currency, nor swap, cpty:, book: or tag: with a name.",
                (self.area.currency, "EUR", "GBP", "USD", "swap", *(f"{k}:" for k in _VALUED)),
            )
        self.slots["currency"] = token
        if self.index is not None and code != self.index.currency:
            refuse_at(token, f"{self.index.code} is in {self.index.currency}.")
        self.currency = code

    def _read_words(
        self, counterparties: Collection[str] | None, books: Collection[str] | None
    ) -> tuple[str, str, tuple[str, ...]]:
        tags: list[str] = []
        known = {"cpty": counterparties, "book": books}
        for token in self.reader.rest():
            key, colon, value = token.text.partition(":")
            key = key.lower()
            if key == "swap" and not colon:
                self._put(token, key, token, "")
                continue
            if not colon or key not in _VALUED:
                words = ("swap", *(f"{word}:" for word in _VALUED))
                message = f"“{token.text}” is none of cpty:, book:, tag: and the other words."
                refuse_at(token, message, words, f"{key}:")
            # The caret belongs under the value.
            value_token = Token(value, token.position + len(key) + 1)
            if not value:
                refuse_at(value_token, f"{key}: needs a name right after the colon.")
            if key == "tag":
                tags.append(value)
                continue
            codes = known.get(key)
            if codes is not None:
                by_lower = {code.lower(): code for code in codes}
                if value.lower() not in by_lower:
                    refuse_at(value_token, f"“{value}” is no {key} that you can use.", codes)
                value = by_lower[value.lower()]
            self._put(token, key, value_token, value)
        return self.values.get("cpty", ""), self.values.get("book", ""), tuple(tags)

    def _put(self, token: Token, key: str, value_token: Token, value: str) -> None:
        if key in self.values:
            refuse_at(token, f"{key}: stands there twice.")
        self.values[key], self.slots[key] = value, value_token

    def deal(self) -> Deal:
        """Make the deal that the words describe."""
        if self.is_peak_power:
            deal = self._ppa()
        elif "fut" in self.values:
            deal = self._future()
        elif "swap" in self.values:
            deal = self._swap()
        elif self.area.commodity in CARBON | CERTIFICATE:
            deal = self._certificate()
        else:
            deal = self._forward()
        return replace(deal, package_id=self.values.get("pkg", ""))

    def _only(self, *allowed: str) -> None:
        """Refuse words that mean nothing for the product."""
        for key in self.values:
            if key not in (*allowed, "cpty", "book", "pkg"):
                raise DealError(key, f"{key} does not go with this product.")

    def _volume(self) -> Volume:
        if self.unit is None:
            assert self.area.lot is not None, "lots are a unit only where the area has a lot"
            return Volume.of_lots(self.quantity, self.area.lot)
        return Volume(self.quantity, self.unit.unit, self.unit.frequency)

    def _fixed_price(self) -> Decimal:
        if self.price is None:
            raise DealError("price", "must be a number for this product, not an index.")
        return self.price

    def _forward(self) -> Deal:
        self._only()
        volume = self._volume()
        if self.index is not None:
            return index_forward(
                side=self.side, area=self.area, period=self.period, volume=volume,
                index=self.index, spread=self.spread, shape=self.shape,
            )  # fmt: skip
        return physical_forward(
            side=self.side, area=self.area, period=self.period, volume=volume,
            price=self._fixed_price(), shape=self.shape, currency=self.currency,
        )  # fmt: skip

    def _swap(self) -> Deal:
        self._only("swap")
        index = self._swap_index()
        volume = self._volume()
        if self.index is not None:
            return basis_swap(
                side=self.side, area=self.area, period=self.period, volume=volume,
                receive_index=index, pay_index=self.index, spread=self.spread, shape=self.shape,
            )  # fmt: skip
        return fixed_float_swap(
            side=self.side, area=self.area, period=self.period, volume=volume,
            price=self._fixed_price(), index=index, shape=self.shape, currency=self.currency,
        )  # fmt: skip

    def _swap_index(self) -> PriceIndex:
        token, code = self.slots["swap"], self.values["swap"] or self.area.index_code
        if not code:
            refuse_at(token, f"{self.area.code} has no index of its own; write swap: with one.")
        found = {name.lower(): index for name, index in self.indices.items()}.get(code.lower())
        if found is None:
            refuse_at(token, f"“{code}” is no index here.", self.indices, code)
        return found

    def _future(self) -> Deal:
        self._only("fut", "acct")
        if not self.is_lots:
            raise DealError("quantity", "a future is in lots.")
        return future(
            side=self.side, area=self.area, period=self.period, lots=self.quantity,
            price=self._fixed_price(), mic=self.values["fut"].upper(),
            clearing_account=self.values.get("acct", ""), shape=self.shape,
            currency=self.currency,
        )  # fmt: skip

    def _certificate(self) -> Deal:
        self._only("vintage", "reg")
        vintage = self.values.get("vintage", "")
        if vintage and not re.fullmatch("[0-9]{4}", vintage):
            raise DealError("vintage", f"{vintage!r} is no year; write it like 2026.")
        return certificate(
            side=self.side, area=self.area, delivery=self.period, price=self._fixed_price(),
            quantity=None if self.is_lots else self.quantity,
            lots=self.quantity if self.is_lots else None,
            vintage=int(vintage) if vintage else None, registry=self.values.get("reg", ""),
            currency=self.currency,
        )  # fmt: skip

    def _ppa(self) -> Deal:
        self._only("asset", "floor", "cap")
        if self.shape != "BASE":
            raise DealError("product", "a plant delivers as it generates; its product is base.")
        if "asset" not in self.values:
            raise DealError("quantity", "MWp needs the plant: write asset: with its name.")
        token = self.slots["asset"]
        by_lower = {name.lower(): asset for name, asset in self.assets.items()}
        asset = by_lower.get(token.text.lower())
        if asset is None:
            refuse_at(token, f"“{token.text}” is no plant here.", self.assets)
        if asset.area.code != self.area.code:
            raise DealError("asset", f"{asset.asset_id} delivers in {asset.area.code}.")
        return ppa(
            side=self.side, area=self.area, period=self.period, asset=asset.share(self.quantity),
            expected=asset.expected(self.period, self.quantity), price=self.price,
            currency=self.currency, index=self.index, spread=self.spread,
            floor=self._bound("floor"), cap=self._bound("cap"),
        )  # fmt: skip

    def _bound(self, key: str) -> Decimal | None:
        if key not in self.values:
            return None
        return checked_price(key, number_of(self.values[key], self.slots[key], key))
