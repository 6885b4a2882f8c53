"""Examples of reference data for the OpenAPI document; companies and LEIs are fictional."""

from typing import Any

from drf_spectacular.utils import OpenApiExample


def shown(name: str, value: dict[str, Any]) -> OpenApiExample:
    return OpenApiExample(name, response_only=True, status_codes=["200", "201"], value=value)


_ORGANIZATION = "0b9a4d5e-0c2f-4c0e-9d53-6f3b1a6f9f11"
_ACME = "6a0c1e53-60d8-4f0a-8f0c-2f8f5c3c9b21"

NEW_COUNTERPARTY = OpenApiExample(
    "A company to deal with",
    request_only=True,
    value={"code": "ACME", "name": "Acme Power AG", "lei": "529900T8BM49AURSDO55", "country": "DE"},
)
COUNTERPARTY = shown(
    "A counterparty",
    {
        "id": _ACME,
        "organization": _ORGANIZATION,
        "code": "ACME",
        "name": "Acme Power AG",
        "legal_name": "",
        "lei": "529900T8BM49AURSDO55",
        "country": "DE",
        "is_internal": False,
        "status": "ACTIVE",
    },
)
AGREEMENT = shown(
    "An EFET agreement with one annex",
    {
        "id": "2f7b6f1e-7d0c-4a0e-8d86-7c3a54a0d7aa",
        "counterparty": "ACME",
        "counterparty_id": _ACME,
        "kind": "EFET",
        "reference": "EFET-2026-014",
        "signed_date": "2026-01-12",
        "effective_date": "2026-02-01",
        "ended_date": None,
        "governing_law": "German law",
        "netting_sets": [
            {
                "id": "5d6c1c0a-1c7e-4b52-9b4f-7f0b6a2b1c11",
                "code": "POWER-GAS",
                "name": "Power and gas",
                "commodities": ["GAS", "POWER"],
                "annexes": [
                    {
                        "id": "0d1f4a4e-33d4-4f6a-a0f1-2a2a7a9f0b77",
                        "valid_from": "2026-02-01",
                        "valid_to": None,
                        "currency": "EUR",
                        "threshold_ours": "1000000.00",
                        "threshold_theirs": None,
                        "minimum_transfer": "50000.00",
                        "rounding": "10000.00",
                        "independent_amount": "0.00",
                        "collateral": [{"kind": "CASH", "currency": "EUR", "haircut": "0.00000"}],
                    }
                ],
            }
        ],
    },
)
DELIVERY_POINT = shown(
    "A bidding zone",
    {
        "code": "DE-LU",
        "name": "Germany, Luxembourg",
        "commodity": "POWER",
        "kind": "BIDDING_ZONE",
        "parent": "",
        "country": "DE",
        "eic": "10Y1001A1001A82H",
        "time_zone": "Europe/Berlin",
        "day_start_minutes": 0,
        "currency": "EUR",
        "price_unit": "MWh",
        "shape_calendar": "EEX",
        "period_minutes": 15,
    },
)
SHAPE_HOURS = shown(
    "Base of 2027: March has lost an hour, October has found it",
    {
        "shape": "BASE",
        "versions": [1],
        "months": [
            "744", "672", "743", "720", "744", "720", "744", "744", "720", "745", "720", "744",
        ],
        "year": "8760",
    },
)  # fmt: skip
INDEX = shown(
    "A day-ahead index",
    {
        "code": "TTF-DA",
        "name": "TTF day-ahead",
        "market": "TTF",
        "currency": "EUR",
        "price_unit": "MWh",
        "frequency": "DAY",
        "load_shape": "",
        "publication_days": -1,
        "publication_time": "18:30:00",
        "valued_on": "FORWARD",
        "source": "Exchange",
        "is_active": True,
    },
)
PLANT = shown(
    "A wind farm",
    {
        "code": "WIND-1",
        "name": "Uckermark I",
        "market": "DE",
        "technology": "WIND_ONSHORE",
        "installed_mwp": "50.000000",
        "capacity_factors": "0.34 0.33 0.3 0.24 0.2 0.18 0.17 0.18 0.22 0.28 0.31 0.34",
        "metering_asset_id": "",
        "is_active": True,
    },
)
BOOK = shown(
    "A book",
    {
        "id": "8a3f5c1d-3b0a-4f3e-9a53-1a2b3c4d5e6f",
        "organization": _ORGANIZATION,
        "code": "EU",
        "name": "European power",
        "parent_id": None,
        "reporting_currency": "EUR",
        "owner": "Tessa Trader",
        "is_active": True,
    },
)
SHAPE = shown(
    "Peak of the EEX",
    {
        "calendar": "EEX",
        "shape": "PEAK",
        "version": 1,
        "name": "Peak",
        "valid_from": "2000-01-01",
        "day_start_minutes": 0,
        "weekdays": "12345",
        "from_minute": 480,
        "to_minute": 1200,
        "holiday_rule": "IGNORE",
        "holiday_calendar": "",
        "complement_of": "",
        "recorded_at": "2026-11-21T09:00:00Z",
    },
)
