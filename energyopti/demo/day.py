"""
One simulated day, driven as its users and the clock would: over HTTP, websocket and Beat.

Runs while the demo's processes run. Prints what happened, then reconciliations from the
tables; the exit code is 1 when one of them does not agree or something that is due never comes.
"""
# ruff: noqa: T201  (a program of the command line prints)

import asyncio
import json
import logging
import os
import re
import sys
import time
import uuid
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

import django
import httpx
import websockets
from websockets import Origin

Found = TypeVar("Found")
DEALS = [
    "B 10MW DE base Cal27 @ {price} cpty:ACME book:EU",
    "S 4MW DE peak Q2-27 @ {price} cpty:BRISE book:EU",
    "B 5MW DE base Mar27 @ {price} cpty:ACME book:EU",
]


class DayFailed(Exception):
    """Something that was due did not come; the message names it."""


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
    from .options import TOMORROW, TONIGHT
    from .seed import MARKET

    market = market_by_code(MARKET)
    started = time.monotonic()
    delivery = market.calendar.date_of(clock.now()) + timedelta(days=1)
    day = market.calendar.day(delivery)
    print(f"\n{MARKET} delivers {delivery}; the clock shows {clock.now():%Y-%m-%d %H:%M} UTC")
    door = os.environ["DEMO_BASE_URL"], os.environ["DEMO_PASSWORD"]
    exercise(*door, TONIGHT)
    run = wait_for("the fleet's dispatch", lambda: dispatched(market, delivery), day.start)
    print(
        f"schedules   {run['device_count'] - run['refused_count']} sent for {delivery} "
        f"({run['refused_count']} plans refused by the replay), worth "
        f"{run['expected_value']:,.2f} {run['currency']} at forecast prices"
    )
    trade(*door)
    closed = [close_day(market, wait_for)]
    wait_for("the auction's prices", lambda: has_prices(market, day), day.start)
    wait_for(f"the morning of {delivery}", lambda: clock.now() >= day.start, day.start)
    exercise(*door, TOMORROW)
    settlement = wait_for(
        "the day's settlement", lambda: settled(market, delivery), day.end + timedelta(hours=6)
    )
    wait_for("the fixing of the average", has_fixed, day.end + timedelta(hours=6))
    invoices = bill(market, delivery)
    read_the_plant(market, day)
    closed.append(close_day(market, wait_for))
    for run_id in closed:
        print_pnl(run_id)
    report(settlement, invoices)
    print_options(closed[0])
    print(f"\nOne day in {time.monotonic() - started:.0f} s.")
    return add_up(market, delivery, invoices, closed)


def wait_for(what: str, look: Callable[[], Found | None], until: datetime) -> Found:
    """
    Look until it is there.

    until    on the demo's clock; half a minute of real time is added for slow machines

    :raises DayFailed: naming what did not come.
    """
    from django.conf import settings

    from energyopti.foundation import clock

    seconds = max(0.0, (until - clock.now()).total_seconds() / settings.CLOCK_SPEED) + 30
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.2)
    raise DayFailed(f"{what} did not come by {until:%Y-%m-%d %H:%M} UTC of the demo's clock")


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
    from .summary import count

    return bool(count("SELECT count(*) FROM trading_optionoutcome WHERE kind = 'FIXED'")[0])


def has_prices(market: Any, day: Any) -> bool:
    from trading.queries.prices import price_series

    return not price_series(market, day).missing


def trade(base_url: str, password: str) -> None:
    """Sign in as the trader, watch the book over the websocket, and capture deals over REST."""
    from .seed import near_the_curve

    deals = [deal.format(price=near_the_curve(deal)) for deal in DEALS]
    asyncio.run(_trade(base_url, password, deals))


