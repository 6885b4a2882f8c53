"""From an execution in a venue's words to a deal in ours: product, period, book, counterparty."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Context, Decimal, Inexact
from functools import cached_property
from uuid import UUID

from trading.deals import (
    Deal,
    DealError,
    DeliveryArea,
    Direction,
    Fee,
    FeeBasis,
    FeeKind,
    Frequency,
    Lot,
    PriceIndex,
    Volume,
    financial_forward,
    future,
    physical_forward,
)
from trading.markets.fix import (
    Execution,
    FixError,
    PeriodRule,
    delivery_period,
    leg_executions,
)
from trading.models import (
    Book,
    DropCopyAccount,
    DropCopyProduct,
    DropCopyProductKind,
    DropCopyVenue,
    Market,
)

from .areas import delivery_areas, index_of

REFERENCE_LENGTH = 80
# Between what names a report and the number of its leg.
LEG_MARK = "#"
_EXACT = Context(prec=80, traps=[Inexact])
# PartyRole (452) of FIX 4.4.
_CONTRA_FIRM, _CLEARING_ORGANIZATION, _INTER_DEALER_BROKER = 17, 21, 30
# A fault of the deal, by the field of the report that says it.
_TAGS = {
    "price": 31, "quantity": 32, "lots": 32, "volume": 32, "lot_size": 32, "unit": 32,
    "period": 200, "mic": 30, "clearing_account": 1, "fee": 12, "fee_currency": 479, "currency": 15,
}  # fmt: skip


class Unmatched(ValueError):
    """Raised for a report that cannot be booked as it is; `tag` and `rule` say why."""

    def __init__(self, tag: int, rule: str) -> None:
        self.tag = tag
        self.rule = rule
        super().__init__(f"tag {tag}: {rule}" if tag else rule)


@dataclass(frozen=True, slots=True)
class MatchedFill:
    """
    An execution as a deal that can be booked.

    source, external_id     the venue, and what it names the execution: once in the organization
    """

    deal: Deal
    book_id: UUID
    book_code: str
    counterparty_id: UUID
    traded_at: datetime
    source: str
    external_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a person says of one report in place of the venue's mappings; None leaves it to them."""

    book_id: UUID | None = None
    counterparty_id: UUID | None = None
    product_id: int | None = None


@dataclass
class VenueWords:
    """The mappings of a venue, read once for all reports that are matched by them."""

    venue: DropCopyVenue

    @cached_property
    def products(self) -> list[DropCopyProduct]:
        return list(self.venue.products.select_related("market", "index__market"))

    @cached_property
    def accounts(self) -> dict[str, DropCopyAccount]:
        return {row.account: row for row in self.venue.accounts.select_related("book")}

    @cached_property
    def parties(self) -> dict[str, UUID]:
        return dict(self.venue.parties.values_list("party_id", "counterparty_id"))

    @cached_property
    def areas(self) -> dict[str, DeliveryArea]:
        markets = {product.market.code for product in self.products}
        markets |= {product.index.market.code for product in self.products if product.index}
        return dict(delivery_areas(sorted(markets)))


def match_execution(
    words: VenueWords, execution: Execution, assigned: Assignment | None = None
) -> MatchedFill:
    """
    Find what a report means by the mappings of its venue, and by what a person assigned.

    :raises Unmatched: naming the tag and the rule: what is not mapped, or makes no deal.
    """
    venue, said = words.venue, assigned or Assignment()
    if execution.legs:
        raise Unmatched(
            555,
            f"{len(execution.legs)} legs (NoLegs) in one report: say by `multileg` of the venue"
            " whether they are a package, or come as reports of their own (442=2).",
        )
    product = next((p for p in words.products if p.pk == said.product_id), None)
    if product is None:
        product = _product(words, execution)
    account = _account(words, execution, said.book_id)
    counterparty_id = said.counterparty_id or _counterparty(words, execution, product)
    try:
        deal = _deal(words, execution, product, account)
    except FixError as error:
        raise Unmatched(error.tag, error.rule) from error
    except DealError as error:
        raise Unmatched(_TAGS.get(error.field, 55), f"{error.field}: {error.rule}") from error
    return MatchedFill(
        deal=deal,
        book_id=account.book_id,
        book_code=account.book.code,
        counterparty_id=counterparty_id,
        traded_at=execution.transacted_at,
        source=f"fix:{venue.code}",
        external_id=external_id(execution),
        text=f"{venue.code} {execution.exec_id} {execution.instrument.symbol}"[:300],
    )


