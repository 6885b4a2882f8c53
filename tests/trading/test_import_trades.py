"""Trades by file: all or nothing, refusals by line and field, the same rows as one by one."""

import csv
import io
from decimal import Decimal

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import Workbook

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.models import Event
from risk.models import LimitBreach, ScopeVector, TradeVector
from risk.services.snapshots import build_snapshot
from tests.factories.risk import curve, hold, quote_history
from tests.factories.trades import (
    RECEIVED_AT,
    TRADED_AT,
    make_book,
    make_counterparty,
    make_desk,
)
from trading.models import (
    CaptureBasis,
    Leg,
    PositionDelta,
    PositionTotal,
    PriceIndex,
    Trade,
    TradeVersion,
)
from trading.queries.books import UnknownBook
from trading.services.capture import book_fill, capture_order
from trading.services.reference_files import FileTooLarge
from trading.services.trade_files import (
    COLUMNS,
    FileOptions,
    ProfilesFile,
    RowState,
    TradesRefused,
    export_trades,
    import_trades,
    preview_trades,
)
from trading.services.trade_files.reading import read_trades
from trading.services.trade_files.rows import RowReader

pytestmark = pytest.mark.django_db

HEADER = (
    "basis,book,counterparty,traded_at,client_reference,source,external_id,package,product,side,"
    "quantity,unit,market,shape,period,price,index,reason"
)
GOOD = (
    "ORDER,EU,ACME,2026-11-20T18:00:00Z,r-1,,,,PHYSICAL_FORWARD,BUY,10,MW,DE,BASE,Cal27,85.20,,"
    "agreed"
)


def row(**changes: str) -> str:
    cells = dict(zip(HEADER.split(","), GOOD.split(","), strict=True)) | changes
    return ",".join(cells[name] for name in HEADER.split(","))


def csv_of(*rows: str) -> bytes:
    return "\n".join([HEADER, *rows, ""]).encode()


@pytest.fixture
def desk():
    desk = make_desk()
    PriceIndex.objects.create(
        code="EPEX-DE-DA", market=desk.market, name="Day-ahead", currency="EUR", price_unit="MWh",
        frequency="PERIOD", publication_time="12:57", source="test",
    )  # fmt: skip
    return desk


def load(desk, content: bytes, name: str = "deals.csv", verb=import_trades, **more):
    return verb(
        actor=desk.again(desk.trader), name=name, content=content, received_at=RECEIVED_AT, **more
    )


def refusals(desk, content: bytes, **more) -> list[tuple[int, str]]:
    with pytest.raises(TradesRefused) as refused:
        load(desk, content, **more)
    assert not Trade.objects.exists()
    assert not PositionDelta.objects.exists()
    assert not Event.objects.filter(type="trade.captured").exists()
    return [(r.line, r.field) for r in refused.value.found.refusals]


def test_rows_become_trades_with_exact_sums(desk):
    found = load(
        desk,
        csv_of(
            row(),
            row(client_reference="r-2", side="SELL", period="Q1-27", basis="FILL",
                source="ICE", external_id="77", quantity="4"),
            row(client_reference="r-3", product="SWAP", index="EPEX-DE-DA", package="P1"),
        ),
    )  # fmt: skip

    assert [r.state for r in found.rows] == [RowState.NEW] * 3
    year = TradeVersion.objects.select_related("trade").get(trade__client_reference="r-1")
    assert (year.trade.ref, year.energy_mwh, year.notional) == (
        found.rows[0].ref, Decimal(87600), Decimal("7463520.00"),
    )  # fmt: skip
    assert Trade.objects.get(external_id="77").basis == "FILL"
    assert Trade.objects.get(client_reference="r-3").package_id == "P1"
    assert Event.objects.filter(type="trade.captured").count() == 3
    assert Event.objects.get(type="trades.imported").payload["new"] == 3


def test_a_dry_run_says_the_same_and_writes_nothing(desk):
    content = csv_of(row(), row(client_reference="r-2", period="Q2-27"))

    found = load(desk, content, verb=preview_trades)

    assert [(r.line, r.state, r.ref) for r in found.rows] == [
        (2, RowState.NEW, ""), (3, RowState.NEW, ""),
    ]  # fmt: skip
    assert not Trade.objects.exists()
    load(desk, content)
    again = load(desk, content, verb=preview_trades)
    assert [r.state for r in again.rows] == [RowState.ALREADY_THERE] * 2
    assert all(r.ref for r in again.rows)