async def _trade(base_url: str, password: str, deals: list[str]) -> None:
    async with httpx.AsyncClient(base_url=base_url, follow_redirects=True, timeout=30) as client:
        await sign_in(client, "trader@demo.example", password)
        page = await client.get("/risk/")
        found = re.search(r"/?ws/risk/([0-9a-f-]{36})/", page.text)
        if found is None:
            raise DayFailed("the trader's risk page names no live feed of a book")
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        feed = f"{base_url.replace('http', 'ws', 1)}/ws/risk/{found[1]}/"
        async with websockets.connect(
            feed, additional_headers={"Cookie": cookies}, origin=Origin(base_url)
        ) as socket:
            before = json.loads(await asyncio.wait_for(socket.recv(), 10))
            for deal in deals:
                before = await capture(client, socket, deal, before)


async def sign_in(client: httpx.AsyncClient, email: str, password: str) -> None:
    """
    Sign in as a person does.

    :raises DayFailed: if the password does not open the door.
    """
    form = await client.get("/accounts/login/")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.text)
    answer = await client.post(
        "/accounts/login/",
        data={
            "login": email,
            "password": password,
            "csrfmiddlewaretoken": token[1] if token else "",
        },
        headers={"Referer": str(form.url)},
    )
    if "sessionid" not in client.cookies:
        raise DayFailed(f"{email} could not sign in ({answer.status_code})")


async def capture(
    client: httpx.AsyncClient, socket: Any, text: str, before: dict[str, Any]
) -> dict[str, Any]:
    """Capture one deal and wait for the frame that shows it."""
    sent = time.monotonic()
    answer = await client.post(
        "/api/v1/trading/trades",
        json={"text": text, "reason": "demo: at the curve"},
        headers={
            "X-CSRFToken": client.cookies["csrftoken"],
            "Referer": str(client.base_url),
            "Idempotency-Key": str(uuid.uuid4()),
        },
    )
    if answer.status_code != httpx.codes.CREATED:
        raise DayFailed(f"“{text}” was refused: {answer.status_code} {answer.text[:400]}")
    frame = before
    while frame.get("revision", 0) <= before.get("revision", 0):
        frame = json.loads(await asyncio.wait_for(socket.recv(), 10))
    seconds = time.monotonic() - sent
    print(
        f"trade       {answer.json()['ref']}: {text}\n"
        f"            VaR 99 % 1d {before.get('var') or 0:,.0f} → {frame['var']:,.0f} "
        f"{frame['currency']} on the open page {seconds * 1000:.0f} ms after the request"
    )
    return frame


def exercise(base_url: str, password: str, name: str) -> None:
    """Give notice of an option of the seed over REST, as the trader."""
    from .options import PREFIX
    from .summary import row_of

    option = row_of(
        "SELECT ref, latest_version AS version FROM trading_trade"
        " WHERE starts_with(client_reference, %(reference)s) ORDER BY id DESC LIMIT 1",
        reference=f"{PREFIX}{name}",
    )
    if option is None:
        raise DayFailed(f"the seed booked no option {name}")
    asyncio.run(_exercise(base_url, password, **option))
    forward = row_of(
        "SELECT made.ref, version.quantity_mw, version.period_name, version.price"
        " FROM trading_trade made JOIN trading_trade option ON option.id = made.replaces_id"
        " JOIN trading_tradeversion version ON version.trade_id = made.id"
        " WHERE option.ref = %(ref)s",
        ref=option["ref"],
    )
    if forward is None:
        raise DayFailed(f"{option['ref']} was exercised and delivers nothing")
    print(
        f"exercise    {option['ref']} became {forward['ref']}: {forward['quantity_mw']:.0f} MW "
        f"{forward['period_name']} @ {forward['price']:.2f}"
    )


async def _exercise(base_url: str, password: str, ref: str, version: int) -> None:
    async with httpx.AsyncClient(base_url=base_url, follow_redirects=True, timeout=30) as client:
        await sign_in(client, "trader@demo.example", password)
        answer = await client.post(
            f"/api/v1/trading/trades/{ref}/exercise",
            json={"reason": "demo: notice by telephone"},
            headers={
                "X-CSRFToken": client.cookies["csrftoken"],
                "Referer": str(client.base_url),
                "Idempotency-Key": str(uuid.uuid4()),
                "If-Match": f'"{version}"',
            },
        )
    if answer.status_code != httpx.codes.OK:
        raise DayFailed(f"{ref} was not exercised: {answer.status_code} {answer.text[:400]}")


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


