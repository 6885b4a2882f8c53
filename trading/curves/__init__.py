"""
Forward curves: from overlapping quotes of delivery periods to one price per interval.

Pure. `build_curve` is the door; every method of building returns a `ForwardCurve`, so positions,
pages and risk do not know how it was made. Axis order of matrices: delivery segment, quote.
"""

from trading.curves._bootstrap import METHOD, METHOD_VERSION, build_curve
from trading.curves._contracts import contract_code, contract_interval
from trading.curves._curve import (
    CurveDoesNotCover,
    CurveError,
    CurveQuote,
    ForwardCurve,
    LeftOut,
)

__all__ = [
    "METHOD",
    "METHOD_VERSION",
    "CurveDoesNotCover",
    "CurveError",
    "CurveQuote",
    "ForwardCurve",
    "LeftOut",
    "build_curve",
    "contract_code",
    "contract_interval",
]
