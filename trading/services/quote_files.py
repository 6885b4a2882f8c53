"""Quotes as a documented CSV file: what it would add and correct, line by line; all or nothing."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import CalendarError
from energyopti.foundation.intervals import Interval

from ..models import WITHDRAWN, Market, QuoteQuality
from ..queries.quotes import BASE, quote_versions
from .quote_withdrawals import WrongQuote, withdraw_quotes
from .quotes import QuoteDraft, QuoteRefused, book_quotes, check_draft, known_loads
from .reference_files.cells import Choice, Instant, Number, Text
from .reference_files.findings import (
    FieldChange,
    ReferenceDiff,
    ReferenceRefused,
    Refusal,
    RowChange,
    RowState,
)
from .reference_files.reading import Line, read_lines

COLUMNS = (
    "market", "contract", "load", "value", "bid", "ask", "valid_from", "quality", "source",
)  # fmt: skip
_LONGEST = {"contract": 16, "load": 16, "source": 120}
# A trading day's close may be stamped a little ahead of the clock that reads the file.
_AHEAD = timedelta(hours=24)


class _Quality(Choice):
    """How a quote came about, or that its source takes it back."""

    def __init__(self) -> None:
        super().__init__(QuoteQuality)
        self.values = (*self.values, WITHDRAWN)


_CELLS: Mapping[str, Any] = {
    "market": Text(),
    "contract": Text(),
    "load": Text(optional=True),
    "value": Number(),
    "bid": Number(optional=True),
    "ask": Number(optional=True),
    "valid_from": Instant(),
    "quality": _Quality(),
    "source": Text(),
}


class QuotesMoved(ValueError):
    """Quotes changed since the difference was shown; nothing was booked, `diff` is as of now."""

    def __init__(self, diff: ReferenceDiff) -> None:
        self.diff = diff
        super().__init__("Quotes changed since you looked; look at the difference again.")


def digest_of(diff: ReferenceDiff) -> str:
    """Return what tells a difference from any other."""
    rows = [asdict(change) for change in diff.changes]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    market: Market
    draft: QuoteDraft
    stored_load: str
    quality: str
    source: str

    @property
    def key(self) -> tuple[int, str, str, str, datetime]:
        draft = self.draft
        return self.market.pk, self.source, draft.contract, self.stored_load, draft.valid_from

    def as_wrong(self) -> WrongQuote:
        draft = self.draft
        return WrongQuote(draft.contract, draft.valid_from, draft.value, self.stored_load)


def preview_quotes(
    *, actor: Actor, name: str, content: bytes, received_at: datetime
) -> ReferenceDiff:
    """
    Return what an import of a file of quotes would add, correct and refuse; nothing is written.

    received_at     no quote may speak of more than a day later

    :raises PermissionMissing: without `trading.import_prices`.
    :raises FileTooLarge: for a file of more than 50 MB.
    """
    actor.require("trading.import_prices")
    rows, refusals = _read(name, content, received_at)
    return _difference(name, rows, refusals)


def import_quotes(
    *,
    actor: Actor,
    name: str,
    content: bytes,
    received_at: datetime,
    expected_digest: str | None = None,
) -> ReferenceDiff:
    """
    Book a file of quotes, all or nothing, and return what it added and corrected.

    expected_digest     of the difference that somebody looked at, or None

    :raises ReferenceRefused: with every line that breaks a rule; then nothing is written.
    :raises QuotesMoved: if the file does something else than what was looked at.
    :raises PermissionMissing, FileTooLarge: as `preview_quotes`.
    """
    actor.require("trading.import_prices")
    with transaction.atomic():
        rows, refusals = _read(name, content, received_at)
        diff = _difference(name, rows, refusals)
        if diff.is_refused:
            raise ReferenceRefused(diff)
        if expected_digest is not None and digest_of(diff) != expected_digest:
            raise QuotesMoved(diff)
        groups: dict[tuple[int, str, str], list[_Row]] = {}
        for row in rows:
            groups.setdefault((row.market.pk, row.source, row.quality), []).append(row)
        for (_, source, quality), members in sorted(groups.items()):
            if quality == WITHDRAWN:
                withdraw_quotes(
                    actor=actor,
                    market=members[0].market,
                    source=source,
                    wrong=[row.as_wrong() for row in members],
                    reason=f"withdrawn by the file {name}"[:400],
                )
                continue
            book_quotes(
                actor=actor,
                market=members[0].market,
                drafts=[row.draft for row in members],
                source=source,
                quality=QuoteQuality(quality),
            )
    return diff


def _read(name: str, content: bytes, received_at: datetime) -> tuple[list[_Row], list[Refusal]]:
    lines, refusals = read_lines(name, content, COLUMNS)
    markets = {market.code: market for market in Market.objects.select_related("shape_calendar")}
    deliveries = _Deliveries()
    rows: list[_Row] = []
    seen: dict[tuple[int, str, str, str, datetime], int] = {}
    for line in lines:
        try:
            row = _row(line, markets, deliveries, received_at)
        except _Refused as refused:
            refusals.append(Refusal(name, line.number, refused.field, refused.rule))
            continue
        if row.key in seen:
            refusals.append(
                Refusal(
                    name, line.number, "contract",
                    f"Line {seen[row.key]} quotes it at that time from that source already.",
                )
            )  # fmt: skip
            continue
        seen[row.key] = line.number
        rows.append(row)
    return rows, refusals


class _Refused(Exception):
    def __init__(self, field: str, rule: str) -> None:
        self.field, self.rule = field, rule
        super().__init__(f"{field}: {rule}")


class _Deliveries:
    """Deliveries by market and contract, and loads as they are stored, each looked up once."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, str], Interval] = {}
        self._loads: dict[tuple[int, str, str], str] = {}

    def of(self, market: Market, contract: str) -> Interval:
        from ..curves import contract_interval  # with NumPy: for whoever books quotes

        key = (market.pk, contract)
        if key not in self._found:
            self._found[key] = contract_interval(contract, market.calendar)
        return self._found[key]

    def load(self, market: Market, contract: str, load: str) -> str:
        key = (market.pk, contract, load)
        if key not in self._loads:
            delivery = self.of(market, contract)
            self._loads[key] = known_loads(market, {load}, [delivery])[load]
        return self._loads[key]


