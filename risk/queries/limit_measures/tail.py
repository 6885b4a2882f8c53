"""Value at risk and expected shortfall of a standing, as positive losses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from risk.models import Limit
from risk.queries.scopes import convention

from .standing import NotMeasured, Part, Standing

if TYPE_CHECKING:
    from risk.engine import TailRisk

NO_CURVE = "There is no curve with a quote history to value the deal on."


def var(limit: Limit, standing: Standing) -> float:
    """Return the VaR at the limit's confidence."""
    return _tail(limit, standing).var + 0.0  # the loss of no position is 0, not −0


def shortfall(limit: Limit, standing: Standing) -> float:
    """Return the mean of the losses from the VaR on."""
    return _tail(limit, standing).es + 0.0


def _tail(limit: Limit, standing: Standing) -> TailRisk:
    from risk.engine import tail_risk

    standing.require(Part.TAIL)
    if standing.basis is None or standing.pnl is None:
        raise NotMeasured(NO_CURVE)
    assert limit.confidence is not None, "the table says so"
    return tail_risk(standing.pnl, convention(standing.basis, limit.confidence))
