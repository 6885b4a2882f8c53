"""`manage.py import_prices`: load a CSV of prices as a whole, or say line by line why not."""

import argparse
import hashlib
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from energyopti.accounts.actors import Actor
from energyopti.foundation import clock as present
from energyopti.foundation.calendars import Calendar, UnknownZone
from energyopti.foundation.money import MoneyError
from trading.markets.price_files import (
    Clock,
    Finding,
    GapPolicy,
    PriceFile,
    PriceFileRefused,
    read_price_file,
)
from trading.models import Market
from trading.queries.markets import NoSuchMarket, market_by_code
from trading.services.markets import MarketUnknown, open_market, terms_of
from trading.services.prices import (
    GranularityConflict,
    PriceChange,
    book_prices,
    compare_prices,
    read_market_file,
)

EXIT_REFUSED = 1
SHOWN_FINDINGS = 40


class Command(BaseCommand):
    help = (
        "Import hourly, half-hourly or quarter-hourly prices from CSV: a column “timestamp” with"
        " offset, or “Date” by the clock that --clock names, a column “Price”, and any others,"
        " which are kept as series of their names. All or nothing; a file imported again adds"
        " nothing; a changed value becomes a new version. Exit code 0 when imported, 1 when"
        " refused."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--market", required=True, help="code of the market, such as DE-LU")
        parser.add_argument(
            "--clock",
            type=Clock,
            choices=[Clock.UTC, Clock.WALL, Clock.DAY_OF_24],
            help="what “Date” means: utc; wall (local, 23 and 25 hours on clock changes); 24h"
            " (local, 24 hours every day: the invented hour is dropped, one used for two)",
        )
        parser.add_argument("--time-zone", default="", help="of a market that is not there yet")
        parser.add_argument("--currency", default="", help="of a market that is not there yet")
        parser.add_argument("--name", default="", help="of a market that is not there yet")
        parser.add_argument(
            "--allow-gaps",
            action="store_true",
            help="import what is there when periods or values are missing, and list them",
        )
        parser.add_argument("--dry-run", action="store_true", help="check and compare only")

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(stderr=True, quiet=options["verbosity"] == 0)
        path: Path = options["file"]
        try:
            content = path.read_bytes()
        except OSError as error:
            raise CommandError(f"{path}: cannot be read ({error.strerror}).") from error
        try:
            with Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=console,
                transient=True,
            ) as bar:
                report = self._imported(path, content, options, Reporter(bar))
        except PriceFileRefused as refusal:
            self._show(refusal.findings)
            raise CommandError(
                f"{path}: refused, nothing was imported. {refusal}", returncode=EXIT_REFUSED
            ) from refusal
        except (MarketUnknown, GranularityConflict, UnknownZone, MoneyError) as error:
            raise CommandError(f"{path}: nothing was imported. {error}") from error
        except ValidationError as error:
            raise CommandError(f"market: {'; '.join(error.messages)}") from error
        self.stdout.write(report)

    def _imported(
        self, path: Path, content: bytes, options: dict[str, Any], progress: "Reporter"
    ) -> str:
        actor = Actor.system("import_prices")
        gaps = GapPolicy.TELL if options["allow_gaps"] else GapPolicy.REFUSE
        market, file = self._read(content, options, gaps, actor, progress)
        self._show(file.findings)
        title = f"{path.name} → {options['market']}"
        if options["dry_run"]:
            change = (
                compare_prices(actor=actor, market=market, batch=file.batch, progress=progress)
                if market.pk
                else all_new(file)
            )
            return f"{title}: dry run, nothing was imported. {summary(file, change)}"
        run = book_prices(
            actor=actor,
            market=market,
            batch=file.batch,
            source=path.name,
            sha256=hashlib.sha256(content).hexdigest(),
            clock=file.clock,
            findings=file.findings,
            received_at=present.now(),
            progress=progress,
        )
        change = PriceChange(run.values_read, run.values_new, run.values_corrected)
        return f"{title}: {summary(file, change)}"

    def _read(
        self,
        content: bytes,
        options: dict[str, Any],
        gaps: GapPolicy,
        actor: Actor,
        progress: "Reporter",
    ) -> tuple[Market, PriceFile]:
        """Read the file by its market; open the market only when the file is good."""
        try:
            market = market_by_code(options["market"])
        except NoSuchMarket:
            terms = terms_of(
                code=options["market"],
                time_zone=options["time_zone"],
                currency=options["currency"],
                name=options["name"],
            )
            file = read_price_file(
                content, calendar=Calendar(terms.time_zone), clock=options["clock"], gaps=gaps
            )
            if options["dry_run"]:
                return Market(code=options["market"]), file
            market = open_market(
                actor=actor,
                code=options["market"],
                terms=terms,
                period_minutes=file.batch.minutes,
            )
            return market, file
        stated = {"time_zone": options["time_zone"], "currency": options["currency"]}
        for field, value in stated.items():
            if value and value != getattr(market, field):
                raise MarketUnknown(
                    f"{field}: market {market.code} has {getattr(market, field)}, not {value}."
                )
        return market, read_market_file(
            market=market, content=content, clock=options["clock"], gaps=gaps, progress=progress
        )

    def _show(self, findings: tuple[Finding, ...]) -> None:
        for finding in findings[:SHOWN_FINDINGS]:
            style = self.style.ERROR if finding.is_error else self.style.WARNING
            self.stderr.write(style(str(finding)))
        if len(findings) > SHOWN_FINDINGS:
            self.stderr.write(f"… and {len(findings) - SHOWN_FINDINGS} more remarks")


class Reporter:
    """Draws the stages of an import as progress bars."""

    def __init__(self, bar: Progress) -> None:
        self.bar = bar
        self.tasks: dict[str, Any] = {}

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage not in self.tasks:
            self.tasks[stage] = self.bar.add_task(stage, total=total)
        self.bar.update(self.tasks[stage], completed=done, total=total)


def all_new(file: PriceFile) -> PriceChange:
    """Return what a file changes in a market that is not there yet."""
    values = sum(value is not None for column in file.batch.series.values() for value in column)
    return PriceChange(values, values, 0)


def summary(file: PriceFile, change: PriceChange) -> str:
    """Return one sentence of figures."""
    batch = file.batch
    return (
        f"{len(batch.starts):,} periods of {batch.minutes} min, {batch.start:%Y-%m-%d %H:%MZ} to"
        f" {batch.end:%Y-%m-%d %H:%MZ}; {change.values_new:,} new, {change.values_corrected:,}"
        f" corrected, {change.values_unchanged:,} known values in {len(batch.series)} series;"
        f" {len(file.findings)} remarks."
    )
