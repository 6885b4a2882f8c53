"""
Explain a day: why each trade is worth another amount than at the opening, and what people add.

Steps come from full revaluation (`trading.valuation.waterfall`) and sum to the change between two
stored runs, to the cent; what they would leave stands as a residual. Reports are only added.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from energyopti.foundation.proposals.services import SecondPersonNeeded
from trading.models import (
    AdjustmentStatus,
    PnlAdjustment,
    PnlKind,
    PnlReport,
    PnlStep,
    PnlStepTotal,
    StructureValue,
    TradeValue,
    ValuationRun,
)
from trading.queries.books import book_for, book_ids
from trading.queries.exchange import Rates
from trading.queries.valuation import (
    NO_BOUNDS,
    NO_OPTIONS,
    CutFacts,
    HeldStructures,
    MeteredFacts,
    Universe,
    books_of,
    bound_facts,
    cut_facts,
    digest_of,
    exercise_results,
    market_facts,
    metered_facts,
    option_facts,
    structure_facts,
)

from .changes import ForeignOrganization
from .locks import lock_keys

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from trading.valuation import (
        BoundDay,
        DayState,
        Decisions,
        MarketState,
        OptionDay,
        StructureDay,
    )

LATE = "late"
_STEP_COLUMNS = (
    "report_id", "trade_id", "kind", "name", "currency", "amount", "realised", "reporting",
)  # fmt: skip
_LARGEST = Decimal(10) ** 15


class PnlRefused(ValueError):
    """A report or adjustment cannot be made; names the field and the rule."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One step of one trade, whole cents."""

    trade_id: int
    kind: str
    name: str
    currency: str
    amount: int
    realised: int
    reporting: int


@dataclass(frozen=True, slots=True)
class ExplainedBook:
    """A book's day before it is stored: whole cents of `currency`, and the hash of it all."""

    currency: str
    opening: int
    closing: int
    steps: tuple[_Step, ...]
    content_hash: str


def explain_runs(
    *,
    actor: Actor,
    opening: ValuationRun | None,
    closing: ValuationRun,
    day: date,
    kind: PnlKind,
    restates: Mapping[UUID, PnlReport] | None = None,
) -> list[PnlReport]:
    """
    Explain the change of value between two runs, a report a book that has held a trade.

    opening     None where nothing was valued before: then every trade is new
    restates    by book the official report that a restated one stands beside

    :raises PermissionMissing: without `trading.value_books`.
    :raises ForeignOrganization: for runs of one that is not the actor's.
    :raises PnlRefused: for runs of two organizations, or in the wrong order.
    """
    actor.require("trading.value_books")
    if closing.organization_id not in actor.organization_ids:
        raise ForeignOrganization("organization: there is no such organization for you.")
    if opening is not None and opening.organization_id != closing.organization_id:
        raise PnlRefused("opening: is a run of another organization.")
    if opening is not None and opening.as_of > closing.as_of:
        raise PnlRefused("opening: is as of later than the closing.")
    found = explained(opening, closing)
    made = []
    with transaction.atomic():
        lock_keys([f"pnl:{closing.organization_id}"])
        for book_id, day_of_book in found.items():
            report = PnlReport(
                book_id=book_id,
                day=day,
                kind=kind,
                opening=opening,
                closing=closing,
                restates=(restates or {}).get(book_id),
                currency=day_of_book.currency,
                opening_value=_decimal(day_of_book.opening),
                closing_value=_decimal(day_of_book.closing),
                total=_decimal(day_of_book.closing - day_of_book.opening),
                content_hash=day_of_book.content_hash,
                actor_id=actor.id,
            )
            made.append(_store(actor, report, day_of_book.steps))
    return made


def explained(opening: ValuationRun | None, closing: ValuationRun) -> dict[UUID, ExplainedBook]:
    """
    Explain the change between two runs from their cuts, without storing; by book that held a trade.

    The same two runs always give the same hashes.
    """
    books = books_of(closing.organization_id)
    steps, owners = _steps(opening, closing, books)
    opened, closed = _values(opening), _values(closing)
    _add_residuals(steps, opened, closed, owners)
    by_book: dict[UUID, list[_Step]] = {owners[trade]: [] for trade in {*opened, *closed}}
    for step in steps:
        by_book.setdefault(owners[step.trade_id], []).append(step)
    found = {}
    for book_id in sorted(by_book):
        before, after = (
            sum(shown for trade, (shown, _) in values.items() if owners[trade] == book_id)
            for values in (opened, closed)
        )
        ordered = sorted(by_book[book_id], key=lambda s: (s.trade_id, s.currency, s.kind, s.name))
        content = [
            opening.result_hash if opening else "",
            closing.result_hash,
            [[getattr(step, name) for name in step.__slots__] for step in ordered],
        ]
        found[book_id] = ExplainedBook(
            books[book_id], before, after, tuple(ordered), digest_of(content)
        )
    return found


