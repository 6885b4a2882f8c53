"""Reading a file of reference cases: ``{"cases": […]}`` or ``{"meta": …, "groups": […]}``."""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import partial
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


# What an uploaded case may say; another word is a slip of the pen, such as "tolerence".
FIELDS = frozenset(
    {
        "id", "topic", "model", "inputs", "expected", "tolerance", "source", "provenance",
        "reproduced_here", "note", "verification",
    }
)  # fmt: skip
NAME_CHARACTERS = 120
DEPTH = 40
PROBLEMS = 50
EXPONENT = 400
_ENORMOUS = re.compile(r"\s*[-+]?[0-9_.]*[eE][-+]?0*[1-9][0-9_]{3,}\s*", re.ASCII)
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class CaseProblem:
    """
    What is wrong with a file of cases, and where.

    place       "cases[3].tolerance", empty for the file itself
    case        id of the case, empty where it has none
    """

    place: str
    rule: str
    case: str = ""

    def __str__(self) -> str:
        return f"{self.place} {self.rule}".strip()


class MalformedCases(ValueError):
    """Raised when a file is not a file of reference cases; says where and which rules."""

    def __init__(self, problems: tuple[CaseProblem, ...], *, name: str = "") -> None:
        self.problems = problems
        more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{name}: {problems[0]}{more}" if name else f"{problems[0]}{more}")


@dataclass(frozen=True, slots=True)
class ReferenceCase:
    """
    One reference case: a question, the expected answer and the absolute tolerance.

    tolerance   one number for all, or one by key of the answer; a key without is exact
    model       what is computed, in words
    source      where the expected answer is from
    provenance  "published", "generated" …
    """

    question: Question
    expected: Any
    tolerance: Decimal | Mapping[str, Decimal]
    model: str = ""
    source: str = ""
    provenance: str = ""
    note: str = ""


