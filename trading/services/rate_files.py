"""Interest, exchange rates and volatilities as documented CSV files; all of a file or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction

from energyopti.accounts.actors import Actor

from ..models import Compounding, FxForwardQuote, InterestQuote, Market, VolKind, VolQuote
from ..queries.rates import latest_rows
from .changes import require_manager
from .quote_files import QuotesMoved, digest_of
from .rates import (
    FxForwardDraft,
    InterestDraft,
    RatesRefused,
    VolDraft,
    book_fx_forwards,
    book_interest,
    book_vols,
    check_fx_forwards,
    check_interest,
    check_vols,
)
from .reference_files.cells import Cell, Choice, Day, Instant, Number, Text
from .reference_files.findings import (
    FieldChange,
    ReferenceDiff,
    ReferenceRefused,
    Refusal,
    RowChange,
    RowState,
)
from .reference_files.reading import read_lines

_AHEAD = timedelta(hours=24)


@dataclass(frozen=True)
class RateKind:
    """
    One kind of file.

    cells     how each column is read
    same      columns that say of what the quotes are: a curve or surface has one of each
    value     the column that a correction changes; the other columns tell rows apart
    """

    model: type[models.Model]
    cells: Mapping[str, Cell]
    same: tuple[str, ...]
    value: str
    draft: Callable[..., Any]
    check: Callable[..., None]
    book: Callable[..., int]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.cells)

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the columns that tell the quotes of one curve apart."""
        others = {*self.same, self.value, "valid_from", "source"}
        return tuple(column for column in self.cells if column not in others)


RATE_KINDS: dict[str, RateKind] = {
    "interest": RateKind(
        InterestQuote,
        {
            "currency": Text(), "compounding": Choice(Compounding), "matures_on": Day(),
            "rate": Number(), "valid_from": Instant(), "source": Text(),
        },
        ("currency", "compounding"), "rate", InterestDraft, check_interest, book_interest,
    ),
    "fx": RateKind(
        FxForwardQuote,
        {
            "base": Text(), "quote": Text(), "settles_on": Day(), "rate": Number(),
            "valid_from": Instant(), "source": Text(),
        },
        ("base", "quote"), "rate", FxForwardDraft, check_fx_forwards, book_fx_forwards,
    ),
    "vol": RateKind(
        VolQuote,
        {
            "market": Text(), "kind": Choice(VolKind), "contract": Text(), "expires_on": Day(),
            "moneyness": Number(), "vol": Number(), "valid_from": Instant(), "source": Text(),
        },
        ("market", "kind"), "vol", VolDraft, check_vols, book_vols,
    ),
}  # fmt: skip


def preview_rates(
    *, actor: Actor, kind: str, name: str, content: bytes, received_at: datetime
) -> ReferenceDiff:
    """
    Return what an import of a file of a kind would add, correct and refuse; nothing is written.

    received_at     no quote may speak of more than a day later

    :raises PermissionMissing: without `trading.manage_reference_data` in an operating company.
    :raises FileTooLarge: for a file of more than 50 MB.
    """
    require_manager(actor)
    _, diff = _read(RATE_KINDS[kind], name, content, received_at)
    return diff


def import_rates(
    *,
    actor: Actor,
    kind: str,
    name: str,
    content: bytes,
    received_at: datetime,
    expected_digest: str | None = None,
) -> ReferenceDiff:
    """
    Book a file of a kind, all or nothing, and return what it added and corrected.

    expected_digest     of the difference that somebody looked at, or None

    :raises ReferenceRefused: with every line that breaks a rule; then nothing is written.
    :raises QuotesMoved: if the file does something else than what was looked at.
    :raises PermissionMissing, FileTooLarge: as `preview_rates`.
    """
    require_manager(actor)
    of = RATE_KINDS[kind]
    with transaction.atomic():
        groups, diff = _read(of, name, content, received_at)
        if diff.is_refused:
            raise ReferenceRefused(diff)
        if expected_digest is not None and digest_of(diff) != expected_digest:
            raise QuotesMoved(diff)
        for group in groups:
            of.book(
                actor=actor,
                **group.same,
                drafts=[draft for _, draft in group.drafts],
                valid_from=group.valid_from,
                source=group.source,
            )
    return diff


@dataclass
class _Group:
    """The quotes of one curve, instant and source, each with its line."""

    same: dict[str, Any]
    valid_from: datetime
    source: str
    drafts: list[tuple[int, Any]]


