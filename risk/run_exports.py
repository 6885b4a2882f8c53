"""A risk run as files: components for programs and spreadsheets, columnar files, a PDF report."""

from collections.abc import Iterator
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string

from energyopti.foundation.api.refusals import Refusal
from energyopti.foundation.exports.pdf import PdfUnavailable, render_pdf
from energyopti.foundation.exports.responses import attachment, export_response
from energyopti.foundation.exports.tables import Column, Kind, Table
from risk.models import RiskRun, RiskRunOutcome
from risk.queries.run_results import DIMENSIONS
from risk.queries.runs import (
    all_components,
    components_in,
    numbers_of,
    outcome_of,
    scenarios_of,
    staleness_of,
)

PARQUET = "application/vnd.apache.parquet"
FORMATS = ("csv", "xlsx", "json", "parquet", "pdf")
# What the page offers: words, and the query of the export's address.
EXPORTS = (
    ("Risk report (PDF)", {"format": "pdf"}),
    ("Components (XLSX)", {"format": "xlsx"}),
    ("Components (CSV)", {"format": "csv"}),
    ("Components (Parquet)", {"format": "parquet"}),
    ("P&L of trades by scenario (Parquet)", {"format": "parquet", "table": "trades"}),
)
_REPORT_PARTS = 25
_TEXTS = (
    ("dimension", "Dimension"), ("key", "Key"), ("confidence", "Confidence"), ("trade", "Trade"),
)  # fmt: skip
_NAMES = (
    ("book", "Book"), ("commodity", "Commodity"), ("market", "Market"), ("month", "Month"),
    ("counterparty", "Counterparty"), ("trader", "Trader"),
)  # fmt: skip


def export_run(request: HttpRequest, run: RiskRun, format: str, table: str) -> HttpResponseBase:
    """
    Answer with a finished run as a download.

    format      csv, xlsx, json, parquet or pdf
    table       "components", or "trades" (with their P&L by scenario), which is Parquet only

    :raises UnknownRun: without results.
    :raises Refusal: 400 for another format or table, 503 where PDF lacks its library.
    """
    outcome = outcome_of(run)
    if format not in FORMATS:
        raise Refusal(
            f"Formats are {', '.join(FORMATS)}.", code="unknown_format", parameter="format"
        )
    if table not in ("components", "trades") or (table == "trades" and format != "parquet"):
        raise Refusal(
            "Tables are components, and trades as parquet.", code="unknown_table",
            parameter="table",
        )  # fmt: skip
    filename = f"risk-run-{run.book.code}-{run.snapshot.valued_at:%Y%m%d-%H%M}-{str(run.pk)[:8]}"
    if format == "parquet":
        stored = outcome.matrix if table == "trades" else outcome.components
        answer = FileResponse(stored.open("rb"), content_type=PARQUET)
        answer["Content-Disposition"] = attachment(f"{filename}-{table}.parquet")
        return _guarded(answer)
    if format == "pdf":
        try:
            pdf = render_pdf(report_page(run))
        except PdfUnavailable as error:
            raise Refusal(str(error), code="pdf_unavailable", status=503) from error
        answer = HttpResponse(pdf, content_type="application/pdf")
        answer["Content-Disposition"] = attachment(f"{filename}.pdf")
        return _guarded(answer)
    return export_response(request, component_table(run, outcome), format, filename)


def _guarded(answer: HttpResponseBase) -> HttpResponseBase:
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "no-store"
    return answer


def component_table(run: RiskRun, outcome: RiskRunOutcome) -> Table:
    """Return every component of a run as a table that is read while it is written."""
    money = outcome.currency
    return Table(
        title=f"Risk run of {run.book.code}",
        columns=[
            *(Column(key, label) for key, label in _TEXTS),
            Column("version", "Version", Kind.INTEGER),
            *(Column(key, label) for key, label in _NAMES),
            Column("energy_mwh", "Energy", Kind.DECIMAL, "MWh"),
            Column("value", "Value", Kind.DECIMAL, money),
            Column("component_var", "Component VaR", Kind.DECIMAL, money),
            Column("component_es", "Component ES", Kind.DECIMAL, money),
            Column("marginal_var", "Marginal VaR", Kind.DECIMAL, f"{money}/MWh"),
            Column("standalone_var", "Standalone VaR", Kind.DECIMAL, money),
            Column("standalone_es", "Standalone ES", Kind.DECIMAL, money),
            Column("incremental_var", "Incremental VaR", Kind.DECIMAL, money),
        ],
        rows=_rows(outcome),
        filters={
            "Run": str(run.pk),
            "Kind": run.get_kind_display(),
            **{
                f"VaR, ES at {n.percent}": (f"{n.var:.2f}, {n.es:.2f} {money}; {n.convention}")
                for n in numbers_of(outcome)
            },
            "Input hash": outcome.input_hash,
            "Result hash": outcome.result_hash,
        },
        as_of=run.snapshot.valued_at,
    )


def _rows(outcome: RiskRunOutcome) -> Iterator[dict[str, Any]]:
    for row in all_components(outcome):
        yield {name: getattr(row, name) for name in row.__slots__}


def report_page(run: RiskRun) -> str:
    """Return the risk report as an HTML document that is drawn as PDF."""
    outcome = outcome_of(run)
    numbers = numbers_of(outcome)
    highest = numbers[0].confidence
    parts = []
    for dimension in DIMENSIONS:
        rows = sorted(
            components_in(outcome, dimension, highest), key=lambda c: (-abs(c.component_var), c.key)
        )
        parts.append((dimension.capitalize(), rows[:_REPORT_PARTS], len(rows)))
    return render_to_string(
        "risk/run_report.html",
        {
            "run": run, "outcome": outcome, "numbers": numbers,
            "parts": parts, "scenarios": scenarios_of(run), "stale": staleness_of(run),
        },
    )  # fmt: skip
