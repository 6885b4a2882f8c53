"""Adapters: several for one topic, declining, and never seeing the expected values."""

from pathlib import Path

import pytest

from energyopti.foundation.validation.adapters import register_adapters
from energyopti.foundation.validation.registry import (
    AdapterRegistry,
    Question,
    Unsupported,
    adapters,
)


def question(**inputs: object) -> Question:
    return Question("q", "delivery_periods", inputs, ("hours",), Path())


def by_zone(asked: Question) -> object:
    asked.require("tz")
    return {"hours": 1, "more": 2}


def by_deal(asked: Question) -> object:
    asked.require("deal")
    return {"hours": 3}


def test_adapters_of_one_topic_share_the_cases_by_declining():
    registry = AdapterRegistry()
    registry.register("delivery_periods", by_zone)
    registry.register("delivery_periods", by_deal)

    assert registry.answer(question(tz="UTC")) == {"hours": 1}
    assert registry.answer(question(deal="B 10MW")) == {"hours": 3}
    with pytest.raises(Unsupported, match="inputs have no tz; inputs have no deal"):
        registry.answer(question(other=1))


def test_registering_twice_changes_nothing():
    registry = AdapterRegistry()
    registry.register("t", by_zone)
    registry.register("t", by_zone)
    register_adapters()

    with pytest.raises(Unsupported, match=r"^inputs have no tz$"):
        registry.answer(Question("q", "t", {}, (), Path()))
    assert {"calendar", "delivery_hours_base", "delivery_periods", "dst_day"} <= set(
        adapters.topics()
    )


def test_answer_that_is_one_number_passes_through():
    registry = AdapterRegistry()
    registry.register("t", lambda asked: 7)

    assert registry.answer(Question("q", "t", {}, (), Path())) == 7


def test_topic_without_adapter_is_unsupported():
    with pytest.raises(Unsupported, match="no adapter is registered for topic delivery_periods"):
        AdapterRegistry().answer(question())


def test_question_does_not_carry_expected_values():
    assert set(Question.__slots__) == {"id", "topic", "inputs", "asked", "folder", "dates"}


def test_case_that_names_no_period_is_declined():
    empty = Question("q", "delivery_periods", {"tz": "UTC"}, (), Path())

    with pytest.raises(Unsupported, match="names no period"):
        adapters.answer(empty)


def test_adapter_given_by_name_is_imported_when_a_case_asks():
    registry = AdapterRegistry()
    registry.register("delivery_periods", f"{__name__}:by_zone")
    registry.register("delivery_periods", f"{__name__}:by_zone")
    registry.register("other", f"{__name__}:nobody")

    assert registry.answer(question(tz="UTC")) == {"hours": 1}
    assert registry.of("delivery_periods") == (by_zone,)
    with pytest.raises(AttributeError, match="nobody"):
        registry.of("other")


@pytest.mark.parametrize("topic", adapters.topics())
def test_names_that_apps_register_lead_to_adapters(topic):
    assert all(callable(adapter) for adapter in adapters.of(topic))
