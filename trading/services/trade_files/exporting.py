"""Trades as the files that an import reads: what goes out comes in again with the same terms."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, timedelta
from decimal import Decimal
from typing import Any

from energyopti.accounts.actors import Actor
from energyopti.foundation.money import Side
from trading import deals
from trading.deals import Deal, Frequency, Profile, period_name
from trading.models import TradeStatus, TradeVersion
from trading.queries.books import UnknownBook, books_for, subtree
from trading.queries.deals import deals_of
from trading.queries.terms import UNITS
from trading.queries.trades import trade_rows

from .columns import COLUMNS
from .profiles import PROFILE_COLUMNS

MAX_TRADES = 20_000
_A_BATCH = 1000


class TooManyTrades(ValueError):
    """More trades than a file takes."""


class NotInAFile(ValueError):
    """A trade whose terms have no columns; the message names it."""


def export_trades(*, actor: Actor, book: str = "") -> dict[str, bytes]:
    """
    Return the live trades of the actor's books as `trades.csv` and `profiles.csv`.

    An amended trade has the terms that hold now. The second side of an internal deal is in the
    row of the first. Rows keep their references: imported where these stand they change nothing.

    book    code of one book, with those below it; empty for all

    :raises UnknownBook: for one that the actor does not reach.
    :raises TooManyTrades: above 20,000.
    :raises NotInAFile: naming a trade that columns cannot say.
    """
    actor.require("trading.view_trade")
    rows = (
        trade_rows(actor)
        .filter(status=TradeStatus.LIVE)
        .select_related(
            "trade__mirror__book", "trade__mirror__counterparty", "book", "counterparty"
        )
    )
    if book:
        ids = [row.id for row in books_for(actor) if row.code.lower() == book.lower()]
        if not ids:
            raise UnknownBook(f"book: “{book}” is none that you reach.")
        rows = rows.filter(book_id__in={below for each in ids for below in subtree(each)})
    versions = list(rows.order_by("id")[: MAX_TRADES + 1])
    if len(versions) > MAX_TRADES:
        raise TooManyTrades(f"More than {MAX_TRADES:,} trades; take them out book by book.")
    written = {version.trade_id for version in versions}
    versions = [v for v in versions if not _is_second(v, written)]
    trades, profiles = _Lines(COLUMNS), _Lines(PROFILE_COLUMNS)
    for first in range(0, len(versions), _A_BATCH):
        batch = versions[first : first + _A_BATCH]
        for version, deal in zip(batch, deals_of(batch), strict=True):
            cells = _words_of(version, written) | cells_of(deal, version.trade.ref)
            trades.add(cells)
            if isinstance(deal.schedule.volume, Profile):
                reference = cells["client_reference"] or cells["external_id"]
                for line in _intervals(deal, reference):
                    profiles.add(line)
    return {"trades.csv": trades.content(), "profiles.csv": profiles.content()}


def _is_second(version: TradeVersion, written: set[int]) -> bool:
    mirror_id = version.trade.mirror_id
    return mirror_id is not None and mirror_id in written and mirror_id < version.trade_id


class _Lines:
    """A CSV file while it is written."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._text = io.StringIO()
        self._writer = csv.DictWriter(self._text, columns, restval="", lineterminator="\r\n")
        self._writer.writeheader()

    def add(self, cells: Mapping[str, str]) -> None:
        self._writer.writerow(cells)

    def content(self) -> bytes:
        return self._text.getvalue().encode()


def _words_of(version: TradeVersion, written: set[int]) -> dict[str, str]:
    trade = version.trade
    mirror = trade.mirror if trade.mirror_id in written else None
    reference = trade.client_reference
    if mirror is not None:
        reference = reference.removesuffix("/1")
    return {
        "basis": trade.basis,
        "book": version.book.code,
        "counterparty": version.counterparty.code,
        "counter_book": mirror.book.code if mirror is not None else "",
        "counter_counterparty": mirror.counterparty.code if mirror is not None else "",
        "traded_at": version.traded_at.astimezone(UTC).isoformat(),
        "client_reference": reference or ("" if trade.external_id else trade.ref),
        "source": trade.source,
        "external_id": trade.external_id,
        "package": trade.package_id,
        "tags": " ".join(trade.tags),
        "reason": version.reason,
    }


def cells_of(deal: Deal, ref: str = "") -> dict[str, str]:
    """
    Return the terms of a deal in the columns of a file.

    :raises NotInAFile: for fees of one kind twice, or in several currencies or bases.
    """
    schedule, volume = deal.schedule, deal.schedule.volume
    cells = {
        "product": deal.kind.value,
        "side": deal.side.value,
        "market": schedule.area.code,
        "period": period_name(schedule.period),
        "mic": deal.mic,
        "clearing_account": deal.clearing_account,
    }
    if not isinstance(volume, Profile):
        cells |= _size(deal, volume)
    cells |= _prices(deal)
    for delivery in deal.deliveries:
        if delivery.asset is not None:
            share = delivery.asset
            cells |= {
                "asset": share.asset_id, "installed_mw": _written(share.installed_mw),
                "contracted_mw": _written(share.contracted_mw),
            }  # fmt: skip
        if delivery.certificate is not None:
            terms = delivery.certificate
            cells |= {"vintage": str(terms.vintage or ""), "registry": terms.registry}
    cells |= _option(deal)
    return cells | _fees(deal, ref)


