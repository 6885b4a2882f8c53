"""Import a file of trades: all of its rows in one transaction, or none."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from trading.checks import Outcome
from trading.deals import (
    period_name,
)
from trading.models import ProductKind, Trade, TradeStatus
from trading.queries.proposals import TradeInvalid

from ..capture import Receipt
from ..capture_many import NewDeal, Progress, Weighed, weigh_deals, write_deals
from ..life import ReasonNeeded, TradeStopped
from ..reference_files.findings import Refusal
from .columns import COLUMNS, CellRefused
from .findings import RowState, SideSum, TradeRow, TradesFound, TradesRefused
from .profiles import Profiles, ProfilesFile, read_profiles, read_profiles_file
from .reading import Sheets, profiles_name, read_trades
from .rows import NO_OPTIONS, FileOptions, RowReader, column_of


def preview_trades(
    *,
    actor: Actor,
    name: str,
    content: bytes,
    received_at: datetime,
    options: FileOptions = NO_OPTIONS,
    profiles: ProfilesFile | None = None,
    progress: Progress = lambda *_: None,
) -> TradesFound:
    """
    Say row by row what an import would do, with all checks; nothing is written.

    profiles    the volumes of rows by interval, where a CSV file goes with one

    :raises FileTooLarge: for a file of more than 50 MB or 100,000 rows.
    """
    given = _File(name, content, options, profiles)
    with transaction.atomic():
        found, _ = _weigh(actor, given, received_at, progress)
        transaction.set_rollback(True)
    return found


def import_trades(
    *,
    actor: Actor,
    name: str,
    content: bytes,
    received_at: datetime,
    options: FileOptions = NO_OPTIONS,
    profiles: ProfilesFile | None = None,
    progress: Progress = lambda *_: None,
) -> TradesFound:
    """
    Capture every row of a file, or none.

    A row whose reference or external id stands for the same terms already is left as it is, and
    one without either goes by its file and line, so a file may be imported again.

    :raises TradesRefused: with every line that breaks a rule; then nothing is written.
    :raises CapturedMeanwhile: if somebody used one of the references in this moment.
    :raises FileTooLarge: as `preview_trades`.
    """
    given = _File(name, content, options, profiles)
    with transaction.atomic():
        found, weighed = _weigh(actor, given, received_at, progress)
        if found.refusals:
            raise TradesRefused(found)
        receipts = write_deals(actor=actor, weighed=weighed, progress=progress)
        rows = tuple(
            replace(row, ref=receipt.ref) for row, receipt in zip(found.rows, receipts, strict=True)
        )
        found = replace(found, rows=rows, captured_at=_captured_at(receipts))
        organizations = {w.proposal.organization_id for w in weighed if w.proposal and w.is_new}
        for organization_id in sorted(organizations):
            record_event(
                type="trades.imported",
                actor=actor,
                aggregate_type="trade_file",
                aggregate_id=hashlib.sha256(content).hexdigest(),
                organization_id=organization_id,
                payload={
                    "file": name[:200],
                    **{state.name.lower(): found.count(state) for state in RowState},
                },
            )
    return found


def _captured_at(receipts: Sequence[Receipt]) -> datetime | None:
    new = next((receipt for receipt in receipts if receipt.is_new), None)
    if new is None:
        return None
    return Trade.objects.values_list("recorded_at", flat=True).get(pk=new.trade_id)


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    content: bytes
    options: FileOptions
    profiles: ProfilesFile | None

    @property
    def key(self) -> str:
        """Return what a row without a reference goes by, beside its line."""
        digest = hashlib.sha256(self.content)
        if self.profiles is not None:
            digest.update(self.profiles.content)
        digest.update(f"\n{self.options.basis} {self.options.book} ".encode())
        digest.update(self.options.counterparty.encode())
        return digest.hexdigest()[:20]


def _weigh(
    actor: Actor, given: _File, received_at: datetime, progress: Progress
) -> tuple[TradesFound, list[Weighed]]:
    name = given.name
    sheets = read_trades(name, given.content)
    refusals = sheets.refusals
    profiles = _profiles(given, sheets, refusals)
    reader = RowReader(actor, received_at, given.options, key=given.key, profiles=profiles)
    deals: list[NewDeal] = []
    numbers: list[int] = []
    seen: dict[tuple[str, ...], int] = {}
    for done, line in enumerate(sheets.lines):
        if done % 500 == 0:
            progress("reading rows", done, len(sheets.lines))
        try:
            new = reader.deals(line)
            for each in new:
                _once(each, line.number, seen)
        except CellRefused as error:
            refusals.append(
                Refusal(error.file or name, error.line or line.number, error.column, error.rule)
            )
            continue
        deals += new
        numbers += [line.number] * len(new)
    refusals += profiles.unused()
    weighed = weigh_deals(actor=actor, deals=deals, received_at=received_at, progress=progress)
    rows = []
    for number, one in zip(numbers, weighed, strict=True):
        if one.refusal is not None:
            refusals.append(_refusal(name, number, one))
        else:
            rows.append(_row(number, one))
    return TradesFound(tuple(rows), tuple(sorted(set(refusals))), sums_of(weighed)), weighed


def _profiles(given: _File, sheets: Sheets, refusals: list[Refusal]) -> Profiles:
    own, lines = profiles_name(given.name), sheets.profiles
    if given.profiles is not None:
        own = given.profiles.name
        if lines:
            rule = "The workbook has profiles of its own; give them once."
            refusals.append(Refusal(own, 0, "file", rule))
        lines, more = read_profiles_file(given.profiles)
        refusals += more
    return read_profiles(own, lines, refusals)


def sums_of(weighed: Sequence[Weighed]) -> tuple[SideSum, ...]:
    """Return what the new ones of weighed deals add up to, by currency, unit and side."""
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for one in weighed:
        if one.is_new and one.summary is not None:
            said = one.summary
            found[said["currency"], said["volume_unit"], said["side"]].append(said)
    return tuple(
        SideSum(
            side=side, currency=currency, unit=unit, trades=len(of), hours=_total(of, "hours"),
            volume=_total(of, "volume") or Decimal(0), energy_mwh=_total(of, "energy_mwh"),
            notional=_total(of, "notional"),
        )
        for (currency, unit, side), of in sorted(found.items())
    )  # fmt: skip


def _total(summaries: Sequence[Mapping[str, Any]], name: str) -> Decimal | None:
    values = [said[name] for said in summaries if said[name] is not None]
    return sum(values, Decimal(0)) if values else None


def _once(new: NewDeal, line: int, seen: dict[tuple[str, ...], int]) -> None:
    """Refuse a reference that an earlier line has."""
    for column, key in (
        ("client_reference", (str(new.book_id), new.client_reference)),
        ("external_id", (new.source, new.external_id)),
    ):
        if key[-1]:
            first = seen.setdefault((column, *key), line)
            if first != line:
                raise CellRefused(column, f"“{key[-1]}” stands in line {first} already.")


_FIELDS = {"area": "market", "tags": "tags", "text": "text", "volume": "quantity"}


def _refusal(name: str, number: int, one: Weighed) -> Refusal:
    error = one.refusal
    if isinstance(error, TradeInvalid):
        field = _FIELDS.get(error.field, error.field)
        return Refusal(name, number, column_of(field), error.message)
    if isinstance(error, ReasonNeeded):
        return Refusal(name, number, "reason", str(error).removeprefix("reason: "))
    if isinstance(error, TradeStopped):
        hard = [r for r in error.results if r.outcome is Outcome.HARD]
        return Refusal(name, number, "row", " ".join(f"{r.check}: {r.reason}" for r in hard))
    field, colon, rule = str(error).partition(": ")
    if colon and field in COLUMNS:
        return Refusal(name, number, field, rule)
    return Refusal(name, number, "row", str(error))


def _row(number: int, one: Weighed) -> TradeRow:
    deal = one.new.deal
    area, period = deal.schedule.area.code, period_name(deal.schedule.period)
    kind = ProductKind(deal.kind.value).label
    what = f"{deal.side.value.title()} {area} {period}, {kind[0].lower()}{kind[1:]}"
    if one.earlier is not None:
        return TradeRow(number, RowState.ALREADY_THERE, one.earlier.ref, what)
    state = RowState.PENDING if one.status == TradeStatus.PENDING else RowState.NEW
    remarks = tuple(r.reason for r in one.results if r.outcome is not Outcome.PASS)
    return TradeRow(number, state, "", what, remarks)
