"""Reference cases of deals: the adapter answers what the line of text has, in its own units."""

from decimal import Decimal
from pathlib import Path

import pytest

from energyopti.foundation.validation.registry import Question, Unsupported
from trading.validation import deal


def ask(text: str) -> dict[str, object]:
    return deal(Question("q", "delivery_periods", {"deal": text}, (), Path()))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("B 5MW DE peak Cal27 @ 95", {"hours": "3132", "mwh": "15660", "notional_eur": "1487700"}),
        ("B 30MW TTF 2027-03-27 @ 30", {"hours": "23", "mwh": "690", "notional_eur": "20700"}),
        ("B 50000bbl BRENT Q1-27 @ 80", {"bbl": "150000", "notional_usd": "12000000"}),
        ("B 10MW DE base Q1-27 @ EPEX-DE-DA+1.5", {"hours": "2159", "mwh": "21590"}),
    ],
)
def test_a_line_is_answered_with_what_it_has(text, answer):
    assert ask(text) == {name: Decimal(value) for name, value in answer.items()}


def test_a_line_that_is_no_deal_is_not_supported():
    with pytest.raises(Unsupported, match="Cal2"):
        ask("B 10MW DE base Cal2 @ 1")
