"""`manage.py verify_audit`: recompute the hash chain from the event log; exit 1 where it breaks."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console
from rich.progress import Progress

from compliance.audit.queries.verification import verify_chain


class Command(BaseCommand):
    help = "Recompute the audit chain from the event log and name the first broken row."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *_: Any, **options: Any) -> None:
        console = Console(stderr=True)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task("audit records", total=None)
            found = verify_chain(
                report=lambda walked, total: bar.update(task, completed=walked, total=total)
            )
        if options["json"]:
            self.stdout.write(
                json.dumps(
                    {
                        "intact": found.broken is None,
                        "records": found.records,
                        "head": found.head,
                        "waiting": found.waiting,
                        "broken": found.broken and vars(found.broken),
                    }
                )
            )
        elif found.broken:
            self.stderr.write(
                f"The audit chain is broken at {found.broken.where}: {found.broken.reason}. "
                f"{found.records} records before it hold."
            )
        else:
            self.stdout.write(
                f"The audit chain holds: {found.records} records, head {found.head}; "
                f"{found.waiting} events wait to be chained."
            )
        if found.broken:
            raise SystemExit(1)
