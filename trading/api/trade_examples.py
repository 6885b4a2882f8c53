"""Examples of deals and trades for the OpenAPI document: the deal that the guides use."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

ORDER = OpenApiExample(
    "An order as one line",
    request_only=True,
    value={
        "text": "B 10MW DE base Cal27 @ 85.20",
        "book": "EU",
        "counterparty": "ACME",
        "client_reference": "desk-2026-11-21-0007",
    },
)
FILL = OpenApiExample(
    "An executed fill",
    request_only=True,
    value={
        "text": "S 4MW DE base Q2-27 @ 71.55 cpty:BRISE book:EU",
        "executed_at": "2026-11-21T09:41:07Z",
        "client_reference": "fix-44-20261121-118",
    },
)


def _terms(name: str, **terms: Any) -> OpenApiExample:
    return OpenApiExample(
        name,
        request_only=True,
        value={"terms": terms, "book": "EU", "counterparty": "ACME", "reason": "agreed"},
    )


TERMS = _terms(
    "A forward by its terms", product="PHYSICAL_FORWARD", side="BUY", market="DE", shape="PEAK",
    period="Q1-27", quantity="10", unit="MW", price="92.15",
    fees=[{"kind": "BROKER", "amount": "0.005", "basis": "PER_UNIT", "payee": "TULLETT"}],
)  # fmt: skip
SWAP = _terms(
    "A fixed-for-floating swap", product="SWAP", side="BUY", market="DE", period="Cal27",
    quantity="10", price="85.20", index="EPEX-DE-DA",
)  # fmt: skip
FUTURE = _terms(
    "A future", product="FUTURE", side="SELL", market="DE", period="Cal27", quantity="5",
    price="85.20", mic="XEEE", clearing_account="HOUSE-1",
)  # fmt: skip
PROFILE = _terms(
    "A day by the hour", product="PROFILE_FORWARD", side="SELL", market="DE", period="2027-06-01",
    price="70", profile={"minutes": 60, "mw": [*["0"] * 8, *["5.5"] * 8, *["0"] * 8]},
)  # fmt: skip
PPA = _terms(
    "A PPA at an index with a floor", product="PPA", side="BUY", market="DE",
    period="Cal27..Cal36", quantity="6.4", index="EPEX-DE-DA", spread="-2.5", floor="20",
    asset={"id": "WIND-1", "installed_mw": "50", "contracted_mw": "20"},
)  # fmt: skip
OPTION = _terms(
    "A call on a quarter", product="OPTION", side="BUY", market="DE", period="Q1-27",
    quantity="10",
    option={"style": "EUROPEAN", "type": "CALL", "underlying": ["EPEX-DE-DA"], "strikes": ["90"],
            "expiry": "2026-12-15T16:00:00Z", "premium": "3.10"},
)  # fmt: skip
SPREAD = _terms(
    "A calendar spread option", product="OPTION", side="BUY", market="DE", period="Q1-27",
    quantity="10",
    option={"style": "EUROPEAN", "type": "SPREAD_CALL", "underlying": ["EPEX-DE-DA", "EPEX-DE-DA"],
            "second_period": "Q3-27", "strikes": ["12"], "expiry": "2026-12-15T16:00:00Z"},
)  # fmt: skip
SWING = _terms(
    "A gas swing", product="SWING", side="BUY", market="TTF", period="Cal27",
    quantity="240", unit="MWh/d",
    structure={"underlying": ["TTF-DA"], "strike": "31.50", "minimum": "40000",
               "maximum": "80000", "premium": "55000"},
)  # fmt: skip
STORAGE = _terms(
    "A gas storage with ratchets", product="STORAGE", side="BUY", market="TTF", period="Cal27",
    quantity="700", unit="MWh/d",
    structure={"underlying": ["TTF-DA"], "working_volume": "100000", "injection_rate": "600",
               "injection_cost": "1.23", "withdrawal_ratchets": "0:40 30:100 100:100"},
)  # fmt: skip
_MORE = {
    "product": "PHYSICAL_FORWARD", "quantity": "10.000000", "quantity_unit": "MW",
    "frequency": "HOUR", "price_unit": "MWh", "volume": "87600.000000", "volume_unit": "MWh",
    "source": "", "external_id": "", "package": "", "mic": "", "clearing_account": "",
    "broker": "",
}  # fmt: skip
TRADE = OpenApiExample(
    "A captured trade",
    response_only=True,
    status_codes=["200", "201"],
    value={
        "ref": "T-00000042",
        "status": "LIVE",
        "basis": "ORDER",
        "book": "EU",
        "counterparty": "ACME",
        "client_reference": "desk-2026-11-21-0007",
        "version": 1,
        "traded_at": "2026-11-21T09:40:00Z",
        "recorded_at": "2026-11-21T09:40:00.113Z",
        "side": "BUY",
        "quantity_mw": "10.000000",
        "market": "DE",
        "load_type": "BASE",
        "period": "Cal27",
        "delivery_start": "2026-12-31T23:00:00Z",
        "delivery_end": "2027-12-31T23:00:00Z",
        "price": "85.200000",
        "currency": "EUR",
        "hours": "8760.0000",
        "energy_mwh": "87600.000000",
        "notional": "7463520.0000",
        "tags": [],
        "checks": [],
        **_MORE,
    },
)
TRADE_DETAIL = OpenApiExample(
    "A trade with its versions",
    response_only=True,
    status_codes=["200", "201"],
    value={
        **TRADE.value,
        "proposed_terms": None,
        "metered": [],
        "terms": {
            "product_kind": "PHYSICAL_FORWARD",
            "side": "BUY",
            "market": "DE",
            "legs": [
                {"leg": "DELIVERY", "direction": "RECEIVE", "market": "DE", "shape": "BASE v1",
                 "first": "2027-01-01", "after": "2028-01-01", "quantity": "10 MW per HOUR"},
                {"leg": "FIXED", "direction": "PAY", "market": "DE", "shape": "BASE v1",
                 "first": "2027-01-01", "after": "2028-01-01", "quantity": "10 MW per HOUR",
                 "price": "85.2 EUR/MWh"},
            ],
        },
        "versions": [
            {
                "version": 1, "event": "CAPTURE", "status": "LIVE",
                "recorded_at": "2026-11-21T09:40:00.113Z", "effective_at": "2026-11-21T09:40:00Z",
                "counterparty": "ACME", "quantity": "10.000000", "quantity_unit": "MW",
                "price": "85.200000", "currency": "EUR", "period": "Cal27",
                "delivery_start": "2026-12-31T23:00:00Z", "delivery_end": "2027-12-31T23:00:00Z",
                "reason": "", "by": "Tara Trader",
            }
        ],
        "outcomes": [],
        "cash": {
            "fixed": [
                {"month": "2027-01-01", "volume": "7440.000000", "unit": "MWh",
                 "amount": "-633888.00", "currency": "EUR"},
            ],
            "floating": [],
            "single": [{"what": "Broker fee", "amount": "-438.00", "currency": "EUR"}],
            "open": [],
        },
    },
)  # fmt: skip


def _change(name: str, **value: Any) -> OpenApiExample:
    return OpenApiExample(name, request_only=True, value=value)


# The body of each verb, by its name in the route.
CHANGES = {
    "amend": _change(
        "A new price", text="B 10MW DE base Cal27 @ 84.90", reason="price agreed anew on the phone"
    ),
    "correct": _change(
        "The area was wrong", text="B 10MW FR base Cal27 @ 85.20", reason="typed DE for FR"
    ),
    "meter": _change("With a word to it", reason="final readings of February"),
    "cancel": _change("Why it goes", reason="booked twice, see T-00000041"),
    "exercise": _change("Notice on the phone", exercised_at="2026-12-15T10:30:00Z"),
    "release": _change("As it is", reason="seen and agreed"),
    "approve": _change("As it is", reason="seen and agreed"),
    "decline": _change("Why not", reason="the price is that of last week"),
    "reject": _change("Why it goes back", reason="the counterparty has no agreement for gas"),
    "submit": _change("With a reason for what the checks find", reason="hedge of the new plant"),
    "terminate": _change(
        "From a day on, for a fee",
        from_date="2027-07-01",
        reason="unwound by agreement",
        fee={"amount": "12500.00", "currency": "EUR", "direction": "RECEIVE"},
    ),
    "novate": _change(
        "To another counterparty",
        counterparty="BRISE",
        from_date="2027-07-01",
        reason="deed of novation of 2026-11-20",
    ),
}

EXPORTED = OpenApiExample(
    "Of heading and one trade, the first columns",
    response_only=True,
    media_type="text/csv",
    value="ref,status,basis\r\nT-00000042,LIVE,ORDER\r\n",
)
