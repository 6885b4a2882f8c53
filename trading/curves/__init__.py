"""
Forward curves: from overlapping quotes of delivery periods to one price per interval.

Pure. `build_curve` is the door; every method of building returns a `ForwardCurve`, so positions,
pages and risk do not know how it was made. Axis order of matrices: delivery segment, quote.
"""

from trading.curves._bootstrap import METHOD, METHOD_VERSION, bootstrap, build_curve
from trading.curves._contracts import contract_code, contract_interval
from trading.curves._curve import ForwardCurve, LoadCurve
from trading.curves._grids import DeliveryGrid, day_of_week_factors
from trading.curves._loads import LoadHours
from trading.curves._measures import Weighting
from trading.curves._profiles import ShapeKind, SpotProfile, learn_profile
from trading.curves._quotes import (
    CurveDoesNotCover,
    CurveError,
    CurveQuote,
    HedgeLeg,
    LeftOut,
    QuoteQuality,
)
from trading.curves._shaping import ShapedCurve, Smoothing, delivery_grid, shape_curve

__all__ = [
    "METHOD",
    "METHOD_VERSION",
    "CurveDoesNotCover",
    "CurveError",
    "CurveQuote",
    "DeliveryGrid",
    "ForwardCurve",
    "HedgeLeg",
    "LeftOut",
    "LoadCurve",
    "LoadHours",
    "QuoteQuality",
    "ShapeKind",
    "ShapedCurve",
    "Smoothing",
    "SpotProfile",
    "Weighting",
    "bootstrap",
    "build_curve",
    "contract_code",
    "contract_interval",
    "day_of_week_factors",
    "delivery_grid",
    "learn_profile",
    "shape_curve",
]
