"""The blotter: the list of trades, what it adds up, changes at once, and hears of live."""

from collections.abc import Collection
from datetime import datetime
from functools import cached_property
from typing import Any, cast
from uuid import UUID

import django_filters
import django_tables2 as tables
from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.html import format_html_join
from django.views.decorators.http import require_GET

from energyopti.accounts.actors import Actor
from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from energyopti.foundation.proposals.services import SecondPersonNeeded
from energyopti.foundation.tables.columns import FigureColumn, MomentColumn, StatusColumn
from energyopti.foundation.tables.pages import BulkAction, TablePage
from trading.models import CaptureBasis, ProductKind, TradeStatus
from trading.queries.blotter import (
    blotter_rows,
    changed_since,
    latest_changes,
    selection_sums,
)
from trading.queries.books import book_ids, chosen_books
from trading.queries.live_rows import book_states
from trading.queries.proposals import TradeInvalid
from trading.queries.summaries import WITH_STRIKE
from trading.queries.trades import UnknownTrade
from trading.services.as_of import settle_books
from trading.services.life import (
    ReasonNeeded,
    StaleVersion,
    TradeStopped,
    TransitionForbidden,
)
from trading.services.several_trades import Seen, cancel_trades, release_trades
from trading.services.tags import add_tag, remove_tag

STATUS_LEVELS = {"LIVE": "good", "PENDING": "warn", "CANCELLED": "bad", "DRAFT": "info"}
STATUS_WORDS = {status.value: str(status.label) for status in TradeStatus}
UNDO_KEY = "blotter_undo"
ASKS_VALUE_AT_MOST = 50
REFUSALS = (
    TradeInvalid, UnknownTrade, StaleVersion, TransitionForbidden, SecondPersonNeeded, TradeStopped,
    ReasonNeeded,
)  # fmt: skip


class TagsColumn(tables.Column):
    """Tags as pills; exports get them with commas."""

    def render(self, value: Any) -> Any:
        return format_html_join(" ", '<span class="pill">{}</span>', ((tag,) for tag in value))

    def value(self, **context: Any) -> Any:
        return ", ".join(context["value"])


class UnitColumn(FigureColumn):
    """A figure whose unit differs by row, and stands behind it."""

    def __init__(self, *args: Any, unit_of: str, **kwargs: Any) -> None:
        self.unit_of = unit_of
        super().__init__(*args, **kwargs)

    def render(self, value: Any, record: Any = None) -> Any:
        return f"{super().render(value)} {getattr(record, self.unit_of)}"


class PriceColumn(FigureColumn):
    """A price; that of an option or swing is called what it is, a strike."""

    def render(self, value: Any, record: Any = None) -> Any:
        shown = super().render(value)
        return f"strike {shown}" if record.product_kind in WITH_STRIKE else shown


def _yields(level: int | str) -> dict[str, dict[str, str]]:
    """Return the attributes of a column that a narrow page leaves out; level 1 goes first."""
    return {"th": {"class": f"yields-{level}"}, "td": {"class": f"yields-{level}"}}


class BlotterTable(tables.Table):
    """One row a trade, as its latest version says, or the one that held at a past moment."""

    ref = tables.Column(
        "Trade", order_by="trade_id", linkify=("trading:trade", {"ref": tables.A("ref")})
    )
    traded_at = MomentColumn(verbose_name="Traded", attrs=_yields(2))
    book = tables.Column("Book", accessor="book_code", attrs=_yields(3))
    counterparty = tables.Column("Counterparty", accessor="counterparty_code")
    side = StatusColumn(verbose_name="Side", levels={}, labels={"BUY": "Buy", "SELL": "Sell"})
    quantity_mw = FigureColumn(verbose_name="Power", places=3, unit="MW")
    quantity = UnitColumn(verbose_name="Quantity", places=3, unit_of="quantity_unit")
    market = tables.Column("Area", accessor="market_code")
    kind = tables.Column(
        "Kind", accessor="get_product_kind_display", order_by="product_kind", attrs=_yields(3)
    )
    load_type = tables.Column("Product", accessor="shape", attrs=_yields(1))
    period_name = tables.Column("Period", order_by="delivery_start")
    first_date = MomentColumn(verbose_name="First delivery day", is_date=True)
    after_date = MomentColumn(verbose_name="Day after the last", is_date=True)
    price = PriceColumn(verbose_name="Price", places=2)
    price_unit = tables.Column("Price per")
    currency = tables.Column("Currency")
    volume = UnitColumn(verbose_name="Volume", places=1, unit_of="volume_unit")
    energy_mwh = FigureColumn(verbose_name="Energy", places=1, unit="MWh")
    notional = FigureColumn(verbose_name="Notional", places=2)
    basis = StatusColumn(
        verbose_name="Basis", levels={}, labels={b.value: str(b.label) for b in CaptureBasis}
    )
    mic = tables.Column("Venue")
    clearing_account = tables.Column("Clearing account")
    broker = tables.Column("Broker")
    trader = tables.Column("Trader", accessor="captured_by_name")
    tags = TagsColumn(verbose_name="Tags", orderable=False, attrs=_yields("empty"))
    version = tables.Column("Version", accessor="number")
    recorded_at = MomentColumn(verbose_name="Changed")
    status = StatusColumn(verbose_name="Status", levels=STATUS_LEVELS, labels=STATUS_WORDS)

    class Meta:
        attrs = {"class": "table"}


