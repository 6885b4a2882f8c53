"""A message beside its field does not name the field again."""

import pytest
from django import forms
from django.template.loader import render_to_string

from energyopti.foundation.tables.templatetags.forms import beside


class DealForm(forms.Form):
    book = forms.CharField()
    delivery_start = forms.CharField(label="From")


@pytest.mark.parametrize(
    ("name", "message", "shown"),
    [
        ("book", "book: choose one of EU, UK.", "Choose one of EU, UK."),
        ("book", "Book: choose one.", "Choose one."),
        ("delivery_start", "delivery start: is in the past.", "Is in the past."),
        ("delivery_start", "From: is in the past.", "Is in the past."),
        ("book", "price: is not a number.", "price: is not a number."),
        ("book", "Choose one: EU or UK.", "Choose one: EU or UK."),
        ("book", "book:", "book:"),
        ("book", "This field is required.", "This field is required."),
    ],
)
def test_the_name_of_the_field_is_left_out_once(name: str, message: str, shown: str) -> None:
    assert beside(message, DealForm()[name]) == shown


def test_every_form_shows_it_once() -> None:
    form = DealForm({"book": "XX", "delivery_start": "now"})
    form.add_error("book", "book: choose one of <EU>.")

    page = render_to_string("cotton/form_errors.html", {"form": form})
    field = render_to_string("cotton/field.html", {"field": form["book"]})

    assert "Book</a>: Choose one of &lt;EU&gt;.</li>" in page
    assert "Choose one of &lt;EU&gt;." in field and "book: choose" not in field
