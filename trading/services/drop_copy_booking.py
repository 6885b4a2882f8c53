"""The one place where executions of a drop copy meet the book: capture and the life of a trade."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from energyopti.accounts.actors import Actor
from trading.models import CaptureBasis, Trade
from trading.queries.books import UnknownBook
from trading.queries.drop_copy_matching import LEG_MARK, MatchedFill, Unmatched
from trading.queries.proposals import TradeInvalid, UnknownCounterparty, propose

from .capture import ReferenceReused
from .capture_many import NewDeal, weigh_deals, write_deals
from .life import TransitionForbidden
from .lifecycle import cancel_trade, correct_trade

_REFUSALS = (TradeInvalid, UnknownBook, UnknownCounterparty, ReferenceReused)


class ToDoByHand(ValueError):
    """Raised for what no verb may do here; the message says what a person is to do."""


def book(*, actor: Actor, fill: MatchedFill, received_at: datetime) -> str:
    """
    Book an execution and return the trade's reference; the same one again is the same trade.

    :raises Unmatched: for what the book cannot hold.
    """
    (said,) = book_fills(actor=actor, fills=[fill], received_at=received_at)
    if isinstance(said, Unmatched):
        raise said
    return said


def book_fills(
    *, actor: Actor, fills: Sequence[MatchedFill], received_at: datetime
) -> list[str | Unmatched]:
    """Book executions together, and return of each the trade's reference, or what is in the way."""
    if not fills:
        return []
    deals = [
        NewDeal(
            fill.deal, CaptureBasis.FILL, fill.book_id, fill.counterparty_id, fill.traded_at,
            text=fill.text, source=fill.source, external_id=fill.external_id,
        )
        for fill in fills
    ]  # fmt: skip
    # The venue's clock may be a moment ahead of ours; that makes no execution untrue.
    by = max(received_at, *(fill.traded_at for fill in fills))
    with transaction.atomic():
        weighed = weigh_deals(actor=actor, deals=deals, received_at=by)
        receipts = iter(write_deals(actor=actor, weighed=weighed))
    return [
        next(receipts).ref if one.refusal is None else Unmatched(0, f"{one.refusal}")
        for one in weighed
    ]


def book_package(*, actor: Actor, fills: Sequence[MatchedFill], received_at: datetime) -> list[str]:
    """
    Book the legs of one report, all or none, and return the trades' references.

    :raises Unmatched: for what the book cannot hold, naming the leg.
    """
    with transaction.atomic():
        said = book_fills(actor=actor, fills=fills, received_at=received_at)
        for number, answer in enumerate(said, start=1):
            if isinstance(answer, Unmatched):
                raise Unmatched(answer.tag, f"leg {number}: {answer.rule}")
    return [answer for answer in said if isinstance(answer, str)]


def examine(*, actor: Actor, fill: MatchedFill, received_at: datetime) -> None:
    """
    See whether `book` would book, without booking.

    :raises Unmatched: as `book`.
    """
    try:
        propose(
            actor=actor,
            deal=fill.deal,
            book_id=fill.book_id,
            counterparty_id=fill.counterparty_id,
            traded_at=fill.traded_at,
            received_at=max(received_at, fill.traded_at),
            is_fact=True,
        )
    except _REFUSALS as error:
        raise Unmatched(0, f"{error}") from error


def cancel(*, actor: Actor, trade_ref: str, exec_id: str, received_at: datetime) -> None:
    """
    Take a trade out whose execution the venue has taken back; of several legs all of them.

    :raises ToDoByHand: if the life of one has gone on too far for that.
    """
    for trade in _made_with(Trade.objects.get(ref=trade_ref)):
        try:
            cancel_trade(
                actor=actor,
                ref=trade.ref,
                expected_version=trade.latest_version,
                received_at=received_at,
                reason=f"The venue took the execution back ({exec_id[:120]}).",
            )
        except (TransitionForbidden, TradeInvalid) as error:
            raise ToDoByHand(
                f"{exec_id[:120]} cancels {trade.ref}, which cannot be done here: {error}"
            ) from error


def _made_with(trade: Trade) -> list[Trade]:
    """Return the trades of one report: the one, or one for each of its legs."""
    name, mark, _ = trade.external_id.rpartition(LEG_MARK)
    if not mark or not trade.package_id:
        return [trade]
    legs = Trade.objects.filter(
        organization_id=trade.organization_id, source=trade.source, package_id=trade.package_id,
        external_id__startswith=name + LEG_MARK,
    )  # fmt: skip
    return list(legs.order_by("id"))


def correct(
    *, actor: Actor, trade_ref: str, exec_id: str, fill: MatchedFill, received_at: datetime
) -> None:
    """
    Give a trade the terms to which the venue has corrected its execution.

    :raises ToDoByHand: if the correction moves it to another book or counterparty, or its life
        has gone on too far.
    """
    trade = Trade.objects.select_related("book", "counterparty").get(ref=trade_ref)
    about = f"{exec_id[:120]} corrects {trade_ref}"
    if len(_made_with(trade)) > 1:
        raise ToDoByHand(f"{about}, one of several legs: change them on their pages.")
    if trade.book_id != fill.book_id:
        raise ToDoByHand(f"{about} into book {fill.book_code}; it is in {trade.book.code}.")
    if trade.counterparty_id != fill.counterparty_id:
        raise ToDoByHand(f"{about} to another counterparty than {trade.counterparty.code}.")
    try:
        correct_trade(
            actor=actor,
            ref=trade_ref,
            expected_version=trade.latest_version,
            deal=fill.deal,
            received_at=received_at,
            reason=f"The venue corrected the execution ({exec_id[:120]}).",
            text=fill.text,
        )
    except (TransitionForbidden, TradeInvalid) as error:
        raise ToDoByHand(f"{about}, which cannot be done here: {error}") from error