def past_moment(value: datetime) -> None:
    """
    Refuse a moment that nothing can be known of yet.

    :raises ValidationError: for the future.
    """
    # What was recorded carries the database's real time, which a demo does not speed up.
    if value > timezone.now():
        raise ValidationError("is still to come; choose a past moment.")


def moment_field() -> forms.DateTimeField:
    """Return the field of a past moment, in the reader's zone."""
    return forms.DateTimeField(
        required=False,
        validators=[past_moment],
        label="As of",
        widget=forms.DateTimeInput(
            attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S"
        ),
    )


class PastMomentFilter(django_filters.Filter):
    """Chooses which versions are listed; the rows are made for it before they are filtered."""

    def __init__(self) -> None:
        super().__init__(method=lambda queryset, name, value: queryset, label="As of")

    @property
    def field(self) -> forms.DateTimeField:
        return moment_field()


def cut_of(request: HttpRequest) -> datetime | None:
    """Return the past moment that a page is asked for; None for now, and for what is none."""
    try:
        return cast(datetime | None, moment_field().clean(request.GET.get("as_of", "")))
    except ValidationError:
        return None


class BlotterFilter(django_filters.FilterSet):
    """Filters of the blotter."""

    as_of = PastMomentFilter()
    ref = django_filters.CharFilter(field_name="ref", lookup_expr="icontains", label="Trade")
    status = django_filters.ChoiceFilter(choices=sorted(STATUS_WORDS.items()), label="Status")
    kind = django_filters.ChoiceFilter(
        field_name="product_kind", choices=ProductKind.choices, label="Kind"
    )
    market = django_filters.CharFilter(
        field_name="market__code", lookup_expr="iexact", label="Area"
    )
    book_code = django_filters.CharFilter(
        field_name="book__code", lookup_expr="iexact", label="Book code"
    )
    counterparty = django_filters.CharFilter(
        field_name="counterparty__code", lookup_expr="iexact", label="Counterparty code"
    )
    side = django_filters.ChoiceFilter(choices=[("BUY", "Buy"), ("SELL", "Sell")], label="Side")
    load_type = django_filters.CharFilter(field_name="shape", lookup_expr="iexact", label="Product")
    period = django_filters.CharFilter(
        field_name="period_name", lookup_expr="iexact", label="Period"
    )
    delivers = django_filters.DateFromToRangeFilter(method="in_delivery", label="Delivers within")
    tag = django_filters.CharFilter(method="with_tag", label="Tag")
    captured_at = django_filters.IsoDateTimeFilter(label="Captured at")
    trader = django_filters.CharFilter(
        field_name="captured_by_name", lookup_expr="icontains", label="Trader"
    )

    def in_delivery(self, queryset: QuerySet[Any], name: str, value: slice) -> QuerySet[Any]:
        """Keep what delivers on any of the dates, both included."""
        # The field makes instants of the dates at midnight, of which only the date counts.
        if value.start is not None:
            queryset = queryset.filter(after_date__gt=timezone.localtime(value.start).date())
        if value.stop is not None:
            queryset = queryset.filter(first_date__lte=timezone.localtime(value.stop).date())
        return queryset

    def with_tag(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset.filter(tags__contains=[value.strip()])


class BulkForm(forms.Form):
    """What the page that asks back wants to know."""

    reason = forms.CharField(max_length=400, required=False)
    tag = forms.CharField(max_length=40, required=False)


class BlotterPage(TablePage):
    """All trades of the reader's books, now or as of a past moment."""

    name = "trading.trades"
    permission = "trading.view_trade"
    table_class = BlotterTable
    filterset_class = BlotterFilter
    title = "Trades"
    lead = "Every deal of your books, latest first."
    default_columns = (
        "ref", "traded_at", "book", "counterparty", "side", "quantity", "market", "kind",
        "load_type", "period_name", "price", "currency", "notional", "tags", "status",
    )  # fmt: skip
    narrow_note = (
        "Too narrow for all standard columns: Product and empty Tags give way first, then Traded, "
        "Kind and Book. What you choose under Columns is always shown."
    )
    default_sort = "-ref"
    reads = frozenset({"book"})
    new_url_name = "trading:ticket"
    new_label = "New deal"
    template_name = "trades/blotter.html"
    rows_template = "trades/_blotter_rows.html"
    confirm_template = "trades/blotter_confirm.html"
    bulk_actions = (
        BulkAction("release", "Release", permission="trading.release_trade"),
        BulkAction("tag", "Tag", permission="trading.amend_trade"),
        BulkAction("untag", "Untag", permission="trading.amend_trade"),
        BulkAction("cancel", "Cancel", is_harmful=True, permission="trading.cancel_trade"),
    )
    empty_title = "No trades yet"
    empty_text = "Deals appear here as soon as one is captured in a book that you may see."

    @cached_property
    def cut(self) -> datetime | None:
        return cut_of(self.request)

    @property
    def _own(self) -> Actor:
        return cast(Actor, self.actor)

    def rows(self) -> QuerySet[Any]:
        book = self.scope.value("book")
        if self.cut is not None and not self._is_settled:
            settle_books(chosen_books(self._own, book))
            self._is_settled = True
        return blotter_rows(self._own, book=book, cut=self.cut)

    _is_settled = False

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.POST.get("action") == "undo-tag":
            return self._undo_tag()
        return super().post(request, *args, **kwargs)

    def _permitted_bulk(self) -> list[BulkAction]:
        # The past is not changed.
        return [] if self.cut is not None else super()._permitted_bulk()

    def extra_context(self) -> dict[str, Any]:
        context: dict[str, Any] = {"cut": self.cut, "undo": self.request.session.get(UNDO_KEY)}
        if self.cut is None:
            books = chosen_books(self._own, self.scope.value("book"))
            context["known"] = {
                **dict.fromkeys(map(str, sorted(books)), ""),
                **{str(book): at.isoformat() for book, at in latest_changes(books).items()},
            }
        return context

    # ---- verbs on several rows --------------------------------------------------------------

    def confirm_context(self, action: BulkAction, rows: QuerySet[Any]) -> dict[str, Any]:
        found = list(rows.order_by("trade_id").values_list("trade_id", "ref", "number", "status"))
        takes = _TAKES.get(action.name)
        fit = [row for row in found if takes is None or row[3] in takes]
        return {
            "sums": selection_sums(self._own, [row[0] for row in found]),
            "fit": len(fit),
            "unfit": [
                (ref, STATUS_WORDS[status]) for _, ref, _, status in found
                if takes is not None and status not in takes
            ],
            "seen": [f"{ref}:{number}" for _, ref, number, _ in fit],
        }  # fmt: skip

    def run_bulk(self, action: BulkAction, rows: QuerySet[Any]) -> str:
        form = BulkForm(self.request.POST)
        if not form.is_valid():
            raise TradeInvalid(*next((f, str(e[0])) for f, e in form.errors.items()))
        if action.name in ("tag", "untag"):
            return self._tag(action.name, form.cleaned_data["tag"], rows)
        seen, reason = _seen(self.request.POST.getlist("seen")), form.cleaned_data["reason"]
        if not seen:
            raise TradeInvalid("trade", "none of those selected can be changed that way.")
        verbs: dict[str, Any] = {"cancel": cancel_trades, "release": release_trades}
        done = verbs[action.name](
            actor=self._own, trades=seen, received_at=clock.now(), reason=reason
        )
        word = {"cancel": "cancelled", "release": "released"}[action.name]
        return f"{len(done)} trade{'s' if len(done) != 1 else ''} {word}."

    def _bulk(self, name: str) -> HttpResponse:
        if self.cut is not None:
            raise BadRequest("action: a past moment cannot be changed; go back to now.")
        try:
            return super()._bulk(name)
        except REFUSALS as error:
            messages.error(self.request, f"Nothing was changed. {error}")
            return HttpResponseRedirect(self.address.link(without=()))

    def _tag(self, name: str, tag: str, rows: QuerySet[Any]) -> str:
        ids = list(rows.values_list("trade_id", flat=True))
        verb = add_tag if name == "tag" else remove_tag
        changed = verb(actor=self._own, trade_ids=ids, tag=tag)
        words = _tag_words(name, tag.strip(), len(changed))
        if changed:
            self.request.session[UNDO_KEY] = {
                "verb": name, "tag": tag.strip(), "ids": changed, "words": words,
            }  # fmt: skip
        return words

    def _undo_tag(self) -> HttpResponse:
        """Take back the last tagging: only what it had changed, once."""
        last = self.request.session.pop(UNDO_KEY, None)
        if last is None:
            messages.warning(self.request, "There is nothing to undo.")
            return HttpResponseRedirect(self.address.link(without=()))
        verb, name = (remove_tag, "untag") if last["verb"] == "tag" else (add_tag, "tag")
        try:
            changed = verb(actor=self._own, trade_ids=last["ids"], tag=last["tag"])
        except REFUSALS as error:
            messages.error(self.request, f"Nothing was changed. {error}")
        else:
            messages.success(
                self.request, f"Undone: {_tag_words(name, last['tag'], len(changed)).lower()}"
            )
        return HttpResponseRedirect(self.address.link(without=()))


_TAKES = {
    "cancel": frozenset({TradeStatus.DRAFT, TradeStatus.PENDING, TradeStatus.LIVE}),
    "release": frozenset({TradeStatus.PENDING}),
}


def _tag_words(name: str, tag: str, count: int) -> str:
    trades = f"{count} trade{'s' if count != 1 else ''}"
    return f"Tagged {trades} “{tag}”." if name == "tag" else f"Took “{tag}” off {trades}."


def _seen(values: Collection[str]) -> list[Seen]:
    try:
        pairs = [value.rsplit(":", 1) for value in values]
        return [Seen(ref, int(version)) for ref, version in pairs]
    except ValueError:
        raise BadRequest("seen: holds something that is no trade and version") from None


class NewsPage(BlotterPage):
    """What has changed since a blotter was drawn: rows that it shows, and how many others."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.cut is not None:
            raise BadRequest("as_of: nothing is new in the past")
        shown = [int(v) for v in request.GET.getlist("shown")[: self.page_size] if v.isdecimal()]
        changed = self.filtered.filter(changed_since(self._known()))
        rows = list(changed.filter(pk__in=shown))
        others = changed.exclude(pk__in=shown)
        new = others.filter(number=1).count()
        context = {
            "table": self._table(rows),
            "bulk_actions": self._permitted_bulk(),
            "new": new,
            "changed": others.count() - new,
        }
        return render(request, "trades/_blotter_news.html", context)

    def _known(self) -> dict[UUID, datetime | None]:
        """Return the reader's books of whose changes the page has heard, and up to when it knew."""
        mine = chosen_books(self._own, self.scope.value("book"))
        known: dict[UUID, datetime | None] = {}
        for text in self.request.GET.getlist("known")[:500]:
            book, _, at = text.partition(",")
            try:
                book_id, moment = UUID(book), datetime.fromisoformat(at) if at else None
            except ValueError:
                raise BadRequest("known: is no book and time") from None
            if moment is not None and timezone.is_naive(moment):
                raise BadRequest("known: is a time without an offset")
            if book_id in mine:
                known[book_id] = moment
        return known


@require_GET
@require_permission("trading.view_trade")
def selection(request: HttpRequest) -> HttpResponse:
    """Return what the selected trades add up to, for the foot of the blotter."""
    ids = [int(v) for v in request.GET.getlist("select")[:1000] if v.isdecimal() and len(v) < 19]
    now = clock.now()
    value_at = now if len(ids) <= ASKS_VALUE_AT_MOST else None
    sums = selection_sums(actor_of(request), ids, valued_at=value_at, spot_at=now)
    return render(request, "trades/_selection.html", {"sums": sums})


@require_GET
@require_permission("trading.view_trade")
def latest(request: HttpRequest) -> JsonResponse:
    """Return the state of the live topics, for a page whose socket is lost."""
    return JsonResponse(book_states(sorted(book_ids(actor_of(request)))), safe=False)
