"""
Value all that an organization holds, and keep what it was worth and what that was based on.

A run has a time (`as_of`) and a cut of knowledge (`known_at`): the same two always give the same
hashes, whatever is amended or corrected later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Model

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import tzdata_version
from energyopti.foundation.code_version import code_version
from energyopti.foundation.events.services import record_event
from trading.models import CurveDefinition, OptionGreek, StructureValue, TradeValue, ValuationRun
from trading.queries.exchange import RateMissing, Rates
from trading.queries.valuation import (
    RUN_SEED,
    ContractKey,
    CutFacts,
    Universe,
    books_of,
    bound_facts,
    cut_facts,
    digest_of,
    market_facts,
    option_facts,
    structure_facts,
)

from .changes import ForeignOrganization
from .locks import book_key, server_time, share_keys
from .pricing_models import MODELS_KEY
from .rates import RATE_KEYS
from .structure_values import simulate_held, value_rows

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from trading.valuation import OptionGreeks

__all__ = ["Proof", "RateMissing", "prove_run", "take_cut", "value_organization"]

Progress = Callable[[int, int], None]
_VALUES = (
    "trade_id", "version_id", "book_id", "counterparty_id", "product_kind", "currency",
    "realised", "unrealised", "fees", "reporting_currency", "rate", "realised_reporting",
    "unrealised_reporting", "is_valued",
)  # fmt: skip
_GREEKS = (
    "trade_id", "model_id", "market_id", "month", "shape", "unit", "currency", "delta", "gamma",
    "vega", "theta",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class ValueColumns:
    """
    The lines of a run's result by trade and currency, each of shape (lines,).

    trade_id    int64
    is_valued   False where a mark was missing or the product has no pricer
    text        a line each: what is stored after the run's id, divided by tabs
    """

    trade_id: npt.NDArray[np.int64]
    is_valued: npt.NDArray[np.bool_]
    text: str

    @property
    def trades(self) -> int:
        return len(set(self.trade_id.tolist()))

    @property
    def unvalued(self) -> int:
        return len(set(self.trade_id[~self.is_valued].tolist()))


@dataclass(frozen=True)
class GreekColumns:
    """Lines of `trading.models.OptionGreek` after the run's id, divided by tabs; by trade."""

    text: str = ""


@dataclass(frozen=True)
class Computed:
    """A valuation before it is stored, or beside the one that was."""

    values: ValueColumns
    greeks: GreekColumns
    structures: tuple[StructureValue, ...]
    inputs: dict[str, Any]
    findings: tuple[str, ...]
    input_hash: str
    result_hash: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What a run's hashes were, and what valuing again from its cut gives."""

    stored: tuple[str, str]
    again: tuple[str, str]
    tzdata_then: str
    code_then: str

    @property
    def is_same(self) -> bool:
        return self.stored == self.again


def value_organization(
    *,
    actor: Actor,
    organization_id: UUID,
    as_of: datetime,
    known_at: datetime | None = None,
    seed: int = RUN_SEED,
    progress: Progress = lambda done, total: None,
) -> ValuationRun:
    """
    Value every trade of an organization, and store each value with its hash.

    known_at    the cut of knowledge, real time; None takes one now, at which nobody is writing
    seed        what simulations of the run start from, kept in its inputs
    progress    told of each contract with choices before it is simulated

    :raises PermissionMissing: without `trading.value_books`.
    :raises ForeignOrganization: for one that is not the actor's.
    :raises RateMissing: if a currency that is held has no exchange rate.
    """
    actor.require("trading.value_books")
    if organization_id not in actor.organization_ids:
        raise ForeignOrganization("organization: there is no such organization for you.")
    cut = known_at or take_cut(organization_id)
    computed = compute(
        organization_id, as_of=as_of, known_at=cut, seed=seed, progress=progress
    )  # fmt: skip
    with transaction.atomic():
        run = ValuationRun.objects.create(
            organization_id=organization_id,
            as_of=as_of,
            known_at=cut,
            inputs=computed.inputs,
            input_hash=computed.input_hash,
            result_hash=computed.result_hash,
            findings=list(computed.findings),
            trades=computed.values.trades,
            unvalued=computed.values.unvalued,
            tzdata=tzdata_version(),
            code=code_version(),
            actor_id=actor.id,
        )
        if computed.values.text:
            _store(run, TradeValue, _VALUES, computed.values.text)
        if computed.greeks.text:
            _store(run, OptionGreek, _GREEKS, computed.greeks.text)
        for row in computed.structures:
            row.run, row.actor_id = run, actor.id
        StructureValue.objects.bulk_create(computed.structures)
        record_event(
            type="valuation.run",
            actor=actor,
            aggregate_type="valuation_run",
            aggregate_id=run.pk,
            organization_id=organization_id,
            payload={
                "as_of": as_of.isoformat(),
                "known_at": cut.isoformat(),
                "trades": run.trades,
                "unvalued": run.unvalued,
                "input_hash": run.input_hash,
                "result_hash": run.result_hash,
            },
        )
    return run


