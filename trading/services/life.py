"""
What may follow on what in a trade's life, and who has to agree.

A transition that is not in the table is refused, whoever asks.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from uuid import UUID

from energyopti.accounts.actors import Actor
from trading.checks import CheckResult, Outcome
from trading.models import Book, Trade, TradeEvent, TradeStatus, TradeVersion
from trading.queries.proposals import TradeInvalid

D, P, L = TradeStatus.DRAFT, TradeStatus.PENDING, TradeStatus.LIVE
N, T, M = TradeStatus.NOVATED, TradeStatus.TERMINATED, TradeStatus.MATURED
S, C = TradeStatus.SETTLED, TradeStatus.CANCELLED

# (status, event) → the statuses that may come of it.
TRANSITIONS: Mapping[tuple[str, str], frozenset[str]] = MappingProxyType(
    {
        (D, TradeEvent.AMEND): frozenset({D}),
        (D, TradeEvent.SUBMIT): frozenset({P, L}),
        (D, TradeEvent.CANCEL): frozenset({C}),
        (P, TradeEvent.RELEASE): frozenset({L}),
        (P, TradeEvent.REJECT): frozenset({D}),
        (P, TradeEvent.CANCEL): frozenset({C}),
        (L, TradeEvent.AMEND): frozenset({L}),
        (L, TradeEvent.PROPOSE): frozenset({L}),
        (L, TradeEvent.APPROVE): frozenset({L}),
        (L, TradeEvent.DECLINE): frozenset({L}),
        (L, TradeEvent.CORRECT): frozenset({L}),
        (L, TradeEvent.NOVATE): frozenset({N}),
        (L, TradeEvent.TERMINATE): frozenset({T}),
        (L, TradeEvent.CANCEL): frozenset({C}),
        (L, TradeEvent.EXERCISE): frozenset({M}),
        (L, TradeEvent.EXPIRE): frozenset({M}),
        (L, TradeEvent.MATURE): frozenset({M}),
        (L, TradeEvent.METER): frozenset({L}),
        (M, TradeEvent.METER): frozenset({M}),
        (N, TradeEvent.METER): frozenset({N}),
        (T, TradeEvent.METER): frozenset({T}),
        (M, TradeEvent.CORRECT): frozenset({M}),
        (M, TradeEvent.SETTLE): frozenset({S}),
        (N, TradeEvent.SETTLE): frozenset({S}),
        (T, TradeEvent.SETTLE): frozenset({S}),
    }
)
# While an amendment waits, nobody changes the terms that it is about; what corrects or takes out
# the trade, and the clock, go on and end the waiting. A meter's readings can wait, too.
_ENDS_WAITING = frozenset({TradeEvent.APPROVE, TradeEvent.DECLINE})
_WAITS_FOR = frozenset(
    {
        TradeEvent.AMEND, TradeEvent.PROPOSE, TradeEvent.NOVATE, TradeEvent.TERMINATE,
        TradeEvent.METER,
    }
)  # fmt: skip
# Where a trade's terms count as held; what ended early keeps what had been delivered before.
HELD = frozenset({L, N, T, M, S})


class TradeStopped(ValueError):
    """A hard check stopped an order; `results` has the numbers."""

    def __init__(self, results: Sequence[CheckResult]) -> None:
        self.results = tuple(results)
        hard = [r.reason for r in self.results if r.outcome is Outcome.HARD]
        super().__init__(" ".join(hard))


class ReasonNeeded(ValueError):
    """A soft check found something; the order goes on only with a reason for it."""

    def __init__(self, results: Sequence[CheckResult]) -> None:
        self.results = tuple(results)
        soft = [r.reason for r in self.results if r.outcome is Outcome.SOFT]
        super().__init__("reason: give one for going on. " + " ".join(soft))


class ReferenceReused(ValueError):
    """The client reference or external id belongs to a trade with other terms."""


class TransitionForbidden(ValueError):
    """What was asked for cannot follow on the trade's status."""

    def __init__(self, trade: Trade, event: str, held_event: str = "") -> None:
        self.status, self.event = trade.status, event
        word = TradeEvent(event).label.lower()
        if held_event == TradeEvent.PROPOSE:
            super().__init__(
                f"trade: {trade.ref} has an amendment that waits; it is approved or refused first."
            )
            return
        if event in _ENDS_WAITING:
            super().__init__(f"trade: {trade.ref} has no amendment that waits.")
            return
        status = TradeStatus(trade.status).label.lower()
        super().__init__(f"trade: {trade.ref} is {status} and cannot be {word}.")


