"""
Value all that an organization holds, and keep what it was worth and what that was based on.

A run has a time (`as_of`) and a cut of knowledge (`known_at`): the same two always give the same
hashes, whatever is amended or corrected later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection, transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import tzdata_version
from energyopti.foundation.events.services import record_event
from trading.models import CurveDefinition, TradeValue, ValuationRun
from trading.queries.exchange import RateMissing, Rates
from trading.queries.valuation import (
    CutFacts,
    HeldVersion,
    Universe,
    books_of,
    cut_facts,
    digest_of,
    market_facts,
)

from .changes import ForeignOrganization
from .locks import book_key, server_time, share_keys
from .rates import FX_FORWARDS_KEY
from .versions import code_version

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Proof", "RateMissing", "prove_run", "take_cut", "value_organization"]

_VALUES = (
    "run_id", "trade_id", "version_id", "book_id", "counterparty_id", "product_kind", "currency",
    "realised", "unrealised", "fees", "reporting_currency", "rate", "realised_reporting",
    "unrealised_reporting", "is_valued",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ValueRow:
    """One line of a run's result; amounts in whole cents."""

    version: HeldVersion
    currency: str
    realised: int
    unrealised: int
    fees: int
    reporting_currency: str
    rate: Decimal
    realised_reporting: int
    unrealised_reporting: int
    is_valued: bool


@dataclass(frozen=True)
class Computed:
    """A valuation before it is stored, or beside the one that was."""

    rows: tuple[ValueRow, ...]
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
    *, actor: Actor, organization_id: UUID, as_of: datetime, known_at: datetime | None = None
) -> ValuationRun:
    """
    Value every trade of an organization, and store each value with its hash.

    known_at    the cut of knowledge, real time; None takes one now, at which nobody is writing

    :raises PermissionMissing: without `trading.value_books`.
    :raises ForeignOrganization: for one that is not the actor's.
    :raises RateMissing: if a currency that is held has no exchange rate.
    """
    actor.require("trading.value_books")
    if organization_id not in actor.organization_ids:
        raise ForeignOrganization("organization: there is no such organization for you.")
    cut = known_at or take_cut(organization_id)
    computed = compute(organization_id, as_of=as_of, known_at=cut)
    with transaction.atomic():
        run = ValuationRun.objects.create(
            organization_id=organization_id,
            as_of=as_of,
            known_at=cut,
            inputs=computed.inputs,
            input_hash=computed.input_hash,
            result_hash=computed.result_hash,
            findings=list(computed.findings),
            trades=len({row.version.trade_id for row in computed.rows}),
            unvalued=len({row.version.trade_id for row in computed.rows if not row.is_valued}),
            tzdata=tzdata_version(),
            code=code_version(),
            actor_id=actor.id,
        )
        _store(run, computed.rows)
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
        share_keys([*keys, *(f"curve:{market_id}" for market_id in markets), FX_FORWARDS_KEY])
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
    again = compute(run.organization_id, as_of=run.as_of, known_at=run.known_at)
    return Proof(
        stored=(run.input_hash, run.result_hash),
        again=(again.input_hash, again.result_hash),
        tzdata_then=run.tzdata,
        code_then=run.code,
    )


def compute(organization_id: UUID, *, as_of: datetime, known_at: datetime) -> Computed:
    """
    Value from facts, without storing.

    :raises RateMissing: if a currency that is held has no exchange rate.
    """
    from trading.valuation import value_holdings

    books = books_of(organization_id)
    universe = Universe()
    facts = cut_facts(universe, books, as_of=as_of, known_at=known_at)
    market = market_facts(universe, as_of=as_of, known_at=known_at)
    rates = Rates(as_of, known_at)
    holdings = facts.holdings(len(universe.lines))
    valued = value_holdings(universe.contracts, holdings, market.state)
    rows = value_rows(
        universe, facts, books, rates, valued.by_line(valued.realised), valued.total,
        valued.lines_missing,
    )  # fmt: skip
    findings = list(market.findings)
    if facts.options:
        findings.append(f"{len(facts.options)} trades are options, which have no pricer yet.")
    inputs = {
        "as_of": as_of.astimezone(UTC).isoformat(),
        "positions": facts.digest,
        "rates": rates.told(),
        **market.inputs,
    }
    input_hash = digest_of(inputs)
    return Computed(
        rows=rows,
        inputs=inputs,
        findings=tuple(findings),
        input_hash=input_hash,
        result_hash=digest_of(
            [input_hash, [[str(cell) for cell in _figures(row)] for row in rows]]
        ),
    )


def value_rows(
    universe: Universe,
    facts: CutFacts,
    books: Mapping[UUID, str],
    rates: Rates,
    realised: npt.NDArray[np.float64],
    total: npt.NDArray[np.float64],
    missing: npt.NDArray[np.bool_],
) -> tuple[ValueRow, ...]:
    """
    Return the lines of trades that count, by trade and currency; rounded once each.

    :raises RateMissing: if a line's currency has no exchange rate.
    """
    import numpy as np

    from trading.valuation import cents

    chosen = sorted(
        (trade_id, currency, position)
        for (trade_id, currency), position in universe.lines.items()
        if trade_id in facts.versions and facts.versions[trade_id].counts
    )
    order = np.array([position for *_, position in chosen], dtype=np.int64)
    versions = [facts.versions[trade_id] for trade_id, *_ in chosen]
    quotes = [
        (books[version.book_id], rates.require(currency, books[version.book_id]))
        for version, (_, currency, _) in zip(versions, chosen, strict=True)
    ]
    fees = np.array([float(facts.fees.get(position, 0)) for position in order.tolist()])
    rate = np.array([float(number) for _, number in quotes])
    past, whole = realised[order] + fees, total[order] + fees
    columns = [cents(row).tolist() for row in (past, whole, fees, past * rate, whole * rate)]
    rows = []
    for n, (_, currency, position) in enumerate(chosen):
        done, net, fee, done_shown, net_shown = (column[n] for column in columns)
        reporting, number = quotes[n]
        rows.append(
            ValueRow(
                version=versions[n],
                currency=currency,
                realised=done,
                unrealised=net - done,
                fees=fee,
                reporting_currency=reporting,
                rate=number,
                realised_reporting=done_shown,
                unrealised_reporting=net_shown - done_shown,
                is_valued=not missing[position] and versions[n].trade_id not in facts.options,
            )
        )
    return tuple(rows)


def _figures(row: ValueRow) -> tuple[Any, ...]:
    version = row.version
    return (
        version.trade_id, version.id, version.book_id, version.counterparty_id,
        version.product_kind, row.currency, _decimal(row.realised), _decimal(row.unrealised),
        _decimal(row.fees), row.reporting_currency, row.rate, _decimal(row.realised_reporting),
        _decimal(row.unrealised_reporting), row.is_valued,
    )  # fmt: skip


def _decimal(amount: int) -> str:
    sign, whole = ("-", -amount) if amount < 0 else ("", amount)
    return f"{sign}{whole // 100}.{whole % 100:02d}"


def _store(run: ValuationRun, rows: Iterable[ValueRow]) -> None:
    names = ", ".join(_VALUES)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {TradeValue._meta.db_table} ({names}) FROM STDIN") as copy,
    ):
        lines = [
            "\t".join(map(str, (run.pk, *_figures(row)[:-1], "t" if row.is_valued else "f")))
            for row in rows
        ]
        if lines:
            copy.write("\n".join(lines) + "\n")