def match_legs(words: VenueWords, execution: Execution) -> list[MatchedFill]:
    """
    Find what each leg of a report means, as the deals of one package.

    :raises Unmatched: naming the leg, the tag and the rule.
    """
    name = external_id(execution)
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    found = []
    try:
        legs = leg_executions(execution)
    except FixError as error:
        raise Unmatched(error.tag, error.rule) from error
    for number, leg in enumerate(legs, start=1):
        try:
            fill = match_execution(words, leg)
        except Unmatched as error:
            raise Unmatched(error.tag, f"leg {number}: {error.rule}") from error
        # The venue's own code may be longer than a package's name, and hold other characters.
        package_id = f"{execution.trade_date:%Y%m%d}-{digest}"
        found.append(
            replace(
                fill,
                deal=replace(fill.deal, package_id=package_id),
                external_id=f"{name[: REFERENCE_LENGTH - 4]}{LEG_MARK}{number}",
            )
        )
    return found


def external_id(execution: Execution) -> str:
    """Return what names an execution at its venue: the day and ExecID (17), or its hash."""
    name = f"{execution.trade_date:%Y%m%d}:"
    if len(name) + len(execution.exec_id) <= REFERENCE_LENGTH:
        return name + execution.exec_id
    return name + "sha-" + hashlib.sha256(execution.exec_id.encode()).hexdigest()[:40]


def _product(words: VenueWords, execution: Execution) -> DropCopyProduct:
    venue = words.venue
    named = execution.instrument
    if not named.symbol and not named.security_id:
        raise Unmatched(55, "neither Symbol nor SecurityID (48) says what was traded.")
    found = [
        product
        for product in words.products
        if product.symbol in ("", named.symbol)
        and product.security_id in ("", named.security_id)
        and named.cfi.startswith(product.cfi)
    ]
    asked = f"Symbol “{named.symbol}”, SecurityID “{named.security_id}”, CFICode “{named.cfi}”"
    if not found:
        raise Unmatched(55, f"{asked}: no product is mapped to this at {venue.code}.")

    def says(product: DropCopyProduct) -> tuple[int, int]:
        return bool(product.symbol) + bool(product.security_id), len(product.cfi)

    best = max(map(says, found))
    holding = [product for product in found if says(product) == best]
    if len(holding) > 1:
        raise Unmatched(55, f"{asked}: {len(holding)} products are mapped to this.")
    return holding[0]


def _account(words: VenueWords, execution: Execution, book_id: UUID | None) -> DropCopyAccount:
    code = words.venue.code
    account = words.accounts.get(execution.account) if execution.account else None
    if book_id is not None:
        book = Book.objects.filter(pk=book_id, organization_id=words.venue.organization_id).first()
        if book is None:
            raise Unmatched(1, "there is no such book in the venue's organization.")
        clearing = account.clearing_account if account else ""
        return DropCopyAccount(
            venue=words.venue, account=execution.account, book=book, clearing_account=clearing
        )
    if account is None:
        said = f"“{execution.account}” is mapped to no book" if execution.account else "is missing"
        raise Unmatched(1, f"Account {said} at {code}.")
    return account


