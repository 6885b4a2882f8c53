"""The form that asks for a risk run."""

from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django import forms

from energyopti.accounts.actors import Actor
from risk.models import RunKind, RunMethod
from risk.queries.run_terms import DEFAULT_CONFIDENCES, LAWS, MOST_PATHS, RunRefused, RunTerms
from risk.queries.scenario_definitions import DESK, definitions_in_force
from trading.queries.books import books_for


def _percents(confidences: tuple[Decimal, ...]) -> str:
    return ", ".join(f"{(c * 100).normalize():f}" for c in confidences)


class RunForm(forms.Form):
    """Of which book, by which method, at which confidences."""

    book = forms.ChoiceField(label="Book", help_text="With all books below it.")
    kind = forms.ChoiceField(
        label="Kind",
        choices=[(key, words) for key, words in RunKind.choices if key != RunKind.END_OF_DAY],
    )
    method = forms.ChoiceField(label="Method", choices=RunMethod.choices)
    scenarios = forms.ChoiceField(
        label="Scenarios", help_text="What moves are taken from.", required=False
    )
    confidences = forms.CharField(
        label="Confidences in %", initial=_percents(DEFAULT_CONFIDENCES), max_length=60,
        help_text="Up to four, with commas between them.",
    )  # fmt: skip
    horizon_days = forms.IntegerField(label="Horizon in days", initial=1)
    law = forms.ChoiceField(
        label="Simulated moves", choices=list(LAWS.items()), required=False,
        help_text="Of Monte Carlo.",
    )  # fmt: skip
    degrees = forms.FloatField(
        label="Degrees of freedom", required=False, help_text="Of Student's t, above 2."
    )
    paths = forms.IntegerField(
        label="Paths", initial=10_000, required=False,
        help_text=f"Of Monte Carlo, from 1,000 to {MOST_PATHS:,}.",
    )  # fmt: skip
    seed = forms.IntegerField(
        label="Seed", initial=1, required=False, help_text="The same seed draws the same paths."
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["book"].choices = [
            (str(book.id), f"{book.code} – {book.name}") for book in books_for(actor)
        ]
        self.fields["scenarios"].choices = [
            ("", "Desk, as the books are valued on"),
            *(
                (str(row.pk), f"{row}, {row.owner}")
                for code, row in sorted(definitions_in_force().items())
                if code != DESK
            ),
        ]

    def clean_confidences(self) -> tuple[Decimal, ...]:
        words = [word.strip() for word in self.cleaned_data["confidences"].split(",")]
        try:
            return tuple(Decimal(word) / 100 for word in words if word)
        except InvalidOperation as error:
            raise forms.ValidationError("These are not numbers with commas between.") from error

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors:
            try:
                given["terms"] = _terms(given)
            except RunRefused as error:
                self.refuse(error)
        return given

    def refuse(self, error: RunRefused) -> None:
        """Show a refusal at the field that it names."""
        name = error.field if error.field in self.fields else None
        self.add_error(name, str(error).partition(": ")[2])

    @property
    def book_id(self) -> UUID:
        return UUID(self.cleaned_data["book"])

    @property
    def definition_id(self) -> int | None:
        chosen = self.cleaned_data["scenarios"]
        return int(chosen) if chosen else None


def _terms(given: dict[str, Any]) -> RunTerms:
    method = RunMethod(given["method"])
    own: dict[str, Any] = {}
    if method == RunMethod.MONTE_CARLO:
        law = given["law"] or "GAUSSIAN"
        own = {
            "law": law,
            "degrees": given["degrees"] if law == "STUDENT_T" else None,
            "paths": 10_000 if given["paths"] is None else given["paths"],
            "seed": 1 if given["seed"] is None else given["seed"],
        }
    return RunTerms(
        method=method,
        confidences=given["confidences"],
        horizon_days=given["horizon_days"],
        **own,
    )
