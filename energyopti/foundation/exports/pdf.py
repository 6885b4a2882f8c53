"""PDF pages for people: title, filters, as-of, numbered pages. WeasyPrint draws; it needs pango."""

import html
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from .tables import ExportError, Kind, Table

MAX_ROWS = 5000
_READ = 64 * 1024

_STYLE = """
@page { size: A4 landscape; margin: 18mm 12mm 16mm;
  @bottom-left { content: string(title); font: 8pt sans-serif; color: #444 }
  @bottom-right { content: "Page " counter(page) " of " counter(pages);
                  font: 8pt sans-serif; color: #444 } }
body { font: 8.5pt sans-serif; color: #111 }
h1 { font-size: 15pt; margin: 0 0 2mm; string-set: title content() }
dl { margin: 0 0 4mm; font-size: 8pt } dt, dd { display: inline; margin: 0 }
dt { color: #444 } dt::after { content: ": " } dd::after { content: "   "; white-space: pre }
table { border-collapse: collapse; width: 100% }
thead { display: table-header-group } tr { break-inside: avoid }
th, td { padding: 1mm 2mm; text-align: left; border-bottom: .2mm solid #ccc;
         overflow-wrap: anywhere }
th { border-bottom: .4mm solid #333 }
.right { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
"""


class PdfUnavailable(RuntimeError):
    """This machine lacks the library that draws text."""


def write_pdf(table: Table) -> Iterator[bytes]:
    """
    Yield the document in pieces.

    A table of more than 5,000 rows is refused: nobody reads it, and the layout is held in memory.

    :raises PdfUnavailable: where pango is missing.
    :raises ExportError: for a table that is too long for paper.
    """
    pdf = render_pdf(page_of(table))
    for start in range(0, len(pdf), _READ):
        yield pdf[start : start + _READ]


def render_pdf(page: str) -> bytes:
    """
    Draw an HTML document of ours as PDF; it fetches nothing.

    :raises PdfUnavailable: where pango is missing.
    """
    try:
        from weasyprint import HTML
    except OSError as error:  # cffi's dlopen: libpango-1.0-0 is not installed
        raise PdfUnavailable("PDF needs pango; other formats work.") from error
    pdf: bytes = HTML(string=page, url_fetcher=_no_fetching).write_pdf()
    return pdf


def _no_fetching(url: str, *_: Any, **__: Any) -> Any:
    raise ValueError(f"a table fetches nothing, and not {url[:60]}")


def page_of(table: Table) -> str:
    """Return the document as HTML, every value escaped."""
    zone = table.zone
    about = dict(table.filters)
    if table.as_of is not None:
        shown = table.as_of.astimezone(zone).strftime("%Y-%m-%d %H:%M")
        about = {"As of": f"{shown} ({table.time_zone})", **about}
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        f"<title>{_safe(table.title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{_safe(table.title)}</h1><dl>",
        *(f"<dt>{_safe(name)}</dt><dd>{_safe(value)}</dd>" for name, value in about.items()),
        "</dl><table><thead><tr>",
        *(f'<th class="{_class(c.alignment)}">{_safe(c.heading)}</th>' for c in table.columns),
        "</tr></thead><tbody>",
    ]
    classes = [_class(column.alignment) for column in table.columns]
    for number, row in enumerate(table.values(), start=1):
        if number > MAX_ROWS:
            raise ExportError(
                f"{table.title}: more than {MAX_ROWS:,} rows; narrow the filter, or take xlsx."
            )
        cells = (
            f'<td class="{name}">{_safe(_shown(value, column.kind, zone))}</td>'
            for name, value, column in zip(classes, row, table.columns, strict=True)
        )
        parts.append(f"<tr>{''.join(cells)}</tr>")
    parts.append("</tbody></table></body></html>")
    return "".join(parts)


def _class(alignment: str) -> str:
    return "right" if alignment == "right" else "left"


def _safe(text: str) -> str:
    return html.escape("".join(c for c in text if c >= " " or c in "\t\n"))


def _shown(value: Any, kind: Kind, zone: ZoneInfo) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(zone).strftime("%Y-%m-%d %H:%M %Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal | int):
        return f"{value:,}" if kind is Kind.INTEGER else f"{value:,f}"
    return str(value)
