"""Running reference cases through the registered adapters, and the report of it."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded

from energyopti.foundation.validation.cases import ReferenceCase
from energyopti.foundation.validation.comparison import as_json, compare, plain
from energyopti.foundation.validation.registry import AdapterRegistry, Unsupported


class Status(StrEnum):
    """What became of a case; a crash inside an adapter is a FAIL."""

    PASS = "pass"  # noqa: S105 - the word of the report, no password
    FAIL = "fail"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """
    One case's outcome, ready for JSON.

    reason      why it is unsupported, or the message of a crash; else empty
    worst       largest difference relative to its tolerance; see `comparison.Comparison`
    seconds     that the answer took
    """

    id: str
    topic: str
    status: Status
    expected: Any
    got: Any
    difference: Any
    reason: str = ""
    worst: float | None = None
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return the case as it stands in the report."""
        found = {
            "id": self.id,
            "topic": self.topic,
            "status": self.status.value,
            "expected": self.expected,
            "got": self.got,
            "difference": self.difference,
        }
        return {**found, "reason": self.reason} if self.reason else found


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of all cases that were run."""

    cases: tuple[CaseResult, ...]

    def counts(self) -> dict[str, int]:
        """Return how many passed, failed and were unsupported."""
        found = Counter(case.status for case in self.cases)
        return {status.value: found[status] for status in Status}

    def all_pass(self) -> bool:
        """Say whether there was a case and every case passed."""
        return bool(self.cases) and all(case.status is Status.PASS for case in self.cases)

    def as_dict(self) -> dict[str, Any]:
        """Return the report in the format of the command's JSON."""
        return {"summary": self.counts(), "cases": [case.as_dict() for case in self.cases]}


def run_cases(cases: Iterable[ReferenceCase], *, adapters: AdapterRegistry) -> Report:
    """Run cases in their order; one case's failure does not stop the others."""
    return Report(tuple(run_case(case, adapters=adapters) for case in cases))


def run_case(case: ReferenceCase, *, adapters: AdapterRegistry) -> CaseResult:
    """Run one case through the adapters of its topic and compare."""
    question = case.question
    started = time.perf_counter()

    def result(
        status: Status, got: object = None, difference: Any = None, **more: Any
    ) -> CaseResult:
        return CaseResult(
            question.id, question.topic, status, case.expected, as_json(got), difference,
            seconds=time.perf_counter() - started, **more,
        )  # fmt: skip

    if case.expected in ({}, None):
        return result(Status.UNSUPPORTED, reason="the case states no expected answer")
    try:
        got = plain(adapters.answer(question))
    except Unsupported as declined:
        return result(Status.UNSUPPORTED, reason=str(declined))
    except SoftTimeLimitExceeded:  # the whole run's time is over, not this case's
        raise
    except Exception as error:  # noqa: BLE001 - a model may fail in any way; that is the finding
        return result(Status.FAIL, reason=f"{type(error).__name__}: {error}")
    compared = compare(got, case.expected, case.tolerance)
    status = Status.PASS if compared.agrees else Status.FAIL
    return result(status, got, compared.difference, worst=compared.worst)
