"""The columns of a file of trades, and the terms that their cells are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from energyopti.foundation.texts import check_plain
from trading.deals import STRUCTURES

# Beside the terms of the deal.
WORDS = (
    "basis", "book", "counterparty", "counter_book", "counter_counterparty", "traded_at",
    "client_reference", "source", "external_id", "package", "tags", "reason",
)  # fmt: skip
NUMBERS = ("quantity", "price", "spread", "multiplier", "floor", "cap")
TEXTS = (
    "product", "side", "unit", "market", "shape", "period", "currency", "index", "receive_index",
    "mic", "clearing_account", "registry",
)  # fmt: skip
ASSET = ("asset", "installed_mw", "contracted_mw")
SPREAD = ("ratio", "ratio_unit", "second_period", "cost")
OPTION = (
    "option_style", "option_type", "underlying", "strikes", "expiry", "exercises", "premium",
    "premium_currency", "premium_date", "settlement", *SPREAD,
)  # fmt: skip
STRUCTURE = ("structure",)
FEES = ("broker", "broker_fee", "exchange_fee", "clearing_fee", "fee_basis", "fee_currency")
TERMS = (*TEXTS, *NUMBERS, "vintage", *ASSET, *OPTION, *STRUCTURE, *FEES)
COLUMNS = (*WORDS, "text", *TERMS)
# A forward, an option and a contract with choices, for who writes their first file.
EXAMPLE = """\
product,side,market,period,quantity,unit,price,option_style,option_type,underlying,strikes,\
expiry,premium,settlement,structure
,BUY,DE,Cal27,10,MW,85.20,,,,,,,,
OPTION,BUY,DE,Q1-27,10,MW,,EUROPEAN,CALL,EPEX-DE-DA,100,2026-12-20T12:00:00+01:00,4,CASH,
SWING,BUY,TTF,Cal27,240,MWh/d,,,,TTF-DA,,,55000,,strike=31.5; minimum=40000; maximum=80000
"""
# A term that a rule names, and the column that it stands in where the two differ.
COLUMN_OF = {
    "package_id": "package", "option": "option_style", "fees": "broker_fee", "strike": "strikes",
    "fee": "broker_fee",
}  # fmt: skip


class CellRefused(ValueError):
    """A cell that cannot be read; `column` names it, `line` one of another file than the row's."""

    def __init__(self, column: str, rule: str, *, file: str = "", line: int = 0) -> None:
        self.column, self.rule = column, rule
        self.file, self.line = file, line
        super().__init__(f"{column}: {rule}")


def terms_of(cells: Mapping[str, str]) -> dict[str, Any]:
    """
    Return the terms in the cells of one row, as `queries.terms` takes them.

    :raises CellRefused: naming the column.
    """
    terms: dict[str, Any] = {name: _text(cells, name) for name in TEXTS}
    terms |= {name: number(cells, name) for name in NUMBERS}
    terms["vintage"] = _year(cells)
    if any(cells.get(name) for name in ASSET):
        terms["asset"] = {
            "id": _text(cells, "asset"),
            "installed_mw": number(cells, "installed_mw"),
            "contracted_mw": number(cells, "contracted_mw"),
        }
    if str(terms["product"]).upper() in STRUCTURES:
        terms["structure"] = _structure(cells)
    elif any(cells.get(name) for name in OPTION):
        terms["option"] = _option(cells)
    terms["fees"] = _fees(cells)
    return {name: value for name, value in terms.items() if value not in (None, "", [])}


def _option(cells: Mapping[str, str]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "style": _text(cells, "option_style"),
        "type": _text(cells, "option_type"),
        "underlying": _parts(cells, "underlying"),
        "strikes": [decimal("strikes", part) for part in _parts(cells, "strikes")],
        "expiry": instant(cells, "expiry"),
        "exercises": [_moment("exercises", part) for part in _parts(cells, "exercises")],
        "premium": number(cells, "premium"),
        "premium_currency": _text(cells, "premium_currency"),
        "premium_date": _date(cells, "premium_date"),
        "settlement": _text(cells, "settlement"),
        "ratio": number(cells, "ratio"),
        "ratio_unit": _text(cells, "ratio_unit"),
        "second_period": _text(cells, "second_period"),
        "cost": number(cells, "cost"),
    }
    return {name: value for name, value in said.items() if value not in (None, "", [])}