class _Refused(Exception):
    def __init__(self, field: str, rule: str) -> None:
        self.field, self.rule = field, rule
        super().__init__(f"{field}: {rule}")


def _read(
    of: RateKind, name: str, content: bytes, received_at: datetime
) -> tuple[list[_Group], ReferenceDiff]:
    lines, refusals = read_lines(name, content, of.columns)
    markets = {market.code: market for market in Market.objects.all()} if lines else {}
    groups: dict[tuple[Any, ...], _Group] = {}
    seen: dict[tuple[Any, ...], int] = {}
    for line in lines:
        try:
            values = _values(of, line.cells, markets, received_at)
        except _Refused as refused:
            refusals.append(Refusal(name, line.number, refused.field, refused.rule))
            continue
        whole = tuple(value for column, value in values.items() if column != of.value)
        if whole in seen:
            refusals.append(
                Refusal(name, line.number, of.keys[0], f"Line {seen[whole]} quotes it already.")
            )
            continue
        seen[whole] = line.number
        same = {column: values[column] for column in of.same}
        draft = of.draft(**{column: values[column] for column in (*of.keys, of.value)})
        key = (*same.values(), values["valid_from"], values["source"])
        group = groups.setdefault(key, _Group(same, values["valid_from"], values["source"], []))
        try:
            # By itself first, so that a rule names the line that breaks it.
            of.check(*same.values(), [draft], group.valid_from)
        except RatesRefused as error:
            refusals.append(_refusal(name, line.number, of, error))
            continue
        group.drafts.append((line.number, draft))
    found = [group for group in groups.values() if group.drafts]
    for group in found:
        try:
            of.check(*group.same.values(), [draft for _, draft in group.drafts], group.valid_from)
        except RatesRefused as error:
            refusals.append(_refusal(name, group.drafts[0][0], of, error))
    changes = [change for group in found for change in _changes(of, name, group)]
    changes.sort(key=lambda change: change.line)
    return found, ReferenceDiff(tuple(changes), tuple(sorted(refusals)))


def _values(
    of: RateKind, cells: Mapping[str, str], markets: Mapping[str, Market], received_at: datetime
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for column, cell in of.cells.items():
        try:
            value = cell.clean(cells[column])
            if column == "market":
                if value not in markets:
                    raise ValueError(f"No market has the code “{value}”.")
                values[column] = markets[value]
                continue
            # Currencies, lengths and digits, by the rules of the table.
            of.model._meta.get_field(column).clean(value, None)
        except ValidationError as error:
            raise _Refused(column, " ".join(error.messages)) from error
        except ValueError as error:
            raise _Refused(column, str(error)) from error
        values[column] = value
    if values["valid_from"] > received_at + _AHEAD:
        raise _Refused("valid_from", "It speaks of a day that is still to come.")
    return values


def _refusal(name: str, line: int, of: RateKind, error: RatesRefused) -> Refusal:
    field, _, rule = str(error).partition(": ")
    # The curve speaks of its nodes where the file has columns.
    columns = {"dates": of.keys[0], "points": of.value, "rates": of.value, "vols": of.value}
    field = columns.get(field, field)
    return Refusal(name, line, field if field in of.columns else of.value, rule or str(error))


def _changes(of: RateKind, name: str, group: _Group) -> list[RowChange]:
    """Return what each line does to the version that holds now; one query a curve."""
    rows = latest_rows(
        of.model, of.keys, **group.same, source=group.source, valid_from=group.valid_from
    )
    held = {_key(row, of.keys): getattr(row, of.value) for row in rows}
    words = " ".join(str(getattr(value, "code", value)) for value in group.same.values())
    changes = []
    for line, draft in group.drafts:
        before = held.get(_key(draft, of.keys))
        after = getattr(draft, of.value)
        state = RowState.UNCHANGED if before == after else RowState.CHANGED
        if before is None:
            state = RowState.ADDED
        change = FieldChange(of.value, "" if before is None else _written(before), _written(after))
        places = " ".join(_written(getattr(draft, key)) for key in of.keys)
        changes.append(
            RowChange(
                name,
                line,
                f"{words} {places} {group.valid_from.isoformat()}",
                state,
                () if state is RowState.UNCHANGED else (change,),
            )
        )
    return changes


def _key(row: Any, keys: Sequence[str]) -> tuple[Any, ...]:
    return tuple(getattr(row, key) for key in keys)


def _written(value: Any) -> str:
    return f"{value.normalize():f}" if hasattr(value, "normalize") else str(value)
