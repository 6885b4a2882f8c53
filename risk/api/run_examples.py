"""Examples of risk runs in the API's description."""

from drf_spectacular.utils import OpenApiExample

_BOOK = "6b1f7c1e-1f0a-4a53-9d0f-3a6f3c0b7f51"
_ID = "b0d7b7f4-6d0b-4f0e-8f0a-2d3b1c9e7a10"
_CONVENTION = (
    "99 %, 1 day, historical simulation, 500 scenarios, absolute changes of forward contracts by"
    " time to delivery, unweighted; k-th worst, k = ceil(q·n); ES = mean of the k worst, VaR point"
    " included; loss positive"
)
_RUN = {
    "id": _ID, "book": _BOOK, "book_code": "EU", "kind": "INTRADAY", "method": "HISTORICAL",
    "state": "QUEUED", "confidences": ["0.99000", "0.97500"], "horizon_days": 1,
    "snapshot": 118, "valued_at": "2026-11-20T18:00:00Z", "known_at": "2026-11-20T18:02:11Z",
    "job": "3f7d2a52-0c0a-43a7-b9f0-7f5a94a1f3b1", "requested_by": "user:12",
    "requested_at": "2026-11-20T18:02:11Z",
}  # fmt: skip
_DETAIL = {
    **_RUN, "state": "DONE", "stale": "", "statement": "", "findings": [], "currency": "EUR",
    "value": 384000.0, "trades": 214, "unvalued": [],
    "numbers": [{"confidence": "0.99000", "var": 217905.6, "es": 246310.4,
                 "components_sum": 216880.2, "scenario": 311, "var_error": None,
                 "es_error": None, "convention": _CONVENTION}],
    "inputs": {"book": "EU", "holdings": "9c56…", "snapshot": "5e88…", "tzdata": "2026.1"},
    "input_hash": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
    "result_hash": "fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9",
    "code": "0.1.0 numpy 2.4.1", "tzdata": "2026.1",
    "started_at": "2026-11-20T18:02:12Z", "finished_at": "2026-11-20T18:02:15Z",
}  # fmt: skip

RUNS = OpenApiExample("A run that waits", value=_RUN, response_only=True, status_codes=["200"])
ASKED = OpenApiExample("Asked for", value=_RUN, response_only=True, status_codes=["202"])
DETAIL = OpenApiExample("A finished run", value=_DETAIL, response_only=True)
ASK = OpenApiExample(
    "Monte Carlo with Student's t",
    value={"book": _BOOK, "kind": "AD_HOC", "method": "MONTE_CARLO", "law": "STUDENT_T",
           "degrees": 4.0, "paths": 20000, "seed": 7, "confidences": ["0.99"]},
    request_only=True,
)  # fmt: skip
COMPONENTS = OpenApiExample(
    "By market",
    value={
        "components_sum": 216880.2, "currency": "EUR",
        "results": [
            {"dimension": "MARKET", "key": "DE", "confidence": "0.99", "trade": "", "version": None,
             "book": "", "commodity": "", "market": "DE", "month": "", "counterparty": "",
             "trader": "", "energy_mwh": 87600.0, "value": 384000.0, "component_var": 216880.2,
             "component_es": 246310.4, "marginal_var": 2.4758, "standalone_var": 217905.6,
             "standalone_es": 246310.4, "incremental_var": 217905.6}
        ],
    },
    response_only=True,
)  # fmt: skip
SCENARIOS = OpenApiExample(
    "The worst, and a trade's share",
    value={
        "currency": "EUR",
        "results": [
            {"position": 311, "rank": 1, "name": "2026-03-04", "day": "2026-03-04",
             "pnl": -301440.2, "own": -90432.1, "share": 0.3}
        ],
    },
    response_only=True,
)  # fmt: skip
COMPARISON = OpenApiExample(
    "Against the run of the day before",
    value={
        "confidence": "0.99000", "currency": "EUR", "var_before": 198000.1, "var_after": 217905.6,
        "es_before": 224000.0, "es_after": 246310.4, "change": 19905.5, "total": 19905.5,
        "rule": "Ended trades leave on the earlier market; …",
        "steps": [
            {"name": "Ended trades", "change": -4000.0, "trades": 2},
            {"name": "Market, time and scenarios", "change": 9905.5, "trades": 210},
            {"name": "Amended trades", "change": 0.0, "trades": 0},
            {"name": "New trades", "change": 14000.0, "trades": 4},
        ],
        "trades": [{"ref": "T-00000042", "group": "New", "before": None, "after": 13800.0,
                    "change": 13800.0}],
        "inputs": [{"name": "snapshot", "before": "9c56…", "after": "5e88…"}],
    },
    response_only=True,
)  # fmt: skip
FILE = OpenApiExample(
    "Components", response_only=True, media_type="text/csv",
    value='"dimension","key","confidence"…',
)  # fmt: skip
