"""What positions are valued on: a snapshot's curves and scenarios, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from energyopti.foundation.calendars import Calendar
from risk.models import MarketSnapshot

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from risk.engine import MonthlyCurve

    Floats = npt.NDArray[np.float64]

# How arrays stand in the tables, whatever the machine.
STORED = "<f8"


@dataclass(frozen=True, slots=True)
class MarketBasis:
    """One market in a basis; shocks have the shape (scenario, tenor)."""

    curve: MonthlyCurve
    shocks: Floats


@dataclass(frozen=True, slots=True)
class Basis:
    """
    A snapshot with its scenarios. Vectors are comparable and additive within one basis only.

    id          of the `MarketSnapshot`
    markets     by market id; a market without an entry cannot be valued
    """

    id: int
    valued_at: datetime
    scenario_count: int
    tenors: int
    horizon_days: int
    method: str
    markets: Mapping[int, MarketBasis]

    def zeros(self) -> Floats:
        import numpy as np

        return np.zeros(self.scenario_count)


def latest_basis() -> Basis | None:
    """Return the basis that new scopes start on, None while there is none."""
    row = MarketSnapshot.objects.order_by("-id").values_list("id", "content_hash").first()
    return None if row is None else _load(*row)


def basis(snapshot_id: int) -> Basis:
    """Return the basis of a snapshot; a snapshot never changes, so it is read once a process."""
    content_hash = MarketSnapshot.objects.values_list("content_hash", flat=True).get(pk=snapshot_id)
    return _load(snapshot_id, content_hash)


@lru_cache(maxsize=8)
def _load(snapshot_id: int, content_hash: str) -> Basis:
    from risk.engine import MonthlyCurve, month_number

    snapshot = MarketSnapshot.objects.select_related("scenario_set").get(pk=snapshot_id)
    scenarios = snapshot.scenario_set
    count, tenors = len(scenarios.days), scenarios.tenors
    shocks = {
        row.market_id: from_bytes(row.values).reshape(count, tenors)
        for row in scenarios.shocks.all()
    }
    markets = {
        row.market_id: MarketBasis(
            curve=MonthlyCurve(
                origin=month_number(Calendar(row.market.time_zone).date_of(snapshot.valued_at)),
                prices=from_bytes(row.prices),
            ),
            shocks=shocks[row.market_id],
        )
        for row in snapshot.curves.select_related("market")
        if row.market_id in shocks
    }
    return Basis(
        id=snapshot.pk,
        valued_at=snapshot.valued_at,
        scenario_count=count,
        tenors=tenors,
        horizon_days=scenarios.horizon_days,
        method=scenarios.method,
        markets=markets,
    )


def from_bytes(stored: bytes | memoryview) -> Floats:
    """Return a stored array; read-only."""
    import numpy as np

    return np.frombuffer(stored, dtype=STORED).astype(np.float64)


def to_bytes(values: Floats) -> bytes:
    """Return an array as it is stored."""
    import numpy as np

    return np.ascontiguousarray(values, dtype=STORED).tobytes()
