import pytest

from energyopti.foundation.registry import DuplicateEntry, MissingEntry, Registry


def test_keeps_the_order_of_registration() -> None:
    registry: Registry[int] = Registry("numbers")
    registry.register("b", 2)
    registry.register("a", 1)

    assert list(registry) == ["b", "a"]
    assert registry.values() == [2, 1]
    assert registry.items() == [("b", 2), ("a", 1)]
    assert registry["a"] == 1
    assert "a" in registry
    assert len(registry) == 2


def test_refuses_another_entry_under_a_taken_name() -> None:
    registry: Registry[int] = Registry("numbers")
    registry.register("a", 1)
    registry.register("a", 1)

    with pytest.raises(DuplicateEntry, match="numbers: “a” is already registered"):
        registry.register("a", 2)


def test_names_what_is_there_when_an_entry_is_not() -> None:
    registry: Registry[int] = Registry("numbers")
    registry.register("a", 1)

    with pytest.raises(MissingEntry, match="numbers: no “c”; registered are: a"):
        registry["c"]


def test_fails_closed_while_a_required_entry_is_missing() -> None:
    registry: Registry[int] = Registry("checks", required=frozenset({"limit", "credit"}))
    registry.register("limit", 1)

    with pytest.raises(MissingEntry, match="checks: nobody registered credit"):
        registry.verify()

    registry.register("credit", 2)
    registry.verify()
