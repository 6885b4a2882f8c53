"""
What becomes of a message of a drop copy: booked, kept with the field and the rule, or no trade.

`drop_copy` takes messages as they come, `drop_copy_inbox` settles what waits; both judge here.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import InterfaceError, OperationalError, transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import NewEvent, record_events
from trading.markets.fix import ExecKind, Execution, FixError, decode, read_execution
from trading.models import DropCopyMessage, DropCopyVenue, InboxState, MultilegReports
from trading.queries.drop_copy_matching import (
    Assignment,
    MatchedFill,
    Unmatched,
    VenueWords,
    match_execution,
    match_legs,
)

from .drop_copy_booking import ToDoByHand, book, book_fills, book_package, cancel, correct

logger = logging.getLogger(__name__)
WAITING = (InboxState.UNMATCHED, InboxState.BY_HAND)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A state with the tag and rule that led to it, or the trade that was made."""

    state: InboxState
    tag: int = 0
    reason: str = ""
    trade_ref: str = ""
    remarks: str = ""


@dataclass(slots=True)
class NewFill:
    """A message of an execution that has not come before."""

    row: DropCopyMessage
    execution: Execution


def attempt(
    actor: Actor,
    words: VenueWords,
    row: DropCopyMessage,
    received_at: datetime,
    assigned: Assignment | None = None,
) -> Verdict:
    """Book in a savepoint, so that what a refused booking began does not stay."""
    row.attempts += 1
    venue = words.venue
    try:
        with transaction.atomic():
            execution = read_execution(decode(bytes(row.raw)), zone=venue.time_zone)
            return _settled(actor, words, row, execution, received_at, assigned)
    except FixError as error:
        return Verdict(InboxState.UNMATCHED, error.tag, error.rule)
    except Unmatched as error:
        return Verdict(InboxState.UNMATCHED, error.tag, error.rule)
    except ToDoByHand as error:
        return Verdict(InboxState.BY_HAND, 0, str(error))
    except (OperationalError, InterfaceError):
        raise  # the database is away or busy: the message comes again, its number has not moved
    except Exception as error:
        # A fault of ours in one message must not hold up the executions behind it.
        logger.exception("drop copy %s: %s could not be booked", venue.code, row.exec_id)
        return Verdict(InboxState.UNMATCHED, 0, f"{type(error).__name__}: {error}"[:400])


def attempt_fills(
    actor: Actor, words: VenueWords, fills: list[NewFill], received_at: datetime
) -> list[Verdict]:
    """
    Book many new executions at once; one by one if they cannot be booked together.

    Both ways come to the same: what is refused is refused for itself alone.
    """
    if len(fills) > 1:
        try:
            with transaction.atomic():
                verdicts = _booked_together(actor, words, fills, received_at)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            logger.exception("drop copy %s: %d one by one", words.venue.code, len(fills))
        else:
            for fill in fills:
                fill.row.attempts += 1
            return verdicts
    return [attempt(actor, words, fill.row, received_at) for fill in fills]


def _booked_together(
    actor: Actor, words: VenueWords, fills: list[NewFill], received_at: datetime
) -> list[Verdict]:
    matched: dict[int, MatchedFill] = {}
    verdicts: dict[int, Verdict] = {}
    for place, fill in enumerate(fills):
        try:
            matched[place] = match_execution(words, fill.execution)
        except Unmatched as error:
            verdicts[place] = Verdict(InboxState.UNMATCHED, error.tag, error.rule)
    said = book_fills(actor=actor, fills=list(matched.values()), received_at=received_at)
    for place, answer in zip(matched, said, strict=True):
        if isinstance(answer, Unmatched):
            verdicts[place] = Verdict(InboxState.UNMATCHED, answer.tag, answer.rule)
        else:
            verdicts[place] = _is_booked(fills[place].execution, answer)
    return [verdicts[place] for place in range(len(fills))]


