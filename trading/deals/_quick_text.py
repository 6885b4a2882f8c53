"""
The one-line language of traders: ``B 10MW DE base Cal27 @ 85.20 EUR cpty:ACME book:EU tag:hedge``.

Order: side, quantity, area, product, period, ``@``, price, currency (may be left out), then
``cpty:``, ``book:`` and any number of ``tag:`` in any order. Upper and lower case are the same.
An error carries the position of the word it is about and the nearest word that would do.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import NoReturn, TypeVar

from energyopti.foundation.calendars import CalendarError, DatePeriod
from energyopti.foundation.money import MINOR_UNITS, Side
from trading.deals._areas import LoadType, NoPeakDefinition, PowerArea
from trading.deals._terms import DealError, PowerForward

Value = TypeVar("Value")

MAXIMUM_LENGTH = 300
PRODUCT_WORDS = {"base": LoadType.BASE, "peak": LoadType.PEAK}
_SIDES = {"b": Side.BUY, "buy": Side.BUY, "s": Side.SELL, "sell": Side.SELL}
_KEYS = ("cpty", "book", "tag")
_PERIOD_WORDS = ("Cal27", "Q1-27", "Jan27", "W05-27", "Sum27", "Win27", "DA", "2027-03-28")
_TOKEN = re.compile(r"@|[^\s@]+")
_QUANTITY = re.compile(r"(?P<number>[+-]?[\d.,]+)(?P<unit>[A-Za-z]*)")
# The fields of `PowerForward` whose refusal points at a word.
_FIELD_SLOTS = {"quantity": "quantity", "price": "price", "period": "period"}


class QuickTextError(ValueError):
    """
    Raised for text that is not a deal.

    position    of the first character it is about, counted from 0; the length of the text if
                something is missing at its end
    token       the word at that place, empty at the end
    nearest     a known word that looks like it, empty if none does
    """

    def __init__(self, position: int, token: str, message: str, nearest: str = "") -> None:
        self.position = position
        self.token = token
        self.nearest = nearest
        self.message = message
        hint = f" Did you mean “{nearest}”?" if nearest else ""
        super().__init__(f"{message}{hint}")


@dataclass(frozen=True, slots=True)
class QuickDeal:
    """A deal as written: its terms, and the codes that the text names (empty if it does not)."""

    terms: PowerForward
    counterparty_code: str = ""
    book_code: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    position: int


class _Reader:
    """Hand out the words of the text one by one, and refuse at the right place."""

    def __init__(self, text: str) -> None:
        self._tokens = [_Token(m.group(), m.start()) for m in _TOKEN.finditer(text)]
        self._end = len(text)
        self._index = 0

    def next(self, wanted: str) -> _Token:
        if self._index >= len(self._tokens):
            raise QuickTextError(self._end, "", f"The text ends where {wanted} should stand.")
        token = self._tokens[self._index]
        self._index += 1
        return token

    def peek(self) -> _Token | None:
        return self._tokens[self._index] if self._index < len(self._tokens) else None

    def rest(self) -> Iterator[_Token]:
        while self._index < len(self._tokens):
            yield self.next("")


def parse_quick_text(
    text: str,
    *,
    areas: Mapping[str, PowerArea],
    traded_at: datetime,
    counterparties: Collection[str] | None = None,
    books: Collection[str] | None = None,
) -> QuickDeal:
    """
    Read a deal from one line of text.

    areas           the delivery areas by code
    traded_at       aware; DA is the day after its date in the area
    counterparties, books   the known codes; None leaves codes unchecked

    :raises QuickTextError: pointing at the first word that cannot stand where it does.
    """
    if len(text) > MAXIMUM_LENGTH:
        raise QuickTextError(
            MAXIMUM_LENGTH, "", f"The text is longer than {MAXIMUM_LENGTH} characters."
        )
    reader = _Reader(text)
    slots: dict[str, _Token] = {}
    side = _choice(reader.next("B or S"), _SIDES, "starts with B (buy) or S (sell)")
    slots["quantity"], quantity = _quantity(reader)
    area = _choice(
        reader.next("the area"), {c.lower(): a for c, a in areas.items()}, "is no area here", areas
    )
    slots["product"] = reader.next("base or peak")
    load_type = _choice(slots["product"], PRODUCT_WORDS, "is no product; base and peak are")
    slots["period"] = reader.next("the period")
    period = _period(slots["period"], area, traded_at)
    at = reader.next("@ and the price")
    if at.text != "@":
        raise QuickTextError(at.position, at.text, "Write @ before the price.")
    slots["price"] = reader.next("the price")
    price = _number(slots["price"].text, slots["price"], "price")
    currency = _currency(reader, area)
    named = _named(reader, counterparties, books)
    try:
        area.shape(load_type)
        terms = PowerForward(side, quantity, area, load_type, period, price, currency)
    except NoPeakDefinition as error:
        token = slots["product"]
        raise QuickTextError(token.position, token.text, str(error)) from error
    except DealError as error:
        token = slots[_FIELD_SLOTS[error.field]]
        raise QuickTextError(token.position, token.text, str(error)) from error
    return QuickDeal(terms, *named)


def _refuse(token: _Token, message: str, known: Collection[str] = (), like: str = "") -> NoReturn:
    lowered = {word.lower(): word for word in known}
    near = get_close_matches((like or token.text).lower(), list(lowered), n=1, cutoff=0.5)
    raise QuickTextError(token.position, token.text, message, lowered[near[0]] if near else "")


def _choice(
    token: _Token, words: Mapping[str, Value], rule: str, known: Collection[str] = ()
) -> Value:
    found = words.get(token.text.lower())
    if found is None:
        _refuse(token, f"“{token.text}” {rule}.", known or words)
    return found


def _quantity(reader: _Reader) -> tuple[_Token, Decimal]:
    token = reader.next("the quantity, such as 10MW,")
    match = _QUANTITY.fullmatch(token.text)
    if match is None:
        _refuse(token, f"“{token.text}” is no quantity; write it like 10MW.")
    quantity, unit = _number(match["number"], token, "quantity"), match["unit"]
    if not unit:
        token = reader.next("the unit MW")
        unit = token.text
    if unit.lower() != "mw":
        # MWh would need its spreading over the hours, MWp the asset: both come with their products.
        _refuse(token, f"“{unit}” is no unit of a forward here; give the power in MW.", ["MW"])
    return token, quantity


def _number(text: str, token: _Token, field: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        _refuse(token, f"“{text}” is no {field}; write digits with a decimal point, no commas.")
    return number


def _period(token: _Token, area: PowerArea, traded_at: datetime) -> DatePeriod:
    if token.text.lower() == "da":
        return DatePeriod.day(area.calendar.date_of(traded_at) + timedelta(days=1))
    try:
        return DatePeriod.parse(token.text)
    except CalendarError:
        _refuse(
            token,
            f"“{token.text}” is no delivery period; write it like {', '.join(_PERIOD_WORDS)}.",
            _PERIOD_WORDS,
        )


def _currency(reader: _Reader, area: PowerArea) -> str:
    token = reader.peek()
    if token is None or ":" in token.text:
        return area.currency
    reader.next("")
    code = token.text.upper()
    if code not in MINOR_UNITS:
        _refuse(
            token,
            f"“{token.text}” is no currency, nor cpty:, book: or tag: with a name.",
            (area.currency, "EUR", "GBP", "USD", *(f"{key}:" for key in _KEYS)),
        )
    return code


def _named(
    reader: _Reader, counterparties: Collection[str] | None, books: Collection[str] | None
) -> tuple[str, str, tuple[str, ...]]:
    found: dict[str, str] = {}
    tags: list[str] = []
    known = {"cpty": counterparties, "book": books}
    for token in reader.rest():
        key, colon, value = token.text.partition(":")
        key = key.lower()
        if not colon or key not in _KEYS:
            words = tuple(f"{word}:" for word in _KEYS)
            _refuse(token, f"“{token.text}” is none of cpty:, book: and tag:.", words, f"{key}:")
        # The caret belongs under the value.
        value_token = _Token(value, token.position + len(key) + 1)
        if not value:
            _refuse(value_token, f"{key}: needs a name right after the colon.")
        if key == "tag":
            tags.append(value)
            continue
        if key in found:
            _refuse(token, f"{key}: stands there twice.")
        codes = known[key]
        if codes is not None:
            by_lower = {code.lower(): code for code in codes}
            if value.lower() not in by_lower:
                _refuse(value_token, f"“{value}” is no {key} that you can use.", codes)
            value = by_lower[value.lower()]
        found[key] = value
    return found.get("cpty", ""), found.get("book", ""), tuple(tags)


def render_quick_text(deal: QuickDeal) -> str:
    """
    Write a deal as the line that reads back as the same deal.

    :raises DealError: if its period has no name (a run of days that is no week, month, quarter,
        season or year).
    """
    terms = deal.terms
    words = [
        "B" if terms.side is Side.BUY else "S",
        f"{terms.quantity_mw:f}MW",
        terms.area.code,
        terms.load_type.value.lower(),
        period_name(terms.period),
        "@",
        f"{terms.price:f}",
        terms.currency,
    ]
    words += [f"cpty:{deal.counterparty_code}"] if deal.counterparty_code else []
    words += [f"book:{deal.book_code}"] if deal.book_code else []
    return " ".join([*words, *(f"tag:{tag}" for tag in deal.tags)])


def period_name(period: DatePeriod) -> str:
    """
    Return a period's name as traders write it (Cal27, Q1-27, Jan27, W05-27, 2027-03-28).

    :raises DealError: if it has none.
    """
    first = period.first
    week_year, week, weekday = first.isocalendar()
    names = [f"{first:%Y-%m-%d}"]
    if 2000 <= first.year <= 2099:
        short = f"{first.year % 100:02d}"
        names += [
            f"Cal{short}", f"Q{(first.month + 2) // 3}-{short}", f"{first:%b}{short}",
            f"Sum{short}", f"Win{short}",
        ]  # fmt: skip
    if weekday == 1 and 2000 <= week_year <= 2099:
        names.append(f"W{week:02d}-{week_year % 100:02d}")
    for name in names:
        if DatePeriod.parse(name) == period:
            return name
    raise DealError("period", f"{period.first} to before {period.after} has no name.")
