"""Examples of deals and trades for the OpenAPI document: the deal that the guides use."""

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
    },
)