def _settled(
    actor: Actor,
    words: VenueWords,
    row: DropCopyMessage,
    execution: Execution,
    received_at: datetime,
    assigned: Assignment | None,
) -> Verdict:
    if execution.kind is ExecKind.TRADE:
        return _booked(actor, words, execution, received_at, assigned)
    venue = words.venue
    original = (
        DropCopyMessage.objects.select_for_update()
        .filter(
            venue=venue,
            exec_id=execution.refers_to,
            is_conflict=False,
            trade_date__lte=execution.trade_date,
        )
        .exclude(pk=row.pk)
        .order_by("-trade_date", "-id")
        .first()
    )
    if original is None:
        raise Unmatched(19, f"no execution {execution.refers_to} has come from {venue.code} yet.")
    is_cancel = execution.kind is ExecKind.CANCEL
    if original.state == InboxState.BOOKED:
        told = {"actor": actor, "trade_ref": original.trade_ref, "exec_id": execution.exec_id}
        if is_cancel:
            cancel(**told, received_at=received_at)
            original.state = InboxState.BUSTED
            original.reason = f"taken back by {execution.exec_id}."[:400]
            original.save(update_fields=["state", "reason"])
            tell(actor, venue, [original])
        else:
            fill = match_execution(words, execution, assigned)
            correct(**told, fill=fill, received_at=received_at)
        return Verdict(InboxState.BOOKED, trade_ref=original.trade_ref)
    if original.state == InboxState.UNMATCHED:
        # It never reached the book: it is not booked any more.
        original.state = InboxState.VOID
        word = "cancelled" if is_cancel else "corrected"
        original.reason = f"{word} by {execution.exec_id} before it was booked."[:400]
        original.save(update_fields=["state", "reason"])
        if is_cancel:
            return Verdict(InboxState.VOID, reason=f"{execution.refers_to} was not booked.")
        return _booked(actor, words, execution, received_at, assigned)
    if original.state in (InboxState.VOID, InboxState.BUSTED) and is_cancel:
        return Verdict(InboxState.VOID, reason=f"{execution.refers_to} was taken out already.")
    raise ToDoByHand(
        f"{execution.refers_to}, which it is about, is {original.get_state_display().lower()}: "
        f"{original.reason}"[:400]
    )


def _booked(
    actor: Actor,
    words: VenueWords,
    execution: Execution,
    received_at: datetime,
    assigned: Assignment | None,
) -> Verdict:
    if execution.legs and words.venue.multileg == MultilegReports.APART:
        return Verdict(InboxState.NO_TRADE, 555, "its legs come as reports of their own.")
    if execution.legs and words.venue.multileg == MultilegReports.PACKAGE and assigned is None:
        fills = match_legs(words, execution)
        refs = book_package(actor=actor, fills=fills, received_at=received_at)
        package_id = fills[0].deal.package_id
        verdict = _is_booked(execution, refs[0])
        said = f"Package {package_id}: {', '.join(refs)}. {verdict.remarks}".strip()
        return replace(verdict, remarks=said[:400])
    fill = match_execution(words, execution, assigned)
    return _is_booked(execution, book(actor=actor, fill=fill, received_at=received_at))


def _is_booked(execution: Execution, trade_ref: str) -> Verdict:
    remarks = " ".join(execution.remarks)[:400]
    return Verdict(InboxState.BOOKED, trade_ref=trade_ref, remarks=remarks)


def write(row: DropCopyMessage, verdict: Verdict) -> None:
    """Put a verdict on a row, which the caller saves."""
    row.state, row.tag, row.reason = verdict.state, verdict.tag, verdict.reason[:400]
    row.trade_ref, row.remarks = verdict.trade_ref, verdict.remarks


def tell(actor: Actor, venue: DropCopyVenue, rows: Iterable[DropCopyMessage]) -> None:
    """Leave an event for each of some rows, in their order, by what became of it."""
    by_state: dict[str, list[NewEvent]] = {}
    for row in rows:
        if row.state == InboxState.NO_TRADE:
            continue
        payload = {
            "venue": venue.code,
            "exec_id": row.exec_id,
            "exec_type": row.exec_type,
            "trade_date": row.trade_date.isoformat() if row.trade_date else None,
            "trade_ref": row.trade_ref,
            "tag": row.tag,
            "reason": row.reason,
        }
        by_state.setdefault(row.state, []).append(
            NewEvent(str(row.pk), venue.organization_id, f"drop_copy:{venue.pk}", payload)
        )
    for state, events in by_state.items():
        record_events(
            type=f"drop_copy.{state.lower()}", actor=actor, aggregate_type="drop_copy_message",
            events=events,
        )  # fmt: skip


def again(
    actor: Actor,
    words: VenueWords,
    row: DropCopyMessage,
    received_at: datetime,
    assigned: Assignment | None = None,
) -> None:
    """Judge a message that waits once more, and save it; told only if something changed."""
    before = (row.state, row.tag, row.reason)
    write(row, attempt(actor, words, row, received_at, assigned))
    row.save()
    if (row.state, row.tag, row.reason) != before:
        tell(actor, words.venue, [row])
