"""`manage.py import_reference`: load files of reference data, or say line by line why not."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from energyopti.accounts.actors import Actor
from energyopti.accounts.queries.organizations import UnknownOrganization, organization_by_slug
from trading.services.catalogue import ensure_catalogue
from trading.services.reference_files import (
    MAX_BYTES,
    FileTooLarge,
    ReferenceDiff,
    ReferenceRefused,
    RowState,
    import_reference,
    preview_reference,
)
from trading.services.reference_files.resource import OrganizationNeeded

EXIT_REFUSED = 1
SHOWN = 200


class Command(BaseCommand):
    help = (
        "Import reference data (commodities, holidays, shapes, markets, indices, fx_rates,"
        " plants, counterparties, agreements, netting_sets, csas, books, approved_products) from"
        " CSV files of those names, as docs/reference-data.md describes them. Shows what is added"
        " and changed field by field. All files or none; files imported again change nothing. Exit"
        " code 0 when imported, 1 when refused."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("paths", type=Path, nargs="*", help="files, or folders of them")
        parser.add_argument(
            "--organization", default="", help="code of the one whose counterparties and books"
        )
        parser.add_argument("--dry-run", action="store_true", help="show the difference only")
        parser.add_argument(
            "--catalogue",
            action="store_true",
            help="first bring in the commodities, holidays and shapes that the product knows",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["paths"] and not options["catalogue"]:
            raise CommandError("Name files or folders, or say --catalogue.")
        actor = Actor.system("import_reference")
        if options["catalogue"]:
            if options["dry_run"]:
                raise CommandError("--catalogue has no dry run.")
            for code in ensure_catalogue(actor=actor):
                self.stderr.write(f"{code}: holds data by other days, so it was given no shapes.")
        files = read_files(options["paths"])
        if not files:
            return
        try:
            organization_id = (
                organization_by_slug(actor, options["organization"])
                if options["organization"]
                else None
            )
            verb = preview_reference if options["dry_run"] else import_reference
            diff = verb(actor=actor, files=files, organization_id=organization_id)
        except ReferenceRefused as refused:
            diff = refused.diff
        except (UnknownOrganization, OrganizationNeeded, FileTooLarge) as error:
            raise CommandError(str(error), returncode=EXIT_REFUSED) from error
        self._show(diff, options)
        if diff.is_refused:
            raise CommandError(
                f"{len(diff.refusals)} refused; nothing was imported.", returncode=EXIT_REFUSED
            )
        state = "dry run, nothing was imported" if options["dry_run"] else "imported"
        counts = ", ".join(f"{diff.count(each):,} {each.value}" for each in RowState)
        self.stdout.write(f"{len(files)} files, {state}: {counts}.")

    def _show(self, diff: ReferenceDiff, options: dict[str, Any]) -> None:
        console = Console(file=self.stdout._out, width=160, quiet=options["verbosity"] == 0)
        table = Table("File", "Line", "Row", "What", "Field", "Old → new", box=None)
        rows = [
            (change.file, str(change.line), change.key, change.state.value, field, text)
            for change in diff.changes
            if change.state is not RowState.UNCHANGED
            for field, text in (
                [(f.field, f"{f.before} → {f.after}") for f in change.fields]
                if change.state is RowState.CHANGED
                else [("", "")]
            )
        ]
        rows += [(r.file, str(r.line), "", "refused", r.field, r.rule) for r in diff.refusals]
        for row in rows[:SHOWN]:
            table.add_row(*row)
        if rows:
            console.print(table, markup=False)
        if len(rows) > SHOWN:
            console.print(f"… and {len(rows) - SHOWN:,} more")


def read_files(paths: list[Path]) -> dict[str, bytes]:
    """
    Return the files by name; of a folder, those that end in .csv.

    :raises CommandError: for a file that cannot be read, is too large, or is named twice.
    """
    found: dict[str, bytes] = {}
    try:
        for path in [p for given in paths for p in _files_of(given)]:
            if path.stat().st_size > MAX_BYTES:
                raise CommandError(
                    f"{path}: {path.stat().st_size / 2**20:,.1f} MB; at most"
                    f" {MAX_BYTES // 2**20} MB are read.",
                    returncode=EXIT_REFUSED,
                )
            if path.name in found:
                raise CommandError(f"{path}: a file of this name was given before.")
            found[path.name] = path.read_bytes()
    except OSError as error:
        raise CommandError(f"{error.filename}: cannot be read ({error.strerror}).") from error
    return found


def _files_of(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(path.glob("*.csv"))
    if not files:
        raise CommandError(f"{path}: the folder has no .csv file.")
    return files
