"""The check that trading asks before a deal: every limit that it touches, before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from risk.enums import Excess, LimitScope
from risk.models import Limit
from trading.checks import CheckResult, Outcome, Proposal
from trading.queries.books import book_codes
from trading.queries.parties import counterparty_codes

from .limit_measures.kinds import KINDS, limit_name, percent
from .limit_measures.standing import Part
from .limit_teller import Measured, Teller
from .limits import ScopeKey, amount_at
from .scopes import waiting_scopes

CHECK = "limits"
# The worst result speaks; of equals the nearest to the book.
_ORDER = [Outcome.HARD, Outcome.SOFT, Outcome.PASS]
_OVER: Mapping[str, Outcome] = {
    Excess.WARN: Outcome.PASS, Excess.SOFT: Outcome.SOFT, Excess.HARD: Outcome.HARD,
}  # fmt: skip
_STILL_OVER: Mapping[str, Outcome] = {**_OVER, Excess.HARD: Outcome.SOFT}


def check_limits(proposal: Proposal) -> CheckResult:
    """
    Hold a deal against every limit of its books, trader and counterparty.

    One that would take a scope over a limit, or further over it, meets what the limit says of
    excess; one that lowers what is over a limit needs a reason at most. What cannot be measured
    counts as over. A book without a VaR limit is told its VaR.
    """
    return check_limits_of_many([proposal])[0]


def check_limits_of_many(proposals: Sequence[Proposal]) -> list[CheckResult]:
    """Say of many new deals what `check_limits` says of each with those before it booked."""
    places: dict[UUID, list[int]] = {}
    for place, proposal in enumerate(proposals):
        places.setdefault(proposal.organization_id, []).append(place)
    names = _names(proposals)
    found: dict[int, CheckResult] = {}
    for organization_id, own in places.items():
        teller = Teller(organization_id, [proposals[place] for place in own])
        for number, place in enumerate(own):
            lines = [_line(one, proposals[place], names) for one in teller.tell(number)]
            found[place] = _worst(lines)
    return [found[place] for place in range(len(proposals))]


def _names(proposals: Sequence[Proposal]) -> dict[ScopeKey, str]:
    """Return what scopes are called; of a book that something waits in, with that."""
    books = book_codes({book_id for p in proposals for book_id in p.book_path})
    waits = waiting_scopes(books)
    parties = counterparty_codes({p.counterparty_id for p in proposals})
    return {
        **{
            ScopeKey.book(pk): f"{code} with what waits for release" if pk in waits else code
            for pk, code in books.items()
        },
        **{ScopeKey.counterparty(pk): code for pk, code in parties.items()},
    }


def _line(one: Measured, proposal: Proposal, names: Mapping[ScopeKey, str]) -> CheckResult:
    if one.problem:
        return _cannot(one.limit, one.problem)
    name = names[one.scope] if one.scope.kind != LimitScope.TRADER else "the trader"
    line = _judge(one, name, proposal.received_at)
    return _with_rates(line, one, proposal)


def _judge(one: Measured, scope: str, at: datetime) -> CheckResult:
    limit, before, after = one.limit, one.before, one.after
    # A confidence stands beside the limit, everything else in the name.
    words = limit_name(limit) if limit.confidence is None else KINDS[limit.measure].name
    numbers = f"{words} of {scope} goes from {before:,.2f} to {after:,.2f} {limit.unit}"
    if limit.pk is None:
        return CheckResult(
            CHECK, Outcome.PASS, f"{numbers}; no limit is set.", before, after, None, limit.unit
        )
    amount = float(amount_at(limit, at))
    confidence = "" if limit.confidence is None else f" at {percent(limit)}"
    bound = f"the limit of {amount:,.2f}{confidence}"
    if after <= amount:
        outcome, said = Outcome.PASS, f"{numbers}, within {bound}."
        if after >= amount * float(limit.warn_share):
            said = f"{numbers}, {after / amount:.1%} of {bound}."
    elif after > before:
        outcome, said = _OVER[limit.excess], f"{numbers}, over {bound}."
    else:
        outcome = _STILL_OVER[limit.excess]
        lower = "lower, but " if after < before else ""
        said = f"{numbers}: {lower}still over {bound}."
    return CheckResult(CHECK, outcome, said, before, after, amount, limit.unit)


def _cannot(limit: Limit, reason: str) -> CheckResult:
    if limit.pk is None:
        return CheckResult(CHECK, Outcome.SOFT, f"{reason} No limit is set.")
    words = f"{reason} The limit cannot be checked."
    return CheckResult(CHECK, _OVER[limit.excess], words, unit=limit.unit)


def _with_rates(line: CheckResult, one: Measured, proposal: Proposal) -> CheckResult:
    """Say where an exchange rate is held in scenarios; wholly held, it needs a reason."""
    on, pair = one.basis, (proposal.currency, one.limit.unit)
    if on is None or Part.TAIL not in KINDS[one.limit.measure].needs:
        return line
    said = on.held_rates(*pair)
    if not said:
        return line
    outcome = line.outcome
    if outcome is Outcome.PASS and on.rates[pair].is_constant:
        outcome = Outcome.SOFT
    return replace(line, outcome=outcome, reason=f"{line.reason} {said}")


def _worst(lines: Sequence[CheckResult]) -> CheckResult:
    worst = min(lines, key=lambda line: (_ORDER.index(line.outcome), line.limit is None))
    return replace(worst, lines=tuple(lines) if len(lines) > 1 else ())