def test_a_file_may_be_imported_again(desk):
    content = csv_of(row())
    load(desk, content)

    found = load(desk, content)

    assert found.count(RowState.ALREADY_THERE) == 1
    assert Trade.objects.count() == 1
    with pytest.raises(TradesRefused) as refused:
        load(desk, csv_of(row(price="85.21")))
    assert refused.value.found.refusals[0].field == "client_reference"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"product": "SWOP"}, "product"),
        ({"period": "Kal27"}, "period"),
        ({"period": "2027-05-01..2027-04-01"}, "period"),
        ({"period": "2026-11-01"}, "period"),
        ({"unit": "bbl"}, "unit"),
        ({"unit": "furlong"}, "unit"),
        ({"market": "XX"}, "market"),
        ({"shape": "H99-H100"}, "shape"),
        ({"side": "HOLD"}, "side"),
        ({"quantity": "-10"}, "quantity"),
        ({"quantity": "1e"}, "quantity"),
        ({"price": "NaN"}, "price"),
        ({"price": "=1+1"}, "price"),
        ({"reason": "=cmd()"}, "reason"),
        ({"index": "EPEX-DE-DA"}, "index"),
        ({"product": "SWAP", "index": "NOPE"}, "index"),
        ({"product": "SWAP"}, "index"),
        ({"book": "NOPE"}, "book"),
        ({"counterparty": "NOPE"}, "counterparty"),
        ({"traded_at": "2026-11-20T18:00:00"}, "traded_at"),
        ({"traded_at": "2026-11-21T18:00:00Z"}, "traded_at"),
        ({"basis": "MAYBE"}, "basis"),
        ({"external_id": "7"}, "source"),
        ({"package": "a b"}, "package"),
        ({"reason": ""}, "reason"),
    ],
)
def test_a_bad_row_is_refused_by_line_and_field_and_nothing_is_kept(desk, changes, field):
    content = csv_of(row(), row(**{"client_reference": "r-2"} | changes))

    assert refusals(desk, content) == [(3, field)]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ratio": "0"}, "ratio"),
        ({"ratio": "2", "ratio_unit": "t"}, "ratio_unit"),
        ({"second_period": "Q2-27"}, "second_period"),
        ({"second_period": "Q9-27"}, "second_period"),
        ({"second_period": ""}, "underlying"),
        ({"cost": "-0.5"}, "cost"),
        ({"option_type": "PUT", "underlying": "EPEX-DE-DA", "second_period": ""}, "ratio"),
    ],
)
def test_a_bad_spread_is_refused_by_line_and_field(desk, changes, field):
    spread = {
        "option_style": "EUROPEAN", "option_type": "SPREAD_CALL", "strikes": "4",
        "underlying": "EPEX-DE-DA;EPEX-DE-DA", "second_period": "Q3-27", "ratio": "1.5",
        "expiry": "2026-12-20T12:00:00+01:00", **changes,
    }  # fmt: skip
    names = ",".join([HEADER, *spread])
    said = row(product="OPTION", price="", period="Q2-27")

    assert refusals(desk, f"{names}\n{said},{','.join(spread.values())}\n".encode()) == [(2, field)]


def test_a_reference_or_external_id_stands_in_one_line(desk):
    content = csv_of(
        row(source="ICE", external_id="1"), row(period="Q1-27"),
        row(client_reference="r-3", source="ICE", external_id="1", period="Q2-27"),
    )  # fmt: skip

    assert refusals(desk, content) == [(3, "client_reference"), (4, "external_id")]


def test_another_organizations_book_is_as_if_it_were_not_there(desk):
    make_book(make_desk().organization, code="THEIRS")

    assert refusals(desk, csv_of(row(book="THEIRS"))) == [(2, "book")]


def test_a_price_far_off_the_curve_needs_a_reason(desk):
    quote_history(desk.market)
    curve(desk.market)
    build_snapshot(actor=Actor.system("test"), valued_at=TRADED_AT)

    near = load(desk, csv_of(row(reason="", price="62")), verb=preview_trades)
    assert refusals(desk, csv_of(row(price="300", reason=""))) == [(2, "reason")]
    found = load(desk, csv_of(row(price="300", reason="capacity is in it")))

    assert not near.refusals
    assert any("daily standard deviations" in remark for remark in found.rows[0].remarks)


