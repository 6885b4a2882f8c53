"""Whether a book may deal in a product: its own list, or that of the nearest book above."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from trading.checks import CheckResult, Outcome, Proposal
from trading.models import ApprovedProduct, Book, Market, ProductKind

CHECK = "approved_product"
_NO_LIST = CheckResult(CHECK, Outcome.PASS, "No list of approved products holds for the book.")


def approved_list(book_path: tuple[UUID, ...]) -> list[ApprovedProduct]:
    """
    Return the lines that hold for a book, empty where nothing is restricted; one query.

    book_path   the book and its ancestors, the book first
    """
    lines: dict[UUID, list[ApprovedProduct]] = {}
    for line in (
        ApprovedProduct.objects.filter(book_id__in=book_path)
        .select_related("book", "commodity", "market")
        .order_by("commodity__code", "market__code", "product_kind")
    ):
        lines.setdefault(line.book_id, []).append(line)
    return next((lines[book_id] for book_id in book_path if book_id in lines), [])


def check_approved_product(proposal: Proposal) -> CheckResult:
    """Stop an order for a product that is not on the list that holds for its book."""
    lines = approved_list(proposal.book_path)
    if not lines:
        return _NO_LIST
    return _judged(proposal, lines, Market.objects.get(pk=proposal.market_id))


def check_approved_products(proposals: Sequence[Proposal]) -> list[CheckResult]:
    """Say of many deals what `check_approved_product` says of each; the lists are read once."""
    lists = {path: approved_list(path) for path in {p.book_path for p in proposals}}
    markets = Market.objects.in_bulk({p.market_id for p in proposals})
    return [
        _judged(p, lists[p.book_path], markets[p.market_id]) if lists[p.book_path] else _NO_LIST
        for p in proposals
    ]


def _judged(proposal: Proposal, lines: list[ApprovedProduct], market: Market) -> CheckResult:
    deal = proposal.deal
    period = deal.schedule.period
    kind = ProductKind(deal.kind.value)
    shape = deal.schedule.shape.code
    traded_date = market.calendar.date_of(proposal.traded_at)
    fitting = [
        line
        for line in lines
        if line.commodity_id == market.commodity_id
        and line.market_id in (None, market.pk)
        and line.product_kind in ("", kind)
        and (not line.load_shapes or shape in line.load_shapes)
    ]
    listed = lines[0].book
    if any(
        line.maximum_tenor_months is None
        or period.after <= months_later(traded_date, line.maximum_tenor_months)
        for line in fitting
    ):
        return CheckResult(CHECK, Outcome.PASS, f"On the list of book {listed.code}.")
    book = Book.objects.get(pk=proposal.book_id)
    product = f"{kind.label.lower()} {market.code} {shape.lower()}"
    whose = "its list" if listed.pk == book.pk else f"the list of {listed.code} above it"
    if not fitting:
        return CheckResult(
            CHECK, Outcome.HARD, f"Book {book.code} may not deal in {product}: {whose} lacks it."
        )
    tenor = max(line.maximum_tenor_months or 0 for line in fitting)
    return CheckResult(
        CHECK,
        Outcome.HARD,
        f"Book {book.code} may deal in {product} for delivery up to {tenor} months ahead by "
        f"{whose}; this ends on {period.after}.",
        before=0,
        after=float(months_between(traded_date, period.after)),
        limit=float(tenor),
        unit="months",
    )


def months_later(day: date, months: int) -> date:
    """Return the date so many months on: the same day, or the month's last where it is shorter."""
    year, index = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        if last <= day.day:
            try:
                return date(year, index + 1, last)
            except ValueError:
                continue
    raise ValueError(f"{day} plus {months} months is outside the calendar")


def months_between(first: date, after: date) -> int:
    """Return the least number of months by which `after` is not later than `first`."""
    months = max(0, (after.year - first.year) * 12 + after.month - first.month)
    return months if months_later(first, months) >= after else months + 1