def read_cases(path: Path) -> list[ReferenceCase]:
    """
    Read a file of reference cases.

    :raises MalformedCases: if it cannot be read, and as `parse_cases`.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        rule = f"cannot be read ({error.strerror})."
        raise MalformedCases((CaseProblem("", rule),), name=str(path)) from error
    return parse_cases(content, name=str(path), folder=path.resolve().parent)


def parse_cases(
    content: bytes, *, name: str, folder: Path | None = None, is_strict: bool = False
) -> list[ReferenceCase]:
    """
    Return the cases of a file's bytes.

    folder      where files lie that inputs name; None if they may name none (an upload)
    is_strict   refuse fields of a case that the format does not have

    :raises MalformedCases: if it is not JSON in UTF-8 with unique keys and finite numbers, holds
        no case, or cases lack their fields or repeat an id; with every such case, up to 50.
    """
    try:
        document = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_unique_keys,
            parse_constant=_refuse_constant,
            parse_float=_finite_float,
        )
    except MalformedCases as error:
        raise MalformedCases(error.problems, name=name) from error
    except (ValueError, RecursionError) as error:  # UTF-8, JSON, or a number of 5,000 digits
        rule = f"is not JSON in UTF-8 ({error})."
        raise MalformedCases((CaseProblem("", rule),), name=name) from error
    problems: list[CaseProblem] = []
    cases: list[ReferenceCase] = []
    seen: dict[str, str] = {}
    try:
        for place, id_, make in _cases_of(document, folder, is_strict):
            try:
                case = make()
                _check_names(case.question, place, seen)
            except MalformedCases as error:
                problems += [CaseProblem(p.place, p.rule, id_) for p in error.problems]
                continue
            cases.append(case)
    except MalformedCases as error:
        problems += error.problems
    if not cases and not problems:
        problems.append(CaseProblem("", "holds no case."))
    if problems:
        raise MalformedCases(tuple(problems[:PROBLEMS]), name=name)
    return cases


def _malformed(place: str, rule: str) -> MalformedCases:
    return MalformedCases((CaseProblem(place, rule),))


def _check_names(question: Question, place: str, seen: dict[str, str]) -> None:
    for field, text in (("id", question.id), ("topic", question.topic)):
        if not 0 < len(text) <= NAME_CHARACTERS:
            raise _malformed(f"{place}.{field}", f"must have 1 to {NAME_CHARACTERS} characters.")
    if question.id in seen:
        rule = f"{question.id!r} is there twice (first: {seen[question.id]})."
        raise _malformed(f"{place}.id", rule)
    seen[question.id] = place


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _malformed("", f"key {twice!r} is there twice in one object.")
    return found


def _refuse_constant(text: str) -> float:
    raise _malformed("", f"{text} is not a JSON number.")


def _finite_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _malformed("", f"{text} is beyond a 64-bit number.")
    return number


_Found = tuple[str, str, Callable[[], ReferenceCase]]


def _cases_of(document: object, folder: Path | None, is_strict: bool) -> Iterator[_Found]:
    """Yield where each case stands, its id as far as it has one, and how it is read."""
    if isinstance(document, dict) and isinstance(document.get("cases"), list):
        for index, case in enumerate(document["cases"]):
            place = f"cases[{index}]"
            yield place, _id_of(case), partial(_plain_case, case, place, folder, is_strict)
    elif isinstance(document, dict) and isinstance(document.get("groups"), list):
        for index, group in enumerate(document["groups"]):
            yield from _grouped_cases(group, f"groups[{index}]", folder)
    else:
        raise _malformed("", 'must be an object with a list "cases" or a list "groups".')


def _id_of(case: object) -> str:
    stated = case.get("id") if isinstance(case, dict) else None
    return _UNWRITABLE.sub("", stated)[:NAME_CHARACTERS] if isinstance(stated, str) else ""


def _plain_case(case: object, place: str, folder: Path | None, is_strict: bool) -> ReferenceCase:
    if not isinstance(case, dict):
        raise _malformed(place, "must be an object.")
    problems = [
        CaseProblem(f"{place}.{field}", f"must be {'an object' if kind is dict else 'text'}.")
        for field, kind in (("id", str), ("topic", str), ("inputs", dict))
        if not isinstance(case.get(field), kind)
    ]
    problems += [
        CaseProblem(f"{place}.{field}", "must be text or null.")
        for field in ("model", "source", "provenance", "note")
        if is_strict and not isinstance(case.get(field), str | None)
    ]
    if is_strict and (unknown := case.keys() - FIELDS):
        rule = f"is no field of a case; fields are {', '.join(sorted(FIELDS))}."
        problems += [CaseProblem(f"{place}.{field[:80]}", rule) for field in sorted(unknown)]
    if "expected" not in case:
        problems.append(CaseProblem(f"{place}.expected", "is missing."))
    tolerance: Decimal | Mapping[str, Decimal] = Decimal(0)
    try:
        tolerance = _tolerance(case.get("tolerance"), place)
        _check_values(case, place, 0)
    except MalformedCases as error:
        problems += error.problems
    if problems:
        raise MalformedCases(tuple(problems))
    return _case(
        id_=case["id"],
        topic=case["topic"],
        inputs=case["inputs"],
        expected=case["expected"],
        tolerance=tolerance,
        folder=folder,
        dates=tuple(_ISO_DATE.findall(str(case.get("source") or ""))),
        words=case,
    )


def _check_values(value: object, place: str, depth: int) -> None:
    """Refuse text that no database holds, and what would take the memory of the host."""
    if depth > DEPTH:
        raise _malformed(place, f"is nested deeper than {DEPTH} levels.")
    if isinstance(value, str):
        if _UNWRITABLE.search(value):
            raise _malformed(place, "holds a NUL character or half a surrogate pair.")
        if _ENORMOUS.fullmatch(value):  # exact arithmetic would write all its digits out
            raise _malformed(place, "is a number with an exponent of more than three digits.")
    elif isinstance(value, dict):
        for key, member in value.items():
            _check_values(key, place, depth + 1)
            _check_values(member, f"{place}.{key[:80]}", depth + 1)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            _check_values(member, f"{place}[{index}]", depth + 1)


def _grouped_cases(group: object, place: str, folder: Path | None) -> Iterator[_Found]:
    if not isinstance(group, dict) or not isinstance(group.get("id"), str):
        raise _malformed(place, "must be an object with an id.")
    if not isinstance(group.get("items"), list):
        raise _malformed(f"{place}.items", "must be a list.")
    tolerance = _tolerance(group.get("tolerance"), place)
    _check_values(group, place, 0)
    for index, item in enumerate(group["items"]):
        item_place, id_ = f"{place}.items[{index}]", f"{group['id']}[{index}]"
        read = partial(_item, item, item_place, group=group, id_=id_, tolerance=tolerance)
        yield item_place, id_, partial(read, folder=folder)


def _item(
    item: object,
    place: str,
    *,
    group: dict[str, Any],
    id_: str,
    tolerance: Decimal | Mapping[str, Decimal],
    folder: Path | None,
) -> ReferenceCase:
    if not isinstance(item, dict):
        raise _malformed(place, "must be an object.")
    answers = {k for k in item if k.startswith("expect") or k in _GROUP_ANSWERS}
    return _case(
        id_=id_,
        topic=group["id"],
        inputs={key: value for key, value in item.items() if key not in answers},
        expected={key: value for key, value in item.items() if key in answers},
        tolerance=tolerance,
        folder=folder,
        words={"model": group.get("title"), "source": group.get("source")},
    )


def _case(
    *,
    id_: str,
    topic: str,
    inputs: dict[str, Any],
    expected: object,
    tolerance: Decimal | Mapping[str, Decimal],
    folder: Path | None,
    words: Mapping[str, Any],
    dates: tuple[str, ...] = (),
) -> ReferenceCase:
    asked = tuple(expected) if isinstance(expected, dict) else ()
    question = Question(id_, topic, inputs, asked, folder, dates)
    said = {key: str(words.get(key) or "") for key in ("model", "source", "provenance", "note")}
    return ReferenceCase(question, expected, tolerance, **said)


def _tolerance(stated: object, place: str) -> Decimal | Mapping[str, Decimal]:
    if isinstance(stated, dict):
        return {key: _number(value, f"{place}.tolerance.{key}") for key, value in stated.items()}
    return Decimal(0) if stated is None else _number(stated, f"{place}.tolerance")


def _number(stated: object, place: str) -> Decimal:
    if isinstance(stated, bool) or not isinstance(stated, int | float | str):
        raise _malformed(place, "must be a number, or a number as text.")
    try:
        number = Decimal(str(stated))
    except InvalidOperation as error:
        raise _malformed(place, f"must be a number, not {stated!r}.") from error
    if number.is_finite() and abs(number.adjusted()) > EXPONENT:
        raise _malformed(place, f"must lie between 1e-{EXPONENT} and 1e{EXPONENT}.")
    if not number.is_finite() or number < 0:
        raise _malformed(place, f"must be finite and not negative, not {stated!r}.")
    return number