def test_files_that_are_no_text_have_a_formula_or_are_too_large_are_refused(desk):
    mixed = csv_of(row(), row(client_reference="r-2")).replace(b"agreed", b"agr\xfced")
    assert refusals(desk, mixed) == [(2, "encoding")]
    assert refusals(desk, b"colour,side\n1,BUY\n") == [(1, "colour")]
    with pytest.raises(FileTooLarge, match="50 MB"):
        load(desk, b"x" * (50 * 1024 * 1024 + 1))
    assert refusals(desk, workbook(["=5+5"]), name="deals.xlsx") == [(2, "quantity")]
    assert refusals(desk, b"no archive", name="deals.xlsx") == [(0, "file")]
    assert refusals(desk, b"", name="deals.pdf") == [(0, "file")]


def workbook(quantities) -> bytes:
    book = Workbook()
    sheet = book.active
    sheet.append(HEADER.split(","))
    for number, quantity in enumerate(quantities):
        cells = dict(zip(HEADER.split(","), GOOD.split(","), strict=True))
        cells |= {"quantity": quantity, "price": 85.2, "client_reference": f"x-{number}",
                  "period": f"Q{number + 1}-27"}  # fmt: skip
        sheet.append([cells[name] for name in HEADER.split(",")])
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def test_a_workbook_is_read_like_a_csv_file(desk):
    load(desk, workbook([10, 2.5]), name="deals.xlsx")

    kept = TradeVersion.objects.order_by("id").values_list("quantity", "price")
    assert list(kept) == [
        (Decimal("10"), Decimal("85.2")), (Decimal("2.5"), Decimal("85.2")),
    ]  # fmt: skip


def test_a_text_column_and_the_options_of_the_file_say_it_shorter(desk):
    content = b"text,reason\nB 10MW DE base Cal27 @ 85.20 tag:hedge,agreed\n"
    options = FileOptions(CaptureBasis.FILL, "EU", "ACME")

    load(desk, content, options=options)

    trade = Trade.objects.get()
    assert (trade.basis, trade.tags) == ("FILL", ["hedge"])
    bad = b"text,side\nB 10MW DE base Cal27 @ 85.20,BUY\nB 10MW DE bse Cal27 @ 85.20,\n"
    with pytest.raises(TradesRefused) as refused:
        load(desk, bad, options=options)
    assert [(r.line, r.field) for r in refused.value.found.refusals] == [(2, "side"), (3, "text")]


def test_orders_over_the_threshold_wait_with_their_package(desk):
    desk.book.four_eyes_from = Decimal(5_000_000)
    desk.book.save()

    load(
        desk,
        csv_of(
            row(package="P1"), row(client_reference="r-2", period="Jan27", package="P1"),
            row(client_reference="r-3", period="Jan27", quantity="1"),
            row(client_reference="r-4", period="Cal28", basis="FILL"),
        ),
    )  # fmt: skip

    kept = dict(Trade.objects.values_list("client_reference", "status"))
    assert kept == {"r-1": "PENDING", "r-2": "PENDING", "r-3": "LIVE", "r-4": "LIVE"}


def varied_rows() -> list[str]:
    periods = ("Cal27", "Q1-27", "Q3-27", "Jan27", "W05-27", "2027-03-27..2027-04-02")
    rows = []
    for n in range(18):
        changes = {
            "client_reference": f"v-{n}", "period": periods[n % 6], "quantity": f"{n % 5 + 1}.5",
            "side": ("BUY", "SELL")[n % 2], "price": f"{80 + n}.25",
            "shape": ("BASE", "PEAK", "BASE")[n % 3], "basis": ("ORDER", "FILL")[n % 4 == 3],
        }  # fmt: skip
        if n % 6 == 1:
            changes |= {"product": "SWAP", "index": "EPEX-DE-DA"}
        rows.append(row(**changes))
    rows.append(row(client_reference="v-18", period="Cal27", quantity="1.5", side="BUY",
                    price="80.25", shape="BASE"))  # fmt: skip
    return rows


