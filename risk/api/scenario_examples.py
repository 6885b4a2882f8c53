"""Examples of scenarios in the API's description."""

from drf_spectacular.utils import OpenApiExample

_DEFINITION = {
    "id": 2, "code": "DESK", "version": 2, "owner": "Head of market risk",
    "method": "absolute changes of forward contracts by time to delivery, filtered to today's"
    " volatility (EWMA, decay 0.94); definition DESK v2",
    "scenarios": 500, "horizon_days": 1, "window_from": None, "window_until": None,
    "weighting": "EWMA", "decay": 0.94, "garch_alpha": None, "garch_beta": None,
    "rules": [
        {"market": None, "rule": "ABSOLUTE", "displacement": 0.0, "mapping": "TIME_TO_DELIVERY",
         "proxy_market": None, "proxy_rule": ""},
        {"market": "AT", "rule": "ABSOLUTE", "displacement": 0.0, "mapping": "TIME_TO_DELIVERY",
         "proxy_market": "DE", "proxy_rule": "SCALED"},
    ],
    "reason": "calm years hide this autumn", "proposed_by": "user:12",
    "recorded_at": "2026-11-20T16:10:00Z", "status": "APPROVED", "decided_by": "user:15",
    "decided_at": "2026-11-20T16:40:00Z", "decision_reason": "back-test of two years",
}  # fmt: skip
_SET = {
    "id": 41, "definition": "DESK v2", "method": _DEFINITION["method"], "scenarios": 500,
    "first_day": "2024-11-29", "last_day": "2026-11-20", "horizon_days": 1, "markets": 4,
    "proxies": 7, "as_of": "2026-11-20T18:00:00Z", "recorded_at": "2026-11-20T18:00:04Z",
    "content_hash": "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",
}  # fmt: skip
_SIDE = {
    "method": _DEFINITION["method"], "scenarios": 500, "horizon_days": 1, "value": 384000.0,
    "tails": {"0.95": [121904.4, 160210.9], "0.99": [217905.6, 246310.4]},
    "worst_day": "2026-03-04", "worst": -301440.2,
}  # fmt: skip

DEFINITION = OpenApiExample("A version in use", value=_DEFINITION, response_only=True)
DECIDED = OpenApiExample("A decided version", value=_DEFINITION, response_only=True)
WAITING = OpenApiExample(
    "What waits",
    value={**_DEFINITION, "status": "PENDING", "decided_by": "", "decided_at": None,
           "decision_reason": ""},
    response_only=True, status_codes=["201"],
)  # fmt: skip
PROPOSAL = OpenApiExample(
    "Filtered, with a proxy",
    value={
        "code": "DESK", "owner": "Head of market risk", "weighting": "EWMA", "decay": 0.94,
        "rules": [{}, {"market": "AT", "proxy_market": "DE", "proxy_rule": "SCALED"}],
        "reason": "calm years hide this autumn",
    },
    request_only=True,
)  # fmt: skip
DECISION = OpenApiExample(
    "Approve", value={"verdict": "APPROVE", "reason": "back-test of two years"}, request_only=True
)
SET = OpenApiExample("A set", value=_SET, response_only=True)
SET_DETAIL = OpenApiExample(
    "A set with its register",
    value={
        **_SET,
        "market_codes": ["AT", "DE", "FR", "TTF"],
        "register": [
            {"kind": "Market", "of": "AT", "months": "all",
             "stands_in": "the moves of DE by the ratio of volatilities",
             "why": "AT was quoted on 180 of 500 days and the one before", "scenarios": 320,
             "correlation": 0.93, "ratio": 1.08, "compared": 180},
        ],
    },
    response_only=True,
)  # fmt: skip
COMPARISON_INPUT = OpenApiExample(
    "Two versions on a book",
    value={"book": "6b1f7c1e-1f0a-4a53-9d0f-3a6f3c0b7f51", "first": 1, "second": 2},
    request_only=True,
)
COMPARISON_JOB = OpenApiExample(
    "A job", value={"job": "0d6f3f3e-3f4c-4f0e-9d0a-5a4f7a8f1f10"}, response_only=True,
    status_codes=["202"],
)  # fmt: skip
COMPARISON = OpenApiExample(
    "A book under two versions",
    value={
        "id": 3, "book": "6b1f7c1e-1f0a-4a53-9d0f-3a6f3c0b7f51",
        "valued_at": "2026-11-20T18:00:00Z", "currency": "EUR",
        "sides": [{"definition": "DESK v1", **_SIDE}, {"definition": "DESK v2", **_SIDE}],
        "findings": [],
    },
    response_only=True,
)  # fmt: skip