def _counterparty(words: VenueWords, execution: Execution, product: DropCopyProduct) -> UUID:
    """A cleared deal is with the clearing house; any other with the contra firm if it is named."""
    venue = words.venue
    is_cleared = product.product_kind == DropCopyProductKind.FUTURE
    roles = (_CLEARING_ORGANIZATION,) if is_cleared else (_CONTRA_FIRM, _CLEARING_ORGANIZATION)
    for role in roles:
        for party in execution.parties:
            if party.role != role:
                continue
            mapped = words.parties.get(party.id)
            if mapped is None and not (is_cleared and venue.clearing_house_id):
                raise Unmatched(448, f"PartyID “{party.id}”, role {role}, is mapped to nobody.")
            if mapped is not None:
                return mapped
    if venue.clearing_house_id is None:
        raise Unmatched(453, f"names no counterparty, and {venue.code} has no clearing house.")
    return venue.clearing_house_id


def _deal(
    words: VenueWords,
    execution: Execution,
    product: DropCopyProduct,
    account: DropCopyAccount,
) -> Deal:
    if execution.quantity is None or execution.price is None:
        raise FixError(32 if execution.quantity is None else 31, "is missing.")
    scale = product.price_scale.normalize()
    if execution.currency and scale == 1 and execution.currency != product.currency:
        raise FixError(15, f"{execution.currency} was traded and {product.currency} is mapped.")
    area = _area(words, product.market)
    shared = {
        "side": execution.side,
        "area": area,
        "period": delivery_period(
            execution.instrument,
            rule=PeriodRule(product.period_rule),
            fixed=product.period,
            month_offset=product.month_offset,
        ),
        "price": _product_of(execution.price, scale),
        "shape": product.shape,
        "currency": product.currency,
        "fees": _fees(execution, product),
    }
    lot = Lot(product.lot_size.normalize(), product.lot_unit, Frequency(product.lot_frequency))
    if product.product_kind == DropCopyProductKind.FUTURE:
        return future(
            **shared,
            lots=_plain(execution.quantity),
            lot=lot,
            mic=execution.venue_mic or words.venue.mic,
            clearing_account=account.clearing_account or account.account,
            index=_index(words, product, area),
        )
    volume = Volume(_product_of(execution.quantity, lot.size), lot.unit, lot.frequency)
    if product.product_kind == DropCopyProductKind.PHYSICAL_FORWARD:
        return physical_forward(**shared, volume=volume)
    index = _index(words, product, area)
    if index is None:
        raise FixError(55, "a financial forward settles on an index, and none is mapped.")
    return financial_forward(**shared, volume=volume, index=index)


def _plain(value: Decimal) -> Decimal:
    """Return a number without trailing zeros and without an exponent: 10, not 1E+1 or 10.00."""
    return Decimal(f"{value.normalize(_EXACT):f}")


def _product_of(number: Decimal, size: Decimal) -> Decimal:
    return _plain(_EXACT.multiply(number, size))


def _index(words: VenueWords, product: DropCopyProduct, area: DeliveryArea) -> PriceIndex | None:
    row = product.index
    if row is None:
        return None
    return index_of(row, area if row.market_id == product.market_id else _area(words, row.market))


def _area(words: VenueWords, market: Market) -> DeliveryArea:
    return words.areas[market.code]


def _fees(execution: Execution, product: DropCopyProduct) -> tuple[Fee, ...]:
    broker = next((p.id for p in execution.parties if p.role == _INTER_DEALER_BROKER), "")
    per_unit = (
        FeeBasis.PER_LOT if product.product_kind == DropCopyProductKind.FUTURE else FeeBasis.FLAT
    )
    fees = []
    for charge in execution.charges:
        amount, basis = charge.amount, FeeBasis.FLAT
        if charge.basis == "UNIT":
            basis = per_unit
            if basis is FeeBasis.FLAT and execution.quantity is not None:
                amount = _product_of(amount, execution.quantity)
        fees.append(
            Fee(
                Direction.PAY if amount >= 0 else Direction.RECEIVE,
                FeeKind(charge.kind),
                _plain(abs(amount)),
                charge.currency or product.currency,
                basis,
                broker if charge.kind == "BROKER" else "",
            )
        )
    return tuple(fees)
