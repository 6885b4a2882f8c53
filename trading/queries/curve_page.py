"""What the curve pages show: each curve's state, and one version beside its quotes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db.models import OuterRef, Subquery

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import DatePeriod

from ..models import CurveDefinition, CurvePoint, CurveVersion, Market
from .curve_versions import VIEW, definitions, history_of, published_before, stored_curve
from .quotes import BASE, standing_quotes

if TYPE_CHECKING:
    from .curve_building import BuiltCurve
    from .curve_terms import MovedQuote, OneLeftOut

_STALE = timedelta(days=4)  # a close before a long weekend


@dataclass(frozen=True, slots=True)
class CurveLine:
    """
    A curve of the list: its latest published version, and what waits.

    age         between the published version's as-of time and the time asked for
    newest      instant that the market's latest quotes speak of
    """

    definition: CurveDefinition
    published: CurveVersion | None
    waiting: int
    conflicts: int
    age: timedelta | None
    newest: datetime | None

    @property
    def is_stale(self) -> bool:
        return self.age is not None and self.age > _STALE


@dataclass(frozen=True, slots=True)
class QuoteBeside:
    """
    A quote beside what the curve says of its delivery, and why it was not built from.

    moved    the quote at the price that the curve meets instead, within its bid and ask
    """

    quote_id: int
    contract: str
    load: str
    start: datetime
    hours: float
    bid: Decimal | None
    value: Decimal
    ask: Decimal | None
    quality: str
    source: str
    implied: float | None
    left_out: OneLeftOut | None
    moved: MovedQuote | None

    @property
    def difference(self) -> float | None:
        return None if self.implied is None else float(self.value) - self.implied


@dataclass(frozen=True, eq=False)
class CurveView:
    """
    One version of a curve.

    columns, rows       of the chart: base curve, quoted base, each other load, base before
    hours               (start, price) of the chosen day's periods
    """

    definition: CurveDefinition
    version: CurveVersion
    before: CurveVersion | None
    history: Sequence[CurveVersion]
    lines: Sequence[QuoteBeside]
    columns: list[str]
    rows: list[tuple[datetime, list[float | None]]]
    day: date
    first_day: date
    hours: list[tuple[datetime, list[float]]]
    loads: tuple[str, ...]


def curve_lines(*, actor: Actor, as_of: datetime) -> list[CurveLine]:
    """Return every curve with its state at a time, by market; four queries."""
    rows = list(definitions(actor=actor))
    latest = (
        CurveVersion.objects.filter(
            definition=OuterRef("pk"), published_at__isnull=False, snapshot__as_of__lte=as_of
        )
        .order_by("-snapshot__as_of", "-published_at", "-id")
        .values("pk")[:1]
    )
    ids = CurveDefinition.objects.annotate(latest=Subquery(latest)).values_list("pk", "latest")
    by_definition = dict(ids)
    versions = CurveVersion.objects.select_related("snapshot").in_bulk(
        [pk for pk in by_definition.values() if pk is not None]
    )
    waiting: dict[int, int] = {}
    for key in CurveVersion.objects.filter(status="PENDING").values_list(
        "definition_id", flat=True
    ):
        waiting[key] = waiting.get(key, 0) + 1
    quoted = (
        standing_quotes()
        .filter(market=OuterRef("pk"), valid_from__lte=as_of)
        .order_by("-valid_from")
        .values("valid_from")[:1]
    )
    newest = dict(
        Market.objects.filter(pk__in={row.market_id for row in rows})
        .annotate(newest=Subquery(quoted))
        .values_list("pk", "newest")
    )
    found = []
    for row in rows:
        version = versions.get(by_definition.get(row.pk) or 0)
        found.append(
            CurveLine(
                definition=row,
                published=version,
                waiting=waiting.get(row.pk, 0),
                conflicts=0 if version is None else len(version.snapshot.conflicts),
                age=None if version is None else as_of - version.snapshot.as_of,
                newest=newest.get(row.market_id),
            )
        )
    return found


def markets_without_curve(*, actor: Actor) -> list[Market]:
    """Return the markets for which nobody has said how a curve is made."""
    actor.require(VIEW)
    return list(Market.objects.filter(curve_definitions=None).order_by("code"))


def version_at(definition: CurveDefinition, *, as_of: datetime) -> CurveVersion | None:
    """Return the newest version of a curve that speaks of no later time than `as_of`."""
    return (
        definition.versions.filter(snapshot__as_of__lte=as_of)
        .select_related("snapshot", "definition__market")
        .order_by("-snapshot__as_of", "-number")
        .first()
    )


def curve_view(*, actor: Actor, version: CurveVersion, day: date | None = None) -> CurveView:
    """
    Return a version beside its quotes, the one published before it, and a day's shape.

    :raises CurveDoesNotCover: for a day that the curve does not price in full.
    """
    from ..curves import CurveDoesNotCover  # with NumPy: for whoever builds one

    actor.require(VIEW)
    built = stored_curve(version.snapshot_id, version.snapshot.content_hash)
    definition = version.definition
    calendar = definition.market.calendar
    before = published_before(definition, version.snapshot.as_of)
    # A day is priced in full where base is; a curve of peak alone has no such day.
    whole = [p for p in built.points if p.load == BASE] or list(built.points)
    first_day = calendar.date_of(min(point.interval.start for point in whole))
    chosen = day or first_day
    hours: list[tuple[datetime, list[float]]] = []
    try:
        starts, prices = built.fine(DatePeriod.day(chosen), minutes=built.terms.minutes)
        hours = [(at, [p]) for at, p in zip(_aware(starts), prices.tolist(), strict=True)]
    except CurveDoesNotCover:
        if day is not None:
            raise
    loads = tuple(dict.fromkeys([BASE, *(point.load for point in built.points)]))
    columns, rows = _chart(built, loads, before)
    return CurveView(
        definition=definition,
        version=version,
        before=before,
        history=history_of(definition),
        lines=_lines(built),
        columns=columns,
        rows=rows,
        day=chosen,
        first_day=first_day,
        hours=hours,
        loads=loads,
    )


def _lines(built: BuiltCurve) -> list[QuoteBeside]:
    from ..curves import CurveDoesNotCover, CurveError

    left_out = {each.quote_id: each for each in built.left_out}
    moved = {each.quote_id: each for each in built.moved}
    lines = []
    for quote in built.quotes:
        try:
            implied = built.average(quote.delivery, quote.load)
        except (CurveDoesNotCover, CurveError):
            implied = None
        lines.append(
            QuoteBeside(
                quote_id=quote.id,
                contract=quote.contract,
                load=quote.load,
                start=quote.delivery.start,
                hours=built.curve.cells.hours(quote.delivery, quote.load),
                bid=quote.bid,
                value=quote.value,
                ask=quote.ask,
                quality=quote.quality,
                source=quote.source,
                implied=implied,
                left_out=left_out.get(quote.id),
                moved=moved.get(quote.id),
            )
        )
    return lines


def _chart(
    built: BuiltCurve, loads: Sequence[str], before: CurveVersion | None
) -> tuple[list[str], list[tuple[datetime, list[float | None]]]]:
    prices = {(point.load, point.interval.start): point.price for point in built.points}
    starts = sorted({start for _, start in prices})
    earlier: list[CurvePoint] = []
    if before is not None:
        earlier = list(before.snapshot.points.filter(load=BASE).order_by("start"))
    quotes = [quote for quote in built.curve.quotes if quote.load == BASE]

    def quoted(start: datetime) -> float | None:
        # The finest first, as the curve takes them.
        return next((q.price for q in quotes if q.interval.contains(start)), None)

    def was(start: datetime) -> float | None:
        return next((p.price for p in earlier if p.start <= start < p.end), None)

    columns = [*loads, "Quoted base"]
    if before is not None:
        columns.append(f"BASE of v{before.number}")
    rows: list[tuple[datetime, list[float | None]]] = []
    for start in starts:
        cells: list[float | None] = [prices.get((load, start)) for load in loads]
        cells.append(quoted(start))
        if before is not None:
            cells.append(was(start))
        rows.append((start, cells))
    return columns, rows


def _aware(starts: object) -> list[datetime]:
    from datetime import UTC

    return [
        datetime.fromtimestamp(int(each), UTC)
        for each in starts.astype("datetime64[s]").astype(int).tolist()  # type: ignore[attr-defined]
    ]