def take_cut(organization_id: UUID) -> datetime:
    """
    Wait for whoever is writing trades, curves, prices or rates, and return the server's time.

    All that is recorded up to it is committed, so that a read of this cut never changes.
    """
    keys = [book_key(book_id) for book_id in books_of(organization_id)]
    markets = list(CurveDefinition.objects.filter(is_mark=True).values_list("market_id", flat=True))
    with transaction.atomic():
        share_keys(
            [*keys, *(f"curve:{market_id}" for market_id in markets), *RATE_KEYS, MODELS_KEY]
        )
        with connection.cursor() as cursor:
            # The locks that `book_prices`, `book_fx_rates` and `book_fx_forwards` take.
            cursor.execute(
                "SELECT pg_advisory_xact_lock_shared(hashtext('trading_price'), market)"
                " FROM unnest(%s::int[]) AS market",
                [sorted(markets)],
            )
            cursor.execute("SELECT pg_advisory_xact_lock_shared(hashtext('trading_fxrate'))")
        return server_time()


def prove_run(run: ValuationRun) -> Proof:
    """Value again from a run's cut, and say whether the hashes are the same; nothing is stored."""
    seed = run.inputs.get("structures", {}).get("simulated", {}).get("seed", RUN_SEED)
    again = compute(run.organization_id, as_of=run.as_of, known_at=run.known_at, seed=seed)
    return Proof(
        stored=(run.input_hash, run.result_hash),
        again=(again.input_hash, again.result_hash),
        tzdata_then=run.tzdata,
        code_then=run.code,
    )


def compute(
    organization_id: UUID,
    *,
    as_of: datetime,
    known_at: datetime,
    seed: int = RUN_SEED,
    progress: Progress = lambda done, total: None,
) -> Computed:
    """
    Value from facts, without storing; the last arguments as in `value_organization`.

    :raises RateMissing: if a currency that is held has no exchange rate.
    """
    from trading.valuation import (
        bound_greeks,
        bound_values,
        option_greeks,
        value_holdings,
        value_options,
        valued_bounds,
    )

    books = books_of(organization_id)
    universe = Universe()
    facts = cut_facts(universe, books, as_of=as_of, known_at=known_at)
    market = market_facts(universe, as_of=as_of, known_at=known_at)
    rates = Rates(as_of, known_at)
    holdings = facts.holdings(len(universe.lines))
    valued = value_holdings(universe.contracts, holdings, market.state)
    realised, total = valued.by_line(valued.realised), valued.total
    missing = valued.lines_missing
    findings, told = list(market.findings), dict(market.inputs)
    moves: list[OptionGreeks] = []
    models: dict[tuple[int, ContractKey], int] = {}
    if facts.options.trade:
        options = option_facts(universe, market.state, as_of=as_of, known_at=known_at)
        held = facts.options.holdings(len(universe.lines))
        worth = value_options(
            universe.contracts, options.optionlets, held, market.state, options.market
        )
        realised = realised + worth.by_line(worth.realised)
        total, missing = total + worth.total, missing | worth.lines_missing
        moves.append(
            option_greeks(
                universe.contracts, options.optionlets, held, market.state, options.market
            )
        )
        rights = list(universe.optionlets)
        # A trade's options on one market are of one kind, and a kind has one model.
        for line, right in zip(facts.options.line, facts.options.optionlet, strict=True):
            model = options.models[right]
            if model is not None:
                models |= {(line, row.contract): model.pk for row in rights[right].rows}
        told["options"] = options.inputs
        composed = (options.notes.get(right) for right in facts.options.optionlet)
        findings += sorted({note for note in composed if note is not None})
        findings += _unvalued_options(
            facts.options.trade, facts.options.optionlet, options.reasons, worth.missing
        )
    if facts.bounds.trade:
        bounds = bound_facts(universe, market.state, as_of=as_of, known_at=known_at)
        bounded = facts.bounds.holdings(len(universe.lines))
        found = bound_values(
            universe.contracts, bounds.bounds, bounded, market.state, bounds.market
        )
        worth = valued_bounds(found, bounded)
        realised = realised + worth.by_line(worth.realised)
        total, missing = total + worth.total, missing | worth.lines_missing
        moves.append(bound_greeks(found, bounds.bounds, bounded, bounds.market))
        months = list(universe.bounds)
        for line, bound in zip(facts.bounds.line, facts.bounds.bound, strict=True):
            model = bounds.models[bound]
            if model is not None:
                models[line, months[bound].contract] = model.pk
        told["bounds"] = bounds.inputs
        findings += _unvalued_options(
            facts.bounds.trade, facts.bounds.bound, bounds.reasons, worth.missing
        )
    structures: list[StructureValue] = []
    if facts.structures.trade:
        stood_on = structure_facts(
            universe, facts.structures.holdings, as_of=as_of, known_at=known_at
        )
        chosen = facts.structures.of(len(universe.lines)).value(
            universe.contracts, market.state, stood_on.markets
        )
        simulated = simulate_held(
            facts.structures, stood_on, chosen.values, as_of=as_of, known_at=known_at, seed=seed,
            progress=progress,
        )  # fmt: skip
        realised, total = realised + chosen.realised, total + chosen.total
        total = total + simulated.by_line(facts.structures, len(universe.lines))
        missing = missing | chosen.missing
        structures = value_rows(
            facts.structures, stood_on, chosen.values, simulated, as_of=as_of, known_at=known_at
        )
        told["structures"] = dict(stood_on.inputs)
        if simulated.facts.inputs:
            told["structures"]["simulated"] = simulated.facts.inputs
        findings += dict.fromkeys(note for row in structures for note in row.findings)
    findings += _unvalued_structures(facts, structures)
    greeks = _greek_columns(universe, models, moves)
    findings += _refused_options(facts)
    values = value_columns(universe, facts, books, rates, realised, total, missing)
    findings += rates.stale()
    inputs = {
        "as_of": as_of.astimezone(UTC).isoformat(),
        "positions": facts.digest,
        "rates": rates.told(),
        **told,
    }
    input_hash = digest_of(inputs)
    return Computed(
        values=values,
        greeks=greeks,
        structures=tuple(structures),
        inputs=inputs,
        findings=tuple(findings),
        input_hash=input_hash,
        result_hash=_result_hash(input_hash, values, greeks, structures),
    )


