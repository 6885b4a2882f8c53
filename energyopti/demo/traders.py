"""What traders do on the demo's day: sign in, capture, exercise, nominate; over HTTP."""
# ruff: noqa: T201  (a program of the command line prints)

import asyncio
import json
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx
import websockets
from websockets import Origin

TRADER = "trader@demo.example"
DEALS = [
    "B 10MW DE base Cal27 @ {price} cpty:ACME book:EU",
    "S 4MW DE peak Q2-27 @ {price} cpty:BRISE book:EU",
    "B 5MW DE base Mar27 @ {price} cpty:ACME book:EU",
]
# A frame is there within a second, and within this on a machine that is busy with other things.
FRAME_SECONDS = 60


class DayFailed(Exception):
    """Something that was due did not come; the message names it."""


@dataclass(frozen=True)
class Door:
    """Where the product answers, and the word that all of the demo's people sign in with."""

    url: str
    password: str

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, follow_redirects=True, timeout=120)


def trade(door: Door) -> None:
    """Sign in as the trader, watch the book over the websocket, and capture deals over REST."""
    from .seed import near_the_curve

    deals = [deal.format(price=near_the_curve(deal)) for deal in DEALS]
    asyncio.run(_trade(door, deals))


async def _trade(door: Door, deals: list[str]) -> None:
    async with door.client() as client:
        await sign_in(client, TRADER, door.password)
        page = await client.get("/risk/")
        found = re.search(r"/?ws/risk/([0-9a-f-]{36})/", page.text)
        if found is None:
            raise DayFailed("the trader's risk page names no live feed of a book")
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        feed = f"{door.url.replace('http', 'ws', 1)}/ws/risk/{found[1]}/"
        async with websockets.connect(
            feed, additional_headers={"Cookie": cookies}, origin=Origin(door.url)
        ) as socket:
            before = json.loads(await asyncio.wait_for(socket.recv(), FRAME_SECONDS))
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
        headers=headers_of(client),
    )
    if answer.status_code != httpx.codes.CREATED:
        raise DayFailed(f"“{text}” was refused: {answer.status_code} {answer.text[:400]}")
    frame = before
    while frame.get("revision", 0) <= before.get("revision", 0):
        frame = json.loads(await asyncio.wait_for(socket.recv(), FRAME_SECONDS))
    seconds = time.monotonic() - sent
    print(
        f"trade       {answer.json()['ref']}: {text}\n"
        f"            VaR 99 % 1d {before.get('var') or 0:,.0f} → {frame['var']:,.0f} "
        f"{frame['currency']} on the open page {seconds * 1000:.0f} ms after the request"
    )
    return frame


def headers_of(client: httpx.AsyncClient) -> dict[str, str]:
    """Return what a request that changes something carries."""
    return {
        "X-CSRFToken": client.cookies["csrftoken"],
        "Referer": str(client.base_url),
        "Idempotency-Key": str(uuid.uuid4()),
    }


def exercise(door: Door, email: str, references: Sequence[str]) -> None:
    """Give notice of some of the seed's options, each by how its client reference begins."""
    options = [_trade_of(reference) for reference in references]
    asyncio.run(_exercise(door, email, options))
    for option in options:
        print(f"exercise    {option['ref']} became {_delivered(option['ref'])}")


async def _exercise(door: Door, email: str, options: Sequence[dict[str, Any]]) -> None:
    async with door.client() as client:
        await sign_in(client, email, door.password)
        for option in options:
            answer = await client.post(
                f"/api/v1/trading/trades/{option['ref']}/exercise",
                json={"reason": "demo: notice by telephone"},
                headers=headers_of(client) | {"If-Match": f'"{option["version"]}"'},
            )
            if answer.status_code != httpx.codes.OK:
                raise DayFailed(
                    f"{option['ref']} was not exercised: {answer.status_code} {answer.text[:400]}"
                )


def _delivered(ref: str) -> str:
    """Return what the exercise of an option made, in words."""
    from .summary import row_of

    made = row_of(
        "SELECT made.ref, version.quantity_mw, version.period_name, version.price"
        " FROM trading_trade made JOIN trading_trade option ON option.id = made.replaces_id"
        " JOIN trading_tradeversion version ON version.trade_id = made.id"
        " WHERE option.ref = %(ref)s",
        ref=ref,
    )
    if made is None:
        raise DayFailed(f"{ref} was exercised and delivers nothing")
    return (
        f"{made['ref']}: {made['quantity_mw']:.0f} MW {made['period_name']} @ {made['price']:.2f}"
    )


def nominate(door: Door, email: str, day: date, said: Mapping[str, Sequence[str]]) -> None:
    """Nominate a day of contracts with choices, each by how its client reference begins."""
    contracts = {_trade_of(reference)["ref"]: said[reference] for reference in said}
    asyncio.run(_nominate(door, email, day, contracts))
    print(f"nominate    {len(contracts)} contracts with choices for {day}: {', '.join(contracts)}")


async def _nominate(
    door: Door, email: str, day: date, contracts: Mapping[str, Sequence[str]]
) -> None:
    async with door.client() as client:
        await sign_in(client, email, door.password)
        for ref, quantities in contracts.items():
            answer = await client.post(
                f"/api/v1/trading/trades/{ref}/nominations",
                json={"day": day.isoformat(), "quantities": list(quantities)},
                headers=headers_of(client),
            )
            if answer.status_code != httpx.codes.CREATED:
                raise DayFailed(
                    f"{ref} was not nominated: {answer.status_code} {answer.text[:400]}"
                )


def _trade_of(reference: str) -> dict[str, Any]:
    from .summary import row_of

    found = row_of(
        "SELECT ref, latest_version AS version FROM trading_trade"
        " WHERE starts_with(client_reference, %(reference)s) ORDER BY id DESC LIMIT 1",
        reference=reference,
    )
    if found is None:
        raise DayFailed(f"the seed booked no {reference}")
    return found
