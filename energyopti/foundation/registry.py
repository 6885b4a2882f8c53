"""
Typed registries: a lower app declares one, a higher app fills it in its `AppConfig.ready()`.

This is how a lower room asks upward without importing upward: checks before a trade, panels of a
home page, steps of the end of day. Events are the other way, for what need not be answered.

A registry with required names is a guard. Guards enrol themselves, and every process asks all of
them once when its apps are ready (`verify_guards`; `manage.py` as a system check).
"""

from collections.abc import Iterator
from typing import Any, Generic, TypeVar
from weakref import WeakSet

Entry = TypeVar("Entry")


class DuplicateEntry(ValueError):
    """Two entries were registered under one name."""


class MissingEntry(LookupError):
    """A name that must have an entry has none."""


# Weak, so that the registry of a test goes with its test.
_GUARDS: WeakSet["Registry[Any]"] = WeakSet()


class Registry(Generic[Entry]):
    """
    Hold entries of one type by name, in the order of their registration.

    required    names that must be there when the process has started; a registry that guards
                something fails closed through `verify`, which start-up calls.
    """

    def __init__(self, subject: str, *, required: frozenset[str] = frozenset()) -> None:
        self.subject = subject
        self.required = required
        self._entries: dict[str, Entry] = {}
        if required:
            _GUARDS.add(self)

    def register(self, name: str, entry: Entry) -> Entry:
        """
        Add an entry under a name that no other entry has.

        :raises DuplicateEntry: if the name is taken by another entry.
        """
        if name in self._entries and self._entries[name] is not entry:
            raise DuplicateEntry(f"{self.subject}: “{name}” is already registered")
        self._entries[name] = entry
        return entry

    def __getitem__(self, name: str) -> Entry:
        try:
            return self._entries[name]
        except KeyError:
            known = ", ".join(sorted(self._entries)) or "none"
            raise MissingEntry(f"{self.subject}: no “{name}”; registered are: {known}") from None

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def items(self) -> list[tuple[str, Entry]]:
        return list(self._entries.items())

    def values(self) -> list[Entry]:
        return list(self._entries.values())

    def missing(self) -> frozenset[str]:
        """Return the required names that nobody has registered."""
        return self.required - self._entries.keys()

    def verify(self) -> None:
        """
        Refuse to go on while a required entry is missing.

        :raises MissingEntry: naming what is missing.
        """
        if missing := self.missing():
            raise MissingEntry(f"{self.subject}: nobody registered {', '.join(sorted(missing))}")


def incomplete_guards() -> list[Registry[Any]]:
    """Return the registries that lack a required entry, by subject."""
    return sorted((guard for guard in _GUARDS if guard.missing()), key=lambda guard: guard.subject)


def verify_guards() -> None:
    """
    Refuse to start while any registry lacks a required entry; called when all apps are ready.

    :raises MissingEntry: naming what is missing, of the first such registry.
    """
    for guard in incomplete_guards():
        guard.verify()
