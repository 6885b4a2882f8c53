"""The P&L vectors of many trades on a basis, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from .bases import STORED, Basis
from .holdings import holdings_of_trade, value_holdings

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from .bases import Floats

    Indices = npt.NDArray[np.int64]

_ID = "<i8"


@dataclass(frozen=True, slots=True, eq=False)
class TradeVectors:
    """
    Trades that hold something, one a row, in the order of their ids.

    trade           (trade,), id
    base_value      (trade,), gains positive
    values          (trade, scenario), gains positive
    unvalued        (trade,), whether a part of it cannot be valued and is left out
    """

    trade: Indices
    base_value: Floats
    values: Floats
    unvalued: npt.NDArray[np.bool_]

    def total(self) -> Floats:
        """Return the sum of all rows, one after the other, (scenario,)."""
        found: Floats = self.values.sum(axis=0)
        return found

    def to_bytes(self) -> bytes:
        """Return the columns as an .npz file, the same for the same numbers."""
        return columns_file(
            trade=self.trade.astype(_ID),
            base_value=self.base_value.astype(STORED),
            values=self.values.astype(STORED),
            unvalued=self.unvalued,
        )

    @classmethod
    def from_bytes(cls, stored: bytes) -> TradeVectors:
        """Return the columns of a file."""
        import numpy as np

        with np.load(BytesIO(stored), allow_pickle=False) as columns:
            return cls(*(columns[name] for name in ("trade", "base_value", "values", "unvalued")))

    @classmethod
    def joined(cls, parts: Sequence[TradeVectors]) -> TradeVectors:
        """Return the rows of all parts, in the parts' order."""
        import numpy as np

        return cls(
            np.concatenate([part.trade for part in parts]),
            np.concatenate([part.base_value for part in parts]),
            np.concatenate([part.values for part in parts]),
            np.concatenate([part.unvalued for part in parts]),
        )


def value_trades(trade_ids: Sequence[int], on: Basis, *, currency: str) -> TradeVectors:
    """Value what each trade holds; two queries a trade, so a worker is given some of them."""
    import numpy as np

    rows = []
    for trade_id in trade_ids:
        held = holdings_of_trade(trade_id)
        if held:
            rows.append((trade_id, value_holdings(held, on, currency=currency)))
    return TradeVectors(
        trade=np.array([trade_id for trade_id, _ in rows], dtype=np.int64),
        base_value=np.array([whole.base_value for _, whole in rows], dtype=np.float64),
        values=np.array([whole.pnl for _, whole in rows], dtype=np.float64).reshape(
            len(rows), on.scenario_count
        ),
        unvalued=np.array([bool(whole.unvalued) for _, whole in rows], dtype=np.bool_),
    )


def columns_file(**columns: npt.NDArray[np.generic]) -> bytes:
    """Return arrays as an .npz file without a time in it, so that equal arrays are equal bytes."""
    import numpy as np

    file = BytesIO()
    np.savez(file, allow_pickle=False, **columns)
    return file.getvalue()
