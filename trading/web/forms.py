"""The ticket: one line of text, or fields that are put together into the same line."""

from datetime import datetime
from typing import Any

from django import forms

from energyopti.accounts.actors import Actor
from trading.checks import Proposal
from trading.deals import PRODUCT_WORDS, QuickDeal, QuickTextError, parse_quick_text
from trading.queries.books import UnknownBook, books_for, counterparties_for
from trading.queries.proposals import TradeInvalid, UnknownCounterparty, delivery_areas, propose

# Fields in the order of the text, so that an error in the line finds its field.
_LINE_FIELDS = ("side", "quantity", "area", "product", "period", "price")
_FIELD_OF_RULE = {
    "area": "area", "currency": "price", "period": "period", "quantity": "quantity",
    "price": "price", "reason": "reason", "tags": "text", "text": "text",
}  # fmt: skip


class TicketForm(forms.Form):
    """
    A deal to be previewed or booked.

    After `is_valid`, `deal` and `proposal` hold it, `line` the text that was read and `parties`
    the names of the book and counterparty that were found.
    """

    text = forms.CharField(
        label="Deal", required=False, max_length=300, strip=True,
        help_text="For example: B 10MW DE base Cal27 @ 85.20 cpty:ACME book:EU",
        widget=forms.TextInput(
            attrs={"autofocus": True, "autocomplete": "off", "spellcheck": "false"}
        ),
    )  # fmt: skip
    side = forms.ChoiceField(choices=[("B", "Buy"), ("S", "Sell")], required=False)
    quantity = forms.CharField(label="Power in MW", required=False, max_length=16)
    area = forms.ChoiceField(required=False)
    product = forms.ChoiceField(
        choices=[(word, word.title()) for word in PRODUCT_WORDS], required=False
    )
    period = forms.CharField(
        required=False, max_length=16, help_text="Cal27, Q1-27, Jan27, W05-27, DA or a date."
    )
    price = forms.CharField(label="Price per MWh", required=False, max_length=24)
    counterparty = forms.ChoiceField(required=False)
    book = forms.ChoiceField(required=False)
    basis = forms.ChoiceField(
        choices=[("ORDER", "Order (checks may stop it)"), ("FILL", "Executed already")],
        required=False,
    )
    reason = forms.CharField(
        required=False, max_length=400, help_text="Needed only where a check has a remark."
    )
    client_reference = forms.CharField(widget=forms.HiddenInput, max_length=80, required=False)
    previewed = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)

    def __init__(self, *args: Any, actor: Actor, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor, self.now = actor, now
        self.areas = delivery_areas()
        self.books = {book.code: book for book in books_for(actor, level="trade")}
        self.counterparties = {party.code: party for party in counterparties_for(actor)}
        self.fields["area"].choices = [(code, code) for code in self.areas]
        self.fields["book"].choices = [(c, str(b.name)) for c, b in self.books.items()]
        self.fields["counterparty"].choices = [
            (code, party.name) for code, party in self.counterparties.items()
        ]
        self.line = ""
        self.caret: int | None = None
        self.deal: QuickDeal | None = None
        self.proposal: Proposal | None = None
        self.parties: list[tuple[str, str]] = []

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        text = found.get("text", "")
        if not text and not found.get("quantity"):
            raise forms.ValidationError("Write the deal as one line, or fill in the fields.")
        self.line = text or self._line_of_fields(found)
        if self.errors:
            return found
        try:
            self.deal = parse_quick_text(
                self.line, areas=self.areas, traded_at=self.now,
                books=self.books, counterparties=self.counterparties,
            )  # fmt: skip
            self.proposal = self._proposal(self.deal, found)
        except QuickTextError as error:
            self.caret = error.position
            self.add_error("text" if text else self._field_at(error.position), str(error))
        except (UnknownBook, UnknownCounterparty) as error:
            self.add_error(str(error).partition(":")[0], str(error))
        except TradeInvalid as error:
            field = "text" if text else _FIELD_OF_RULE.get(error.field)
            self.add_error(field, str(error))
        return found

    def _line_of_fields(self, found: dict[str, Any]) -> str:
        words = [
            found.get("side", ""), f"{found.get('quantity', '').replace(' ', '')}MW",
            found.get("area", ""), found.get("product", ""), found.get("period", ""),
            f"@ {found.get('price', '')}",
        ]  # fmt: skip
        return " ".join(words)

    def _field_at(self, position: int) -> str:
        before = self.line[:position].replace("@ ", "").count(" ")
        return _LINE_FIELDS[min(before, len(_LINE_FIELDS) - 1)]

    def _proposal(self, deal: QuickDeal, found: dict[str, Any]) -> Proposal:
        book = self.books.get(deal.book_code or found.get("book", ""))
        if book is None:
            raise UnknownBook("book: choose one, or write book: with its code.")
        party = self.counterparties.get(deal.counterparty_code or found.get("counterparty", ""))
        if party is None:
            raise UnknownCounterparty("counterparty: choose one, or write cpty: with its code.")
        self.parties = [("Book", f"{book.code}, {book.name}"), ("Counterparty", party.name)]
        return propose(
            actor=self.actor, deal=deal.terms.deal, book_id=book.id, counterparty_id=party.id,
            traded_at=self.now, received_at=self.now,
            client_reference=found.get("client_reference", ""),
        )  # fmt: skip
