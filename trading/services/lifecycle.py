"""
What happens to a trade after it was captured.

Every verb takes the version that its caller has seen (`expected_version`): if another one holds
by then nothing is changed, and `StaleVersion` carries both. The sides of an internal deal change
together. What has been agreed is never overwritten: each verb adds a version.
"""

from __future__ import annotations

from datetime import datetime

from energyopti.accounts.actors import Actor
from energyopti.foundation.proposals.services import SecondPersonNeeded
from trading.checks import CheckResult, Proposal, run_checks
from trading.deals import Deal
from trading.models import (
    CaptureBasis,
    TradeEvent,
    TradeStatus,
)
from trading.queries.deals import deal_of, proposed_deal_of
from trading.queries.positions import proposed_positions
from trading.queries.proposals import TradeInvalid

from .capture import Receipt
from .life import (
    authors,
    check_words,
    judged,
    needs_second_person,
)
from .trade_sides import Side, add, change, need_reason, proposal_of, side_of
from .trade_versions import Terms


def submit_draft(
    *,
    actor: Actor,
    ref: str,
    expected_version: int,
    received_at: datetime,
    reason: str = "",
    override_reason: str = "",
    ask_override: bool = False,
) -> Receipt:
    """
    Put a draft before the checks: it goes live, or waits for a second person.

    ask_override    keep an order that a check stops, waiting for somebody who may let it pass

    :raises PermissionMissing: without `trading.capture_trade`.
    :raises UnknownTrade, StaleVersion, TransitionForbidden: as every verb here.
    :raises TradeInvalid, TradeStopped, ReasonNeeded: as `capture_order`.
    """
    actor.require("trading.capture_trade")
    check_words(reason=reason)

    def submit(side: Side, _: int) -> Receipt:
        proposal = proposal_of(actor, side, deal_of(side.held), received_at)
        results = run_checks(proposal)
        if ask_override and not override_reason:
            if not reason.strip():
                raise TradeInvalid("reason", "say why it should pass.")
            checks, waits = [result.as_json() for result in results], True
        else:
            checks = judged(results, actor=actor, reason=reason, override_reason=override_reason)
            waits = needs_second_person(side.path, proposal.reported_notional)
        status = TradeStatus.PENDING if waits else TradeStatus.LIVE
        return add(
            side, TradeEvent.SUBMIT, status, actor, received_at, reason=reason, checks=checks,
            results=results,
            positions=proposed_positions(proposal.deltas, proposal.market_ids),
        )  # fmt: skip

    return change(actor, ref, expected_version, TradeEvent.SUBMIT, submit)


def release_trade(
    *,
    actor: Actor,
    ref: str,
    expected_version: int,
    received_at: datetime,
    reason: str = "",
    override_reason: str = "",
) -> Receipt:
    """
    Let a pending trade go live, as another person than those who made its terms.

    The checks are asked again; what they stop needs an override or a lower position first.

    :raises PermissionMissing: without `trading.release_trade`.
    :raises SecondPersonNeeded: for one of its authors.
    :raises UnknownTrade, StaleVersion, TransitionForbidden, TradeStopped, ReasonNeeded: as above.
    """
    actor.require("trading.release_trade")
    check_words(reason=reason)

    def release(side: Side, _: int) -> Receipt:
        if actor.id in authors(side.trade):
            raise SecondPersonNeeded(
                f"trade: {side.trade.ref} waits for another person than who captured it."
            )
        proposal = proposal_of(actor, side, deal_of(side.held), received_at, level="view")
        results = run_checks(proposal)
        # A reason that was given for soft findings at capture holds on.
        checks = judged(
            results, actor=actor, reason=reason or side.held.reason,
            override_reason=override_reason,
        )  # fmt: skip
        return add(
            side, TradeEvent.RELEASE, TradeStatus.LIVE, actor, received_at, reason=reason,
            checks=checks, results=results,
        )  # fmt: skip

    return change(actor, ref, expected_version, TradeEvent.RELEASE, release, level="view")


def reject_trade(
    *, actor: Actor, ref: str, expected_version: int, received_at: datetime, reason: str
) -> Receipt:
    """
    Send a pending trade back as a draft, and free what it reserved.

    :raises PermissionMissing: without `trading.release_trade`.
    :raises TradeInvalid: without a reason.
    :raises UnknownTrade, StaleVersion, TransitionForbidden: as above.
    """
    actor.require("trading.release_trade")
    need_reason(reason)

    def reject(side: Side, _: int) -> Receipt:
        return add(
            side, TradeEvent.REJECT, TradeStatus.DRAFT, actor, received_at, reason=reason,
            positions=(),
        )  # fmt: skip

    return change(actor, ref, expected_version, TradeEvent.REJECT, reject, level="view")


def amend_trade(
    *,
    actor: Actor,
    ref: str,
    expected_version: int,
    deal: Deal,
    received_at: datetime,
    reason: str,
    effective_at: datetime | None = None,
    text: str = "",
    override_reason: str = "",
) -> Receipt:
    """
    Give a trade new terms that both sides have agreed on; the checks see the difference.

    Where the new notional of a live order reaches the book's threshold for four eyes, the
    amendment waits: what it adds is reserved, and the old terms hold until `approve_amendment`.

    effective_at    from when the terms hold between the parties; when they were received, if it
                    is left out

    :raises PermissionMissing: without `trading.amend_trade`.
    :raises TradeInvalid: naming the field, the reason among them.
    :raises TradeStopped, ReasonNeeded: by the checks.
    :raises UnknownTrade, StaleVersion, TransitionForbidden: as above.
    """
    actor.require("trading.amend_trade")
    need_reason(reason)
    check_words(text=text)

    def amend(side: Side, number: int) -> Receipt:
        proposal = proposal_of(actor, side, side_of(deal, side, number), received_at)
        terms = Terms.of(proposal)
        status = TradeStatus(side.trade.status)
        results: tuple[CheckResult, ...] = ()
        checks: list[dict[str, object]] = []
        if status is TradeStatus.LIVE:
            results = run_checks(proposal)
            checks = judged(results, actor=actor, reason=reason, override_reason=override_reason)
            if _waits(side, proposal):
                return add(
                    side, TradeEvent.PROPOSE, status, actor, effective_at or received_at,
                    reason=reason, text=text, proposed=terms, checks=checks, results=results,
                )  # fmt: skip
        return add(
            side, TradeEvent.AMEND, status, actor, effective_at or received_at, reason=reason,
            text=text, terms=terms, checks=checks, results=results,
        )  # fmt: skip

    return change(actor, ref, expected_version, TradeEvent.AMEND, amend)


