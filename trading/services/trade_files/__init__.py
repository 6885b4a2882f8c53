"""Trades as CSV and XLSX files, docs/trade-files.md: preview what a file does, or import it."""

from .columns import COLUMNS, EXAMPLE
from .exporting import NotInAFile, TooManyTrades, export_trades
from .findings import RowState, SideSum, TradeRow, TradesFound, TradesRefused, refusals_table
from .importing import import_trades, preview_trades
from .profiles import ProfilesFile
from .rows import FileOptions
from .staging import (
    NotYetChecked,
    StagedTrades,
    UnknownTradeImport,
    book_trades,
    check_trades,
    confirm_trades,
    stage_trades,
    staged_trades,
)

__all__ = [
    "COLUMNS",
    "EXAMPLE",
    "FileOptions",
    "NotInAFile",
    "NotYetChecked",
    "ProfilesFile",
    "RowState",
    "SideSum",
    "StagedTrades",
    "TooManyTrades",
    "TradeRow",
    "TradesFound",
    "TradesRefused",
    "UnknownTradeImport",
    "book_trades",
    "check_trades",
    "confirm_trades",
    "export_trades",
    "import_trades",
    "preview_trades",
    "refusals_table",
    "stage_trades",
    "staged_trades",
]
