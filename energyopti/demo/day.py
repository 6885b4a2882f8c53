"""
One simulated day, driven as its users and the clock would: over HTTP, websocket and Beat.

Runs while the demo's processes run. Prints what happened, then reconciliations from the
tables; the exit code is 1 when one of them does not agree or something that is due never comes.
"""
# ruff: noqa: T201  (a program of the command line prints)

import logging
import os
import sys
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

import django

from .traders import TRADER, DayFailed, Door, exercise, nominate, trade

Found = TypeVar("Found")
# Real time that something due may take while the clock stands; it is minutes only where it fails.
PATIENCE_SECONDS = 600


def main() -> int:
    django.setup()
    for library in ("httpx", "django_structlog"):
        logging.getLogger(library).setLevel(logging.WARNING)
    try:
        return run_day()
    except DayFailed as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1


def run_day() -> int:
    from energyopti.foundation import clock
    from trading.queries.markets import market_by_code

    from .closing import close_day, print_pnl
    from .options import PREFIX, TOMORROW
    from .seed import MARKET
    from .telling import print_options, print_products, report

    market = market_by_code(MARKET)
    started = time.monotonic()
    opened = clock.now()
    delivery = market.calendar.date_of(opened) + timedelta(days=1)
    day = market.calendar.day(delivery)
    print(f"\n{MARKET} delivers {delivery}; the clock shows {opened:%Y-%m-%d %H:%M} UTC")
    door = Door(os.environ["DEMO_BASE_URL"], os.environ["DEMO_PASSWORD"])
    give_notice(door, market, delivery)
    run = wait_for(
        "the fleet's dispatch", lambda: dispatched(market, delivery), opened + timedelta(hours=1)
    )
    print(
        f"schedules   {run['device_count'] - run['refused_count']} sent for {delivery} "
        f"({run['refused_count']} plans refused by the replay), worth "
        f"{run['expected_value']:,.2f} {run['currency']} at forecast prices"
    )
    trade(door)
    closed = [close_day(market, wait_for)]
    print_products(closed[0])
    wait_for("the batteries' word that they have their schedules", have_confirmed, day.start)
    wait_for("the auction's prices", lambda: has_prices(market, day), day.start)
    wait_for(f"the morning of {delivery}", lambda: clock.now() >= day.start, day.start)
    exercise(door, TRADER, [f"{PREFIX}{TOMORROW}"])
    metered = day.end + timedelta(minutes=30)
    wait_for("the last readings of the day", lambda: have_reported(day.end), metered)
    settlement = wait_for(
        "the day's settlement", lambda: settled(market, delivery), day.end + timedelta(hours=6)
    )
    for what, look in (("average", has_fixed), ("nominated day", lambda: has_paid(day))):
        wait_for(f"the fixing of the {what}", look, day.end + timedelta(hours=6))
    invoices = bill(market, delivery)
    read_the_plant(market, day)
    closed.append(close_day(market, wait_for))
    for run_id in closed:
        print_pnl(run_id)
    report(settlement, invoices)
    print_options(closed[0])
    print(f"\nOne day in {time.monotonic() - started:.0f} s.")
    return add_up(market, delivery, invoices, closed)


def give_notice(door: Door, market: Any, delivery: date) -> None:
    """Exercise what expires tonight, and nominate tomorrow, while the clock stands."""
    from energyopti.foundation import clock

    from . import structuring
    from .options import PREFIX, TONIGHT
    from .products import EXERCISED, nominations

    exercise(door, TRADER, [f"{PREFIX}{TONIGHT}"])
    references = [f"{structuring.PREFIX}{name}" for name in EXERCISED]
    exercise(door, structuring.STRUCTURER, references)
    said = nominations(structuring.days_around(clock.now()))
    nominate(
        door, structuring.STRUCTURER, delivery,
        {f"{structuring.PREFIX}{name}": quantities for name, quantities in said.items()},
    )  # fmt: skip


def wait_for(what: str, look: Callable[[], Found | None], until: datetime) -> Found:
    """
    Look until it is there; the demo's clock does not pass `until` before.

    So what has to be done by a moment is done by then, however slow the machine is.

    :raises DayFailed: naming what did not come within minutes of the clock standing there.
    """
    from django.conf import settings

    from energyopti.foundation import clock

    clock.go_on(until=until)
    seconds = max(0.0, (until - clock.now()).total_seconds() / settings.CLOCK_SPEED)
    deadline = time.monotonic() + seconds + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.2)
    raise DayFailed(f"{what} did not come by {until:%Y-%m-%d %H:%M} UTC of the demo's clock")


