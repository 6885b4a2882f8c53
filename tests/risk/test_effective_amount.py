"""What a limit allows over time: increases count from their start to before their end."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from risk.queries.limits import increase_at

BEGIN = datetime(2026, 11, 20, tzinfo=UTC)
HOURS = st.integers(0, 200)


@dataclass(frozen=True)
class Increase:
    amount: Decimal
    start_at: datetime
    end_at: datetime


INCREASES = st.lists(
    st.builds(
        lambda amount, start, length: Increase(
            Decimal(amount), BEGIN + timedelta(hours=start), BEGIN + timedelta(hours=start + length)
        ),
        st.integers(1, 1000), HOURS, st.integers(1, 50),
    ),
    max_size=6,
)  # fmt: skip


@given(INCREASES, HOURS)
def test_the_sum_of_those_that_hold_and_never_less_than_nothing(increases, hour):
    at = BEGIN + timedelta(hours=hour)

    found = increase_at(increases, at)

    holding = [one.amount for one in increases if not (at < one.start_at or at >= one.end_at)]
    assert found == sum(holding, Decimal(0)) >= 0


@given(INCREASES)
def test_it_changes_only_where_one_begins_or_ends_and_ends_by_itself(increases):
    turns = {one.start_at for one in increases} | {one.end_at for one in increases}
    before = Decimal(0)
    for hour in range(260):
        at = BEGIN + timedelta(hours=hour)
        now = increase_at(increases, at)
        assert now == before or at in turns
        before = now
    assert before == 0
    for turn in turns:
        started = sum((one.amount for one in increases if one.start_at == turn), Decimal(0))
        ended = sum((one.amount for one in increases if one.end_at == turn), Decimal(0))
        tick = timedelta(microseconds=1)
        assert increase_at(increases, turn) - increase_at(increases, turn - tick) == started - ended