def _store(actor: Actor, report: PnlReport, steps: Sequence[_Step]) -> PnlReport:
    last = PnlReport.objects.filter(
        book_id=report.book_id, day=report.day, kind=report.kind
    ).aggregate(Max("number"))["number__max"]
    report.number = (last or 0) + 1
    report.save(force_insert=True)
    with (
        connection.cursor() as cursor,
        cursor.copy(
            f"COPY {PnlStep._meta.db_table} ({', '.join(_STEP_COLUMNS)}) FROM STDIN"
        ) as copy,
    ):
        for step in steps:
            amounts = map(_decimal, (step.amount, step.realised, step.reporting))
            copy.write_row(
                (report.pk, step.trade_id, step.kind, step.name, step.currency, *amounts)
            )
    totals: dict[tuple[str, str], int] = defaultdict(int)
    for step in steps:
        totals[step.kind, step.name] += step.reporting
    PnlStepTotal.objects.bulk_create(
        PnlStepTotal(report=report, kind=kind, name=name, amount=_decimal(amount))
        for (kind, name), amount in sorted(totals.items())
    )
    record_event(
        type="pnl.reported",
        actor=actor,
        aggregate_type="pnl_report",
        aggregate_id=report.pk,
        organization_id=report.closing.organization_id,
        key=f"book:{report.book_id}",
        payload={
            "book_id": str(report.book_id),
            "day": report.day.isoformat(),
            "kind": str(report.kind),
            "number": report.number,
            "total": str(report.total),
            "currency": report.currency,
            "content_hash": report.content_hash,
        },
    )
    return report


def _steps(
    opening: ValuationRun | None, closing: ValuationRun, books: Mapping[UUID, str]
) -> tuple[list[_Step], dict[int, UUID]]:
    from trading.valuation import StepKind, waterfall

    universe = Universe()
    first = None
    if opening is not None:
        cut = {"as_of": opening.as_of, "known_at": opening.known_at}
        first = cut_facts(universe, books, **cut)
    cut = {"as_of": closing.as_of, "known_at": closing.known_at}
    second = cut_facts(universe, books, **cut)
    # Contracts that were held in between count too, so this comes before the market.
    metered = None if first is None else metered_facts(universe, first, second)
    before_market = None
    if opening is not None:
        before_market = market_facts(universe, as_of=opening.as_of, known_at=opening.known_at).state
    after_market = market_facts(universe, **cut, before=before_market).state
    owners = {
        trade_id: book_id
        for facts in (first, second)
        if facts is not None
        for trade_id, book_id in facts.versions.books.items()
    }
    after = _day_state(universe, second, after_market, owners, books)
    before = _day_state(universe, first, before_market or after_market, owners, books, after)
    days = [(second, after_market)]
    if first is not None and before_market is not None:
        days.append((first, before_market))
    if universe.optionlets:
        told = [_option_day(universe, *day) for day in days]
        nothing = NO_OPTIONS.holdings(len(universe.lines))
        after = replace(after, options=told[0])
        before = replace(
            before, options=told[1] if len(told) > 1 else replace(told[0], holdings=nothing)
        )
    if second.structures.trade or (first is not None and first.structures.trade):
        earlier = first or replace(second, structures=HeldStructures())
        after = replace(after, structures=_structure_day(universe, second, None))
        before = replace(before, structures=_structure_day(universe, earlier, second))
    kept = [_simulated(universe, run) for run in (opening, closing)]
    if any(row.any() for row in kept):
        before, after = replace(before, simulated=kept[0]), replace(after, simulated=kept[1])
    if universe.bounds:
        bounded = [_bound_day(universe, *day) for day in days]
        none = NO_BOUNDS.holdings(len(universe.lines))
        after = replace(after, bounds=bounded[0])
        before = replace(
            before, bounds=bounded[1] if len(bounded) > 1 else replace(bounded[0], holdings=none)
        )
    found = waterfall(
        universe.contracts, before, after,
        metered=None if metered is None else metered.holdings(len(universe.lines)),
        decided=None if first is None else _decisions(
            universe, first, second, first if metered is None else metered
        ),
    )  # fmt: skip
    late: set[int] = set()
    if opening is not None and first is not None:
        late = second.versions.traded_until(opening.as_of)
    steps = []
    for position, step in enumerate(found.steps):
        rows = zip(
            universe.lines, found.native[position].tolist(), found.realised[position].tolist(),
            found.reporting[position].tolist(), strict=True,
        )  # fmt: skip
        for (trade_id, currency), amount, realised, shown in rows:
            if amount or realised or shown:
                is_late = step.kind is StepKind.NEW and trade_id in late
                name = LATE if is_late else step.name
                steps.append(
                    _Step(trade_id, step.kind.value, name, currency, amount, realised, shown)
                )
    return steps, owners


