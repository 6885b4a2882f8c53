"""Trades as CSV and XLSX files, docs/trade-files.md: preview what a file does, or import it."""

from .columns import COLUMNS
from .findings import RowState, TradeRow, TradesFound, TradesRefused
from .importing import FileOptions, import_trades, preview_trades

__all__ = [
    "COLUMNS",
    "FileOptions",
    "RowState",
    "TradeRow",
    "TradesFound",
    "TradesRefused",
    "import_trades",
    "preview_trades",
]
