"""The ticket: the terms of a deal, and with whom, where and how they are booked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.utils.timezone import get_current_timezone_name

from energyopti.accounts.actors import Actor
from trading.checks import CheckResult, Outcome, Proposal
from trading.deals import Deal, DealError, mirror, package, package_totals, strip
from trading.queries.books import (
    BookRow,
    CounterpartyRow,
    UnknownBook,
    books_for,
    counterparties_for,
)
from trading.queries.proposals import (
    Answers,
    Preview,
    TradeInvalid,
    UnknownCounterparty,
    previews,
    propose,
)
from trading.queries.summaries import terms_json

from .deal_forms import DealForm, Known, LineForm
from .product_forms import FORM_OF_KIND

OVERRIDE = "trading.override_check"
# A strip of more deals than these is one of a file.
MAXIMUM_STRIP = 120


class BookingForm(forms.Form):
    """Where a deal goes, and what is said about it."""

    counterparty = forms.ChoiceField(required=False)
    book = forms.ChoiceField(required=False)
    basis = forms.ChoiceField(
        choices=[("ORDER", "Order (checks may stop it)"), ("FILL", "Executed already")],
        required=False,
    )
    reason = forms.CharField(
        required=False, max_length=400, help_text="Needed only where a check has a remark."
    )
    override_reason = forms.CharField(
        required=False, max_length=400, label="Override",
        help_text="Why it should pass a check that stops it.",
    )  # fmt: skip
    traded_at = forms.DateTimeField(
        required=False, label="Executed at",
        widget=forms.DateTimeInput(
            attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S"
        ),
    )  # fmt: skip
    tags = forms.CharField(required=False, max_length=400, help_text="Words with a space between.")
    strip_months = forms.IntegerField(
        required=False, min_value=1, max_value=120, label="Strip of deals of … months",
        help_text="Books it as a package of deals: 1 a month, 3 a quarter.",
    )  # fmt: skip
    mirror_book = forms.ChoiceField(
        required=False, label="Internal: the other book",
        help_text="Books both sides, or neither; with an internal counterparty.",
    )  # fmt: skip
    package = forms.CharField(
        required=False, max_length=40, help_text="Name of a strip's or internal deal's package."
    )
    client_reference = forms.CharField(widget=forms.HiddenInput, max_length=80, required=False)
    previewed = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)

    MORE = ("traded_at", "tags", "strip_months", "mirror_book", "package")

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.books = {book.code: book for book in books_for(actor, level="trade")}
        self.counterparties = {party.code: party for party in counterparties_for(actor)}
        books = [("", "–"), *((code, f"{code}, {b.name}") for code, b in self.books.items())]
        parties = [("", "–"), *((code, p.name) for code, p in self.counterparties.items())]
        for name, choices in (
            ("book", books), ("mirror_book", books), ("counterparty", parties),
        ):  # fmt: skip
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices
        if len(self.books) == 1:
            self.fields["book"].initial = next(iter(self.books))
        if not actor.may(OVERRIDE):
            del self.fields["override_reason"]
        self.fields[
            "traded_at"
        ].help_text = (
            f"Where that was earlier than now, on the clock of {get_current_timezone_name()}."
        )

    def said_time(self, now: datetime) -> datetime:
        """Return when the deal was executed: now, unless the form says another time."""
        if not self.is_bound:
            return now
        try:
            said: datetime | None = self.fields["traded_at"].clean(self["traded_at"].data)
        except forms.ValidationError:
            return now  # the form says what is wrong when it is asked
        return said or now

    @property
    def main_fields(self) -> list[forms.BoundField]:
        names = ("counterparty", "book", "basis", "reason", "override_reason")
        return [self[name] for name in names if name in self.fields]

    @property
    def more_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.MORE]

    @property
    def has_more(self) -> bool:
        """Say whether something stands in the further fields, so that they are shown unfolded."""
        return any(self[name].value() for name in self.MORE)


@dataclass(frozen=True)
class Shown:
    """One deal of what would be booked, as the preview shows it."""

    deal: Deal
    preview: Preview


class Ticket:
    """
    Two forms that are one to the reader. After `is_valid`, `deals` and `proposals` are what would
    be booked: one deal, the two sides of an internal one, or the deals of a strip.
    """

    def __init__(self, deal_form: DealForm, booking: BookingForm, *, actor: Actor, now: datetime):
        self.deal_form, self.booking = deal_form, booking
        self.actor, self.now = actor, now
        self.traded_at = booking.said_time(now)
        self.deals: tuple[Deal, ...] = ()
        self.proposals: tuple[Proposal, ...] = ()
        self.parties: list[tuple[str, str]] = []
        self.book: BookRow | None = None
        self.mirror_book: BookRow | None = None
        self.counterparty: CounterpartyRow | None = None
        self.tags: tuple[str, ...] = ()
        self._shown: list[Shown] | None = None

    @classmethod
    def of(
        cls,
        kind: str,
        *,
        actor: Actor,
        now: datetime,
        data: Any = None,
        files: Any = None,
        deal_initial: Mapping[str, Any] | None = None,
        booking_initial: Mapping[str, Any] | None = None,
    ) -> Ticket:
        booking = BookingForm(data, actor=actor, initial=booking_initial)
        known = Known.now(
            booking.said_time(now),
            books=tuple(booking.books),
            counterparties=tuple(booking.counterparties),
        )
        form = FORM_OF_KIND.get(kind, LineForm)(data, files, known=known, initial=deal_initial)
        form.term_fields[0].field.widget.attrs["autofocus"] = True
        return cls(form, booking, actor=actor, now=now)

    # What the list of errors asks of a form.
    @property
    def errors(self) -> dict[str, Any]:
        return {**self.deal_form.errors, **self.booking.errors}

    def non_field_errors(self) -> list[str]:
        return [*self.deal_form.non_field_errors(), *self.booking.non_field_errors()]

    def __iter__(self) -> Iterator[forms.BoundField]:
        yield from self.deal_form
        yield from self.booking

    @property
    def is_fill(self) -> bool:
        return self.booking.cleaned_data.get("basis") == "FILL"

    def is_valid(self) -> bool:
        """Read both forms and propose the deals."""
        if not (self.deal_form.is_valid() & self.booking.is_valid()):
            return False
        try:
            self._propose()
        except (UnknownBook, UnknownCounterparty) as error:
            field, _, _ = str(error).partition(":")
            self.booking.add_error(field, str(error))
        except (TradeInvalid, DealError) as error:
            self.refuse(error.field, getattr(error, "rule", None) or str(error))
        return not self.errors

    def refuse(self, field: str, words: str) -> None:
        """Put what a rule says beside the field that it is about."""
        name = {"package_id": "package", "months": "strip_months"}.get(field, field)
        if name in self.booking.fields:
            self.booking.add_error(name, words)
        else:
            self.deal_form.refuse(field, words.removeprefix(f"{field}: "))

    def _propose(self) -> None:
        deal, found = self.deal_form.deal, self.booking.cleaned_data
        assert deal is not None, "a valid form holds its deal"
        line = self.deal_form if isinstance(self.deal_form, LineForm) else None
        book = self.booking.books.get((line and line.book_code) or found["book"])
        if book is None:
            raise UnknownBook("book: choose one, or write book: with its code.")
        party = self.booking.counterparties.get(
            (line and line.counterparty_code) or found["counterparty"]
        )
        if party is None:
            raise UnknownCounterparty("counterparty: choose one, or write cpty: with its code.")
        self.book, self.counterparty = book, party
        self.parties = [("Book", f"{book.code}, {book.name}"), ("Counterparty", party.name)]
        self.tags = tuple(dict.fromkeys([*(line.tags if line else ()), *found["tags"].split()]))
        other = self.booking.books.get(found["mirror_book"])
        self.deals, books = self._deals(deal, book, other)
        answers = Answers()
        self.proposals = tuple(
            propose(
                actor=self.actor, deal=each, book_id=where.id, counterparty_id=party.id,
                traded_at=self.traded_at, received_at=self.now,
                client_reference=found["client_reference"], answers=answers,
                is_fact=self.is_fill,
            )
            for each, where in zip(self.deals, books, strict=True)
        )  # fmt: skip

    def _deals(
        self, deal: Deal, book: BookRow, other: BookRow | None
    ) -> tuple[tuple[Deal, ...], Sequence[BookRow]]:
        found = self.booking.cleaned_data
        months = found.get("strip_months")
        if other is not None:
            if months or self.is_fill:
                raise TradeInvalid(
                    "mirror_book", "an internal deal is an order of one deal, no strip or fill."
                )
            if other.id == book.id:
                raise TradeInvalid("mirror_book", "an internal deal is between two books.")
            self.mirror_book = other
            self.parties.append(("Other book", f"{other.code}, {other.name}"))
            return mirror(deal, self.package_of(deal)), (book, other)
        if months:
            pieces = strip(deal, self.package_of(deal), months=months)
            if len(pieces) > MAXIMUM_STRIP:
                raise TradeInvalid(
                    "strip_months", f"{len(pieces)} deals; import more than {MAXIMUM_STRIP}."
                )
            return pieces, [book] * len(pieces)
        if found["package"]:
            (deal,) = package([deal], found["package"])
        return (deal,), (book,)

    def package_of(self, deal: Deal) -> str:
        """Return the package's name: as written, or one made of the ticket's own reference."""
        found = self.booking.cleaned_data
        named = found["package"] or deal.package_id
        if not named and not found["client_reference"]:
            raise TradeInvalid("package", "needs a name.")
        return str(named) or f"P-{found['client_reference'][:13]}"

    @property
    def shown(self) -> list[Shown]:
        """Return each deal with its totals and what the checks say of it now."""
        if self._shown is None:
            self._shown = [
                Shown(deal, seen)
                for deal, seen in zip(self.deals, previews(self.proposals), strict=True)
            ]
        return self._shown

    @property
    def totals(self) -> Any:
        """Return hours, volume and notional: of an internal deal our side's, of a strip's all."""
        deals = self.deals[:1] if self.mirror_book is not None else self.deals
        return package_totals(deals)

    @property
    def findings(self) -> list[tuple[str, CheckResult]]:
        """Return what the checks say: of one deal all, of several what is not plainly fine."""
        several = len(self.shown) > 1
        return [
            (shown.deal.schedule.period.first.isoformat() if several else "", line)
            for number, shown in enumerate(self.shown)
            for result in shown.preview.results
            for line in result.told
            if not several or number == 0 or line.outcome is not Outcome.PASS
        ]

    @property
    def is_stopped(self) -> bool:
        """Say whether a check stops what would be booked."""
        is_hard = any(shown.preview.is_stopped for shown in self.shown)
        overrides = self.booking.cleaned_data.get("override_reason", "").strip()
        return is_hard and not self.is_fill and not overrides

    @property
    def fingerprint(self) -> str:
        """Return what tells the previewed deal from another: a changed one is previewed again."""
        assert self.book is not None and self.counterparty is not None, "a valid ticket has both"
        parts = [
            [terms_json(deal) for deal in self.deals], str(self.book.id), str(self.counterparty.id),
            self.booking.cleaned_data["basis"] or "ORDER",
            str(self.mirror_book.id) if self.mirror_book else "",
            [deal.package_id for deal in self.deals], sorted(self.tags),
            "" if self.traded_at == self.now else self.traded_at.isoformat(),
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