def report(settlement: dict[str, Any], invoices: list[Any]) -> None:
    """Print what the day brought."""
    from .summary import count

    prices, quotes = count(
        "SELECT (SELECT count(*) FROM trading_price), (SELECT count(*) FROM trading_quote)"
    )
    print(f"prices      {prices:,} in the table, {quotes:,} forward quotes")
    trades, value = count(
        "SELECT (SELECT count(*) FROM trading_trade),"
        " (SELECT sum(base_value) FROM risk_scopevector)"
    )
    print(f"trades      {trades}, mark-to-market {value:,.2f} EUR")
    print(
        f"energy      {settlement['export_kwh']:,.1f} kWh sold, {settlement['import_kwh']:,.1f} "
        f"kWh bought, {settlement['consumption_kwh']:,.1f} kWh consumed at the sites; "
        f"{settlement['missing_periods']} periods not metered"
    )
    for invoice in invoices:
        print(f"invoice     {invoice.number}: {invoice.gross:,.2f} {invoice.currency} gross")
    reports, files = count(
        "SELECT (SELECT count(*) FROM esg_carbonreport),"
        " (SELECT count(*) FROM esg_carbonreportfile)"
    )
    print(f"carbon      {reports} reports of last month by Beat, {files} files")
    alerts, tickets, notices = count(
        "SELECT (SELECT count(*) FROM support_alert), (SELECT count(*) FROM support_ticket),"
        " (SELECT count(*) FROM support_notification)"
    )
    print(f"alerts      {alerts} fired, {notices} notifications, {tickets} tickets opened")
    events, chained = count(
        "SELECT (SELECT count(*) FROM events_event), (SELECT count(*) FROM audit_auditrecord)"
    )
    print(f"events      {events} recorded, {chained} chained by the audit")


def print_options(end_of_day_id: int) -> None:
    """Print what the options were worth at a close, and what became of them since."""
    from .summary import count

    options, valued, value, delta = count(
        """
        SELECT count(*), count(*) FILTER (WHERE is_valued), coalesce(sum(unrealised), 0),
               (SELECT coalesce(sum(delta), 0) FROM trading_optiongreek greek
                WHERE greek.run_id = max(value.run_id))
        FROM trading_tradevalue value
        WHERE product_kind = 'OPTION'
          AND run_id = (SELECT run_id FROM trading_endofday WHERE id = %(closed)s)
        """,
        closed=end_of_day_id,
    )
    exercised, fixed, cash, lapsed = count(
        "SELECT count(*) FILTER (WHERE kind = 'EXERCISED'), count(*) FILTER (WHERE kind = 'FIXED'),"
        " coalesce(sum(cash), 0), count(*) FILTER (WHERE kind = 'LAPSED')"
        " FROM trading_optionoutcome"
    )
    print(
        f"options     {valued} of {options} valued at {value:,.2f} EUR, delta {delta:,.0f} MWh; "
        f"then {exercised} exercised, {fixed} fixed for {cash:,.2f} EUR, {lapsed} lapsed"
    )
    runs, passed, failed = count(
        "SELECT count(*), coalesce(sum(passed), 0), coalesce(sum(cases - passed), 0)"
        " FROM validation_runoutcome"
    )
    print(f"models      {runs} validation run, {passed} cases pass, {failed} do not")


def add_up(market: Any, delivery: date, invoices: list[Any], closed: list[int]) -> int:
    """Print the reconciliations; 1 if one of them does not agree."""
    from .closing import reconcile_closings
    from .summary import (
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
        reconcile_energy(day),
        reconcile_closings(closed),
    ]
    print()
    for result in results:
        print(f"{'ok  ' if result.agrees else 'FAIL'} {result.name}: {result.words}")
    return 0 if all(result.agrees for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