def state(desk) -> dict[str, object]:
    """Everything that captures leave in a book, without ids and times."""
    versions = TradeVersion.objects.filter(book=desk.book).order_by("trade_id")
    skipped = {"id", "trade_id", "recorded_at", "book_id", "counterparty_id", "checks", "market_id",
               "captured_by", "captured_by_name", "_state"}  # fmt: skip
    return {
        "versions": [
            {k: v for k, v in vars(row).items() if k not in skipped} for row in versions
        ],
        "outcomes": [[(c["check"], c["outcome"]) for c in row.checks] for row in versions],
        "hashes_differ_by_book_only": Trade.objects.filter(book=desk.book).count(),
        "legs": list(
            Leg.objects.filter(version__book=desk.book)
            .order_by("version__trade_id", "number")
            .values_list("number", "kind", "direction", "quantity", "price", "shape", "start",
                         "end", "index_code", "settlement", "shape_version")
        ),
        "deltas": list(
            PositionDelta.objects.filter(book=desk.book)
            .order_by("trade_version__trade_id", "month", "shape", "start")
            .values_list("stage", "month", "start", "end", "basis", "unit", "shape", "physical",
                         "exposure", "fixed", "calendar_zone", "tzdata_version")
        ),
        "totals": sorted(
            PositionTotal.objects.filter(book=desk.book).values_list(
                "stage", "month", "start", "end", "shape", "physical", "exposure", "fixed"
            )
        ),
        "events": [
            {k: v for k, v in e.payload.items()
             if k not in ("ref", "book_id", "counterparty_id", "checks")}
            for e in Event.objects.filter(
                type="trade.captured", key=f"book:{desk.book.pk}"
            ).order_by("id")
        ],
    }  # fmt: skip


@pytest.mark.parametrize("has_limit", [False, True])
def test_a_file_leaves_what_its_deals_leave_one_by_one(desk, has_limit):
    """The slow twin: the same deals captured by the services of a single deal."""
    quote_history(desk.market)
    curve(desk.market)
    build_snapshot(actor=Actor.system("test"), valued_at=TRADED_AT)
    slow = make_desk()
    for each in (desk, slow):
        each.deal("B 3MW DE base Cal27 @ 85", client_reference="before", fill=True)
        if has_limit:
            hold(each, 60_000)
    rows = varied_rows()
    if has_limit:  # an order that is stopped would refuse the file
        rows = [line.replace("ORDER,", "FILL,", 1) for line in rows]
    content = csv_of(*rows)

    load(desk, content)
    lines = read_trades("deals.csv", content).lines
    reader = RowReader(slow.again(slow.trader), RECEIVED_AT, FileOptions())
    for line in lines:
        new = reader.deal(line)
        verb = book_fill if new.basis is CaptureBasis.FILL else capture_order
        verb(
            actor=slow.again(slow.trader), deal=new.deal, book_id=new.book_id,
            counterparty_id=new.counterparty_id, traded_at=new.traded_at, received_at=RECEIVED_AT,
            reason=new.reason, client_reference=new.client_reference, tags=new.tags,
        )  # fmt: skip

    fast_state, slow_state = state(desk), state(slow)
    for part, expected in slow_state.items():
        assert fast_state[part] == expected, part
    one, other = (ScopeVector.objects.get(book=each.book) for each in (desk, slow))
    np.testing.assert_allclose(
        np.frombuffer(one.values), np.frombuffer(other.values), rtol=1e-9, atol=1e-6
    )
    assert one.base_value == pytest.approx(other.base_value, rel=1e-9)
    vectors = [
        TradeVector.objects.filter(trade_version__book=each.book).order_by("trade_version_id")
        for each in (desk, slow)
    ]
    assert len(vectors[0]) == len(vectors[1]) > 0
    for fast, own in zip(*vectors, strict=True):
        assert fast.base_value == pytest.approx(own.base_value, rel=1e-9, abs=1e-6)
    breaches = [
        list(LimitBreach.objects.filter(limit__book=each.book).order_by("id"))
        for each in (desk, slow)
    ]
    assert len(breaches[0]) == len(breaches[1])
    assert bool(breaches[0]) is has_limit
    for fast, own in zip(*breaches, strict=True):
        assert (fast.before, fast.after) == pytest.approx((own.before, own.after), rel=1e-9)
    checks = [
        {c["check"]: c["after"] for c in v.checks}["limits"]
        for v in TradeVersion.objects.filter(book=desk.book).order_by("trade_id")
    ]
    again = [
        {c["check"]: c["after"] for c in v.checks}["limits"]
        for v in TradeVersion.objects.filter(book=slow.book).order_by("trade_id")
    ]
    assert [c is None for c in checks] == [c is None for c in again]
    assert [c for c in checks if c is not None] == pytest.approx(
        [c for c in again if c is not None], rel=1e-9
    )


def test_the_number_of_queries_does_not_grow_with_the_rows(desk):
    counts = []
    for first, size in ((0, 5), (100, 5), (200, 60)):
        rows = (
            row(client_reference=f"n-{first + n}", price=f"{60 + (first + n) / 4}")
            for n in range(size)
        )
        with CaptureQueriesContext(connection) as queries:
            load(desk, csv_of(*rows))
        counts.append(len(queries))

    assert counts[1] == counts[2]


