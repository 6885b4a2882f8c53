"""Turn a page of ours into a PDF: nothing is fetched, and a missing library is a sentence."""

from typing import Any

from energyopti.foundation.exports.pdf import PdfUnavailable

__all__ = ["PdfUnavailable", "render_pdf"]


def render_pdf(html: str) -> bytes:
    """
    Draw an HTML document of ours as PDF.

    :raises PdfUnavailable: where the machine lacks pango, naming the package to install.
    """
    try:
        from weasyprint import HTML
    except OSError as error:  # the library loads pango with dlopen
        raise PdfUnavailable(
            "PDF needs pango: install the system package libpango-1.0-0 (with libpangoft2-1.0-0). "
            "The figures are kept, and other formats work."
        ) from error
    pdf: bytes = HTML(string=html, url_fetcher=_refuse).write_pdf()
    return pdf


def _refuse(url: str, *_: Any, **__: Any) -> Any:
    raise ValueError(f"a document fetches nothing, and not {url[:60]}")