def value_columns(
    universe: Universe,
    facts: CutFacts,
    books: Mapping[UUID, str],
    rates: Rates,
    realised: npt.NDArray[np.float64],
    total: npt.NDArray[np.float64],
    missing: npt.NDArray[np.bool_],
) -> ValueColumns:
    """
    Return the lines of trades that count, by trade and currency; rounded once each.

    realised, total, missing    by line of the universe

    :raises RateMissing: if a line's currency has no exchange rate.
    """
    import numpy as np

    from trading.valuation import cents

    versions = facts.versions
    counted = versions.counted
    chosen = sorted((*key, at) for key, at in universe.lines.items() if key[0] in counted)
    currencies = [currency for _, currency, _ in chosen]
    line = np.array([at for *_, at in chosen], dtype=np.int64)
    trade_id = np.array([trade for trade, *_ in chosen], dtype=np.int64)
    version = np.searchsorted(versions.trade_id, trade_id)
    group = versions.group[version].tolist()
    reporting = [books[one.book_id] for one in versions.groups]
    quoted = {
        (currency, at): rates.require(currency, reporting[at])
        for currency, at in dict.fromkeys(zip(currencies, group, strict=True))
    }
    quotes = [quoted[both] for both in zip(currencies, group, strict=True)]
    fees = np.array([float(facts.fees.get(at, 0)) for at in line.tolist()])
    rate = np.array([float(quote) for quote in quotes])
    past, whole = realised[line] + fees, total[line] + fees
    done, net, fee, done_shown, net_shown = (
        cents(row) for row in (past, whole, fees, past * rate, whole * rate)
    )
    refused = np.array(sorted({*facts.options.refused, *facts.structures.refused}), dtype=np.int64)
    is_valued = ~missing[line] & ~np.isin(trade_id, refused)
    columns = (
        map(str, trade_id.tolist()),
        map(str, versions.id[version].tolist()),
        _named([str(one.book_id) for one in versions.groups], group),
        _named([str(one.counterparty_id) for one in versions.groups], group),
        _named([one.product_kind for one in versions.groups], group),
        currencies,
        _amounts(done),
        _amounts(net - done),
        _amounts(fee),
        _named(reporting, group),
        _named({quote: str(quote) for quote in quoted.values()}, quotes),
        _amounts(done_shown),
        _amounts(net_shown - done_shown),
        map(str, is_valued.tolist()),
    )
    text = "\n".join(map("\t".join, zip(*columns, strict=True)))
    return ValueColumns(trade_id, is_valued, text)


