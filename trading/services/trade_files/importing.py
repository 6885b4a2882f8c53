"""Import a file of trades: all of its rows in one transaction, or none."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from trading.checks import Outcome
from trading.deals import DealError, QuickTextError, parse_deal_text, period_name
from trading.models import CaptureBasis, TradeStatus
from trading.queries.books import BookRow, CounterpartyRow, books_for, counterparties_for
from trading.queries.proposals import TradeInvalid
from trading.queries.terms import Known, deal_from_terms, known_terms

from ..capture_many import NewDeal, Progress, Weighed, weigh_deals, write_deals
from ..life import ReasonNeeded, TradeStopped
from ..reference_files.findings import Refusal
from ..reference_files.reading import Line
from .columns import COLUMN_OF, COLUMNS, TERMS, CellRefused, instant, terms_of, words
from .findings import RowState, TradeRow, TradesFound, TradesRefused
from .reading import read_trades

_TEXT_ONLY = frozenset(TERMS) - {
    "broker", "broker_fee", "exchange_fee", "clearing_fee", "fee_basis", "fee_currency",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FileOptions:
    """
    What holds for the rows of a file that do not say it themselves.

    basis       order or executed fact
    book, counterparty      codes
    """

    basis: CaptureBasis = CaptureBasis.ORDER
    book: str = ""
    counterparty: str = ""


def preview_trades(
    *,
    actor: Actor,
    name: str,
    content: bytes,
    received_at: datetime,
    options: FileOptions = FileOptions(),
    progress: Progress = lambda *_: None,
) -> TradesFound:
    """
    Say row by row what an import would do, with all checks; nothing is written.

    :raises FileTooLarge: for a file of more than 50 MB or 100,000 rows.
    """
    with transaction.atomic():
        found, _ = _weigh(actor, name, content, received_at, options, progress)
        transaction.set_rollback(True)
    return found


def import_trades(
    *,
    actor: Actor,
    name: str,
    content: bytes,
    received_at: datetime,
    options: FileOptions = FileOptions(),
    progress: Progress = lambda *_: None,
) -> TradesFound:
    """
    Capture every row of a file, or none.

    A row whose reference or external id stands for the same terms already is left as it is, so a
    file may be imported again.

    :raises TradesRefused: with every line that breaks a rule; then nothing is written.
    :raises CapturedMeanwhile: if somebody used one of the references in this moment.
    :raises FileTooLarge: as `preview_trades`.
    """
    with transaction.atomic():
        found, weighed = _weigh(actor, name, content, received_at, options, progress)
        if found.refusals:
            raise TradesRefused(found)
        receipts = write_deals(actor=actor, weighed=weighed, progress=progress)
        rows = tuple(
            replace(row, ref=receipt.ref) for row, receipt in zip(found.rows, receipts, strict=True)
        )
        organizations = {w.proposal.organization_id for w in weighed if w.proposal and w.is_new}
        for organization_id in sorted(organizations):
            record_event(
                type="trades.imported",
                actor=actor,
                aggregate_type="trade_file",
                aggregate_id=hashlib.sha256(content).hexdigest(),
                organization_id=organization_id,
                payload={
                    "file": name[:200],
                    **{state.name.lower(): found.count(state) for state in RowState},
                },
            )
    return TradesFound(rows, ())


def _weigh(
    actor: Actor,
    name: str,
    content: bytes,
    received_at: datetime,
    options: FileOptions,
    progress: Progress,
) -> tuple[TradesFound, list[Weighed]]:
    lines, refusals = read_trades(name, content)
    reader = _Reader(actor, received_at, options)
    deals: list[NewDeal] = []
    numbers: list[int] = []
    seen: dict[tuple[str, ...], int] = {}
    for done, line in enumerate(lines):
        if done % 500 == 0:
            progress("reading rows", done, len(lines))
        try:
            new = reader.deal(line)
            _once(new, line.number, seen)
        except CellRefused as error:
            refusals.append(Refusal(name, line.number, error.column, error.rule))
            continue
        deals.append(new)
        numbers.append(line.number)
    weighed = weigh_deals(actor=actor, deals=deals, received_at=received_at, progress=progress)
    rows = []
    for number, one in zip(numbers, weighed, strict=True):
        if one.refusal is not None:
            refusals.append(_refusal(name, number, one))
        else:
            rows.append(_row(number, one))
    return TradesFound(tuple(rows), tuple(sorted(refusals))), weighed


def _once(new: NewDeal, line: int, seen: dict[tuple[str, ...], int]) -> None:
    """Refuse a reference that an earlier line has."""
    for column, key in (
        ("client_reference", (str(new.book_id), new.client_reference)),
        ("external_id", (new.source, new.external_id)),
    ):
        if key[-1]:
            first = seen.setdefault((column, *key), line)
            if first != line:
                raise CellRefused(column, f"“{key[-1]}” stands in line {first} already.")


class _Reader:
    """Turn lines into deals, with the desk's tables read once."""

    def __init__(self, actor: Actor, received_at: datetime, options: FileOptions) -> None:
        self.received_at, self.options = received_at, options
        self.known: Known = known_terms()
        self.books = {book.code.lower(): book for book in books_for(actor, level="trade")}
        self.parties: dict[tuple[Any, str], CounterpartyRow] = {
            (party.organization_id, party.code.lower()): party
            for party in counterparties_for(actor)
        }

    def deal(self, line: Line) -> NewDeal:
        """
        Return what a line says.

        :raises CellRefused: naming the column.
        """
        cells = line.cells
        traded_at = instant(cells, "traded_at") or self.received_at
        if traded_at > self.received_at:
            raise CellRefused("traded_at", "lies in the future.")
        text = words(cells, "text")
        codes = (words(cells, "book"), words(cells, "counterparty"))
        tags = tuple(tag for tag in words(cells, "tags").split() if tag)
        try:
            if text:
                deal, codes, tags = self._of_text(cells, text, codes, tags, traded_at)
            else:
                deal = deal_from_terms(terms_of(cells), known=self.known, traded_at=traded_at)
            package = words(cells, "package")
            if package:
                deal = replace(deal, package_id=package)
        except QuickTextError as error:
            rule = f"{error} (at character {error.position + 1})"
            raise CellRefused("text", rule) from error
        except DealError as error:
            raise CellRefused(column_of(error.field), error.rule) from error
        book = self._book(codes[0] or self.options.book)
        party = self._party(book, codes[1] or self.options.counterparty)
        return NewDeal(
            deal=deal,
            basis=self._basis(cells),
            book_id=book.id,
            counterparty_id=party.id,
            traded_at=traded_at,
            reason=words(cells, "reason"),
            client_reference=words(cells, "client_reference"),
            tags=tags,
            text=text,
            source=words(cells, "source"),
            external_id=words(cells, "external_id"),
        )

    def _of_text(
        self,
        cells: Mapping[str, str],
        text: str,
        codes: tuple[str, str],
        tags: Sequence[str],
        traded_at: datetime,
    ) -> tuple[Any, tuple[str, str], tuple[str, ...]]:
        for column in _TEXT_ONLY:
            if cells.get(column):
                raise CellRefused(column, "is said by the text of the row already.")
        said = parse_deal_text(
            text, areas=self.known.areas, indices=self.known.indices, assets=self.known.plants,
            traded_at=traded_at,
        )  # fmt: skip
        fees = terms_of({name: cells.get(name, "") for name in COLUMNS if name not in _TEXT_ONLY})
        if fees.get("fees"):
            raise CellRefused("broker_fee", "goes with columns for the terms, not with a text.")
        return (
            said.deal,
            (said.book_code or codes[0], said.counterparty_code or codes[1]),
            (*tags, *said.tags),
        )

    def _basis(self, cells: Mapping[str, str]) -> CaptureBasis:
        said = words(cells, "basis")
        if not said:
            return self.options.basis
        try:
            return CaptureBasis(said.upper())
        except ValueError as error:
            raise CellRefused("basis", f"“{said}” is neither ORDER nor FILL.") from error

    def _book(self, code: str) -> BookRow:
        if not code:
            raise CellRefused("book", "is missing.")
        found = self.books.get(code.lower())
        if found is None:
            raise CellRefused("book", f"“{code}” is none that you can trade in.")
        return found

    def _party(self, book: BookRow, code: str) -> CounterpartyRow:
        if not code:
            raise CellRefused("counterparty", "is missing.")
        found = self.parties.get((book.organization_id, code.lower()))
        if found is None:
            raise CellRefused("counterparty", f"“{code}” is none of book {book.code}.")
        return found