def _structure(cells: Mapping[str, str]) -> dict[str, Any]:
    """Return the terms of "strike=31.5; maximum=80000", with what options have columns for."""
    said: dict[str, Any] = {}
    for part in _text(cells, "structure").split(";"):
        name, equals, value = (word.strip() for word in part.partition("="))
        if not part.strip():
            continue
        if not equals or not name or not value:
            raise CellRefused("structure", f"“{part.strip()}” is not written as name=value.")
        if name in said:
            raise CellRefused("structure", f"{name} comes twice.")
        said[name] = value
    said |= {
        "underlying": _parts(cells, "underlying"),
        "premium": number(cells, "premium"),
        "premium_date": _date(cells, "premium_date"),
    }
    return {name: value for name, value in said.items() if value not in (None, "")}


def _fees(cells: Mapping[str, str]) -> list[dict[str, Any]]:
    fees = []
    for kind in ("BROKER", "EXCHANGE", "CLEARING"):
        amount = number(cells, f"{kind.lower()}_fee")
        if amount is None:
            continue
        fees.append(
            {
                "kind": kind,
                "amount": amount,
                "basis": _text(cells, "fee_basis") or "FLAT",
                "currency": _text(cells, "fee_currency"),
                "payee": _text(cells, "broker") if kind == "BROKER" else "",
            }
        )
    return fees


def _text(cells: Mapping[str, str], column: str) -> str:
    said = cells.get(column, "")
    if said:
        try:
            check_plain(said)
        except ValueError as error:
            raise CellRefused(column, str(error)) from error
    return said


def words(cells: Mapping[str, str], column: str) -> str:
    """
    Return the words in a cell.

    :raises CellRefused: for what a spreadsheet would take for a formula.
    """
    return _text(cells, column)


def number(cells: Mapping[str, str], column: str) -> Decimal | None:
    """
    Return the number in a cell, None if it is empty.

    :raises CellRefused: naming the column.
    """
    said = cells.get(column, "")
    return decimal(column, said) if said else None


def decimal(column: str, said: str) -> Decimal:
    """
    Return a number with a decimal point and no other marks.

    :raises CellRefused: naming the column.
    """
    rule = f"“{said[:40]}” is no number; write digits with a decimal point, no commas."
    if not said.isascii() or "_" in said or " " in said:
        raise CellRefused(column, rule)
    try:
        found = Decimal(said)
    except InvalidOperation as error:
        raise CellRefused(column, rule) from error
    if not found.is_finite():
        raise CellRefused(column, rule)
    return found


def instant(cells: Mapping[str, str], column: str) -> datetime | None:
    """
    Return the moment in a cell, None if it is empty.

    :raises CellRefused: without an offset.
    """
    said = cells.get(column, "")
    return _moment(column, said) if said else None


def _moment(column: str, said: str) -> datetime:
    try:
        found = datetime.fromisoformat(said)
    except ValueError as error:
        raise CellRefused(
            column, f"“{said[:40]}” is no moment; write it like 2026-11-21T09:00:00Z."
        ) from error
    if found.utcoffset() is None:
        raise CellRefused(column, f"“{said[:40]}” needs an offset, such as Z or +01:00.")
    return found


def _date(cells: Mapping[str, str], column: str) -> date | None:
    said = cells.get(column, "")
    if not said:
        return None
    try:
        return date.fromisoformat(said)
    except ValueError as error:
        raise CellRefused(column, f"“{said[:40]}” is no date such as 2026-11-21.") from error


def _year(cells: Mapping[str, str]) -> int | None:
    said = cells.get("vintage", "")
    if not said:
        return None
    if len(said) != 4 or not (said.isascii() and said.isdigit()):
        raise CellRefused("vintage", f"“{said[:40]}” is no year such as 2026.")
    return int(said)


def _parts(cells: Mapping[str, str], column: str) -> list[str]:
    return [part.strip() for part in _text(cells, column).split(";") if part.strip()]
