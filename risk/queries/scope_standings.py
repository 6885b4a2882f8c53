"""Read what a limit scope stands at, and what positions add to it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from risk.enums import LimitScope, LossPeriod
from risk.models import RiskNumber
from trading.enums import Stage
from trading.queries.books import subtree
from trading.queries.choices import choices_in
from trading.queries.markets import markets_by_id
from trading.queries.pnl_to_date import pnl_to_date
from trading.queries.scope_positions import (
    GrossPosition,
    TradesOf,
    gross_of,
    gross_positions,
    last_delivery,
    net_positions,
)

from .bases import Basis, basis, latest_basis
from .holdings import Holdings, holdings_of, value_holdings
from .limit_measures.bumps import deltas, vegas
from .limit_measures.sensitivities import STRESSES
from .limit_measures.standing import (
    BY_ROWS,
    MarketFacts,
    Part,
    Standing,
    gross_sums,
    markets_of,
    net_of,
)
from .limits import ScopeKey
from .scopes import scopes

# What is valued on a basis.
_ON_BASIS = frozenset({Part.TAIL, Part.DELTA, Part.STRESS, Part.VEGA})


def standing_of(
    scope: ScopeKey,
    *,
    organization_id: UUID,
    currency: str,
    at: datetime,
    needs: Collection[Part],
    without: Collection[int] = (),
) -> Standing:
    """
    Return what a scope stands at, with what waits for release.

    currency    that money is in
    needs       parts to read
    without     ids of trades that are left out; vector, value, net volumes and stresses of a book
                have them nevertheless, because its rows do
    """
    asked = frozenset(needs)
    is_book = scope.kind == LimitScope.BOOK
    found = Standing(at=at, currency=currency)
    if is_book and asked & _ON_BASIS:
        found = _book(cast(UUID, scope.id), found)
    elif asked & _ON_BASIS:
        found = replace(found, basis=latest_basis())
        if found.basis is not None:
            found = replace(found, pnl=found.basis.zeros())
    if Part.MADE in asked:
        found = replace(found, made=_made(cast(UUID, scope.id), found))
    rest = asked - {Part.TAIL, Part.MADE} if is_book else asked - {Part.MADE}
    if not rest:
        return found
    of = _trades_of(scope, organization_id, without)
    if by_holding := rest & BY_ROWS:
        more = added(_holdings(of), found, needs=by_holding)
        # Of what is held and cannot be valued the pages tell.
        problems: dict[Part, str] = dict(more.problems)
        for part in _ON_BASIS:
            problems.pop(part, None)
        found = found.plus(replace(more, problems=problems))
    if rest & {Part.GROSS, Part.NOTIONAL}:
        rows = gross_positions(of, after=at)
        gross = _gross(rows, found)
        found = found.plus(replace(gross, markets=markets_of(row.position for row in rows)))
    if Part.UNTIL in rest:
        found = replace(found, until=last_delivery(of))
    return found


def added(
    holdings: Holdings,
    to: Standing,
    *,
    needs: Collection[Part],
    counterparty_id: UUID | None = None,
) -> Standing:
    """
    Return what holdings add to a standing: on its basis, in its currency, as of its time.

    counterparty_id     that they are dealt with, where gross numbers are asked for
    """
    found = Standing(at=to.at, currency=to.currency)
    positions = holdings.positions
    if not holdings:
        return found
    changes: dict[str, Any] = {"markets": markets_of(positions)}
    problems: dict[Part, str] = {}
    if Part.TAIL in needs and to.basis is not None:
        valued = value_holdings(holdings, to.basis, currency=to.currency)
        changes |= {"pnl": valued.pnl, "value": valued.base_value}
        if valued.problem:
            problems[Part.TAIL] = valued.problem
    if Part.NET in needs:
        changes["net"] = net_of(positions, to.at)
    if holdings.choices and to.basis is not None:
        if Part.DELTA in needs:
            changes["moved"], why = deltas(holdings.choices, to.basis)
            changes["markets"] |= _markets_of_choices(changes["moved"])
            problems |= {Part.DELTA: why} if why else {}
        if Part.VEGA in needs:
            changes["vega"], why = vegas(holdings.choices, to.basis, to.currency)
            problems |= {Part.VEGA: why} if why else {}
    if {Part.GROSS, Part.NOTIONAL} & set(needs) and counterparty_id is not None:
        gross = _gross(gross_of(positions, counterparty_id), to)
        changes["gross"] = gross.gross
        problems |= gross.problems
    if Part.UNTIL in needs:
        ends = [position.end for position in positions]
        ends += [choice.leg.schedule.interval.end for choice in holdings.choices]
        changes["until"] = max(ends)
    if Part.STRESS in needs and to.basis is not None:
        for gains in STRESSES.values():
            changes["stress"], why = gains(holdings, to.basis, to.currency)
            problems |= {Part.STRESS: why} if why else {}
    return replace(found, **changes, problems=problems)


def _markets_of_choices(market_ids: Iterable[int]) -> dict[int, MarketFacts]:
    """Return what markets are counted in that choices, and perhaps no position, are on."""
    return {
        key: MarketFacts(market.code, market.price_unit, market.calendar)
        for key, market in markets_by_id(list(market_ids)).items()
    }


def _trades_of(scope: ScopeKey, organization_id: UUID, without: Collection[int]) -> TradesOf:
    left_out = frozenset(without)
    if scope.kind == LimitScope.BOOK:
        books = subtree(cast(UUID, scope.id))
        return TradesOf(organization_id, book_ids=books, without=left_out)
    if scope.kind == LimitScope.TRADER:
        return TradesOf(organization_id, trader=str(scope.id), without=left_out)
    return TradesOf(organization_id, counterparty_id=cast(UUID, scope.id), without=left_out)


def _book(book_id: UUID, empty: Standing) -> Standing:
    """Return vector and value of a book from its row; what waits counts in the vector only."""
    row = scopes([book_id]).get(book_id)
    if row is None:
        on = latest_basis()
        return replace(empty, basis=on, pnl=None if on is None else on.zeros())
    on, pair = row.basis, (row.currency, empty.currency)
    if not on.converts(*pair):
        why = f"There is no exchange rate {'/'.join(pair)} beside the curves."
        return replace(empty, basis=on, problems={Part.TAIL: why})
    # The vector with what waits and the value without it: each is converted with its own.
    _, pnl = on.converted(row.base_value, row.reserved, *pair)
    value, _ = on.converted(row.base_value, row.pnl, *pair)
    return replace(empty, basis=on, pnl=pnl, value=value)


def _holdings(of: TradesOf) -> Holdings:
    """Return what trades hold, with what waits for release."""
    if of.book_ids:
        # Totals are a row a month, deltas one a trade and month.
        held, waits = (holdings_of(of.book_ids, stage=stage) for stage in Stage)
        return Holdings([*held.positions, *waits.positions], [*held.choices, *waits.choices])
    choices = [choice for stage in Stage for choice in choices_in(of.rows("trade__"), stage=stage)]
    return Holdings(net_positions(of), choices)


def _made(book_id: UUID, standing: Standing) -> dict[LossPeriod, float]:
    """
    Return what a book made since a period began, but for its value of now.

    Official P&L up to the last close; from then on the change of risk's own value, so that the
    models of both never make a gain: less the value at the close, and what was delivered since
    at the prices of then. Before the first close all value was made in the period.
    """
    day = standing.at.date()
    firsts = {
        LossPeriod.DAY: day,
        LossPeriod.MONTH: day.replace(day=1),
        LossPeriod.YEAR: day.replace(month=1, day=1),
    }
    books = subtree(book_id)
    official = {period: pnl_to_date(books, first=first) for period, first in firsts.items()}
    close = official[LossPeriod.DAY]
    since = 0.0
    if close.known_at is not None:
        number = (
            RiskNumber.objects.filter(book_id=book_id, recorded_at__lte=close.known_at)
            .order_by("-sequence")
            .first()
        )
        if number is not None:
            since = _delivered(books, basis(number.snapshot_id), standing) - number.value
    return {period: float(found.total) + since for period, found in official.items()}


def _delivered(books: frozenset[UUID], then: Basis, standing: Standing) -> float:
    """Return what was gained by deliveries between a basis and the standing's, at its prices."""
    now = standing.basis
    if now is None or now.valued_at <= then.valued_at:
        return 0.0
    held = Holdings(holdings_of(books).positions)
    early = value_holdings(held, then, currency=standing.currency).base_value
    left = replace(then, valued_at=now.valued_at)
    return early - value_holdings(held, left, currency=standing.currency).base_value


def _gross(rows: Iterable[GrossPosition], to: Standing) -> Standing:
    on = to.basis or latest_basis()

    def rate(currency: str) -> float | None:
        if currency == to.currency:
            return 1.0
        if on is None or not on.converts(currency, to.currency):
            return None
        return float(on.rates[currency, to.currency].rate)

    gross, problem = gross_sums(rows, to.at, rate)
    problems = {Part.NOTIONAL: problem} if problem else {}
    return Standing(at=to.at, currency=to.currency, gross=gross, problems=problems)
