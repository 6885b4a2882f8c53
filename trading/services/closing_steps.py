"""
Trading's own steps of the end of day: what is missing or waits, other sources' prices, the P&L.

Each takes a `Closing` and returns what it did and found; `trading.results` registers them.
"""

from __future__ import annotations

from trading.closing import About, Closing, Finding, StepResult, ToClose
from trading.models import (
    AdjustmentStatus,
    CurveStatus,
    CurveVersion,
    Market,
    PnlAdjustment,
    PnlKind,
    PnlReport,
    PnlStep,
    TradeEvent,
    TradeStatus,
    TradeVersion,
)
from trading.queries.curve_versions import stored_curve
from trading.queries.curves import published_versions
from trading.queries.price_tolerances import price_tolerances
from trading.queries.quotes import latest_trading_day, quotes_at
from trading.queries.valuation import Universe, books_of, cut_facts

from .metering import true_up_trades
from .pnl import LATE, explain_runs


def true_up(day: ToClose) -> StepResult:
    """Let what was delivered until the close count as it was metered, before it is valued."""
    done = true_up_trades(actor=day.actor, organization_id=day.organization_id, as_of=day.as_of)
    said = f"{done.looked_at} trades on an asset's output, {done.changed} trued up."
    if done.unmetered:
        said += f" {done.unmetered} without a metering point count as expected."
    findings = [
        Finding(f"{refused.ref} {refused.words}", About.TRADE, refused.ref)
        for refused in done.refused
    ]
    return StepResult(said, tuple(findings))


def explain_day(closing: Closing) -> StepResult:
    """Explain the day, officially or as a restatement; deals agreed before it are named."""
    kind, restates = PnlKind.OFFICIAL, {}
    if closing.is_restatement:
        kind = PnlKind.RESTATED
        official = PnlReport.objects.filter(
            book_id__in=books_of(closing.organization_id), day=closing.day, kind=PnlKind.OFFICIAL
        ).order_by("book_id", "number")
        restates = {report.book_id: report for report in official}
    reports = explain_runs(
        actor=closing.actor,
        opening=closing.opening,
        closing=closing.run,
        day=closing.day,
        kind=PnlKind(kind),
        restates=restates,
    )
    late = PnlStep.objects.filter(report__in=reports, name=LATE).order_by("trade__ref")
    findings = [
        Finding(f"{ref} was agreed before the opening and is late.", About.TRADE, ref)
        for ref in late.values_list("trade__ref", flat=True).distinct()
    ]
    return StepResult(f"{len(reports)} books explained.", tuple(findings))


def check_day(closing: Closing) -> StepResult:
    """Look for quotes that are missing, curves that are old, and what still waits for somebody."""
    findings, markets = [], _held_markets(closing)
    cut = {"as_of": closing.as_of, "known_at": closing.known_at}
    curves = {
        v.definition.market_id: v
        for v in published_versions(market_ids=[m.pk for m in markets], **cut)
    }
    for market in markets:
        start = market.calendar.start_of(market.calendar.date_of(closing.as_of))
        quoted = latest_trading_day(market, **cut)
        if quoted is None or quoted < start:
            findings.append(
                Finding(f"{market.code} has no quote of {closing.day}.", About.QUOTES, market.code)
            )
        version = curves.get(market.pk)
        if version is not None and version.snapshot.as_of < start:
            said = f"{market.code} is valued on a curve of {version.snapshot.as_of:%Y-%m-%d}."
            findings.append(Finding(said, About.CURVE, market.code))
    waiting = CurveVersion.objects.filter(
        definition__market__in=markets, status=CurveStatus.PENDING
    ).count()
    if waiting:
        findings.append(Finding(f"{waiting} curves wait for approval.", About.CURVES))
    latest = TradeVersion.objects.filter(
        book_id__in=books_of(closing.organization_id), recorded_at__lte=closing.known_at
    ).order_by("trade_id", "-version")
    states = list(latest.distinct("trade_id").values_list("status", "event"))
    pending = sum(status == TradeStatus.PENDING for status, _ in states)
    if pending:
        findings.append(Finding(f"{pending} trades wait for release.", About.TRADES))
    proposed = sum(event == TradeEvent.PROPOSE for _, event in states)
    if proposed:
        findings.append(Finding(f"{proposed} amendments wait for a second person.", About.TRADES))
    if closing.run.unvalued:
        findings.append(Finding(f"{closing.run.unvalued} trades are not valued in full."))
    asked = PnlAdjustment.objects.filter(
        book_id__in=books_of(closing.organization_id), day=closing.day,
        status=AdjustmentStatus.PENDING,
    ).count()  # fmt: skip
    if asked:
        findings.append(Finding(f"{asked} adjustments wait for approval.", About.ADJUSTMENTS))
    return StepResult(f"{len(markets)} markets checked.", tuple(findings))


def check_prices(closing: Closing) -> StepResult:
    """Hold each curve against quotes that it was not built from, by the tolerance set for that."""
    findings, compared, alone, allowed = [], 0, [], []
    cut = {"as_of": closing.as_of, "known_at": closing.known_at}
    markets = [market.pk for market in _held_markets(closing)]
    versions = published_versions(market_ids=markets, **cut)
    tolerances = price_tolerances(
        [version.definition_id for version in versions], known_at=closing.known_at
    )
    for version in versions:
        from trading.curves import CurveError

        snapshot, market = version.snapshot, version.definition.market
        tolerance, before = tolerances[version.definition_id], compared
        curve = stored_curve(snapshot.pk, snapshot.content_hash)
        taken = {q.id for q in curve.quotes if q.id in set(snapshot.quote_ids)}
        sources = {q.source for q in curve.quotes if q.id in taken}
        for quote in quotes_at(market, **cut):
            if quote.id in taken or (quote.source in sources and len(sources) == 1):
                continue
            try:
                price = curve.average(quote.delivery, quote.load)
            except CurveError:
                continue  # the curve does not reach so far
            compared += 1
            off = float(quote.value) - price
            if abs(off) > tolerance.allowed(price):
                said = (
                    f"{market.code} {quote.name}: {quote.source} is {off:+.2f} {market.currency}"
                    f" from the curve's {price:.2f}."
                )
                figures = {
                    "contract": quote.name,
                    "source": quote.source,
                    "theirs": str(quote.value),
                    "ours": f"{price:.4f}",
                    "difference": f"{off:.4f}",
                    "tolerance": f"{tolerance.allowed(price):.4f}",
                    "currency": market.currency,
                }
                findings.append(Finding(said, About.CURVE, market.code, figures))
        if compared == before:
            alone.append(market.code)
        else:
            allowed.append(f"{market.code} {tolerance.words}")
    said = f"{compared} prices of other sources compared."
    if allowed:
        said += f" Allowed: {', '.join(sorted(allowed))}."
    if alone:
        said += f" No other source: {', '.join(sorted(alone))}."
    return StepResult(said, tuple(findings))


def _held_markets(closing: Closing) -> list[Market]:
    """Return the markets of which something is still to come, by code."""
    universe = Universe()
    cut_facts(
        universe, books_of(closing.organization_id), as_of=closing.as_of,
        known_at=closing.known_at,
    )  # fmt: skip
    open_ids = {
        key.market_id
        for key, position in universe.keys.items()
        if position in universe.exposed and key.end > closing.as_of
    }
    return [universe.markets[pk] for pk in sorted(open_ids, key=lambda i: universe.markets[i].code)]
