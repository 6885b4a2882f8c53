"""The contracts that two days' states share: each once, where its position says."""

from datetime import date

import pytest

from energyopti.foundation.calendars import DatePeriod
from tests.factories.trades import make_market
from trading.queries.valuation import ContractKey, Universe

pytestmark = pytest.mark.django_db


def test_a_contract_of_several_trades_is_counted_once():
    market = make_market("DE")

    def month(number):
        span = market.calendar.span(DatePeriod.months(2027, number))
        return ContractKey(
            market.pk, "EUR", "HOUR", "MWh", "BASE", 1, date(2027, number, 1), span.start, span.end
        )

    january, february = month(1), month(2)
    universe = Universe()

    universe.add_contracts([january, january, february])

    assert universe.keys == {january: 0, february: 1}
    starts = [contract.start for contract in universe.contracts]
    assert starts == [int(key.start.timestamp()) for key in (january, february)]