def have_confirmed() -> bool:
    from .summary import count

    sent, confirmed = count("SELECT count(*), count(received_at) FROM schedules_scheduledelivery")
    return bool(sent) and sent == confirmed


def have_reported(end: datetime) -> bool:
    """Say whether every battery has told what its meters showed until a moment."""
    from .summary import count

    batteries, told = count(
        "SELECT (SELECT count(*) FROM devices_device),"
        " (SELECT count(DISTINCT device_id) FROM telemetry_telemetryrecord"
        "  WHERE started_at >= %(end)s - interval '1 day' AND ended_at >= %(end)s)",
        end=end,
    )
    return bool(batteries) and batteries == told


def dispatched(market: Any, delivery: date) -> dict[str, Any] | None:
    from .summary import row_of

    return row_of(
        "SELECT device_count, refused_count, expected_value, currency FROM fleet_dispatchrun"
        " WHERE market_id = %(market)s AND delivery_date = %(day)s ORDER BY number DESC LIMIT 1",
        market=market.pk,
        day=delivery,
    )


def settled(market: Any, delivery: date) -> dict[str, Any] | None:
    from .summary import row_of

    return row_of(
        "SELECT * FROM fleet_energysettlement"
        " WHERE market_id = %(market)s AND delivery_date = %(day)s ORDER BY id DESC LIMIT 1",
        market=market.pk,
        day=delivery,
    )


def has_fixed() -> bool:
    """Say whether the averages of the seed and the structurer have been fixed, each of them."""
    from .summary import count

    averages, fixed = count(
        "SELECT count(*), count(outcome.id) FROM trading_trade trade"
        " JOIN trading_tradeversion version ON version.trade_id = trade.id AND version.version = 1"
        " JOIN trading_leg leg ON leg.version_id = version.id AND leg.terms ->> 'style' = 'ASIAN'"
        " LEFT JOIN trading_optionoutcome outcome ON outcome.trade_id = trade.id"
    )
    return bool(averages) and averages == fixed


def has_paid(day: Any) -> bool:
    """Say whether the plant and the battery that were nominated are paid for the day."""
    from .summary import count

    return (
        count(
            "SELECT count(*) FROM trading_optionoutcome outcome"
            " JOIN trading_trade trade ON trade.id = outcome.trade_id"
            " WHERE product_kind IN ('TOLLING', 'BATTERY_TOLLING', 'TRANSMISSION_RIGHT')"
            " AND outcome.start = %(start)s",
            start=day.start,
        )[0]
        >= 3
    )


def has_prices(market: Any, day: Any) -> bool:
    from trading.queries.prices import price_series

    return not price_series(market, day).missing


def bill(market: Any, delivery: date) -> list[Any]:
    """Issue the day's invoice of every contract, as the energy manager would; with its PDF."""
    from billing.queries.contracts import contracts_in_force
    from billing.services.invoicing import issue_invoice
    from energyopti.accounts.actors import Actor
    from energyopti.foundation import clock
    from energyopti.foundation.calendars import DatePeriod

    return [
        issue_invoice(
            actor=Actor.system("demo"),
            contract=contract,
            period=DatePeriod.day(delivery),
            issued_at=clock.now(),
        )
        for contract in contracts_in_force(market.code, delivery)
    ]


def read_the_plant(market: Any, day: Any) -> None:
    """Read the wind farm's meter until now, as the grid operator would after the day."""
    from energyopti.accounts.actors import Actor
    from energyopti.accounts.models import Organization
    from energyopti.foundation import clock

    from .people import COMPANY
    from .plant import read_plant

    read_plant(
        actor=Actor.system("demo"),
        company=Organization.objects.get(name=COMPANY),
        market=market,
        start=day.start - timedelta(days=2),
        end=clock.now(),
    )


def add_up(market: Any, delivery: date, invoices: list[Any], closed: list[int]) -> int:
    """Print the reconciliations; 1 if one of them does not agree."""
    from .closing import reconcile_closings
    from .summary import (
        reconcile_days,
        reconcile_energy,
        reconcile_exercises,
        reconcile_invoices,
        reconcile_option_cash,
        reconcile_plants,
        reconcile_positions,
    )

    day = market.calendar.day(delivery)
    results = [
        reconcile_invoices(invoices),
        reconcile_positions(),
        reconcile_plants(),
        reconcile_exercises(),
        reconcile_option_cash(),
        reconcile_days(),
        reconcile_energy(day),
        reconcile_closings(closed),
    ]
    print()
    for result in results:
        print(f"{'ok  ' if result.agrees else 'FAIL'} {result.name}: {result.words}")
    return 0 if all(result.agrees for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
