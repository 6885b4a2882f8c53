"""`manage.py import_trades`: capture the trades of a file, or say line by line why not."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from energyopti.accounts.actors import Actor
from energyopti.accounts.models import User
from energyopti.foundation import clock
from trading.models import CaptureBasis
from trading.services.capture_many import CapturedMeanwhile
from trading.services.reference_files import FileTooLarge
from trading.services.reference_files.reading import check_size
from trading.services.trade_files import (
    FileOptions,
    ProfilesFile,
    RowState,
    TradesFound,
    TradesRefused,
    import_trades,
    preview_trades,
)

EXIT_REFUSED = 1
SHOWN = 200


class Command(BaseCommand):
    help = (
        "Capture the trades of a CSV or XLSX file, as docs/trade-files.md describes it, with all"
        " checks: every row or none. A file imported again changes nothing where its rows have"
        " references. Exit code 0 when imported, 1 when refused."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("path", type=Path, metavar="FILE")
        parser.add_argument(
            "--profiles", type=Path, metavar="FILE", help="CSV with the MW of rows by interval"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what it would do only")
        parser.add_argument("--book", default="", help="code, for rows that name none")
        parser.add_argument("--counterparty", default="", help="code, for rows that name none")
        parser.add_argument(
            "--basis",
            choices=[basis.value for basis in CaptureBasis],
            default=CaptureBasis.ORDER.value,
            help="order or executed fill, for rows that do not say it (default ORDER)",
        )
        parser.add_argument(
            "--user", default="", help="e-mail of the person whose books and rights hold"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["path"]
        verb = preview_trades if options["dry_run"] else import_trades
        try:
            check_size(path.name, path.stat().st_size)
            found = verb(
                actor=_actor(options["user"]),
                name=path.name,
                content=path.read_bytes(),
                received_at=clock.now(),
                options=FileOptions(
                    CaptureBasis(options["basis"]), options["book"], options["counterparty"]
                ),
                profiles=_profiles(options["profiles"]),
            )
        except TradesRefused as refused:
            found = refused.found
        except OSError as error:
            raise CommandError(
                f"{error.filename or path}: cannot be read ({error.strerror})."
            ) from error
        except (FileTooLarge, CapturedMeanwhile) as error:
            raise CommandError(str(error), returncode=EXIT_REFUSED) from error
        self._show(found, options)
        if found.refusals:
            raise CommandError(
                f"{len(found.refusals):,} refused; nothing was imported.",
                returncode=EXIT_REFUSED,
            )
        said = "dry run, nothing was imported" if options["dry_run"] else "imported"
        counts = ", ".join(f"{found.count(state):,} {state.value}" for state in RowState)
        self.stdout.write(f"{path.name}, {said}: {counts}.")

    def _show(self, found: TradesFound, options: dict[str, Any]) -> None:
        console = Console(file=self.stdout._out, width=160, quiet=options["verbosity"] == 0)
        table = Table("Line", "Field", "What", box=None)
        rows = [(str(r.line), r.field, f"refused: {r.rule}") for r in found.refusals]
        rows += [
            (str(row.line), row.ref, f"{row.state.value}: {row.what}. {' '.join(row.remarks)}")
            for row in found.rows
        ]
        for row in rows[:SHOWN]:
            table.add_row(*row)
        if rows:
            console.print(table, markup=False)
        if len(rows) > SHOWN:
            console.print(f"… and {len(rows) - SHOWN:,} more")


def _profiles(path: Path | None) -> ProfilesFile | None:
    if path is None:
        return None
    check_size(path.name, path.stat().st_size)
    return ProfilesFile(path.name, path.read_bytes())


def _actor(email: str) -> Actor:
    if not email:
        return Actor.system("import_trades")
    user = User.objects.filter(email__iexact=email, is_active=True).first()
    if user is None:
        raise CommandError(f"--user: there is no active user {email}.")
    return Actor.for_user(user)
