"""A desk that books one of each product in three ways, and lives through its days."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from energyopti.foundation.jobs.models import Job, JobState
from tests.factories.accounts import make_user
from tests.factories.curves import SYSTEM
from tests.factories.trades import Desk, make_market
from tests.factories.trading import make_prices
from tests.trading.valuation.desk import valued_desk
from tests.trading.valuation.options_desk import choose, index_in, quote_interest, quote_vols
from tests.trading.valuation.structures_desk import curve_of
from trading.deals import Deal
from trading.models import (
    Commodity,
    EndOfDay,
    Market,
    OptionFamily,
    PricingFormula,
    Trade,
    TradeVersion,
    ValuationRun,
)
from trading.queries.deals import deal_of
from trading.services.catalogue import ensure_catalogue
from trading.services.end_of_day import run_end_of_day, sign_end_of_day, start_end_of_day
from trading.services.lifecycle import cancel_trade
from trading.services.pricing_models import ModelTerms
from trading.services.valuation import value_organization
from trading.tasks import import_staged_trades, mature, try_trades

from .products import PRODUCTS, entry_of, profile_rows, reference, row_of

BOOKED = datetime(2026, 11, 20, 16, tzinfo=UTC)
THURSDAY, FRIDAY, MONDAY, TUESDAY = (
    datetime(2026, 11, day, 17, tzinfo=UTC) for day in (19, 20, 23, 24)
)
# When everything is delivered, published and due.
AFTER = datetime(2027, 3, 1, 12, tzinfo=UTC)
BOOKING = {"book": "EU", "counterparty": "ACME", "reason": "agreed"}
API = "/api/v1/trading/trades"
LEVELS = {"DE": "85", "FR": "80", "TTF": "31", "EUA": "71"}
VOLS = {"DE": "0.5", "FR": "0.4", "TTF": "0.6"}
MONTHS = ("Dec26", "Jan27", "Cal27")
# The first power day begins before the first gas day of its month.
MONTHS_OF = {"EUA": ("Dec26",), "TTF": ("Nov26", *MONTHS)}
# How far a price or all volatilities are moved to value again.
BUMPS = {"DE": 0.1, "FR": 0.1, "TTF": 0.1, "EUA": 0.1, "VOL": 0.002}
# The receiver swaption is left to lapse.
EXERCISED = ("physical call", "physical put", "written call", "payer swaption", "American call",
             "American cash put", "Bermudan put")  # fmt: skip
_FIRST, _SECOND = "2026-12-01", "2026-12-02"
NOMINATED = {
    "swing": {_FIRST: ["100"], _SECOND: ["240"]},
    "storage": {_FIRST: ["200"], _SECOND: ["-100"]},
    "tolling": {_FIRST: ["0"] * 7 + ["20"] * 12 + ["0"] * 5, _SECOND: ["0"] * 24},
    "battery": {_FIRST: ["-20", "0", "0", "20", *["0"] * 20], _SECOND: ["0"] * 23 + ["5"]},
}  # fmt: skip
FAMILIES = (
    ModelTerms("DE", OptionFamily.VANILLA, PricingFormula.BLACK76,
               contract_correlation=Decimal("0.9")),
    ModelTerms("DE", OptionFamily.AVERAGE, PricingFormula.BLACK76),
    ModelTerms("DE", OptionFamily.SPREAD, PricingFormula.BLACK76, second_market="FR",
               correlation=Decimal("0.8")),
    ModelTerms("DE", OptionFamily.SPREAD, PricingFormula.BLACK76, second_market="TTF",
               correlation=Decimal("0.5")),
)  # fmt: skip


@contextmanager
def clock_at(moment: datetime):
    """Let the product's clock show a moment; the simulated clock of the demo, standing still."""
    with patch("energyopti.foundation.clock.now", lambda: moment):
        yield


@dataclass
class Booked:
    """A product that was booked; the trade of `ref` is kept, the others are cancelled."""

    refs: dict[str, str]
    preview: str

    @property
    def ref(self) -> str:
        return self.refs["REST"]

    def deal(self, way: str = "REST") -> Deal:
        return deal_of(TradeVersion.objects.get(trade__ref=self.refs[way], version=1))