def column_of(field: str) -> str:
    """Return the column that a rule's field stands in; a rule on the whole is “row”."""
    name = COLUMN_OF.get(field, field)
    return name if name in COLUMNS else "row"


_FIELDS = {"area": "market", "tags": "tags", "text": "text", "volume": "quantity"}


def _refusal(name: str, number: int, one: Weighed) -> Refusal:
    error = one.refusal
    if isinstance(error, TradeInvalid):
        field = _FIELDS.get(error.field, error.field)
        return Refusal(name, number, column_of(field), error.message)
    if isinstance(error, ReasonNeeded):
        return Refusal(name, number, "reason", str(error).removeprefix("reason: "))
    if isinstance(error, TradeStopped):
        hard = [r for r in error.results if r.outcome is Outcome.HARD]
        return Refusal(name, number, "row", " ".join(f"{r.check}: {r.reason}" for r in hard))
    field, colon, rule = str(error).partition(": ")
    if colon and field in COLUMNS:
        return Refusal(name, number, field, rule)
    return Refusal(name, number, "row", str(error))


def _row(number: int, one: Weighed) -> TradeRow:
    deal = one.new.deal
    area, period = deal.schedule.area.code, period_name(deal.schedule.period)
    what = f"{deal.side.value.title()} {deal.kind.value} {area} {period}"
    if one.earlier is not None:
        return TradeRow(number, RowState.ALREADY_THERE, one.earlier.ref, what)
    state = RowState.PENDING if one.status == TradeStatus.PENDING else RowState.NEW
    remarks = tuple(r.reason for r in one.results if r.outcome is not Outcome.PASS)
    return TradeRow(number, state, "", what, remarks)
