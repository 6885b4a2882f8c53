"""Positions: by delivery month with their value, as a heat map, and a cell with its trades."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from math import ceil
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from energyopti.accounts.actors import Actor
from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from energyopti.foundation.exports.responses import export_response
from energyopti.foundation.exports.tables import Column as ExportColumn
from energyopti.foundation.exports.tables import Kind, Table
from energyopti.foundation.scope import scope_of
from trading.models import BlotterRow, Market
from trading.queries.blotter import blotter_rows
from trading.queries.books import book_codes, chosen_books, reporting_currencies
from trading.queries.exchange import Rates, reported
from trading.queries.grid_columns import Bucket, Column, columns_from, months_of
from trading.queries.hedging import VIEW as VIEW_TARGETS
from trading.queries.month_deltas import delta_basis, trade_deltas
from trading.queries.option_values import VIEW as VIEW_VALUES
from trading.queries.position_grid import Grid, Measure, is_split, position_grid
from trading.queries.position_shares import CellShares
from trading.queries.valued import valued_positions
from trading.services.as_of import settle_books

from .blotter import cut_of, moment_field
from .deltas import (
    DeltaChoice,
    basis_context,
    basis_in_words,
    chosen_deltas,
    delta_choice,
    delta_switch,
    file_name,
)

SHOWN_TRADES = 200
EXPORTS = ("csv", "xlsx", "pdf")
_PLACES = Decimal("0.000001")
Choice = TypeVar("Choice", bound=StrEnum)


class Rows(StrEnum):
    """What a row of the heat map is."""

    BOOK = "book"
    POINT = "point"


@dataclass(frozen=True)
class HeatView:
    """What somebody asked the heat map for, as its addresses carry it."""

    bucket: Bucket
    measure: Measure
    rows: Rows
    day: date
    cut: datetime | None
    as_of: str
    book: str
    deltas: DeltaChoice

    def link(self, **changes: str) -> str:
        """Return the address of the heat map with some of it changed."""
        return f"{reverse('trading:positions_heat')}?{self.query(**changes)}"

    def cell_links(self, market: str, columns: Iterable[Column], **part: str) -> list[str]:
        """Return the addresses of the trades of some cells of a row."""
        query = self.query(**part)
        return [
            f"{reverse('trading:position_cell', args=[market, column.key])}?{query}"
            for column in columns
        ]

    @property
    def has_deltas(self) -> bool:
        """Say whether deltas of options and choices count."""
        return self.deltas is DeltaChoice.WITH

    def query(self, **changes: str) -> str:
        """Return the parameters with some of them changed, those that say nothing left out."""
        kept = {
            "by": self.bucket.value, "measure": self.measure.value, "rows": self.rows.value,
            "date": self.day.isoformat(), "as_of": self.as_of, "book": self.book,
            "deltas": self.deltas.value if self.has_deltas else "",
        }  # fmt: skip
        asked = {key: value for key, value in {**kept, **changes}.items() if value}
        return urlencode(asked)


@require_permission("trading.view_positiontotal")
def positions(request: HttpRequest) -> HttpResponse:
    """Show what the reader's books, or the chosen one with those below it, hold by month."""
    actor, now = actor_of(request), clock.now()
    scope = scope_of(request, actor=actor, today=now.date(), reads={"book"})
    books = chosen_books(actor, scope.value("book"))
    found = valued_positions(books, valued_at=now)
    currencies = reporting_currencies(books)
    whole = None
    if len(currencies) == 1:
        whole = reported(found.values, currencies[0], Rates(now))
    return render(
        request,
        "trades/positions.html",
        {
            "rows": found.rows,
            "sums": found.values,
            "reported": whole,
            "valued_at": now,
            "curves_at": found.curves_at,
            "unvalued": found.unvalued,
            "tabs": position_tabs(actor, "positions"),
        },
    )


