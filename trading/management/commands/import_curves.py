"""`manage.py import_curves`: load a CSV of forward quotes and build curves, or say why not."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from energyopti.accounts.actors import Actor
from energyopti.foundation import clock
from energyopti.foundation.calendars import CalendarError
from trading.queries.curve_versions import definitions
from trading.queries.quotes import latest_trading_day
from trading.services.curves import build_version
from trading.services.quote_files import COLUMNS, import_quotes, preview_quotes
from trading.services.rate_files import RATE_KINDS, import_rates, preview_rates
from trading.services.reference_files.findings import ReferenceDiff, ReferenceRefused, RowState
from trading.services.reference_files.reading import MAX_BYTES, FileTooLarge

EXIT_REFUSED = 1
SHOWN = 200


class Command(BaseCommand):
    help = (
        f"Import forward quotes from CSV with the columns {', '.join(COLUMNS)}, as docs/curves.md"
        " describes them, and build the curves of their markets. Shows what is added and"
        " corrected. All or nothing; a file imported again changes nothing; a changed price is a"
        " correction of its source. With --kind a file of interest rates, exchange-rate forwards or"
        " volatilities. Exit code 0 when imported, 1 when refused."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--kind", choices=("quotes", *RATE_KINDS), default="quotes")
        parser.add_argument("--dry-run", action="store_true", help="show the difference only")
        parser.add_argument("--no-build", action="store_true", help="book the quotes only")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        actor = Actor.system("import_curves")
        try:
            if path.stat().st_size > MAX_BYTES:
                raise FileTooLarge(f"{path.name}: more than {MAX_BYTES // 2**20} MB.")
            content = path.read_bytes()
        except OSError as error:
            raise CommandError(f"{path}: cannot be read ({error.strerror}).") from error
        except FileTooLarge as error:
            raise CommandError(str(error), returncode=EXIT_REFUSED) from error
        of_quotes = options["kind"] == "quotes"
        given: dict[str, Any] = {"actor": actor, "name": path.name, "content": content}
        given["received_at"] = clock.now()
        verb: Callable[..., ReferenceDiff]
        if of_quotes:
            verb = preview_quotes if options["dry_run"] else import_quotes
        else:
            verb = preview_rates if options["dry_run"] else import_rates
            given["kind"] = options["kind"]
        try:
            diff = verb(**given)
        except ReferenceRefused as refused:
            diff = refused.diff
        self._show(diff, options)
        if diff.is_refused:
            raise CommandError(
                f"{len(diff.refusals)} refused; nothing was imported.", returncode=EXIT_REFUSED
            )
        state = "dry run, nothing was imported" if options["dry_run"] else "imported"
        counts = ", ".join(f"{diff.count(each):,} {each.value}" for each in RowState)
        self.stdout.write(f"{path.name}, {state}: {counts}.")
        if of_quotes and not options["dry_run"] and not options["no_build"]:
            self._build(actor, {change.key.split()[0] for change in diff.changes})

    def _build(self, actor: Actor, codes: set[str]) -> None:
        from trading.curves import CurveError  # with NumPy: not for `--help`

        known = definitions(actor=actor).filter(market__code__in=codes, is_mark=True)
        defined = {definition.market.code: definition for definition in known}
        for code in sorted(codes):
            if code not in defined:
                self.stderr.write(f"{code}: no curve is defined, so none was built.")
                continue
            definition = defined[code]
            as_of = latest_trading_day(definition.market, as_of=clock.now())
            if as_of is None:
                continue
            try:
                version = build_version(
                    actor=actor, definition=definition, as_of=as_of, reason="import_curves"
                )
            except (CurveError, CalendarError) as error:
                raise CommandError(
                    f"{code}: the quotes are booked, but make no curve. {error}",
                    returncode=EXIT_REFUSED,
                ) from error
            self.stdout.write(
                f"{code} {definition.code} v{version.number}:"
                f" {version.get_status_display().lower()}, as of {as_of.isoformat()},"
                f" {len(version.snapshot.quote_ids)} quotes,"
                f" {len(version.snapshot.conflicts)} conflicts."
            )
            for conflict in version.snapshot.conflicts:
                self.stdout.write(f"  {conflict}")

    def _show(self, diff: ReferenceDiff, options: dict[str, Any]) -> None:
        console = Console(file=self.stdout._out, width=160, quiet=options["verbosity"] == 0)
        table = Table("Line", "Quote", "What", "Field", "Old → new", box=None)
        rows = [
            (str(change.line), change.key, change.state.value, each.field, text)
            for change in diff.changes
            if change.state is not RowState.UNCHANGED
            for each in change.fields
            for text in [f"{each.before} → {each.after}" if each.before else each.after]
        ]
        rows += [(str(r.line), "", "refused", r.field, r.rule) for r in diff.refusals]
        for row in rows[:SHOWN]:
            table.add_row(*row)
        if rows:
            console.print(table, markup=False)
        if len(rows) > SHOWN:
            console.print(f"… and {len(rows) - SHOWN:,} more")
