"""Reading a file of reference cases: ``{"cases": […]}`` or ``{"meta": …, "groups": […]}``."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from energyopti.foundation.validation.registry import Question

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
# Answers of grouped items that do not say "expect" in their name.
_GROUP_ANSWERS = frozenset(
    {
        "base15", "base18", "check", "coverage_pct", "field38", "field41", "full",
        "low_carbon_pct", "product_must", "renewable_pct", "ss", "uti",
        "v2_valid", "v3_valid_after_namespace_swap", "xsd_valid",
    }
)  # fmt: skip


class MalformedCases(ValueError):
    """Raised when a file is not a file of reference cases; says where and which rule."""


@dataclass(frozen=True, slots=True)
class ReferenceCase:
    """
    One reference case: a question, the expected answer and the absolute tolerance.

    tolerance   one number for all, or one by key of the answer; a key without is exact
    """

    question: Question
    expected: Any
    tolerance: Decimal | Mapping[str, Decimal]


def read_cases(path: Path) -> list[ReferenceCase]:
    """
    Read a file of reference cases.

    :raises MalformedCases: if it cannot be read, is not JSON with unique keys and finite
        numbers, holds no case, or a case lacks its fields or repeats an id.
    """
    try:
        document = json.loads(
            path.read_text(encoding="utf-8"),
            object_pairs_hook=_unique_keys,
            parse_constant=_refuse_constant,
        )
    except OSError as error:
        raise MalformedCases(f"{path}: cannot be read ({error.strerror}).") from error
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise MalformedCases(f"{path}: is not JSON in UTF-8 ({error}).") from error
    folder = path.resolve().parent
    try:
        cases = list(_cases_of(document, folder))
    except MalformedCases as error:
        raise MalformedCases(f"{path}: {error}") from error
    if not cases:
        raise MalformedCases(f"{path}: holds no case.")
    seen: set[str] = set()
    for case in cases:
        if case.question.id in seen:
            raise MalformedCases(f"{path}: id {case.question.id!r} is there twice.")
        seen.add(case.question.id)
    return cases


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise MalformedCases(f"key {twice!r} is there twice in one object.")
    return found


def _refuse_constant(text: str) -> float:
    raise MalformedCases(f"{text} is not a JSON number.")


def _cases_of(document: object, folder: Path) -> Iterator[ReferenceCase]:
    if isinstance(document, dict) and isinstance(document.get("cases"), list):
        for index, case in enumerate(document["cases"]):
            yield _plain_case(case, f"cases[{index}]", folder)
    elif isinstance(document, dict) and isinstance(document.get("groups"), list):
        for index, group in enumerate(document["groups"]):
            yield from _grouped_cases(group, f"groups[{index}]", folder)
    else:
        raise MalformedCases('must be an object with a list "cases" or a list "groups".')


def _plain_case(case: object, place: str, folder: Path) -> ReferenceCase:
    if not isinstance(case, dict):
        raise MalformedCases(f"{place} must be an object.")
    for field, kind in (("id", str), ("topic", str), ("inputs", dict)):
        if not isinstance(case.get(field), kind):
            name = "an object" if kind is dict else "text"
            raise MalformedCases(f"{place}.{field} must be {name}.")
    if "expected" not in case:
        raise MalformedCases(f"{place}.expected is missing.")
    return _case(
        id_=case["id"],
        topic=case["topic"],
        inputs=case["inputs"],
        expected=case["expected"],
        tolerance=_tolerance(case.get("tolerance"), place),
        folder=folder,
        dates=tuple(_ISO_DATE.findall(str(case.get("source") or ""))),
    )


def _grouped_cases(group: object, place: str, folder: Path) -> Iterator[ReferenceCase]:
    if not isinstance(group, dict) or not isinstance(group.get("id"), str):
        raise MalformedCases(f"{place} must be an object with an id.")
    if not isinstance(group.get("items"), list):
        raise MalformedCases(f"{place}.items must be a list.")
    tolerance = _tolerance(group.get("tolerance"), place)
    for index, item in enumerate(group["items"]):
        if not isinstance(item, dict):
            raise MalformedCases(f"{place}.items[{index}] must be an object.")
        answers = {k for k in item if k.startswith("expect") or k in _GROUP_ANSWERS}
        yield _case(
            id_=f"{group['id']}[{index}]",
            topic=group["id"],
            inputs={key: value for key, value in item.items() if key not in answers},
            expected={key: value for key, value in item.items() if key in answers},
            tolerance=tolerance,
            folder=folder,
        )


def _case(
    *,
    id_: str,
    topic: str,
    inputs: dict[str, Any],
    expected: object,
    tolerance: Decimal | Mapping[str, Decimal],
    folder: Path,
    dates: tuple[str, ...] = (),
) -> ReferenceCase:
    asked = tuple(expected) if isinstance(expected, dict) else ()
    return ReferenceCase(Question(id_, topic, inputs, asked, folder, dates), expected, tolerance)


def _tolerance(stated: object, place: str) -> Decimal | Mapping[str, Decimal]:
    if isinstance(stated, dict):
        return {key: _number(value, f"{place}.tolerance.{key}") for key, value in stated.items()}
    return Decimal(0) if stated is None else _number(stated, f"{place}.tolerance")


def _number(stated: object, place: str) -> Decimal:
    if isinstance(stated, bool) or not isinstance(stated, int | float | str):
        raise MalformedCases(f"{place} must be a number, or a number as text.")
    try:
        number = Decimal(str(stated))
    except InvalidOperation as error:
        raise MalformedCases(f"{place}: {stated!r} is not a number.") from error
    if not number.is_finite() or number < 0:
        raise MalformedCases(f"{place}: {stated!r} must be finite and not negative.")
    return number