@require_permission("trading.view_positiontotal")
def heat(request: HttpRequest) -> HttpResponseBase:
    """
    Show the reader's books by delivery point and period, as a table that is also a map.

    `?format=` downloads it.
    """
    actor, now = actor_of(request), clock.now()
    scope = scope_of(request, actor=actor, today=now.date(), reads={"book", "date"})
    view = _view(request, actor, scope.date, scope.value("book"))
    books = chosen_books(actor, scope.value("book"))
    if view.cut is not None:
        settle_books(books)
    columns = columns_from(view.bucket, view.day)
    found = chosen_deltas(view.deltas, books, columns, view.cut)
    grid = position_grid(
        books, columns=columns, measure=view.measure, by_book=view.rows is Rows.BOOK, cut=view.cut,
        deltas=() if found is None else found.lines,
    )  # fmt: skip
    rows = _rows(grid, view, book_codes(books))
    wanted = request.GET.get("format", "")
    if wanted in EXPORTS:
        words = {**scope.in_words, "Volume": view.measure.value}
        words["Deltas of options and choices"] = basis_in_words(found)
        table = _table(grid, rows, words, view.cut or now)
        return export_response(
            request, table, wanted, file_name(f"positions-{columns[0].first}", found)
        )
    form_field = moment_field()
    return render(
        request,
        "trades/positions_heat.html",
        {
            "view": view,
            "grid": grid,
            "rows": rows,
            "tabs": position_tabs(actor, "positions_heat"),
            "switches": _switches(view, actor),
            "exports": [
                (label, f"{view.link()}&format={name}")
                for name, label in (("csv", "CSV"), ("xlsx", "Excel"), ("pdf", "PDF"))
            ],
            "earlier": view.link(date=_moved(view, columns, -1).isoformat()),
            "later": view.link(date=_moved(view, columns, 1).isoformat()),
            "as_of_text": "" if view.cut is None else form_field.prepare_value(view.cut),
            "period": f"{columns[0].first:%-d %b %Y} to "
            f"{columns[-1].after - timedelta(days=1):%-d %b %Y}",
            **({} if found is None else basis_context(found.basis, now=now, cut=view.cut)),
        },
    )


@require_permission("trading.view_positiontotal")
def cell(request: HttpRequest, market: str, at: str) -> HttpResponse:
    """Show which trades a cell of the heat map is made of, and what each adds."""
    actor, now = actor_of(request), clock.now()
    actor.require("trading.view_trade")
    view = _view(request, actor, now.date(), request.GET.get("book"))
    column = _column(view, at)
    point = Market.objects.filter(code=market).first()
    if point is None:
        raise Http404("There is no such delivery point.")
    books, book = _books(actor, view.book, request.GET.get("in_book", ""))
    if view.cut is not None:
        settle_books(books)
    unit = request.GET.get("unit", point.price_unit)
    basis, deltas = None, {}
    if view.has_deltas:
        basis = delta_basis(books, cut=view.cut)
        months = () if is_split(column) else months_of(column)
        deltas = trade_deltas(basis, market=point, unit=unit, months=months)
    found = CellShares(
        books, market_id=point.pk, unit=unit, column=column, measure=view.measure, cut=view.cut,
        deltas=deltas,
    )  # fmt: skip
    number = _page(request)
    page = found.largest(SHOWN_TRADES, after=(number - 1) * SHOWN_TRADES)
    pages = max(1, ceil(page.count / SHOWN_TRADES))
    if number > pages:
        raise Http404("There is no such page.")
    rows = blotter_rows(actor, cut=view.cut).filter(trade_id__in=[o.trade_id for o in page.shares])
    by_id: Mapping[int, BlotterRow] = {row.trade_id: row for row in rows}
    asked = {"unit": unit, "in_book": request.GET.get("in_book", "")}
    return render(
        request,
        "trades/position_cell.html",
        {
            "view": view,
            "column": column,
            "market": point,
            "unit": unit,
            "book": book,
            "rows": [(by_id[o.trade_id], o) for o in page.shares if o.trade_id in by_id],
            "count": page.count,
            "total": page.total,
            "number": number,
            "pages": pages,
            "before": view.cell_links(market, [column], **asked, page=str(number - 1))[0],
            "after": view.cell_links(market, [column], **asked, page=str(number + 1))[0],
            "back": view.link(),
            **({} if basis is None else basis_context(basis, now=now, cut=view.cut)),
        },
    )


def _view(request: HttpRequest, actor: Actor, day: date, book: str | None) -> HeatView:
    text = request.GET.get("as_of", "")
    cut = cut_of(request)
    if text and cut is None:
        raise BadRequest("as_of: is no past moment; write it like 2026-11-20T17:00.")
    measure, deltas = _chosen(request, "measure", Measure.EXPOSURE), delta_choice(request, actor)
    if measure is Measure.PHYSICAL and deltas is DeltaChoice.WITH:
        raise BadRequest("deltas: are of exposure; what is delivered has none.")
    return HeatView(
        _chosen(request, "by", Bucket.MONTH),
        measure,
        _chosen(request, "rows", Rows.BOOK),
        day,
        cut,
        text,
        book or "",
        deltas,
    )


def _page(request: HttpRequest) -> int:
    text = request.GET.get("page", "1")
    if not (text.isascii() and text.isdigit() and len(text) < 7 and int(text)):
        raise BadRequest("page: is a whole number from 1.")
    return int(text)