@dataclass
class World:
    """The desk, its people, and what became of its deals; prices in EUR."""

    desk: Desk
    second: Actor
    client: Client
    markets: dict[str, Market]
    booked: dict[str, Booked] = field(default_factory=dict)
    days: list[EndOfDay] = field(default_factory=list)
    bumped: dict[tuple[str, float], ValuationRun] = field(default_factory=dict)
    beats: list[int] = field(default_factory=list)
    last: ValuationRun | None = None
    # Of Monday's evening: each trade's page, and what REST says of an option.
    pages: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    # The market.

    def market(
        self, close: datetime, *, shift: Mapping[str, float] = MappingProxyType({}),
        vol: float = 0.0, at: datetime | None = None,
    ) -> None:  # fmt: skip
        """Publish curves, volatilities and rates as of a close, moved by something, later `at`."""
        day, at = (close - THURSDAY).days, at or close
        for code, level in LEVELS.items():
            market = self.markets[code]
            price = float(level) * (1 + 0.01 * day) + shift.get(code, 0.0)
            prices = {n: f"{price + 2 * i:.3f}" for i, n in enumerate(MONTHS_OF.get(code, MONTHS))}
            if code == "DE":
                prices["Dec26 PEAK"] = f"{price + 9:.3f}"
            curve_of(market, prices, at=at)
            if code in VOLS:
                sigma = float(VOLS[code]) - 0.01 * day + vol
                quote_vols(market, dict.fromkeys(MONTHS, f"{sigma:.6f}"), at=at)
        quote_interest(at, round(0.03 + 0.0005 * day, 6))

    def spot(self) -> None:
        """Publish the day-ahead prices of December and January, hour by hour."""
        for code, start in (("DE", 23), ("FR", 23), ("TTF", 5)):
            level = float(LEVELS[code])
            hours = [f"{level + 12 * ((n % 24) - 11.5) / 11.5 + n / 100:.2f}" for n in range(1488)]
            first = datetime(2026, 11, 30, start, tzinfo=UTC)
            if code == "TTF":
                first += timedelta(days=1)
            make_prices(self.markets[code], first, hours)

    # Booking.

    def book(self, name: str) -> None:
        """Book a product by its form, which previews it first, and by a program."""
        terms = PRODUCTS[name]
        entry = {**entry_of(terms), **BOOKING, "client_reference": f"form-{reference(name)}",
                 "action": "go"}  # fmt: skip
        files = {}
        if "profile" in terms:
            lines = "\n".join(["MW", *terms["profile"]["mw"]]).encode()
            files = {"profile": SimpleUploadedFile("p.csv", lines, "text/csv")}
        shown = self.client.post(reverse("trading:ticket"), {**entry, **files})
        assert shown.status_code == 200, (name, shown.context["entry"].errors)
        hidden = re.findall(r'name="(previewed|profile_key)"[^>]*value="([^"]*)"', shown.text)
        booked = self.client.post(reverse("trading:ticket"), {**entry, **dict(hidden)})
        assert booked.status_code == 302, (name, booked.context["entry"].errors)
        answer = self.client.post(
            API, {"terms": terms, **BOOKING, "client_reference": f"rest-{reference(name)}"},
            content_type="application/json",
        )  # fmt: skip
        assert answer.status_code == 201, (name, answer.json())
        refs = {"form": booked.url.rstrip("/").rsplit("/", 1)[1], "REST": answer.json()["ref"]}
        self.booked[name] = Booked(refs, shown.text)

    def upload(self, names: list[str]) -> None:
        """Book them once more by one file with its profiles: tried, confirmed, worked off."""
        rows = [row_of(name, PRODUCTS[name]) for name in names]
        text = io.StringIO()
        writer = csv.DictWriter(text, list(dict.fromkeys(c for row in rows for c in row)))
        writer.writeheader()
        writer.writerows(rows)
        profiles = ["reference,start,mw"]
        for name in names:
            if "profile" in PRODUCTS[name]:
                profiles += profile_rows(name, PRODUCTS[name])
        sent = self.client.post(
            reverse("trading:trade_imports"),
            {"basis": "ORDER", "book": "EU", "counterparty": "ACME",
             "file": SimpleUploadedFile("deals.csv", text.getvalue().encode()),
             "profiles": SimpleUploadedFile("profiles.csv", "\n".join(profiles).encode())},
        )  # fmt: skip
        tasks = {task.name: task for task in (try_trades, import_staged_trades)}

        def work_off() -> None:
            for job in Job.objects.filter(state=JobState.QUEUED, task__in=tasks):
                tasks[job.task].apply(kwargs={"job_id": str(job.pk)}, throw=True)

        work_off()
        tried = self.client.get(sent.url)
        assert not tried.context["found"].refusals, tried.context["found"].refusals
        self.client.post(f"{sent.url}confirm/")
        work_off()
        for name in names:
            found = Trade.objects.get(client_reference=reference(name))
            self.booked[name].refs["CSV"] = found.ref

    def keep_one_of_each(self) -> None:
        for one in self.booked.values():
            for way, ref in one.refs.items():
                if way != "REST":
                    cancel_trade(
                        actor=self.trader, ref=ref, expected_version=1, received_at=BOOKED,
                        reason="only one is wanted",
                    )  # fmt: skip

    @property
    def trader(self) -> Actor:
        return self.desk.again(self.desk.trader)

    # Days.

    def page_of(self, name: str) -> str:
        return reverse("trading:trade", args=[self.booked[name].ref])

    def say(self, name: str, what: str, **body: Any) -> None:
        """Exercise or nominate over REST."""
        answer = self.client.post(
            f"{API}/{self.booked[name].ref}/{what}", body, content_type="application/json",
            headers={"If-Match": '"1"'},
        )  # fmt: skip
        assert answer.status_code in (200, 201), (name, answer.json())

    def close(self, at: datetime) -> EndOfDay:
        """Close a day by its verbs: started by one person, signed by another."""
        asked = at + timedelta(hours=3)
        row = start_end_of_day(
            actor=self.desk.again(self.desk.officer), organization_id=self.desk.organization.pk,
            day=at.date(), as_of=at + timedelta(hours=2), asked_at=asked,
        )  # fmt: skip
        with clock_at(asked):
            row = run_end_of_day(actor=Actor.system("test"), end_of_day_id=row.pk)
        row = sign_end_of_day(
            actor=self.second, end_of_day_id=row.pk, signed_at=asked, reason="seen"
        )
        self.days.append(row)
        return row

    def run(self, as_of: datetime):
        return value_organization(
            actor=Actor.system("test"), organization_id=self.desk.organization.pk, as_of=as_of
        )

    def beat(self, at: datetime) -> int:
        """Let the clock's own task run at a moment; return how much it did."""
        with clock_at(at):
            return mature.apply(throw=True).get()

    def live(self, names: list[str], *, bumps: Sequence[str]) -> None:
        """Book, close three days with what happens on them, and let all be delivered and paid."""
        self.market(THURSDAY)
        with clock_at(BOOKED):
            for name in names:
                self.book(name)
            self.upload(names)
            self.keep_one_of_each()
        self.market(FRIDAY)
        self.close(FRIDAY)
        self.market(MONDAY)
        with clock_at(MONDAY.replace(hour=10)):
            for name in names:
                for day, quantities in NOMINATED.get(name, {}).items():
                    self.say(name, "nominations", day=day, quantities=quantities)
        self.close(MONDAY)
        with clock_at(MONDAY + timedelta(hours=4)):
            self.pages = {name: self.client.get(self.page_of(name)).text for name in names}
            self.values = {
                name: self.client.get(f"{API}/{self.booked[name].ref}/option-value").json()
                for name in names
            }
        self.bump(bumps)
        self.market(TUESDAY)
        with clock_at(TUESDAY.replace(hour=10)):
            for name in names:
                if name in EXERCISED:
                    self.say(name, "exercise", reason="notice by telephone")
        self.beat(TUESDAY.replace(hour=18))
        self.close(TUESDAY)
        self.spot()
        self.beats = [self.beat(AFTER), self.beat(AFTER)]
        self.last = self.run(AFTER)

    def bump(self, bumps: Sequence[str]) -> None:
        """Value Monday's evening on its market, and with one price or all volatilities moved."""
        moved: list[tuple[str, float]] = [("", 0.0)]
        moved += [(what, size) for what in bumps for size in (BUMPS[what], -BUMPS[what])]
        for n, (what, size) in enumerate(moved):
            at = MONDAY + timedelta(hours=3, minutes=n)
            shift, vol = ({}, size) if what == "VOL" else ({what: size}, 0.0)
            self.market(MONDAY, shift=shift, vol=vol, at=at)
            self.bumped[what, size] = self.run(MONDAY + timedelta(hours=5))


def open_world() -> World:
    """DE, FR, TTF and EUA with curves, volatilities, rates and models of two persons."""
    desk = valued_desk()
    gas, carbon = (Commodity.objects.get(code=code) for code in ("GAS", "EUA"))
    make_market("FR", time_zone="Europe/Paris")
    make_market("TTF", commodity=gas, time_zone="Europe/Amsterdam", day_start=timedelta(hours=6))
    make_market("EUA", commodity=carbon, price_unit="tCO2", kind="REGISTRY")
    ensure_catalogue(actor=SYSTEM)
    markets = {code: Market.objects.get(code=code) for code in LEVELS}
    for code, name in (("EPEX-DE-DA", "DE"), ("XEEE-DE-SETTLE", "DE"), ("EPEX-FR-DA", "FR"),
                       ("TTF-DA", "TTF")):  # fmt: skip
        index_in(markets[name], code)
    for terms in FAMILIES:
        choose(desk, terms)
    client = Client()
    client.force_login(desk.trader.user, backend="django.contrib.auth.backends.ModelBackend")
    second = Actor.for_user(make_user(Role.RISK_OFFICER, organization=desk.organization))
    return World(desk, second, client, markets)