def _option_day(universe: Universe, facts: CutFacts, market: MarketState) -> OptionDay:
    from trading.valuation import OptionDay

    found = option_facts(universe, market, as_of=facts.as_of, known_at=facts.known_at)
    holdings = facts.options.holdings(len(universe.lines))
    return OptionDay(found.optionlets, holdings, found.market)


def _decisions(
    universe: Universe, first: CutFacts, second: CutFacts, held: CutFacts | MeteredFacts
) -> Decisions:
    """Return what became of the options held before, and what the later day was paid for it."""
    import numpy as np

    from trading.valuation import Decisions

    made = exercise_results(second.books, after=first.known_at, known_at=second.known_at)
    paid = np.zeros(len(universe.lines))
    for facts, sign in ((second, 1), (first, -1)):
        for line, amount in facts.options.paid.items():
            paid[line] += sign * float(amount)
    return Decisions(
        options=held.options.undecided(second.options.decided).holdings(len(universe.lines)),
        bounds=held.bounds.undecided(second.options.decided).holdings(len(universe.lines)),
        cash=paid,
        made=np.array([trade in made for trade, _ in universe.lines], dtype=np.bool_),
    )


def _structure_day(universe: Universe, facts: CutFacts, later: CutFacts | None) -> StructureDay:
    """Return a day's contracts with choices, on what they stand then and on the later day."""
    from trading.valuation import StructureDay

    held = facts.structures.holdings
    days = [
        structure_facts(universe, held, as_of=day.as_of, known_at=day.known_at).markets
        for day in (facts, later)
        if day is not None
    ]
    return StructureDay(facts.structures.of(len(universe.lines)), *days)


def _simulated(universe: Universe, run: ValuationRun | None) -> npt.NDArray[np.float64]:
    """Return the simulated time value that a run stored, by line; nothing is simulated again."""
    import numpy as np

    found = np.zeros(len(universe.lines))
    rows = StructureValue.objects.filter(run=run, simulation__isnull=False) if run else []
    for row in rows:
        found[universe.lines[row.trade_id, row.currency]] += float(row.time_value)
    return found


def _bound_day(universe: Universe, facts: CutFacts, market: MarketState) -> BoundDay:
    from trading.valuation import BoundDay

    found = bound_facts(universe, market, as_of=facts.as_of, known_at=facts.known_at)
    return BoundDay(found.bounds, facts.bounds.holdings(len(universe.lines)), found.market)


def _day_state(
    universe: Universe,
    facts: CutFacts | None,
    market: MarketState,
    owners: Mapping[int, UUID],
    books: Mapping[UUID, str],
    after: DayState | None = None,
) -> DayState:
    """Return a day's arrays; without facts, the state before there was anything."""
    import numpy as np

    from trading.valuation import DayState, Holdings

    count = len(universe.lines)
    if facts is None:
        nobody = np.zeros(0, dtype=np.int64)
        nothing = np.zeros(0, dtype=np.float64)
        assert after is not None
        return DayState(
            Holdings(count, nobody, nobody, nothing, nothing), market, np.zeros(count),
            after.rates, np.zeros(count, dtype=np.bool_),
        )  # fmt: skip
    rates = Rates(facts.as_of, facts.known_at)
    found = [rates.of(currency, books[owners[trade]]) for trade, currency in universe.lines]
    counted = facts.versions.counted
    held = [trade in counted for trade, _ in universe.lines]
    fees = np.zeros(count)
    for position, amount in facts.fees.items():
        fees[position] = float(amount)
    return DayState(
        holdings=facts.holdings(count),
        market=market,
        fees=fees,
        rates=np.array([np.nan if rate is None else float(rate) for rate in found]),
        held=np.array(held, dtype=np.bool_),
    )


def _values(run: ValuationRun | None) -> dict[int, tuple[int, dict[str, int]]]:
    """Return by trade the stored value in the reporting currency, and in each of its own."""
    found: dict[int, tuple[int, dict[str, int]]] = {}
    if run is None:
        return found
    for trade_id, currency, past, ahead, past_shown, ahead_shown in TradeValue.objects.filter(
        run=run
    ).values_list(
        "trade_id", "currency", "realised", "unrealised", "realised_reporting",
        "unrealised_reporting",
    ):  # fmt: skip
        shown, native = found.get(trade_id, (0, {}))
        native[currency] = _cents(past + ahead)
        found[trade_id] = (shown + _cents(past_shown + ahead_shown), native)
    return found