def approve_amendment(
    *,
    actor: Actor,
    ref: str,
    expected_version: int,
    received_at: datetime,
    reason: str = "",
    override_reason: str = "",
) -> Receipt:
    """
    Give a trade the terms that wait for a second person, as another than who proposed them.

    The checks are asked again; a reason that was given for the amendment holds on.

    :raises PermissionMissing: without `trading.release_trade`.
    :raises SecondPersonNeeded: for who proposed it.
    :raises UnknownTrade, StaleVersion, TransitionForbidden, TradeStopped, ReasonNeeded: as above.
    """
    actor.require("trading.release_trade")
    check_words(reason=reason)

    def approve(side: Side, _: int) -> Receipt:
        held = side.held
        if actor.id == held.captured_by:
            raise SecondPersonNeeded(
                f"trade: {side.trade.ref} waits for another person than who proposed the amendment."
            )
        proposal = proposal_of(actor, side, proposed_deal_of(held), received_at, level="view")
        results = run_checks(proposal)
        checks = judged(
            results, actor=actor, reason=reason or held.reason, override_reason=override_reason
        )
        return add(
            side, TradeEvent.APPROVE, TradeStatus.LIVE, actor, held.effective_at,
            reason=reason or held.reason, text=held.text, terms=Terms.of(proposal), checks=checks,
            results=results,
            payload={"proposed_by": held.captured_by, "proposed_version": held.version},
        )  # fmt: skip

    return change(actor, ref, expected_version, TradeEvent.APPROVE, approve, level="view")


def decline_amendment(
    *, actor: Actor, ref: str, expected_version: int, received_at: datetime, reason: str
) -> Receipt:
    """
    Refuse an amendment that waits, or withdraw one's own: the old terms hold on, and what it
    had reserved is free.

    :raises PermissionMissing: without `trading.release_trade`, or, of one's own, without
        `trading.amend_trade`.
    :raises TradeInvalid: without a reason.
    :raises UnknownTrade, StaleVersion, TransitionForbidden: as above.
    """
    need_reason(reason)

    def decline(side: Side, _: int) -> Receipt:
        is_own = actor.id == side.held.captured_by
        actor.require("trading.amend_trade" if is_own else "trading.release_trade")
        return add(
            side, TradeEvent.DECLINE, TradeStatus.LIVE, actor, received_at, reason=reason,
            payload={
                "proposed_by": side.held.captured_by, "proposed_version": side.held.version,
            },
        )  # fmt: skip

    return change(actor, ref, expected_version, TradeEvent.DECLINE, decline, level="view")


def correct_trade(
    *,
    actor: Actor,
    ref: str,
    expected_version: int,
    deal: Deal,
    received_at: datetime,
    reason: str,
    text: str = "",
) -> Receipt:
    """
    Put right what was captured wrong: the terms held from the start. A fact, so checks are
    recorded and stop nothing.

    :raises PermissionMissing: without `trading.amend_trade`.
    :raises TradeInvalid: naming the field, the reason among them.
    :raises UnknownTrade, StaleVersion, TransitionForbidden: as above.
    """
    actor.require("trading.amend_trade")
    need_reason(reason)
    check_words(text=text)

    def correct(side: Side, number: int) -> Receipt:
        proposal = proposal_of(actor, side, side_of(deal, side, number), received_at, is_fact=True)
        results = run_checks(proposal)
        return add(
            side, TradeEvent.CORRECT, TradeStatus(side.trade.status), actor, side.held.traded_at,
            reason=reason, text=text, terms=Terms.of(proposal), results=results,
            checks=[result.as_json() for result in results],
        )  # fmt: skip

    return change(actor, ref, expected_version, TradeEvent.CORRECT, correct)


def cancel_trade(
    *, actor: Actor, ref: str, expected_version: int, received_at: datetime, reason: str
) -> Receipt:
    """
    Take a trade out as if it had never been: its positions go to zero. A fact.

    :raises PermissionMissing: without `trading.cancel_trade`.
    :raises TradeInvalid: without a reason.
    :raises UnknownTrade, StaleVersion, TransitionForbidden: as above.
    """
    actor.require("trading.cancel_trade")
    need_reason(reason)

    def cancel(side: Side, _: int) -> Receipt:
        return add(
            side, TradeEvent.CANCEL, TradeStatus.CANCELLED, actor, received_at, reason=reason,
            positions=(),
        )  # fmt: skip

    return change(actor, ref, expected_version, TradeEvent.CANCEL, cancel)


def _waits(side: Side, proposal: Proposal) -> bool:
    """Say whether new terms wait for a second person: in one of the books, so in all."""
    return side.trade.basis == CaptureBasis.ORDER and any(
        needs_second_person(path, proposal.reported_notional) for path in side.paths
    )
