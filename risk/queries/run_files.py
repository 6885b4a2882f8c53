"""
The columnar files of a run: components of each dimension, and trades with their P&L by scenario.

The same tables give the same bytes: no time and no host is written into them.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, BinaryIO

from .run_holdings import RunHoldings
from .run_results import DIMENSIONS, Measures, Shares, grouped

if TYPE_CHECKING:
    import pyarrow

    from .bases import Floats

# What one trade holds of one market and month: what components of every dimension are summed of.
PART = "PART"
_INTEGERS = frozenset({"version"})
_NUMBERS = frozenset(
    {"energy_mwh", "value", "component_var", "component_es", "marginal_var", "standalone_var",
     "standalone_es", "incremental_var"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Component:
    """
    What a part of a run has of VaR and ES at a confidence; losses positive, the run's currency.

    dimension, key  what it is a part by, and which; PART has trade, market and month
    trade, version  of a TRADE or PART; the other names likewise where the part has one
    energy_mwh      still to be delivered, bought +; None with choices or another unit
    value           mark-to-market, gains positive
    component_var   share of the run's `components_sum`; also its derivative by the part's size
    marginal_var    that derivative per MWh: `component_var` / `energy_mwh`; None at no energy
    standalone_*    of the part by itself; None where only the tail is kept
    incremental_var what VaR falls by without the part; likewise
    """

    dimension: str
    key: str
    confidence: str
    trade: str
    version: int | None
    book: str
    commodity: str
    market: str
    month: str
    counterparty: str
    trader: str
    energy_mwh: float | None
    value: float
    component_var: float
    component_es: float
    marginal_var: float | None
    standalone_var: float | None
    standalone_es: float | None
    incremental_var: float | None


def components_of(holdings: RunHoldings, found: Measures) -> list[Component]:
    """Return the rows of every dimension and of the parts themselves, in a fixed order."""
    import numpy as np

    parts = holdings.parts
    energies = [part.energy_mwh(found.valued_at) for part in parts]
    rows: list[Component] = []
    trades = {trade.ref: trade for trade in holdings.trades}
    for dimension in DIMENSIONS:
        keys, shares = found.groups[dimension]
        _, place = grouped(parts, dimension)
        values = np.bincount(place, found.values, len(keys))
        energy: list[float | None] = [0.0] * len(keys)
        for at, own in zip(place.tolist(), energies, strict=True):
            held = energy[at]
            energy[at] = None if own is None or held is None else held + own
        for confidence, share in shares.items():
            for at, key in enumerate(keys):
                names: dict[str, Any] = dict.fromkeys(
                    ("trade", "book", "commodity", "market", "month", "counterparty", "trader"), ""
                ) | {dimension.lower(): key}
                version = None
                if dimension == "TRADE":
                    trade = trades[key]
                    version = trade.version
                    names |= {
                        "book": trade.book, "counterparty": trade.counterparty,
                        "trader": trade.trader,
                    }  # fmt: skip
                rows.append(
                    Component(
                        dimension=dimension, key=key, confidence=_text(confidence),
                        version=version, energy_mwh=energy[at], value=float(values[at]),
                        **_measures(share, at, energy[at]), **names,
                    )
                )  # fmt: skip
    for confidence, share in found.parts.items():
        for at, part in enumerate(parts):
            trade, month = part.trade, f"{part.month:%Y-%m}"
            rows.append(
                Component(
                    dimension=PART, key=f"{trade.ref} {part.market} {month}",
                    confidence=_text(confidence), trade=trade.ref, version=trade.version,
                    book=trade.book, commodity=part.commodity, market=part.market, month=month,
                    counterparty=trade.counterparty, trader=trade.trader,
                    energy_mwh=energies[at], value=float(found.values[at]),
                    **_measures(share, at, energies[at]),
                )
            )  # fmt: skip
    return rows


def _measures(share: Shares, at: int, energy: float | None) -> dict[str, Any]:
    def number(row: Floats | None) -> float | None:
        return None if row is None else float(row[at]) + 0.0

    component = float(share.component_var[at]) + 0.0
    return {
        "component_var": component,
        "component_es": float(share.component_es[at]) + 0.0,
        "marginal_var": component / energy if energy else None,
        "standalone_var": number(share.standalone_var),
        "standalone_es": number(share.standalone_es),
        "incremental_var": number(share.incremental_var),
    }


def _text(confidence: Decimal) -> str:
    return f"{confidence.normalize():f}"


@cache
def _schema() -> pyarrow.Schema:
    import pyarrow as pa

    def type_of(name: str) -> pa.DataType:
        return (
            pa.int64() if name in _INTEGERS else pa.float64() if name in _NUMBERS else pa.string()
        )

    return pa.schema([(field.name, type_of(field.name)) for field in fields(Component)])


def component_file(rows: Iterable[Component]) -> bytes:
    """Return components as Parquet."""
    import pyarrow as pa

    return _written(pa.Table.from_pylist([asdict(row) for row in rows], schema=_schema()))


def matrix_file(holdings: RunHoldings, found: Measures) -> bytes:
    """Return trades as Parquet, each with its P&L in the kept scenarios; empty without any."""
    import numpy as np
    import pyarrow as pa

    trades = holdings.trades
    pnl = found.trade_pnl if found.trade_pnl is not None else np.zeros((len(trades), 0))
    names = ("ref", "version", "book", "counterparty", "trader")
    columns: dict[str, Any] = {
        name: pa.array(
            [getattr(trade, name) for trade in trades],
            pa.int64() if name == "version" else pa.string(),
        )
        for name in names
    }
    offsets = pa.array(np.arange(len(trades) + 1, dtype=np.int64) * pnl.shape[1])
    columns["pnl"] = pa.LargeListArray.from_arrays(offsets, pa.array(pnl.ravel()))
    return _written(pa.table(columns))


def _written(table: pyarrow.Table) -> bytes:
    import pyarrow.parquet as pq

    file = io.BytesIO()
    pq.write_table(table, file, compression="zstd", row_group_size=4096)
    return file.getvalue()


def read_components(file: BinaryIO, **equal: str) -> Iterator[Component]:
    """Yield the components whose columns have the given values, in their order."""
    import pyarrow.parquet as pq

    wanted = [(name, "==", value) for name, value in equal.items()] or None
    table = pq.read_table(file, filters=wanted)
    for batch in table.to_batches(max_chunksize=2048):
        for row in batch.to_pylist():
            yield Component(**row)


def read_pnl(file: BinaryIO, refs: Iterable[str] | None = None) -> dict[str, Floats]:
    """Return the P&L of trades in the kept scenarios by reference; None: of all."""
    import pyarrow.parquet as pq

    wanted = None if refs is None else [("ref", "in", list(refs))]
    table = pq.read_table(file, columns=["ref", "pnl"], filters=wanted)
    return {
        ref: pnl.values.to_numpy()
        for ref, pnl in zip(table["ref"].to_pylist(), table["pnl"], strict=True)
    }
