"""
Price files: CSV with `timestamp` (with offset) or `Date` (by a named clock), `Price` and more.

Pure: bytes in, arrays and findings out. Nothing is repaired in silence: what cannot be read, what
is missing and what a clock change did are findings with their line numbers.
"""

from trading.markets.price_files._clocks import Clock
from trading.markets.price_files._columns import SPOT_SERIES
from trading.markets.price_files._findings import Finding, FindingKind, PriceFileRefused
from trading.markets.price_files._reader import GapPolicy, PriceBatch, PriceFile, read_price_file

__all__ = [
    "SPOT_SERIES",
    "Clock",
    "Finding",
    "FindingKind",
    "GapPolicy",
    "PriceBatch",
    "PriceFile",
    "PriceFileRefused",
    "read_price_file",
]