def _size(deal: Deal, volume: deals.Volume) -> dict[str, str]:
    area = deal.schedule.area
    shape = deal.schedule.shape.code
    size = {"quantity": _number(volume.quantity), "unit": ""}
    if volume.lots is not None:
        size = {"quantity": _number(volume.lots), "unit": "lots"}
    else:
        wanted = (volume.unit, Frequency(volume.frequency))
        size["unit"] = next(name for name, said in UNITS[area.commodity].items() if said == wanted)
    has_shape = deal.kind not in (
        deals.ProductKind.CERTIFICATE, deals.ProductKind.AS_GENERATED, deals.ProductKind.PPA,
    )  # fmt: skip
    return size | ({"shape": shape} if has_shape else {})


def _prices(deal: Deal) -> dict[str, str]:
    cells: dict[str, str] = {}
    if deal.fixed_legs:
        fixed = deal.fixed_legs[0]
        cells |= {"price": _number(fixed.price), "currency": fixed.currency}
    floating = deal.floating_legs
    if deal.kind is deals.ProductKind.BASIS_SWAP:
        bought = deals.Direction.RECEIVE if deal.side is Side.BUY else deals.Direction.PAY
        got = next(leg for leg in floating if leg.direction is bought)
        paid = next(leg for leg in floating if leg.direction is not bought)
        return cells | {
            "index": paid.index.code, "spread": _number(paid.spread),
            "receive_index": got.index.code,
        }  # fmt: skip
    if not floating or deal.kind is deals.ProductKind.FUTURE:
        return cells
    leg = floating[0]
    cells["index"] = leg.index.code
    if not deal.fixed_legs:
        cells |= {"spread": _number(leg.spread), "multiplier": _number(leg.multiplier)}
    return cells


def _option(deal: Deal) -> dict[str, str]:
    if deal.structures:
        return _structure(deal.structures[0])
    if not deal.options:
        return {}
    if deal.kind is deals.ProductKind.PPA:
        # The bounds of its price: the floor before the cap, each once.
        return {leg.option_type.value.lower(): _number(leg.strikes[0]) for leg in deal.options}
    leg = deal.options[0]
    return {
        "option_style": leg.style.value,
        "option_type": leg.option_type.value,
        "underlying": ";".join(index.code for index in leg.underlying),
        "strikes": ";".join(map(_written, leg.strikes)),
        "expiry": leg.expiry.isoformat(),
        "exercises": ";".join(instant.isoformat() for instant in leg.exercises),
        "premium": _written(leg.premium),
        "premium_currency": leg.premium_currency,
        "premium_date": leg.premium_date.isoformat() if leg.premium_date else "",
        "settlement": leg.settlement.value,
        **_spread(leg),
    }


def _spread(leg: deals.Option) -> dict[str, str]:
    if leg.ratio is None:
        return {}
    return {
        "ratio": _number(leg.ratio),
        "ratio_unit": leg.ratio_unit,
        "second_period": "" if leg.second_period is None else period_name(leg.second_period),
        "cost": _number(leg.cost) if leg.cost else "",
    }


def _structure(leg: deals.Structure) -> dict[str, str]:
    said = deals.terms_said(leg.terms)
    return {
        "structure": "; ".join(f"{name}={value}" for name, value in said.items() if value),
        "underlying": ";".join(index.code for index in leg.underlying),
        "premium": _written(leg.premium),
        "premium_date": leg.premium_date.isoformat() if leg.premium_date else "",
    }


def _fees(deal: Deal, ref: str) -> dict[str, str]:
    fees = deal.fees
    if not fees:
        return {}
    alike = {(fee.basis, fee.currency, fee.direction) for fee in fees}
    if len(alike) > 1 or len({fee.kind for fee in fees}) < len(fees):
        raise NotInAFile(f"{ref}: its fees differ in more than their kind.")
    basis, currency, direction = alike.pop()
    if direction is not deals.Direction.PAY or any(
        fee.payee for fee in fees if fee.kind is not deals.FeeKind.BROKER
    ):
        raise NotInAFile(f"{ref}: a rebate, or a payee other than the broker, has no column.")
    cells = {"fee_basis": basis.value, "fee_currency": currency}
    for fee in fees:
        cells[f"{fee.kind.value.lower()}_fee"] = _number(fee.amount)
        if fee.payee:
            cells["broker"] = fee.payee
    return cells


def _intervals(deal: Deal, reference: str) -> Iterator[dict[str, str]]:
    volume: Any = deal.schedule.volume
    start, step = deal.schedule.interval.start, timedelta(minutes=volume.minutes)
    for place, micro in enumerate(volume.micro_mw.tolist()):
        at = (start + place * step).astimezone(UTC)
        mw = _number(Decimal(micro).scaleb(-6))
        yield {"reference": reference, "start": at.isoformat(), "mw": mw}


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _written(value: Decimal) -> str:
    """Return a number with the zeros it was written with, which a leg's terms keep."""
    return f"{value:f}"
