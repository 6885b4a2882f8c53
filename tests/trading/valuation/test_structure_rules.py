"""Nominations as a whole: whatever is let through stays within the contract's bounds."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energyopti.foundation.calendars import DatePeriod
from trading.deals import Frequency, Schedule, Volume
from trading.queries.valuation.structures import structure_holding
from trading.valuation import PlanRefused, check_nominations

from .structures_desk import BATTERY, STORAGE, SWING, TOLLING, TTF

FIRST = date(2026, 12, 1)
TEN = Schedule(
    TTF, DatePeriod(FIRST, FIRST + timedelta(days=10)), Volume(Decimal(240), "MWh", Frequency.DAY)
)
STORE = replace(
    STORAGE, schedule=TEN,
    terms=replace(
        STORAGE.terms, working_volume=Decimal(1000), start_inventory=Decimal(400),
        end_inventory=Decimal(300),
    ),
)  # fmt: skip
TAKE = replace(
    SWING, schedule=TEN,
    terms=replace(SWING.terms, maximum=Decimal(1200), minimum=Decimal(480)),
)  # fmt: skip
BEFORE = 0


def check(leg, days):
    said = {FIRST + timedelta(days=n): (Decimal(q),) for n, q in days.items()}
    check_nominations(structure_holding(0, leg, (), said), BEFORE)


def accepted(leg, orders):
    """Nominate in an order, keeping what is let through, as the desk does."""
    days = {}
    for day, quantity in orders:
        try:
            check(leg, {**days, day: quantity})
        except PlanRefused:
            continue
        days[day] = quantity
    return days


ORDERS = st.lists(st.tuples(st.integers(0, 9), st.integers(-260, 260)), max_size=25)


@given(orders=ORDERS)
@settings(max_examples=150, deadline=None)
def test_a_store_never_leaves_its_bounds_and_its_end_stays_within_reach(orders):
    days = accepted(STORE, orders)

    level = 400.0
    for n in range(10):
        moved = days.get(n, 0)
        # 40 per cent of 240 when empty, all of it from 30 per cent of the volume up.
        most = np.interp(level, [0, 300, 1000], [96, 240, 240]) if moved > 0 else 120
        assert abs(moved) <= most + 1e-6
        level -= moved
        assert -1e-6 <= level <= 1000 + 1e-6
    open_days = 9 - max(days, default=-1)
    assert level + 120 * open_days >= 300 - 1e-6


@given(orders=ORDERS)
@settings(max_examples=150, deadline=None)
def test_a_swing_contract_keeps_its_year_within_reach(orders):
    days = accepted(TAKE, orders)

    assert all(24 <= quantity <= 240 for quantity in days.values())
    left = 10 - len(days)
    assert sum(days.values()) + 24 * left <= 1200
    assert sum(days.values()) + 240 * left >= 480


@pytest.mark.parametrize(
    ("leg", "days", "rule"),
    [
        (STORE, {0: 241}, "2026-12-01: with 400 in store at most 240 can be withdrawn, not 241"),
        (STORE, {0: 240, 1: 200}, "2026-12-02: with 160 in store at most 172.8 can be withdrawn"),
        (STORE, {0: -121}, "at most 120 can be injected"),
        (STORE, dict.fromkeys(range(7), -100), "2026-12-07: 1100 would be in store"),
        (STORE, {9: 150}, "250 would be left at the end, less than 300"),
        (TAKE, {0: 23}, "2026-12-01: 23 is not from 24 to 240"),
        (TAKE, dict.fromkeys(range(5), 240), "The contract year would not be kept: years"),
        (TAKE, dict.fromkeys(range(9), 24), "must be taken, but only"),
    ],
)
def test_what_breaks_the_terms_is_refused_by_name(leg, days, rule):
    with pytest.raises(PlanRefused, match=rule.replace("+", r"\+").replace("[", r"\[")):
        check(leg, days)


def test_a_plant_runs_at_its_levels_and_for_its_least_hours():
    def hours(**at):
        return {date(2027, 3, 1): tuple(map(Decimal, at["mw"]))}

    def check_plant(mw):
        check_nominations(structure_holding(0, TOLLING, (), hours(mw=mw)), BEFORE)

    check_plant([0] * 6 + [30] * 4 + [0] * 2 + [50] * 12)
    with pytest.raises(PlanRefused, match="10 MW is neither 0 nor from 20 to 50"):
        check_plant([10] * 24)
    with pytest.raises(PlanRefused, match="3 hours on, fewer than 4"):
        check_plant([0] * 6 + [30] * 3 + [0] * 15)
    with pytest.raises(PlanRefused, match="1 hours off, fewer than 2"):
        check_plant([30] * 6 + [0] + [30] * 17)


def test_a_battery_keeps_its_power_its_energy_and_its_cycles():
    def check_battery(mw):
        said = {date(2027, 3, 1): tuple(map(Decimal, mw))}
        check_nominations(structure_holding(0, BATTERY, (), said), BEFORE)

    # 5 MWh in the cells; 10 MW for an hour and a half fill them at 90 per cent.
    check_battery([-10, -6, *[0] * 20, 9, 8])
    with pytest.raises(PlanRefused, match="11 MW is above 10"):
        check_battery([11, *[0] * 23])
    with pytest.raises(PlanRefused, match="23 MWh would be stored, not from 0 to 20"):
        check_battery([-10, -10, *[0] * 22])
    with pytest.raises(PlanRefused, match=r"1\.05 cycles, more than 1 a day"):
        check_battery([-10, -6, 9, 0, -9, *[0] * 17, 9, Decimal("0.9")])
