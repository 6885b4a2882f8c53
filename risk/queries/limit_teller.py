"""What each limit that a deal touches measures before and after it, deal after deal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from uuid import UUID

from risk.enums import LimitMeasure, LimitScope
from risk.models import Limit
from trading.checks import Proposal
from trading.enums import Stage
from trading.queries.choices import choices_of_deal
from trading.queries.positions import proposed_positions

from .bases import Basis
from .holdings import Holdings, holdings_of_trade, proposed_holdings
from .limit_measures.kinds import KINDS, UnitRule
from .limit_measures.standing import BY_ROWS, NotMeasured, Part, Standing
from .limits import ScopeKey, limits_in_force
from .many_deals import DealValue, value_deals
from .scope_standings import added, standing_of
from .scopes import DEFAULT_CONFIDENCE


@dataclass(frozen=True, slots=True)
class Measured:
    """
    What one limit measures without and with a deal, in its unit.

    limit       without a primary key it only tells a book's VaR
    problem     why it cannot be measured, empty where it can
    basis       that money was valued on
    """

    limit: Limit
    scope: ScopeKey
    before: float = 0.0
    after: float = 0.0
    problem: str = ""
    basis: Basis | None = None


def scopes_of(book_path: Iterable[UUID], trader: str, counterparty_id: UUID) -> list[ScopeKey]:
    """Return the limit scopes that a deal counts in: its books, the nearest first, then people."""
    return [
        *map(ScopeKey.book, book_path),
        ScopeKey.trader(trader),
        ScopeKey.counterparty(counterparty_id),
    ]


def by_currency(limits: Iterable[Limit], home: str) -> dict[str, list[Limit]]:
    """Return limits by the currency that they measure in; those that are no money go with one."""
    found: dict[str, list[Limit]] = {}
    for limit in limits:
        is_money = KINDS[limit.measure].unit is UnitRule.MONEY
        found.setdefault(limit.unit if is_money else home, []).append(limit)
    return found


def needs_of(limits: Iterable[Limit]) -> frozenset[Part]:
    """Return the parts of a standing that limits read."""
    return frozenset[Part]().union(*(KINDS[limit.measure].needs for limit in limits))


def measure(limit: Limit, scope: ScopeKey, before: Standing, after: Standing) -> Measured:
    """Return what a limit measures of two standings."""
    used = KINDS[limit.measure].used
    try:
        return Measured(limit, scope, used(limit, before), used(limit, after), basis=after.basis)
    except NotMeasured as problem:
        return Measured(limit, scope, problem=str(problem))


@dataclass(slots=True)
class _Running:
    """A scope as the deals before left it, and what its limits measured then."""

    standing: Standing
    used: dict[int, float]


class Teller:
    """
    Measures deals of one organization in their order; each counts for those after it.

    booked  ids of the trades that the deals are already, by place: the tables hold all of them
    """

    def __init__(
        self, organization_id: UUID, proposals: Sequence[Proposal], *, booked: Sequence[int] = ()
    ) -> None:
        self.organization_id, self.proposals, self.booked = organization_id, proposals, booked
        touched = {(p.book_path, p.trader, p.counterparty_id) for p in proposals}
        self.limits = limits_in_force(
            organization_id, {scope for each in touched for scope in scopes_of(*each)}
        )
        self._running: dict[tuple[ScopeKey, str], _Running] = {}
        self._home: dict[ScopeKey, str] = {}
        self._valued: dict[int, list[DealValue]] = {}
        self._held: list[Holdings] | None = None

    def tell(self, place: int) -> list[Measured]:
        """Return what the limits of a deal measure, a book without one its VaR; and count it."""
        proposal = self.proposals[place]
        found: list[Measured] = []
        changed = _Changed.of(proposal)
        for scope in scopes_of(proposal.book_path, proposal.trader, proposal.counterparty_id):
            home = self._home.setdefault(scope, proposal.reporting_currency)
            limits = _with_told(scope, self.limits.get(scope, []), proposal.reporting_currency)
            for currency, own in by_currency(limits, home).items():
                found += self._tell(place, scope, currency, own, changed)
        return found

    def _tell(
        self, place: int, scope: ScopeKey, currency: str, limits: Sequence[Limit],
        changed: _Changed | None,
    ) -> list[Measured]:  # fmt: skip
        proposal, needs = self.proposals[place], needs_of(limits)
        run = self._run(place, scope, currency, needs, changed)
        before = run.standing
        if changed is not None:
            own = added(changed.live, before, needs=needs, counterparty_id=proposal.counterparty_id)
            before = before.plus(replace(own, problems={}))
        after = run.standing.plus(self._added(place, run.standing, needs))
        found = []
        for limit in limits:
            key = limit.pk or 0
            one = measure(limit, scope, before, after)
            if changed is None and not one.problem:
                # What the deal before left is what this one finds, to the last digit.
                one = replace(one, before=run.used.get(key, one.before))
                run.used[key] = one.after
            found.append(one)
        if changed is None:
            run.standing = replace(after, problems=run.standing.problems)
        return found

    def _run(
        self, place: int, scope: ScopeKey, currency: str, needs: frozenset[Part],
        changed: _Changed | None,
    ) -> _Running:  # fmt: skip
        key = scope, currency
        if key not in self._running:
            without = [changed.trade_id] if changed is not None else self.booked
            standing = standing_of(
                scope, organization_id=self.organization_id, currency=currency,
                at=self.proposals[place].received_at, needs=needs, without=without,
            )  # fmt: skip
            if scope.kind == LimitScope.BOOK:
                # Rows of a book hold every trade; those that are left out are taken back.
                rows = needs & BY_ROWS
                if changed is not None:
                    for held in (changed.live, changed.waits):
                        standing = standing.plus(added(held, standing, needs=rows).negated())
                for other, proposal in enumerate(self.proposals if self.booked else ()):
                    if scope.id in proposal.book_path:
                        standing = standing.plus(self._added(other, standing, rows).negated())
            self._running[key] = _Running(standing, {})
        return self._running[key]

    def _added(self, place: int, to: Standing, needs: Collection[Part]) -> Standing:
        """Return what a deal adds; value and vector of many by linearity, not one by one."""
        proposal = self.proposals[place]
        is_one = len(self.proposals) == 1
        rest = frozenset(needs) - (frozenset() if is_one else {Part.TAIL})
        found = Standing(at=to.at, currency=to.currency)
        if rest:
            found = added(
                self._holdings(place), to, needs=rest, counterparty_id=proposal.counterparty_id
            )
        if Part.TAIL in rest or Part.TAIL not in needs or to.basis is None:
            return found
        on = to.basis
        if on.id not in self._valued:
            self._valued[on.id] = value_deals(self.proposals, on)
        value = self._valued[on.id][place].converted(on, proposal.currency, to.currency)
        problems = dict(found.problems)
        if value.problem:
            problems[Part.TAIL] = value.problem
        return replace(found, pnl=value.pnl, value=value.base_value, problems=problems)

    def _holdings(self, place: int) -> Holdings:
        if self._held is None:
            self._held = _holdings_of_many(self.proposals)
        return self._held[place]


@dataclass(frozen=True, slots=True)
class _Changed:
    """What a trade holds whose new terms are looked at: held, and waiting for release."""

    trade_id: int
    live: Holdings
    waits: Holdings

    @classmethod
    def of(cls, proposal: Proposal) -> _Changed | None:
        if proposal.trade_id is None:
            return None
        live, waits = (holdings_of_trade(proposal.trade_id, stage=stage) for stage in Stage)
        return cls(proposal.trade_id, live, waits)


def _holdings_of_many(proposals: Sequence[Proposal]) -> list[Holdings]:
    """Return what each deal would hold; the tables are asked once for all."""
    if len(proposals) == 1:
        return [proposed_holdings(proposals[0])]
    market_ids = {code: pk for p in proposals for code, pk in p.market_ids.items()}
    positions = iter(proposed_positions([d for p in proposals for d in p.deltas], market_ids))
    found = []
    for proposal in proposals:
        own = list(islice(positions, len(proposal.deltas)))
        found.append(Holdings(own, choices_of_deal(proposal.deal, own)))
    return found


def _with_told(scope: ScopeKey, limits: Sequence[Limit], currency: str) -> Sequence[Limit]:
    """Return limits, before them what tells a book's VaR where none holds it."""
    if scope.kind != LimitScope.BOOK or any(one.measure == LimitMeasure.VAR for one in limits):
        return limits
    told = Limit(
        scope=scope.kind, book_id=scope.id, measure=LimitMeasure.VAR,
        confidence=DEFAULT_CONFIDENCE, unit=currency, amount=Decimal(0),
    )  # fmt: skip
    return [told, *limits]