def _add_residuals(
    steps: list[_Step],
    opened: Mapping[int, tuple[int, dict[str, int]]],
    closed: Mapping[int, tuple[int, dict[str, int]]],
    owners: Mapping[int, UUID],
) -> None:
    """Add what the steps leave of the change between the stored values; normally nothing."""
    nothing: tuple[int, dict[str, int]] = (0, {})
    explained: dict[int, int] = dict.fromkeys(owners, 0)
    native: dict[tuple[int, str], int] = {}
    for step in steps:
        explained[step.trade_id] += step.reporting
        key = (step.trade_id, step.currency)
        native[key] = native.get(key, 0) + step.amount
    for trade_id in sorted(owners):
        before, after = opened.get(trade_id, nothing), closed.get(trade_id, nothing)
        left = after[0] - before[0] - explained[trade_id]
        for currency in sorted({*before[1], *after[1]}):
            change = after[1].get(currency, 0) - before[1].get(currency, 0)
            rest = change - native.get((trade_id, currency), 0)
            if rest or left:
                steps.append(_Step(trade_id, "RESIDUAL", "", currency, rest, 0, left))
            left = 0


def _cents(amount: Decimal) -> int:
    return int(amount.scaleb(2))


def _decimal(amount: int) -> Decimal:
    return Decimal(amount).scaleb(-2)


def ask_adjustment(
    *, actor: Actor, book_id: UUID, day: date, amount: Decimal, reason: str
) -> PnlAdjustment:
    """
    Ask for an amount to be added to a book's P&L of a day; it counts when another approves it.

    amount      in the book's reporting currency, a gain +, whole cents

    :raises PermissionMissing: without `trading.adjust_pnl`.
    :raises UnknownBook: for a book that the actor does not reach.
    :raises PnlRefused: naming the field.
    """
    actor.require("trading.adjust_pnl")
    book = book_for(actor, book_id)
    words = reason.strip()
    if not words or len(words) > 400 or "\x00" in words:
        raise PnlRefused("reason: give one, at most 400 characters.")
    if not amount.is_finite() or not amount or abs(amount) >= _LARGEST:
        raise PnlRefused("amount: must be a number other than 0.")
    if amount != amount.quantize(Decimal("0.01")):
        raise PnlRefused(f"amount: {amount} has fractions of a cent.")
    with transaction.atomic():
        row = PnlAdjustment.objects.create(
            book_id=book.id, day=day, amount=amount, currency=book.reporting_currency,
            reason=words, requested_by=actor.id,
        )  # fmt: skip
        _tell(actor, row, "pnl.adjustment_asked", book.organization_id)
    return row


def decide_adjustment(
    *, actor: Actor, adjustment_id: int, approve: bool, reason: str, decided_at: datetime
) -> PnlAdjustment:
    """
    Approve or reject an adjustment that another person asked for.

    :raises PermissionMissing: without `trading.approve_pnl`.
    :raises PnlRefused: for one that is not there, decided already, or a rejection without a reason.
    :raises SecondPersonNeeded: for who asked for it.
    """
    actor.require("trading.approve_pnl")
    with transaction.atomic():
        row = (
            PnlAdjustment.objects.select_for_update(of=("self",))
            .select_related("book")
            .filter(pk=adjustment_id, book_id__in=book_ids(actor))
            .first()
        )
        if row is None:
            raise PnlRefused("adjustment: there is no such adjustment for you.")
        if row.status != AdjustmentStatus.PENDING:
            raise PnlRefused(f"adjustment: is {row.get_status_display().lower()} already.")
        if row.requested_by == actor.id:
            raise SecondPersonNeeded("adjustment: another person than who asked decides on it.")
        if not approve and not reason.strip():
            raise PnlRefused("reason: say why it is rejected.")
        if len(reason) > 400 or "\x00" in reason:
            raise PnlRefused("reason: at most 400 characters.")
        row.status = AdjustmentStatus.APPROVED if approve else AdjustmentStatus.REJECTED
        row.decided_by, row.decided_at, row.decision_reason = actor.id, decided_at, reason.strip()
        row.save()
        verb = "approved" if approve else "rejected"
        _tell(actor, row, f"pnl.adjustment_{verb}", row.book.organization_id)
    return row


def _tell(actor: Actor, row: PnlAdjustment, type_: str, organization_id: Any) -> None:
    record_event(
        type=type_,
        actor=actor,
        aggregate_type="pnl_adjustment",
        aggregate_id=row.pk,
        organization_id=organization_id,
        key=f"book:{row.book_id}",
        payload={
            "book_id": str(row.book_id),
            "day": row.day.isoformat(),
            "amount": str(row.amount),
            "currency": row.currency,
            "reason": row.reason,
            "requested_by": row.requested_by,
            "decision_reason": row.decision_reason,
        },
    )
