"""
The registry of model validation: which adapters answer the reference cases of a topic.

An app registers its adapters in `AppConfig.ready()`, by name where they need NumPy or more: then
nothing is imported until a case asks. An adapter translates a case's inputs,
calls the product's public entry point and returns what the case asks for; it holds no formula.
Several adapters may stand behind one topic: each declines what is not its own by raising
`Unsupported`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import Any


class Unsupported(Exception):
    """Raised by an adapter for a case that it does not answer; the message says why."""


@dataclass(frozen=True, slots=True)
class Question:
    """
    What an adapter sees of a reference case: everything but the expected values.

    inputs      as in the file; numbers with a point are floats
    asked       the keys of the expected answer, because some topics put the question there
                ("2027-03" hours); empty if the expected answer is not an object
    folder      where the file of cases lies, for inputs that name a file beside it; None for a
                file that somebody sent, whose inputs may name none of the host's
    dates       the ISO dates that the case names beside its source, where some say which days
                of a published table they ask for
    """

    id: str
    topic: str
    inputs: Mapping[str, Any]
    asked: tuple[str, ...]
    folder: Path | None
    dates: tuple[str, ...] = ()

    def require(self, *keys: str) -> None:
        """
        Decline the case unless its inputs have all of these keys.

        :raises Unsupported: naming the missing ones.
        """
        missing = [key for key in keys if key not in self.inputs]
        if missing:
            raise Unsupported(f"inputs have no {', '.join(missing)}")

    def only(self, *keys: str) -> None:
        """
        Decline the case if its inputs have other keys: a term that is not read changes the answer.

        :raises Unsupported: naming the others.
        """
        if others := sorted(set(self.inputs) - set(keys)):
            raise Unsupported(f"inputs have {', '.join(others)}, which no adapter reads")


Adapter = Callable[[Question], object]


class AdapterRegistry:
    """Hold the adapters of each topic in the order of their registration."""

    def __init__(self) -> None:
        self._adapters: dict[str, list[Adapter | str]] = {}

    def register(self, topic: str, adapter: Adapter | str) -> None:
        """
        Add an adapter to a topic; adding the same one again changes nothing.

        adapter     the function, or its name as "package.module:function"
        """
        adapters = self._adapters.setdefault(topic, [])
        if adapter not in adapters:
            adapters.append(adapter)

    def topics(self) -> tuple[str, ...]:
        """Return the topics that have an adapter, sorted."""
        return tuple(sorted(self._adapters))

    def of(self, topic: str) -> tuple[Adapter, ...]:
        """
        Return the adapters of a topic, imported.

        :raises ImportError, AttributeError: for a name that leads nowhere.
        """
        return tuple(
            resolve_name(adapter) if isinstance(adapter, str) else adapter
            for adapter in self._adapters.get(topic, ())
        )

    def answer(self, question: Question) -> object:
        """
        Return the answer of the first adapter that does not decline.

        A mapping is cut to the keys that the case asks for.

        :raises Unsupported: if there is no adapter, or each one declines.
        """
        adapters = self.of(question.topic)
        if not adapters:
            raise Unsupported(f"no adapter is registered for topic {question.topic}")
        reasons: list[str] = []
        for adapter in adapters:
            try:
                answer = adapter(question)
            except Unsupported as declined:
                reasons.append(str(declined))
                continue
            if isinstance(answer, Mapping) and question.asked:
                return {key: answer[key] for key in question.asked if key in answer}
            return answer
        raise Unsupported("; ".join(reasons))


adapters = AdapterRegistry()
