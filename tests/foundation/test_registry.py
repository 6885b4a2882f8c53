import gc

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from energyopti.foundation.registry import (
    DuplicateEntry,
    MissingEntry,
    Registry,
    incomplete_guards,
    verify_guards,
)
from trading.checks import CHANGE_STEPS, CHECKS


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


def test_check_fails_while_a_guard_lacks_an_entry() -> None:
    call_command("check")
    guard: Registry[int] = Registry("interlocks of a test", required=frozenset({"stop", "gate"}))
    guard.register("stop", 1)

    with pytest.raises(SystemCheckError, match=r"interlocks of a test: nobody registered gate"):
        call_command("check")
    with pytest.raises(MissingEntry, match="interlocks of a test: nobody registered gate"):
        verify_guards()

    guard.register("gate", 2)
    call_command("check")
    verify_guards()


def test_a_registry_that_requires_nothing_is_no_guard() -> None:
    registry: Registry[int] = Registry("panels of a test")

    assert registry not in incomplete_guards()


def test_a_guard_goes_with_whoever_held_it() -> None:
    Registry("short-lived", required=frozenset({"x"}))
    gc.collect()

    assert "short-lived" not in [guard.subject for guard in incomplete_guards()]


@pytest.mark.parametrize(
    ("guard", "name"),
    [(CHECKS, "limits"), (CHECKS, "duplicate"), (CHANGE_STEPS, "risk_vectors")],
)
def test_check_names_a_forgotten_check_of_trades(guard, name, monkeypatch) -> None:
    entries = {held: entry for held, entry in guard.items() if held != name}
    monkeypatch.setattr(guard, "_entries", entries)

    with pytest.raises(SystemCheckError, match=f"{guard.subject}: nobody registered {name}"):
        call_command("check")