def _named(names: Any, keys: Iterable[Any]) -> Iterable[str]:
    return map(names.__getitem__, keys)


def _amounts(cents: npt.NDArray[np.int64]) -> Iterable[str]:
    """Write whole cents as what they are hundredths of."""
    padded = (f"{amount:04d}" if amount < 0 else f"{amount:03d}" for amount in cents.tolist())
    return (f"{digits[:-2]}.{digits[-2:]}" for digits in padded)


def _greek_columns(
    universe: Universe,
    models: Mapping[tuple[int, ContractKey], int],
    moves: Sequence[OptionGreeks],
) -> GreekColumns:
    """Return what each trade with options moves by, a line for each contract they stand on."""
    lines, keys = list(universe.lines), list(universe.keys)
    rows = []
    entries = (
        entry
        for found in moves
        for entry in zip(
            found.line.tolist(), found.contract.tolist(), found.delta.tolist(),
            found.gamma.tolist(), found.vega.tolist(), found.theta.tolist(), strict=True,
        )
    )  # fmt: skip
    for line, contract, *numbers in entries:
        (trade_id, currency), key = lines[line], keys[contract]
        model_id = models.get((line, key))
        if model_id is None or not any(numbers):
            continue
        cells = [trade_id, model_id, key.market_id, key.month.isoformat(), key.shape, key.unit,
                 currency, *(f"{number:.6f}" for number in numbers)]  # fmt: skip
        rows.append((trade_id, key.order, "\t".join(map(str, cells))))
    return GreekColumns("\n".join(text for *_, text in sorted(rows)))


def _unvalued_options(
    trades: Sequence[int],
    rights: Sequence[int],
    reasons: Mapping[int, str],
    missing: npt.NDArray[np.bool_],
) -> list[str]:
    """Say why options are not valued, each reason once with how many trades it is of."""
    found: dict[str, set[int]] = {}
    for trade_id, right, is_missing in zip(trades, rights, missing.tolist(), strict=True):
        if is_missing:
            reason = reasons.get(right, "Options: a price of their delivery is missing.")
            found.setdefault(reason, set()).add(trade_id)
    return [f"{reason} {_not_valued(len(found[reason]))}" for reason in sorted(found)]


def _refused_options(facts: CutFacts) -> list[str]:
    found: dict[str, int] = {}
    for reason in facts.options.refused.values():
        found[reason] = found.get(reason, 0) + 1
    return [f"Options, {reason} {_not_valued(found[reason])}" for reason in sorted(found)]


def _unvalued_structures(facts: CutFacts, rows: Sequence[StructureValue]) -> list[str]:
    """Say why contracts with choices are not valued, each reason once."""
    found: dict[str, set[int]] = {}
    reasons = [(row.trade_id, row.reason) for row in rows if row.reason]
    for trade_id, reason in [*reasons, *facts.structures.refused.items()]:
        found.setdefault(reason, set()).add(trade_id)
    return [f"Choices, {reason} {_not_valued(len(found[reason]))}" for reason in sorted(found)]


def _not_valued(count: int) -> str:
    return "1 trade is not valued." if count == 1 else f"{count} trades are not valued."


def _result_hash(
    input_hash: str,
    values: ValueColumns,
    greeks: GreekColumns,
    structures: Sequence[StructureValue],
) -> str:
    """Return the SHA-256 of the input's hash and each line's cells, as JSON without blanks."""
    parts = [f'"{input_hash}"', _as_json(values.text)]
    if greeks.text:
        parts.append(_as_json(greeks.text))
    parts += [f'"{row.content_hash}"' for row in structures]
    return hashlib.sha256(f"[{','.join(parts)}]".encode()).hexdigest()


def _as_json(text: str) -> str:
    # No cell has a character that JSON would write another way: codes, digits, points and signs.
    cells = text.replace("\t", '","').replace("\n", '"],["')
    return f'[["{cells}"]]' if text else "[]"


def _store(run: ValuationRun, model: type[Model], columns: Sequence[str], text: str) -> None:
    names = ", ".join(("run_id", *columns))
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {model._meta.db_table} ({names}) FROM STDIN") as copy,
    ):
        lines = text.replace("\n", f"\n{run.pk}\t")
        copy.write(f"{run.pk}\t{lines}\n")
