"""`manage.py validate_models FILE`: run reference cases through the product's own models."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from energyopti.foundation.validation.cases import MalformedCases, ReferenceCase, read_cases
from energyopti.foundation.validation.registry import adapters
from energyopti.foundation.validation.runner import CaseResult, Report, Status, run_cases

_STYLES = {Status.PASS: "green", Status.FAIL: "bold red", Status.UNSUPPORTED: "yellow"}


class Command(BaseCommand):
    help = (
        "Run a file of reference cases through the product's own models and report expected, "
        "got and difference. Exit code 1 unless every case that was run passes."
    )
    # Adapters that need tables say so themselves; most cases need no database.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="JSON file of cases")
        parser.add_argument("--topic", action="append", default=[], help="only this topic")
        parser.add_argument("--id", action="append", default=[], dest="ids", help="only this case")
        parser.add_argument("--json", metavar="OUT", help="write the report here; - for stdout")
        parser.add_argument("--all", action="store_true", help="list passed cases one by one too")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            cases = read_cases(options["file"])
        except MalformedCases as error:
            raise CommandError(str(error)) from error
        cases = _selected(cases, topics=options["topic"], ids=options["ids"])
        report = run_cases(cases, adapters=adapters)
        target = options["json"]
        if target == "-":
            self.stdout.write(_as_text(report))
        else:
            if target is not None:
                _write(Path(target), _as_text(report))
            self._show(report, show_passed=options["all"])
        if not report.all_pass():
            sys.exit(1)

    def _show(self, report: Report, *, show_passed: bool) -> None:
        console = Console(file=self.stdout, width=None if sys.stdout.isatty() else 120)
        console.print(_summary_table(report))
        listed = [c for c in report.cases if show_passed or c.status is not Status.PASS]
        if listed:
            console.print(_case_table(listed))
        counts = report.counts()
        console.print(
            f"{counts['pass']} pass, {counts['fail']} fail, {counts['unsupported']} unsupported"
        )


def _selected(
    cases: list[ReferenceCase], *, topics: list[str], ids: list[str]
) -> list[ReferenceCase]:
    known_topics = {case.question.topic for case in cases}
    if unknown := [topic for topic in topics if topic not in known_topics]:
        raise CommandError(
            f"--topic: the file has no {', '.join(unknown)}; "
            f"it has {', '.join(sorted(known_topics))}."
        )
    known_ids = {case.question.id for case in cases}
    if unknown := [id_ for id_ in ids if id_ not in known_ids]:
        raise CommandError(f"--id: the file has no case {', '.join(unknown)}.")
    chosen = [
        case
        for case in cases
        if (not topics or case.question.topic in topics) and (not ids or case.question.id in ids)
    ]
    if not chosen:
        raise CommandError("--id: no case of the chosen topics has this id.")
    return chosen


def _as_text(report: Report) -> str:
    return json.dumps(report.as_dict(), indent=2, ensure_ascii=False, allow_nan=False)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise CommandError(f"--json: {path} cannot be written ({error.strerror}).") from error


def _summary_table(report: Report) -> Table:
    table = Table(title="Model validation")
    table.add_column("topic")
    for status in Status:
        table.add_column(status.value, justify="right", style=_STYLES[status])
    by_topic: dict[str, dict[Status, int]] = {}
    for case in report.cases:
        counts = by_topic.setdefault(case.topic, dict.fromkeys(Status, 0))
        counts[case.status] += 1
    for topic, counts in by_topic.items():
        table.add_row(escape(topic), *(str(counts[status] or "") for status in Status))
    return table


def _case_table(cases: list[CaseResult]) -> Table:
    table = Table(title="Cases")
    for heading in ("id", "status", "expected", "got", "difference or reason"):
        table.add_column(heading, overflow="fold")
    for case in cases:
        table.add_row(
            escape(case.id),
            f"[{_STYLES[case.status]}]{case.status.value}[/]",
            _short(case.expected),
            _short(case.got),
            escape(case.reason) or _short(case.difference),
        )
    return table


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    # Brackets in cases are data, not rich's markup.
    return escape(text if len(text) <= 160 else f"{text[:157]}…")