def test_the_command_refuses_with_exit_code_1_and_imports_with_0(desk, tmp_path, capsys):
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_bytes(csv_of(row()))
    bad.write_bytes(csv_of(row(), row(client_reference="r-2", period="Kal27")))

    with pytest.raises(CommandError) as refused:
        call_command("import_trades", str(bad))
    assert refused.value.returncode == 1
    call_command("import_trades", str(good), "--dry-run")
    assert not Trade.objects.exists()
    call_command("import_trades", str(good), "--user", desk.trader.user.email)

    said = capsys.readouterr().out
    assert "Kal27" in said
    assert "1 new" in said
    assert Trade.objects.count() == 1


BAD = {
    "unknown product": ({"product": "SWOP"}, "product", "SWOP"),
    "unknown period": ({"period": "Kal27"}, "period", "Kal27"),
    "unknown unit": ({"unit": "furlong"}, "unit", "furlong"),
    "unknown currency": ({"currency": "XXQ"}, "currency", "XXQ"),
    "end before start": ({"period": "2027-05-01..2027-04-01"}, "period", "before"),
    "volume in the wrong unit": ({"unit": "bbl"}, "unit", "bbl"),
    "5 sigma off the curve": ({"price": "300", "reason": ""}, "reason", "standard deviations"),
    "duplicate external id": ({"source": "ICE", "external_id": "1"}, "external_id", "line 2"),
    "foreign book": ({"book": "THEIRS"}, "book", "THEIRS"),
    "stale version": ({"client_reference": "held"}, "client_reference", "other terms"),
    "formula cell": ({"reason": "=1+1"}, "reason", "formula"),
}


def test_every_bad_input_of_one_file_is_named_and_nothing_is_kept(desk):
    """One file with each of them, a line each: all are named at once, with the rule."""
    quote_history(desk.market)
    curve(desk.market)
    build_snapshot(actor=Actor.system("test"), valued_at=TRADED_AT)
    make_book(make_desk().organization, code="THEIRS")
    desk.deal("B 9MW DE base Cal27 @ 85.20", client_reference="held")
    header = f"{HEADER},currency"
    rows = [f"{row(source='ICE', external_id='1')},"]
    for place, (changes, _, _) in enumerate(BAD.values()):
        own = {"client_reference": f"bad-{place}", "quantity": f"{place + 20}"} | changes
        rows.append(f"{row(**{k: v for k, v in own.items() if k != 'currency'})},"
                    f"{changes.get('currency', '')}")  # fmt: skip
    before = set(Trade.objects.values_list("pk", flat=True))

    with pytest.raises(TradesRefused) as refused:
        load(desk, "\n".join([header, *rows, ""]).encode())

    found = {r.line: r for r in refused.value.found.refusals}
    for line, (what, (_, field, words)) in enumerate(BAD.items(), start=3):
        assert found[line].field == field, (what, found[line])
        assert words in found[line].rule, (what, found[line])
    assert len(refused.value.found.refusals) == len(BAD)
    assert set(Trade.objects.values_list("pk", flat=True)) == before
    assert not Event.objects.filter(type="trades.imported").exists()
    mixed = csv_of(row(), row(client_reference="r-2")).replace(b"agreed", b"agr\xfced", 1)
    for content, name, line, field in (
        (mixed, "deals.csv", 2, "encoding"), (workbook(["=5+5"]), "deals.xlsx", 2, "quantity"),
    ):  # fmt: skip
        with pytest.raises(TradesRefused) as refused:
            load(desk, content, name=name)
        assert [(r.line, r.field) for r in refused.value.found.refusals] == [(line, field)]
    with pytest.raises(FileTooLarge, match="50 MB"):
        load(desk, b"x" * (50 * 1024 * 1024 + 1))
    assert set(Trade.objects.values_list("pk", flat=True)) == before


