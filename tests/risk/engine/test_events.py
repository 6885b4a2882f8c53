"""What a market did in a named event, by contract and never along a rolling series."""

from datetime import date, timedelta

import numpy as np
import pytest

from risk.engine import (
    NAMED_EVENTS,
    ContractQuote,
    ForwardRows,
    HistoricalEvent,
    Portfolio,
    QuoteDay,
    ScenarioError,
    ShockMapping,
    ShockRule,
    StressShock,
    event_moves,
    month_number,
    stress,
)

JANUARY = month_number(date(2022, 1, 1))
INVASION = HistoricalEvent("Invasion", date(2022, 2, 23), date(2022, 3, 7))


def hours(month):
    return 700.0


def quotes(day, price):
    """Six months from March 2022 on: one contract each, rising with the month."""
    return QuoteDay(day, tuple(ContractQuote(JANUARY + n, 1, price(n)) for n in range(2, 8)))


HISTORY = (
    quotes(date(2022, 2, 21), lambda n: 50.0 + n),
    quotes(date(2022, 2, 23), lambda n: 80.0 + n),
    quotes(date(2022, 3, 1), lambda n: 120.0 + n),
    quotes(date(2022, 3, 4), lambda n: (80.0 + n) * (3.0 - n / 10)),
)


def test_an_event_is_the_move_of_each_contract_between_its_two_days():
    found = event_moves(INVASION, HISTORY, hours, tenors=5)
    assert (found.first, found.last) == (date(2022, 2, 23), date(2022, 3, 4))
    # On 4 March tenor 0 is March, n = 2.
    assert found.values == pytest.approx([2.0 - n / 10 for n in range(2, 7)])
    assert found.gaps == ()


def test_by_contract_the_same_month_speaks():
    found = event_moves(
        INVASION, HISTORY, hours, tenors=3, rule=ShockRule.ABSOLUTE,
        mapping=ShockMapping.CONTRACT, origin=JANUARY + 5,
    )  # fmt: skip
    moves = [(80.0 + n) * (2.0 - n / 10) for n in range(5, 8)]
    assert found.values == pytest.approx(moves)


def test_a_tenor_that_nobody_quoted_says_what_stood_in():
    found = event_moves(INVASION, HISTORY, hours, tenors=8)
    assert found.values[-1] == pytest.approx(2.0 - 0.7)
    assert any(gap.first <= 7 <= gap.last for gap in found.gaps)


def test_its_moves_are_a_stress():
    found = event_moves(INVASION, HISTORY, hours, tenors=2)
    short = Portfolio(2, ForwardRows(np.arange(2), np.array([-10.0, 0.0]), np.array([90.0, 90.0])),
                      np.arange(2))  # fmt: skip
    shock = StressShock(found.event.name, np.arange(2), found.values)
    assert stress(short, [100.0, 110.0], [], [shock]).pnl == pytest.approx(-10 * 100 * 1.8)


def test_events_that_come_with_it_are_in_the_past_and_have_a_name_each():
    assert len({event.name for event in NAMED_EVENTS}) == len(NAMED_EVENTS)
    assert all(timedelta(7) < event.last - event.first < timedelta(60) for event in NAMED_EVENTS)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: HistoricalEvent("Backwards", INVASION.last, INVASION.first), "Backwards: 2022"),
        (
            lambda: event_moves(NAMED_EVENTS[0], HISTORY, hours, tenors=2),
            "Pandemic.* nothing was quoted on 2020-02-20",
        ),
        (
            lambda: event_moves(INVASION, HISTORY[:2], hours, tenors=2),
            "Invasion: nothing was quoted on 2022-03-07",
        ),
        (
            lambda: event_moves(
                HistoricalEvent("Short", date(2022, 2, 24), date(2022, 2, 26)), HISTORY, hours,
                tenors=2,
            ),
            "Short: 2022-02-23 has the only quotes",
        ),
        (
            lambda: event_moves(
                INVASION,
                (HISTORY[1], QuoteDay(date(2022, 3, 4), (ContractQuote(JANUARY, 12, 90.0),))),
                hours, tenors=2,
            ),
            "Invasion: history: 0 daily changes",
        ),
        (
            lambda: event_moves(
                INVASION, (quotes(date(2022, 2, 23), lambda n: -1.0), HISTORY[3]), hours, tenors=2
            ),
            "Invasion: history: 2022-03",
        ),
    ],
)  # fmt: skip
def test_refuses_by_name(call, said):
    with pytest.raises(ScenarioError, match=said):
        call()
