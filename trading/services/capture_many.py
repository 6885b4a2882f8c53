"""
Capture many new deals at once: what `capture` does one by one, with the tables asked once.

The locks of all books are taken first, the checks answer for each deal as if those before it
were booked, and rows are written in sets. Both ways leave the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice, pairwise
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.foundation.copying import copy_rows, next_ids
from energyopti.foundation.events.services import NewEvent, record_events
from trading.checks import (
    Change,
    CheckResult,
    NewTrade,
    Proposal,
    VersionStage,
    run_checks_of_many,
    run_steps_of_many,
)
from trading.deals import Deal, is_zero
from trading.models import CaptureBasis, Market, Stage, Trade, TradeEvent, TradeStatus, TradeVersion
from trading.queries.books import UnknownBook
from trading.queries.proposals import Answers, TradeInvalid, UnknownCounterparty, propose
from trading.queries.summaries import terms_summary

from .capture import Receipt, request_hash
from .legs import write_legs_of_many
from .life import (
    ReasonNeeded,
    ReferenceReused,
    TradeStopped,
    check_words,
    four_eyes_from,
    judged,
)
from .locks import server_time
from .positions import AddedPositions, add_positions
from .trade_versions import (
    EVENT_TYPES,
    Terms,
    event_payload,
    lock_books,
    scope_keys,
    version_row,
)

Progress = Callable[[str, int, int], None]
REFUSALS = (
    TradeInvalid, UnknownBook, UnknownCounterparty, TradeStopped, ReasonNeeded, ReferenceReused,
    PermissionMissing,
)  # fmt: skip
_A_FEW = 500


class CapturedMeanwhile(ValueError):
    """Somebody captured a deal under one of the references in this moment; nothing was written."""


@dataclass(frozen=True, slots=True)
class NewDeal:
    """
    A deal with what a person or a system wrote beside it, and where it goes.

    is_mirrored     the deal after it is the other book's side of this internal one
    """

    deal: Deal
    basis: CaptureBasis
    book_id: UUID
    counterparty_id: UUID
    traded_at: datetime
    reason: str = ""
    client_reference: str = ""
    tags: Sequence[str] = ()
    text: str = ""
    source: str = ""
    external_id: str = ""
    is_mirrored: bool = False

    def check(self) -> None:
        """
        Refuse words that cannot be kept.

        :raises TradeInvalid: naming the field.
        """
        check_words(
            reason=self.reason, client_reference=self.client_reference, tags=self.tags,
            text=self.text, source=self.source, external_id=self.external_id,
        )  # fmt: skip
        if self.external_id and not self.source:
            raise TradeInvalid("source", "an external id needs the source that gave it.")


@dataclass(slots=True)
class Weighed:
    """
    What would become of a deal.

    refusal     why it cannot be captured, None if it can
    earlier     the trade that came under its reference before, with the same terms
    status      LIVE, or PENDING where it waits for a second person
    checks      as they are kept with the trade
    """

    new: NewDeal
    proposal: Proposal | None = None
    summary: dict[str, Any] | None = None
    asked: str = ""
    refusal: Exception | None = None
    earlier: Receipt | None = None
    status: TradeStatus = TradeStatus.LIVE
    results: tuple[CheckResult, ...] = ()
    checks: Sequence[dict[str, object]] = ()

    @property
    def is_new(self) -> bool:
        return self.refusal is None and self.earlier is None


def weigh_deals(
    *,
    actor: Actor,
    deals: Sequence[NewDeal],
    received_at: datetime,
    progress: Progress = lambda *_: None,
) -> list[Weighed]:
    """
    Say of each deal what would become of it, in the caller's transaction, which may then write.

    Takes the locks of all limit scopes concerned. A deal counts in the checks of those after it,
    whatever became of it, so that what can be captured can be captured together.
    """
    answers = Answers()
    weighed = [Weighed(new) for new in deals]
    for done, one in enumerate(weighed):
        if done % _A_FEW == 0:
            progress("reading terms", done, len(weighed))
        try:
            _propose(actor, one, received_at, answers)
        except REFUSALS as refusal:
            one.refusal = refusal
    # Two requests with one reference meet at the unique key, not at a lock for each of them.
    asked_for = [one.proposal for one in weighed if one.proposal is not None]
    parties = {(p.trader, p.counterparty_id) for p in asked_for}
    lock_books(
        list({p.book_path for p in asked_for}),
        [key for each in parties for key in scope_keys(*each)],
    )
    _find_earlier(weighed)
    asked = [one for one in weighed if one.is_new]
    progress("checking", 0, len(asked))
    proposals = [one.proposal for one in asked if one.proposal is not None]
    for one, results in zip(asked, run_checks_of_many(proposals) if asked else (), strict=True):
        _judge(actor, one, results)
    _put_in_line([one for one in asked if one.is_new], answers)
    return weighed


def write_deals(
    *, actor: Actor, weighed: Sequence[Weighed], progress: Progress = lambda *_: None
) -> list[Receipt]:
    """
    Write the new ones of weighed deals, in the transaction that weighed them; return all receipts.

    :raises CapturedMeanwhile: if one of their references came up meanwhile.
    """
    new = [one for one in weighed if one.is_new]
    trade_ids = next_ids(Trade, len(new))
    now = server_time()
    progress("writing trades", 0, len(new))
    trades = [_trade(one, trade_id, now) for one, trade_id in zip(new, trade_ids, strict=True)]
    try:
        copy_rows(trades)
    except IntegrityError as error:
        raise CapturedMeanwhile(
            "A deal came under one of these references in this moment. Try again."
        ) from error
    versions = [_version(actor, one, trade, now) for one, trade in zip(new, trades, strict=True)]
    for version, version_id in zip(versions, next_ids(TradeVersion, len(versions)), strict=True):
        version.pk = version_id
    copy_rows(versions)
    _join_mirrors(new, trades)
    _write_terms(new, versions, progress)
    _tell(actor, new, versions, progress)
    receipts = iter(
        Receipt(v.trade.ref, v.trade_id, True, one.results, 1, v.status)
        for one, v in zip(new, versions, strict=True)
    )
    return [
        one.earlier or next(receipts) for one in weighed if one.is_new or one.earlier is not None
    ]


def _propose(actor: Actor, one: Weighed, received_at: datetime, answers: Answers) -> None:
    new = one.new
    is_order = new.basis is CaptureBasis.ORDER
    actor.require("trading.capture_trade" if is_order else "trading.book_fill")
    new.check()
    one.proposal = propose(
        actor=actor, deal=new.deal, book_id=new.book_id, counterparty_id=new.counterparty_id,
        traded_at=new.traded_at, received_at=received_at, client_reference=new.client_reference,
        is_fact=not is_order, answers=answers,
    )  # fmt: skip
    one.summary = terms_summary(new.deal, one.proposal.totals)
    one.asked = request_hash(new.basis, one.proposal, new.tags, one.summary)


def _find_earlier(weighed: Sequence[Weighed]) -> None:
    """Find the trades that stand under the same references already."""
    by_reference: dict[tuple[UUID, str], Trade] = {}
    by_external_id: dict[tuple[UUID, str, str], Trade] = {}
    known = [one for one in weighed if one.proposal is not None]
    organizations = {one.proposal.organization_id for one in known if one.proposal}
    trades = Trade.objects.filter(organization_id__in=organizations)
    for names in _batched((o.new.client_reference for o in known if o.new.client_reference), 5000):
        for trade in trades.filter(client_reference__in=names):
            by_reference[trade.organization_id, trade.client_reference] = trade
    for ids in _batched((one.new.external_id for one in known if one.new.external_id), 5000):
        for trade in trades.filter(external_id__in=ids):
            by_external_id[trade.organization_id, trade.source, trade.external_id] = trade
    for one in known:
        assert one.proposal is not None
        own, new = one.proposal.organization_id, one.new
        field, value = "external_id", new.external_id
        found = by_external_id.get((own, new.source, value)) if value else None
        if found is None and new.client_reference:
            field, value = "client_reference", new.client_reference
            found = by_reference.get((own, value))
        if found is None:
            continue
        if found.request_hash != one.asked:
            one.refusal = ReferenceReused(
                f"{field}: {value} is {found.ref}, which has other terms."
            )
        else:
            one.earlier = Receipt(
                found.ref, found.pk, False, (), found.latest_version, found.status
            )


def _judge(actor: Actor, one: Weighed, results: tuple[CheckResult, ...]) -> None:
    one.results = results
    one.checks = [result.as_json() for result in results]
    if one.new.basis is CaptureBasis.FILL:
        return
    try:
        one.checks = judged(results, actor=actor, reason=one.new.reason)
    except (TradeStopped, ReasonNeeded) as refusal:
        one.refusal = refusal


def _join_mirrors(new: Sequence[Weighed], trades: Sequence[Trade]) -> None:
    """Have both sides of each internal deal name the other; either names none until both stand."""
    pairs = [
        (one.pk, other.pk)
        for each, (one, other) in zip(new, pairwise(trades), strict=False)
        if each.new.is_mirrored
    ]
    if not pairs:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {Trade._meta.db_table} AS trade SET mirror_id = pair.other"  # noqa: S608
            " FROM unnest(%s::bigint[], %s::bigint[]) AS pair(one, other)"
            " WHERE trade.id = pair.one",
            [[*(a for a, _ in pairs), *(b for _, b in pairs)],
             [*(b for _, b in pairs), *(a for a, _ in pairs)]],
        )  # fmt: skip


def _put_in_line(new: Sequence[Weighed], answers: Answers) -> None:
    """Have orders wait that need a second person, with all of their package."""
    waiting: set[str] = set()
    for one in new:
        proposal = one.proposal
        assert proposal is not None
        if one.new.basis is CaptureBasis.FILL:
            continue
        path = proposal.book_path
        limit = answers.to(("four eyes", path), partial(four_eyes_from, path))
        notional = proposal.reported_notional
        if limit is not None and (notional is None or abs(notional) >= limit):
            one.status = TradeStatus.PENDING
            waiting.add(proposal.deal.package_id)
    for one in new:
        if one.new.deal.package_id in waiting - {""} and one.new.basis is CaptureBasis.ORDER:
            one.status = TradeStatus.PENDING


def _trade(one: Weighed, trade_id: int, now: datetime) -> Trade:
    proposal, new = one.proposal, one.new
    assert proposal is not None
    return Trade(
        id=trade_id,
        ref=f"T-{trade_id:08d}",
        organization_id=proposal.organization_id,
        book_id=proposal.book_id,
        counterparty_id=proposal.counterparty_id,
        trader=proposal.trader,
        status=one.status,
        basis=new.basis,
        product_kind=new.deal.kind.value,
        client_reference=new.client_reference,
        request_hash=one.asked,
        source=new.source,
        external_id=new.external_id,
        package_id=new.deal.package_id,
        tags=list(new.tags),
        recorded_at=now,
    )


def _version(actor: Actor, one: Weighed, trade: Trade, now: datetime) -> TradeVersion:
    assert one.proposal is not None and one.summary is not None
    return version_row(
        trade=trade,
        number=1,
        event=TradeEvent.CAPTURE,
        status=one.status,
        recorded_at=now,
        effective_at=one.new.traded_at,
        traded_at=one.new.traded_at,
        checks=one.checks,
        reason=one.new.reason,
        text=one.new.text,
        actor=actor,
        summary={**one.summary, "market_id": one.proposal.market_id},
    )


def _write_terms(
    new: Sequence[Weighed], versions: Sequence[TradeVersion], progress: Progress
) -> None:
    pairs = [(v, one.proposal) for one, v in zip(new, versions, strict=True) if one.proposal]
    progress("writing legs", 0, len(new))
    write_legs_of_many([(v, p.deal, p.market_ids) for v, p in pairs])
    progress("writing positions", 0, len(new))
    ids = {market_id for _, p in pairs for market_id in p.market_ids.values()}
    zones = {m.code: m.calendar.zone_key for m in Market.objects.filter(pk__in=ids)}
    add_positions(
        [
            AddedPositions(
                v, Stage.PENDING if v.status == TradeStatus.PENDING else Stage.LIVE,
                p.deltas, p.market_ids, zones,
            )
            for v, p in pairs
        ]
    )  # fmt: skip


def _tell(
    actor: Actor, new: Sequence[Weighed], versions: Sequence[TradeVersion], progress: Progress
) -> None:
    """Run the change steps, and write an event for each trade."""
    trades, events = [], []
    for one, version in zip(new, versions, strict=True):
        proposal, trade = one.proposal, version.trade
        assert proposal is not None
        change = Change(
            organization_id=trade.organization_id,
            book_path=proposal.book_path,
            currency=version.currency,
            trade_id=trade.pk,
            trade_ref=trade.ref,
            trader=trade.trader,
            counterparty_id=trade.counterparty_id,
            before=None,
            after=VersionStage(version.pk, version.status),
            is_fact=one.new.basis is CaptureBasis.FILL,
            results=one.results,
            actor=actor,
        )
        trades.append(NewTrade(change, proposal))
        terms = Terms(proposal.deal, (), proposal.market_id, proposal.market_ids)
        payload = event_payload(trade, version, terms, _moved(proposal), {})
        events.append(NewEvent(trade.ref, trade.organization_id, f"book:{trade.book_id}", payload))
    if not trades:
        return
    progress("adding up risk", 0, len(trades))
    run_steps_of_many(trades)
    progress("writing events", 0, len(trades))
    record_events(
        type=EVENT_TYPES[TradeEvent.CAPTURE], actor=actor, aggregate_type="trade", events=events
    )


def _moved(proposal: Proposal) -> int:
    return sum(not is_zero(delta) for delta in proposal.deltas)


def _batched(values: Iterable[str], size: int) -> Iterator[list[str]]:
    rest = iter(values)
    while batch := list(islice(rest, size)):
        yield batch
