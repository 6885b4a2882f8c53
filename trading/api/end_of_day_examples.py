"""Examples of the end of day in the API's documentation."""

from drf_spectacular.utils import OpenApiExample

_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_INPUT = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"
_ORGANIZATION = "2f1c9a54-6c39-4c8b-9d1c-0f3a4f0a7d11"
_JOB = "6d0c1c6e-2f0f-4f6e-8a53-1b8a0f8f2d1e"
_RUN = {
    "id": 41,
    "organization": _ORGANIZATION,
    "day": "2026-11-20",
    "number": 1,
    "state": "SIGNED",
    "is_restatement": False,
    "as_of": "2026-11-20T17:00:00Z",
    "findings": 1,
    "restatements": 0,
    "requested_by": "system:beat",
    "reason": "",
    "signed_by": "user:0b9c7d52-6d6c-4c6f-9f57-2c6a5a3a1f10",
    "signed_at": "2026-11-20T18:05:00Z",
    "signed_reason": "The broker quotes the old contract.",
    "input_hash": _INPUT,
    "result_hash": _HASH,
    "job": _JOB,
}
_STARTED = {
    **_RUN,
    "state": "RUNNING",
    "findings": 0,
    "signed_by": "",
    "signed_at": None,
    "signed_reason": "",
    "input_hash": None,
    "result_hash": None,
}
_STARTED.pop("restatements")
_DETAIL = {key: value for key, value in _RUN.items() if key != "restatements"}

RUN_OF_DAY = OpenApiExample("A signed day", value=_RUN, response_only=True)
STARTED = OpenApiExample("Started", value=_STARTED, response_only=True, status_codes=["202"])
START = OpenApiExample(
    "Close a day", value={"day": "2026-11-20", "as_of": "2026-11-20T17:00:00Z"}, request_only=True
)
SIGN = OpenApiExample(
    "Sign with a finding",
    value={"reason": "The broker quotes the old contract."},
    request_only=True,
)
RESTATE = OpenApiExample(
    "Restate", value={"reason": "The exchange corrected its price."}, request_only=True
)
PROOF_JOB = OpenApiExample("The job", value={"job": _JOB}, response_only=True, status_codes=["202"])
DETAIL = OpenApiExample(
    "A signed day in full",
    value={
        **_DETAIL,
        "steps": [
            {"step": "valuation", "said": "1204 trades valued."},
            {"step": "checks", "said": "3 markets checked."},
            {
                "step": "price_check",
                "said": "14 prices of other sources compared. Allowed: DE 0.5 or 1 %.",
            },
            {"step": "pnl", "said": "4 books explained."},
        ],
        "checks": [
            {
                "step": "price_check",
                "text": "DE Q1-27: broker is +3.00 EUR from the curve's 90.00.",
                "about": "CURVE",
                "key": "DE",
                "figures": {
                    "contract": "Q1-27",
                    "source": "broker",
                    "theirs": "93.00",
                    "ours": "90.0000",
                    "difference": "3.0000",
                    "tolerance": "0.9000",
                    "currency": "EUR",
                },
            }
        ],
        "known_at": "2026-11-20T17:05:02.120Z",
        "differences": [],
        "late": [
            {
                "ref": "T-00000042",
                "event": "CAPTURE",
                "book": "EU",
                "traded_at": "2026-11-20T15:12:00Z",
                "recorded_at": "2026-11-21T08:01:12Z",
            }
        ],
        "proofs": [
            {
                "is_same": True,
                "input_hash": _INPUT,
                "result_hash": _HASH,
                "reports": {"EU": _INPUT},
                "differences": [],
                "tzdata": "2026b",
                "code": "7418f77",
                "recorded_at": "2026-11-24T09:00:00Z",
            }
        ],
    },
    response_only=True,
)
_CLOSING = {
    "organization": _ORGANIZATION,
    "market": "DE",
    "time_zone": "Europe/Berlin",
    "closes_at": "18:00",
    "holidays": "",
    "is_active": True,
}
CLOSING_TIME = OpenApiExample("Six in Berlin", value=_CLOSING, response_only=True)
CLOSING_TIMES = OpenApiExample("One organization", value=[_CLOSING], response_only=True)
SET_CLOSING_TIME = OpenApiExample(
    "Close at six in Berlin", value={"market": "DE", "closes_at": "18:00"}, request_only=True
)
