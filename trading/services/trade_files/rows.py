"""From the cells of a row to the deals that it says, with the desk's tables read once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from energyopti.accounts.actors import Actor
from trading.deals import Deal, DealError, QuickTextError, mirror, parse_deal_text
from trading.models import CaptureBasis
from trading.queries.books import BookRow, CounterpartyRow, books_for, counterparties_for
from trading.queries.terms import Known, deal_from_terms, known_terms

from ..capture_many import NewDeal
from ..reference_files.reading import Line
from .columns import COLUMN_OF, COLUMNS, TERMS, CellRefused, instant, terms_of, words
from .profiles import NO_PROFILES, Profiles

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


NO_OPTIONS = FileOptions()


class RowReader:
    """Turn lines into deals, with the desk's tables read once."""

    def __init__(
        self,
        actor: Actor,
        received_at: datetime,
        options: FileOptions,
        *,
        key: str = "",
        profiles: Profiles = NO_PROFILES,
    ) -> None:
        self.received_at, self.options = received_at, options
        self.key, self.profiles = key, profiles
        self.known: Known = known_terms()
        self.books = {book.code.lower(): book for book in books_for(actor, level="trade")}
        self.parties: dict[tuple[Any, str], CounterpartyRow] = {
            (party.organization_id, party.code.lower()): party
            for party in counterparties_for(actor)
        }

    def deals(self, line: Line) -> list[NewDeal]:
        """
        Return what a line says: a deal, or both sides of one between two books.

        :raises CellRefused: naming the column.
        """
        new, code = self.deal(line), words(line.cells, "counter_book")
        if not (new.client_reference or new.external_id) and self.key:
            new = replace(new, client_reference=f"file-{self.key}-{line.number}")
        party = words(line.cells, "counter_counterparty")
        if not code:
            if party:
                raise CellRefused("counter_counterparty", "goes with counter_book.")
            return [new]
        return self._mirrored(new, self._book(code, "counter_book"), party, line)

    def _mirrored(self, new: NewDeal, other: BookRow, party: str, line: Line) -> list[NewDeal]:
        if new.basis is CaptureBasis.FILL:
            raise CellRefused("basis", "A deal between two of your own books is an order.")
        if new.external_id:
            raise CellRefused("external_id", "A deal between two of your own books has none.")
        if other.id == new.book_id:
            raise CellRefused("counter_book", "An internal deal is between two books.")
        own = next(row for row in self.parties.values() if row.id == new.counterparty_id)
        theirs = self._party(other, party or own.code, "counter_counterparty")
        for column, row in (("counterparty", own), ("counter_counterparty", theirs)):
            if not row.is_internal:
                raise CellRefused(column, f"“{row.code}” is not internal, as between two books.")
        reference = new.client_reference
        try:
            sides = mirror(new.deal, new.deal.package_id or f"M-{self.key[:12]}-{line.number}")
        except DealError as error:
            raise CellRefused(column_of(error.field), error.rule) from error
        return [
            replace(new, deal=sides[0], client_reference=f"{reference}/1", is_mirrored=True),
            replace(
                new, deal=sides[1], client_reference=f"{reference}/2", book_id=other.id,
                counterparty_id=theirs.id,
            ),
        ]  # fmt: skip

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
                deal = self._of_terms(cells, traded_at)
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

    def _of_terms(self, cells: Mapping[str, str], traded_at: datetime) -> Deal:
        terms = terms_of(cells)
        given = self.profiles.take(words(cells, "client_reference"), words(cells, "external_id"))
        if given is None:
            return deal_from_terms(terms, known=self.known, traded_at=traded_at)
        if "quantity" in terms:
            raise CellRefused("quantity", "is said by the profile of the row already.")
        terms["profile"] = {"minutes": given.minutes, "mw": given.mw}
        try:
            deal = deal_from_terms(terms, known=self.known, traded_at=traded_at)
        except DealError as error:
            if error.field not in ("quantity", "profile", "volume", "minutes"):
                raise
            raise CellRefused("mw", error.rule, file=given.file, line=given.line) from error
        begins = deal.schedule.interval.start
        if given.start != begins:
            rule = f"The delivery begins at {begins.isoformat()}."
            raise CellRefused("start", rule, file=given.file, line=given.line)
        return deal

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

    def _book(self, code: str, column: str = "book") -> BookRow:
        if not code:
            raise CellRefused(column, "is missing.")
        found = self.books.get(code.lower())
        if found is None:
            raise CellRefused(column, f"“{code}” is none that you can trade in.")
        return found

    def _party(self, book: BookRow, code: str, column: str = "counterparty") -> CounterpartyRow:
        if not code:
            raise CellRefused(column, "is missing.")
        found = self.parties.get((book.organization_id, code.lower()))
        if found is None:
            raise CellRefused(column, f"“{code}” is none of book {book.code}.")
        return found


def column_of(field: str) -> str:
    """Return the column that a rule's field stands in; a rule on the whole is “row”."""
    name = COLUMN_OF.get(field, field)
    return name if name in COLUMNS else "row"