def _chosen(request: HttpRequest, name: str, default: Choice) -> Choice:
    kind = type(default)
    try:
        return kind(request.GET.get(name, default.value))
    except ValueError:
        words = ", ".join(choice.value for choice in kind)
        raise BadRequest(f"{name}: is none of {words}.") from None


def _column(view: HeatView, text: str) -> Column:
    key, _, _ = text.partition(".")
    try:
        columns = columns_from(view.bucket, date.fromisoformat(key))
    except ValueError:
        raise BadRequest("at: is no column of the heat map.") from None
    found = next((c for c in columns if c.key == text), None)
    if found is None:
        raise BadRequest("at: is no column of the heat map.")
    return found


def _books(actor: Actor, scope: str, only: str) -> tuple[frozenset[UUID], str]:
    """Return one of the actor's books alone, or those of a scope, and what they are called."""
    mine = chosen_books(actor, None)
    try:
        chosen = UUID(only or scope) if only or scope else None
    except ValueError:
        raise Http404("There is no such book.") from None
    if chosen is None:
        return mine, ""
    if chosen not in mine:
        raise Http404("There is no such book.")
    books = frozenset({chosen}) if only else chosen_books(actor, chosen)
    return books, book_codes([chosen])[chosen]


def _rows(grid: Grid, view: HeatView, codes: Mapping[UUID, str]) -> list[dict[str, Any]]:
    rows = []
    for row in grid.rows:
        book = "" if row.book_id is None else codes[row.book_id]
        part = {"unit": row.unit, "in_book": str(row.book_id or "")}
        links = view.cell_links(row.market, [cell.column for cell in row.cells], **part)
        cells = [
            (cell.column, cell.value, _shade(cell.level), "" if cell.value is None else link)
            for cell, link in zip(row.cells, links, strict=True)
        ]
        rows.append(
            {"book": book, "market": row.market, "unit": row.unit, "cells": cells,
             "total": row.total}
        )  # fmt: skip
    return sorted(rows, key=lambda r: (r["book"], r["market"], r["unit"]))


def _shade(level: int) -> str:
    return "" if not level else f"long-{level}" if level > 0 else f"short-{-level}"


def _moved(view: HeatView, columns: list[Column], step: int) -> date:
    if step > 0:
        return columns[-1].after
    first = columns[0].first
    if view.bucket in (Bucket.HOUR, Bucket.DAY):
        return first - timedelta(days=1)
    months = {Bucket.MONTH: 12, Bucket.QUARTER: 24, Bucket.YEAR: 72}[view.bucket]
    number = 12 * first.year + first.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


def _switches(view: HeatView, actor: Actor) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """Return the choices of the page: name, and label, address and whether chosen of each."""
    switches = [
        ("Columns", [(b.value.title(), view.link(by=b.value), b is view.bucket) for b in Bucket]),
        ("Volume", [(m.value.title(), view.link(measure=m.value, deltas=""), m is view.measure)
                    for m in Measure]),
        ("Rows", [({"book": "Book and point", "point": "Delivery point"}[r.value],
                   view.link(rows=r.value), r is view.rows) for r in Rows]),
    ]  # fmt: skip
    if view.measure is Measure.EXPOSURE and actor.may(VIEW_VALUES):
        switches.append(delta_switch(view.deltas, lambda choice: view.link(deltas=choice)))
    return switches


def _table(
    grid: Grid, rows: Iterable[Mapping[str, Any]], words: Mapping[str, str], at: datetime
) -> Table:
    columns = [
        ExportColumn("book", "Book"),
        ExportColumn("market", "Delivery point"),
        ExportColumn("unit", "Unit"),
        *(ExportColumn(column.key, column.label, Kind.DECIMAL) for column in grid.columns),
        ExportColumn("total", "Total", Kind.DECIMAL),
    ]
    lines = [
        {
            "book": row["book"], "market": row["market"], "unit": row["unit"],
            "total": _exact(row["total"]),
            **{column.key: None if value is None else _exact(value)
               for column, value, *_ in row["cells"]},
        }
        for row in rows
    ]  # fmt: skip
    return Table("Positions by delivery point", columns, lines, words, as_of=at)


def _exact(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(_PLACES) + 0


def position_tabs(actor: Actor, current: str) -> list[dict[str, Any]]:
    """Return the pages of positions that somebody may open, for the links on top of each."""
    pages = [("positions", "By month, valued"), ("positions_heat", "Heat map")]
    if actor.may(VIEW_VALUES):
        pages.append(("option_deltas", "Options"))
    if actor.may(VIEW_TARGETS):
        pages.append(("hedge_targets", "Hedge targets"))
    return [
        {"label": label, "url": reverse(f"trading:{name}"), "current": name == current,
         "count": None}
        for name, label in pages
    ]  # fmt: skip
