"""The check that trading asks before a deal: value at risk before and after, against the limits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from risk.models import Limit
from trading.checks import CheckResult, Outcome, Proposal
from trading.enums import Stage
from trading.queries.books import book_codes

from .bases import Basis, latest_basis
from .holdings import Holdings, holdings_of_trade, proposed_holdings, value_holdings
from .many_deals import value_deals
from .scopes import DEFAULT_CONFIDENCE, convention, scopes

if TYPE_CHECKING:
    from .bases import Floats

CHECK = "var_limit"
# The worst result speaks; of equals the nearest to the book.
_ORDER = [Outcome.HARD, Outcome.SOFT, Outcome.PASS]


def check_var_limit(proposal: Proposal) -> CheckResult:
    """
    Hold the VaR of the book and of each book above it, with the deal, against their limits.

    Stops a deal that would take a scope over its limit, or further over it. One that cannot be
    valued is stopped where a limit stands and needs a reason where none does. A deal that lowers
    the VaR of a scope that is over its limit needs a reason only.
    """
    from risk.engine import tail_risk

    limits = list(
        Limit.objects.filter(book_id__in=proposal.book_path, is_active=True).order_by("id")
    )
    on = latest_basis()
    if on is None:
        return _cannot("There is no curve with a quote history to value the deal on.", limits)
    found, codes = scopes(proposal.book_path), book_codes(proposal.book_path)
    wanted = proposed_holdings(proposal)
    held, reserved = Holdings(), Holdings()
    if proposal.trade_id is not None:
        held = holdings_of_trade(proposal.trade_id)
        reserved = holdings_of_trade(proposal.trade_id, stage=Stage.PENDING)
    currency = proposal.reporting_currency
    if strange := next((limit for limit in limits if limit.currency != currency), None):
        return _cannot(_other_currency(strange, currency), limits)
    results = []
    for book_id in proposal.book_path:
        scope = found.get(book_id)
        basis = scope.basis if scope else on
        deal = value_holdings(wanted, basis, currency=currency)
        if deal.problem:
            return _cannot(deal.problem, limits)
        # What waits for release is counted as if it were held; the trade itself only once.
        before = scope.reserved if scope else on.zeros()
        if reserved:
            before = before - value_holdings(reserved, basis, currency=currency).pnl
        after = before + deal.pnl
        if held:
            after = after - value_holdings(held, basis, currency=currency).pnl
        waits = bool(scope and scope.pending is not None and scope.pending.any())
        own = [limit for limit in limits if limit.book_id == book_id]
        for limit in own or [None]:
            confidence = limit.confidence if limit else DEFAULT_CONFIDENCE
            rule = convention(basis, confidence)
            results.append(
                _judge(
                    # + 0.0: the loss of no position is 0, not −0
                    tail_risk(before, rule).var + 0.0,
                    tail_risk(after, rule).var + 0.0,
                    limit,
                    currency,
                    codes[book_id] + (" with what waits for release" if waits else ""),
                )
            )
        results = [_with_rates(result, proposal, basis) for result in results]
    return _worst(results)


def check_var_limits(proposals: Sequence[Proposal]) -> list[CheckResult]:
    """Say of many new deals what `check_var_limit` says of each with those before it booked."""
    from risk.engine import tail_risk

    paths = {book_id for proposal in proposals for book_id in proposal.book_path}
    limits: dict[UUID, list[Limit]] = defaultdict(list)
    for limit in Limit.objects.filter(book_id__in=paths, is_active=True).order_by("id"):
        limits[limit.book_id].append(limit)
    on = latest_basis()
    own_limits = [
        sorted((row for b in p.book_path for row in limits.get(b, ())), key=lambda row: row.pk)
        for p in proposals
    ]
    if on is None:
        why = "There is no curve with a quote history to value the deal on."
        return [_cannot(why, own) for own in own_limits]
    found, codes = scopes(paths), book_codes(paths)
    bases: dict[int, Basis] = {on.id: on, **{s.basis.id: s.basis for s in found.values()}}
    valued = {id_: value_deals(proposals, basis) for id_, basis in bases.items()}
    held: dict[UUID, Floats] = {}
    tails: dict[tuple[UUID, Decimal], float] = {}
    results = []
    for place, (proposal, own) in enumerate(zip(proposals, own_limits, strict=True)):
        said: list[CheckResult] = []
        refused = None
        currency = proposal.reporting_currency
        strange = next((limit for limit in own if limit.currency != currency), None)
        if strange is not None and refused is None:
            refused = _other_currency(strange, currency)
        for book_id in proposal.book_path:
            scope = found.get(book_id)
            basis = scope.basis if scope else on
            deal = valued[basis.id][place].converted(
                basis, proposal.currency, proposal.reporting_currency
            )
            if deal.problem and refused is None:
                refused = deal.problem
            before = held.get(book_id)
            if before is None:
                before = scope.reserved if scope else on.zeros()
            after = held[book_id] = before + deal.pnl
            waits = bool(scope and scope.pending is not None and scope.pending.any())
            for limit in (*limits.get(book_id, ()),) or (None,):
                confidence = limit.confidence if limit else DEFAULT_CONFIDENCE
                rule = convention(basis, confidence)
                # What the deal before left is what this one finds.
                was = tails.get((book_id, confidence))
                if was is None:
                    was = tail_risk(before, rule).var + 0.0
                now = tails[book_id, confidence] = tail_risk(after, rule).var + 0.0
                name = codes[book_id] + (" with what waits for release" if waits else "")
                judged = _judge(was, now, limit, proposal.reporting_currency, name)
                said.append(_with_rates(judged, proposal, basis))
        results.append(_worst(said) if refused is None else _cannot(refused, own))
    return results


def _other_currency(limit: Limit, currency: str) -> str:
    return f"The limit of {limit.amount:,.2f} is in {limit.currency} and the book in {currency}."


def _with_rates(result: CheckResult, proposal: Proposal, basis: Basis) -> CheckResult:
    """Say where an exchange rate is held in scenarios; wholly held, it needs a reason."""
    pair = proposal.currency, proposal.reporting_currency
    said = basis.held_rates(*pair)
    if not said or said in result.reason:
        return result
    outcome = result.outcome
    if outcome is Outcome.PASS and basis.rates[pair].is_constant:
        outcome = Outcome.SOFT
    return replace(result, outcome=outcome, reason=f"{result.reason} {said}")


def _worst(results: Sequence[CheckResult]) -> CheckResult:
    return min(results, key=lambda r: (_ORDER.index(r.outcome), r.limit is None))


def _judge(
    before: float, after: float, limit: Limit | None, currency: str, book_code: str
) -> CheckResult:
    numbers = f"VaR of {book_code} goes from {before:,.2f} to {after:,.2f} {currency}"
    if limit is None:
        return CheckResult(
            CHECK, Outcome.PASS, f"{numbers}; no limit is set.", before, after, None, currency
        )
    amount = float(limit.amount)
    percent = f"{(limit.confidence * 100).normalize():f} %"
    if after <= amount:
        outcome, said = Outcome.PASS, f"{numbers}, within the limit of {amount:,.2f} at {percent}."
    elif after > before:
        outcome, said = Outcome.HARD, f"{numbers}, over the limit of {amount:,.2f} at {percent}."
    else:
        outcome = Outcome.SOFT
        said = f"{numbers}: lower, but still over the limit of {amount:,.2f} at {percent}."
    return CheckResult(CHECK, outcome, said, before, after, amount, currency)


def _cannot(reason: str, limits: list[Limit]) -> CheckResult:
    if limits:
        return CheckResult(CHECK, Outcome.HARD, f"{reason} The limit cannot be checked.")
    return CheckResult(CHECK, Outcome.SOFT, f"{reason} No limit is set.")