def test_what_is_taken_out_comes_in_again_with_the_same_terms(desk, django_assert_max_num_queries):
    """Every product by file, internal deals and volumes by the interval: out, and in again."""
    index = {"index": "EPEX-DE-DA"}
    PriceIndex.objects.create(
        code="EPEX-DE-ID", market=desk.market, name="Other", currency="EUR", price_unit="MWh",
        frequency="PERIOD", publication_time="12:57", source="test",
    )  # fmt: skip
    within = make_counterparty(desk.organization, "OWN")
    within.is_internal = True
    within.save()
    make_book(desk.organization, "US", parent=desk.book)
    plant = {"asset": "WIND-1", "installed_mw": "20", "contracted_mw": "10.5"}
    option = {
        "option_style": "EUROPEAN", "option_type": "COLLAR", "underlying": "EPEX-DE-DA",
        "strikes": "70;90.5", "expiry": "2026-12-20T12:00:00+01:00", "premium": "2.25",
        "premium_date": "2026-11-25", "settlement": "CASH",
    }  # fmt: skip
    fees = {"broker": "TULLETT", "broker_fee": "0.005", "exchange_fee": "0.01",
            "fee_basis": "PER_UNIT", "fee_currency": "EUR"}  # fmt: skip
    of = [
        {"price": "-85.125", "shape": "PEAK", "period": "W05-27", **fees, "tags": "one two"},
        {"price": "85", "quantity": "240", "unit": "MWh", "shape": "H08-H20", "basis": "FILL",
         "source": "ICE", "external_id": "77", "client_reference": ""},
        {"product": "INDEX_FORWARD", "spread": "-1.5", "multiplier": "0.95", **index},
        {"product": "FUTURE", "price": "80", "quantity": "3", "unit": "lots", "mic": "XEEE",
         "clearing_account": "A-1"},
        {"product": "FINANCIAL_FORWARD", "price": "81", **index},
        {"product": "SWAP", "price": "82", **index},
        {"product": "BASIS_SWAP", "receive_index": "EPEX-DE-ID", "spread": "0.5", **index},
        {"product": "AS_GENERATED", "quantity": "5", "price": "60", **plant},
        {"product": "PPA", "quantity": "5", "floor": "20", "cap": "90", **plant, **index},
        {"product": "OPTION", **option},
        {"product": "OPTION", **option, "option_style": "BERMUDAN", "option_type": "CALL",
         "strikes": "90.5",
         "exercises": "2026-12-10T12:00:00+01:00;2026-12-20T12:00:00+01:00"},
        {"price": "83", "counterparty": "OWN", "counter_book": "US"},
        {"product": "PROFILE_FORWARD", "quantity": "", "unit": "", "price": "84",
         "period": "2027-03-27..2027-03-28"},
        {"product": "OPTION", **option, "option_type": "SPREAD_PUT", "strikes": "4.5",
         "underlying": "EPEX-DE-DA;EPEX-DE-ID", "ratio": "1.25", "ratio_unit": "MWh",
         "second_period": "Q3-27", "cost": "2.5"},
    ]  # fmt: skip
    rows = []
    for place, changes in enumerate(of):
        rows.append(
            {"basis": "ORDER", "book": "EU", "counterparty": "ACME", "reason": "agreed, all",
             "client_reference": f"o-{place}", "side": ("BUY", "SELL")[place % 2], "market": "DE",
             "quantity": "10.5", "unit": "MW", "period": "Q2-27",
             "traded_at": "2026-11-20T18:00:00+00:00", **changes}
        )  # fmt: skip
    hours = [f"o-12,2027-03-26T23:00:00Z,{n}.25" for n in range(1)] + [
        f"o-12,2027-03-{27 + n // 24:02d}T{n % 24:02d}:00:00Z,{n}.25" for n in range(46)
    ]

    def file_of(rows) -> bytes:
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue().encode()

    profiles = ProfilesFile("p.csv", "\n".join(["reference,start,mw", *hours]).encode())
    found = load(desk, file_of(rows), profiles=profiles)
    assert found.count(RowState.NEW) == len(of) + 1

    with django_assert_max_num_queries(20):
        out = export_trades(actor=desk.again(desk.trader))

    taken = list(csv.DictReader(io.StringIO(out["trades.csv"].decode())))
    assert len(taken) == len(of)
    for given, told in zip(rows, taken, strict=True):
        for name, value in given.items():
            if not value:
                continue
            assert told[name] == value, (given["client_reference"], name)
    assert out["profiles.csv"].count(b"\r\n") == 1 + 47
    again = load(
        desk, out["trades.csv"], profiles=ProfilesFile("profiles.csv", out["profiles.csv"])
    )
    assert [r.state for r in again.rows] == [RowState.ALREADY_THERE] * (len(of) + 1)
    assert len(csv_rows(export_trades(actor=desk.again(desk.trader), book="us"))) == 1
    with pytest.raises(UnknownBook):
        export_trades(actor=desk.again(desk.trader), book="NOPE")


def csv_rows(files: dict[str, bytes]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files["trades.csv"].decode())))
