"""`manage.py simulate_market`: a history of prices and quotes for a machine without files."""

import argparse
import time
from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from energyopti.accounts.actors import Actor
from energyopti.foundation import clock
from trading.markets.simulator import WorldError
from trading.services.catalogue import ensure_catalogue
from trading.services.prices import GranularityConflict
from trading.services.simulation import NotSimulated, simulate_market


class Command(BaseCommand):
    help = (
        "Simulate a market: day-ahead prices for every delivery day and closing quotes of 6 months,"
        " 6 quarters and 3 years, base and peak, for every trading day, written like delivered"
        " ones. The same --seed is the same world; running again adds only days that are not"
        " there. Not for codes whose prices are real."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("market", help="code; a new market is opened as simulated")
        parser.add_argument("--days", type=int, default=500, help="trading days of returns")
        parser.add_argument(
            "--until",
            type=date.fromisoformat,
            help="last delivery and trading day (YYYY-MM-DD); default is tomorrow",
        )
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--minutes", type=int, default=60, choices=(15, 30, 60))

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.perf_counter()
        now = clock.now()
        actor = Actor.system("simulate_market")
        try:
            # Without shapes the market would have no peak to quote.
            ensure_catalogue(actor=actor)
            history = simulate_market(
                actor=actor,
                code=options["market"],
                trading_days=options["days"],
                until=options["until"] or now.date() + timedelta(days=1),
                seed=options["seed"],
                period_minutes=options["minutes"],
                received_at=now,
            )
        except (NotSimulated, WorldError, GranularityConflict, ValueError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{history.market.code}: {history.first} to {history.latest},"
            f" {history.prices.values_new:,} new prices, {history.quotes.new:,} new quotes"
            f" in {time.perf_counter() - started:.1f} s (seed {options['seed']})"
        )