def _row(
    line: Line,
    markets: Mapping[str, Market],
    deliveries: _Deliveries,
    received_at: datetime,
) -> _Row:
    cells: dict[str, Any] = {}
    for column, cell in _CELLS.items():
        cells[column] = _checked(column, lambda c=cell, v=line.cells[column]: c.clean(v))  # type: ignore[misc]
        longest = _LONGEST.get(column)
        if longest is not None and cells[column] and len(cells[column]) > longest:
            raise _Refused(column, f"It is longer than {longest} characters.")
    if cells["market"] not in markets:
        raise _Refused("market", f"No market has the code “{cells['market']}”.")
    market = markets[cells["market"]]
    load = cells["load"] or BASE
    delivery = _checked("contract", lambda: deliveries.of(market, cells["contract"]))
    stored = _checked("load", lambda: deliveries.load(market, cells["contract"], load))
    if cells["valid_from"] > received_at + _AHEAD:
        raise _Refused("valid_from", "It speaks of a day that is still to come.")
    if delivery.end <= cells["valid_from"]:
        raise _Refused("contract", "Its delivery was over when the price was made.")
    draft = QuoteDraft(
        contract=cells["contract"],
        value=cells["value"],
        valid_from=cells["valid_from"],
        load=load,
        bid=cells["bid"],
        ask=cells["ask"],
    )
    try:
        check_draft(draft)
    except QuoteRefused as error:
        field, _, rule = str(error).partition(": ")
        raise _Refused(field, rule) from error
    return _Row(line.number, market, draft, stored, cells["quality"], cells["source"])


def _checked(field: str, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except QuoteRefused as error:
        raise _Refused(field, str(error).partition(": ")[2] or str(error)) from error
    except (ValueError, CalendarError) as error:
        raise _Refused(field, str(error)) from error


def _difference(name: str, rows: list[_Row], refusals: list[Refusal]) -> ReferenceDiff:
    """Return what each row does to the version that holds now; one query a market and source."""
    by_source: dict[tuple[int, str], list[_Row]] = {}
    for row in rows:
        by_source.setdefault((row.market.pk, row.source), []).append(row)
    held: dict[tuple[int, str, str, str, datetime], dict[str, str]] = {}
    for (market_id, source), members in by_source.items():
        instants = {row.draft.valid_from for row in members}
        for quote in quote_versions(market_id, source=source, instants=instants):
            held[market_id, source, quote.contract, quote.load, quote.valid_from] = {
                "value": _written(quote.value),
                "bid": _written(quote.bid),
                "ask": _written(quote.ask),
                "quality": quote.quality,
            }
    changes, refused = [], list(refusals)
    for row in rows:
        before = held.get(row.key)
        if row.quality == WITHDRAWN:
            refusal = _unfit_withdrawal(row, before)
            if refusal is not None:
                refused.append(Refusal(name, row.line, *refusal))
                continue
        changes.append(_change(name, row, before))
    return ReferenceDiff(tuple(changes), tuple(sorted(refused)))


def _unfit_withdrawal(row: _Row, before: Mapping[str, str] | None) -> tuple[str, str] | None:
    """Return the field and rule by which a line takes nothing back, None if it does."""
    if before is None:
        return "contract", f"{row.source} has quoted none at that time, so none is withdrawn."
    if before["value"] != _written(row.draft.value):
        return "value", f"{row.source} says {before['value']}; a withdrawal names that price."
    return None


def _change(name: str, row: _Row, before: Mapping[str, str] | None) -> RowChange:
    draft = row.draft
    after = {"quality": row.quality}
    if row.quality != WITHDRAWN:
        after = {
            "value": _written(draft.value),
            "bid": _written(draft.bid),
            "ask": _written(draft.ask),
            "quality": row.quality,
        }
    fields = tuple(
        FieldChange(column, (before or {}).get(column, ""), value)
        for column, value in after.items()
        if value != (before or {}).get(column, "")
    )
    state = RowState.CHANGED if fields else RowState.UNCHANGED
    if before is None:
        state = RowState.ADDED
    key = f"{row.market.code} {draft.contract} {row.stored_load} {draft.valid_from.isoformat()}"
    return RowChange(name, row.line, key, state, fields)


def _written(value: Decimal | None) -> str:
    return "" if value is None else f"{value.normalize():f}"
