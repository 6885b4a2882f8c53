"""The blotter, and the page of one trade."""

from typing import Any

import django_filters
import django_tables2 as tables
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation.tables.columns import FigureColumn, MomentColumn, StatusColumn
from energyopti.foundation.tables.pages import TablePage
from trading.models import TradeStatus
from trading.queries.positions import positions_of_trade
from trading.queries.trades import UnknownTrade, trade_by_ref, trade_rows, versions_of


class BlotterTable(tables.Table):
    """One row a trade, as its latest version says."""

    ref = tables.Column(
        "Trade", accessor="trade__ref", linkify=("trading:trade", {"ref": tables.A("trade__ref")})
    )
    traded_at = MomentColumn(verbose_name="Traded")
    book = tables.Column("Book", accessor="trade__book__code")
    counterparty = tables.Column("Counterparty", accessor="trade__counterparty__code")
    side = StatusColumn(verbose_name="Side", levels={}, labels={"BUY": "Buy", "SELL": "Sell"})
    quantity_mw = FigureColumn(verbose_name="Power", places=3, unit="MW")
    market = tables.Column("Area", accessor="market__code")
    load_type = tables.Column("Product", accessor="shape")
    period_name = tables.Column("Period", order_by="delivery_start")
    price = FigureColumn(verbose_name="Price", places=2)
    currency = tables.Column("Currency")
    energy_mwh = FigureColumn(verbose_name="Energy", places=1, unit="MWh")
    notional = FigureColumn(verbose_name="Notional", places=2)
    basis = tables.Column("Basis", accessor="trade__basis")
    status = StatusColumn(
        verbose_name="Status", accessor="trade__status",
        levels={"LIVE": "good", "PENDING": "warn", "CANCELLED": "bad"},
        labels={status.value: str(status.label) for status in TradeStatus},
    )  # fmt: skip

    class Meta:
        attrs = {"class": "table"}


class BlotterFilter(django_filters.FilterSet):
    """Filters of the blotter."""

    ref = django_filters.CharFilter(field_name="trade__ref", lookup_expr="icontains", label="Trade")
    book_code = django_filters.CharFilter(
        field_name="trade__book__code", lookup_expr="iexact", label="Book code"
    )
    counterparty = django_filters.CharFilter(
        field_name="trade__counterparty__code", lookup_expr="iexact", label="Counterparty code"
    )
    side = django_filters.ChoiceFilter(choices=[("BUY", "Buy"), ("SELL", "Sell")], label="Side")
    load_type = django_filters.CharFilter(field_name="shape", lookup_expr="iexact", label="Product")
    period = django_filters.CharFilter(
        field_name="period_name", lookup_expr="iexact", label="Period"
    )


class BlotterPage(TablePage):
    """All trades of the reader's books."""

    name = "trading.trades"
    permission = "trading.view_trade"
    table_class = BlotterTable
    filterset_class = BlotterFilter
    title = "Trades"
    lead = "Every deal of your books, latest first."
    default_columns = (
        "ref", "traded_at", "book", "counterparty", "side", "quantity_mw", "market", "load_type",
        "period_name", "price", "currency", "notional", "status",
    )  # fmt: skip
    default_sort = "-ref"
    reads = frozenset({"book"})
    new_url_name = "trading:ticket"
    new_label = "New deal"
    empty_title = "No trades yet"
    empty_text = "Deals appear here as soon as one is captured in a book that you may see."

    def rows(self) -> QuerySet[Any]:
        book = self.scope.value("book")
        return trade_rows(self.actor, book=book)  # type: ignore[arg-type]  # accounts' own actor


@require_permission("trading.view_trade")
def trade(request: HttpRequest, ref: str) -> HttpResponse:
    """Show one trade: its terms, what the checks said, its months and versions."""
    try:
        version = trade_by_ref(actor_of(request), ref)
    except UnknownTrade as error:
        raise Http404(str(error)) from error
    return render(
        request,
        "trades/detail.html",
        {
            "version": version,
            "trade": version.trade,
            "deltas": positions_of_trade(version.trade_id),
            "versions": versions_of(version.trade_id),
        },
    )
