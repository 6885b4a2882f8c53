"""The words of a line of quick text: read one by one, known units, and refusals by place."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import NoReturn, TypeVar

from trading.deals._areas import CommodityKind
from trading.deals._volumes import Frequency

Value = TypeVar("Value")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)")
_POWER, _GAS = frozenset({CommodityKind.POWER}), frozenset({CommodityKind.GAS})
_FLOWS = _POWER | _GAS
_BULK = frozenset({CommodityKind.OIL, CommodityKind.COAL})
CARBON, CERTIFICATE = (frozenset({k}) for k in (CommodityKind.CARBON, CommodityKind.CERTIFICATE))


@dataclass(frozen=True, slots=True)
class UnitWord:
    """A unit as it is written, what it is, and where it may stand."""

    written: str
    unit: str
    frequency: Frequency
    commodities: frozenset[CommodityKind]


UNITS = tuple(
    UnitWord(*row)
    for row in (
        ("MW", "MW", Frequency.HOUR, _FLOWS),
        ("kW", "kW", Frequency.HOUR, _FLOWS),
        ("GW", "GW", Frequency.HOUR, _FLOWS),
        ("MWh", "MWh", Frequency.TOTAL, _FLOWS),
        ("GWh", "GWh", Frequency.TOTAL, _FLOWS),
        ("MWh/d", "MWh", Frequency.DAY, _FLOWS),
        ("GWh/d", "GWh", Frequency.DAY, _FLOWS),
        ("therm/d", "therm", Frequency.DAY, _GAS),
        ("MMBtu/d", "MMBtu", Frequency.DAY, _GAS),
        ("bbl", "bbl", Frequency.MONTH, frozenset({CommodityKind.OIL})),
        ("kbbl", "kbbl", Frequency.MONTH, frozenset({CommodityKind.OIL})),
        ("t", "t", Frequency.MONTH, _BULK),
        ("kt", "kt", Frequency.MONTH, _BULK),
        ("t", "tCO2", Frequency.TOTAL, CARBON),
        ("tCO2", "tCO2", Frequency.TOTAL, CARBON),
        ("cert", "certificate", Frequency.TOTAL, CERTIFICATE),
        ("certs", "certificate", Frequency.TOTAL, CERTIFICATE),
    )
)
LOTS, PEAK_POWER = "lots", "MWp"


UNIT_WORDS = tuple(dict.fromkeys([*(u.written for u in UNITS), LOTS, PEAK_POWER]))
_TOKEN = re.compile(r"@|[^\s@]+")


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
class Token:
    text: str
    position: int


class Reader:
    """Hand out the words of the text one by one, and refuse at the right place."""

    def __init__(self, text: str) -> None:
        self._tokens = [Token(m.group(), m.start()) for m in _TOKEN.finditer(text)]
        self._end = len(text)
        self._index = 0

    def next(self, wanted: str) -> Token:
        if self._index >= len(self._tokens):
            raise QuickTextError(self._end, "", f"The text ends where {wanted} should stand.")
        token = self._tokens[self._index]
        self._index += 1
        return token

    def peek(self) -> Token | None:
        return self._tokens[self._index] if self._index < len(self._tokens) else None

    def rest(self) -> Iterator[Token]:
        while self._index < len(self._tokens):
            yield self.next("")


def refuse_at(token: Token, message: str, known: Collection[str] = (), like: str = "") -> NoReturn:
    lowered = {word.lower(): word for word in known}
    near = get_close_matches((like or token.text).lower(), list(lowered), n=1, cutoff=0.5)
    raise QuickTextError(token.position, token.text, message, lowered[near[0]] if near else "")


def choice_of(
    token: Token, words: Mapping[str, Value], rule: str, known: Collection[str] = ()
) -> Value:
    found = words.get(token.text.lower())
    if found is None:
        refuse_at(token, f"“{token.text}” {rule}.", known or words)
    return found


def number_of(text: str, token: Token, field: str) -> Decimal:
    if _NUMBER.fullmatch(text) is None:
        refuse_at(token, f"“{text}” is no {field}; write digits with a decimal point, no commas.")
    return Decimal(text)
