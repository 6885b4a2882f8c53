"""The shared reference cases of deals, VaR and ES pass through the product's own code."""

import pytest

from energyopti.foundation.validation.cases import read_cases
from energyopti.foundation.validation.registry import adapters
from energyopti.foundation.validation.runner import Status, run_cases


@pytest.mark.parametrize(
    ("file", "topic", "fewest"),
    [
        ("trading_risk.json", "var_historical_conventions", 3),
        ("trading_risk.json", "var_historical_vector", 2),
        ("energy_settlement.json", "delivery_periods", 3),
    ],
)
def test_every_case_of_the_topic_passes(shared_data, file, topic, fewest):
    cases = [c for c in read_cases(shared_data / "oracles" / file) if c.question.topic == topic]

    results = run_cases(cases, adapters=adapters).cases

    assert len(results) >= fewest
    assert {r.id: r.status for r in results if r.status is not Status.PASS} == {}