class StaleVersion(ValueError):
    """
    The trade was changed by somebody else since it was read.

    seen    the version that the caller started from, None if there was no such version
    held    the version that holds now
    """

    def __init__(self, trade: Trade, seen: TradeVersion | None, held: TradeVersion) -> None:
        self.trade_ref, self.seen, self.held = trade.ref, seen, held
        since = "none" if seen is None else str(seen.version)
        super().__init__(
            f"version: {trade.ref} was read at version {since} and is now at {held.version}: "
            f"{TradeEvent(held.event).label.lower()} by {held.captured_by_name or held.captured_by}"
            f"{', ' + held.reason if held.reason else ''}."
        )


def may_follow(status: str, held_event: str, event: str) -> bool:
    """
    Say whether an event may follow on a trade in a status.

    held_event      that made the version which holds; PROPOSE while an amendment waits
    """
    if (status, event) not in TRANSITIONS:
        return False
    if held_event == TradeEvent.PROPOSE:
        return event not in _WAITS_FOR
    return event not in _ENDS_WAITING


def check_transition(trade: Trade, event: str, status: str) -> None:
    """
    Refuse what the table does not have.

    :raises TransitionForbidden: naming status and event.
    """
    if status not in TRANSITIONS.get((trade.status, event), frozenset()):
        raise TransitionForbidden(trade, event)


def check_words(
    *, reason: str = "", client_reference: str = "", tags: Sequence[str] = (), text: str = "",
    external_id: str = "", source: str = "",
) -> None:  # fmt: skip
    """
    Refuse words that are too long or hold NUL.

    :raises TradeInvalid: naming the field.
    """
    for field, value, most in (
        ("reason", reason, 400), ("client_reference", client_reference, 80), ("text", text, 300),
        ("external_id", external_id, 80), ("source", source, 40),
    ):  # fmt: skip
        if len(value) > most or "\x00" in value:
            raise TradeInvalid(field, f"at most {most} characters, none of them NUL.")
    if len(tags) > 10 or any(not tag or len(tag) > 40 or "\x00" in tag for tag in tags):
        raise TradeInvalid("tags", "at most 10 words of at most 40 characters.")


def judged(
    results: Sequence[CheckResult], *, actor: Actor, reason: str, override_reason: str = ""
) -> list[dict[str, object]]:
    """
    Return what the checks said as it is kept, if the order may go on.

    override_reason     of somebody who may let it pass a check that stops it; kept beside it

    :raises TradeStopped: by a hard check that is not overridden.
    :raises ReasonNeeded: by a soft one without a reason.
    :raises PermissionMissing: for an override without `trading.override_check`.
    """
    outcomes = {result.outcome for result in results}
    overrides = bool(override_reason.strip()) and Outcome.HARD in outcomes
    if overrides:
        check_words(reason=override_reason)
        actor.require("trading.override_check")
    elif Outcome.HARD in outcomes:
        raise TradeStopped(results)
    if Outcome.SOFT in outcomes and not (reason.strip() or overrides):
        raise ReasonNeeded(results)
    kept: list[dict[str, object]] = []
    for result in results:
        shown = result.as_json()
        if overrides and result.outcome is Outcome.HARD:
            shown |= {"overridden_by": actor.id, "override_reason": override_reason}
        kept.append(shown)
    return kept


def four_eyes_from(book_path: Sequence[UUID]) -> Decimal | None:
    """Return the notional from which a book needs a second person; None if nothing does."""
    said = dict(
        Book.objects.filter(pk__in=book_path, four_eyes_from__isnull=False).values_list(
            "id", "four_eyes_from"
        )
    )
    return next((said[book_id] for book_id in book_path if book_id in said), None)


def needs_second_person(book_path: Sequence[UUID], notional: Decimal | None) -> bool:
    """Say whether an order waits for release; one without a notional does wherever a limit is."""
    limit = four_eyes_from(book_path)
    return limit is not None and (notional is None or abs(notional) >= limit)


def authors(trade: Trade) -> frozenset[str]:
    """Return who made the terms of a trade since it was last live, as actor ids."""
    made = (TradeEvent.DRAFT, TradeEvent.CAPTURE, TradeEvent.SUBMIT, TradeEvent.AMEND)
    return frozenset(
        TradeVersion.objects.filter(trade=trade, event__in=made).values_list(
            "captured_by", flat=True
        )
    )
