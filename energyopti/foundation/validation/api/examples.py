"""Examples of the OpenAPI document: a file of two cases, and the run of it."""

import json
from pathlib import Path
from typing import Any

from drf_spectacular.utils import OpenApiExample

_RUN, _FILE = "2c1f4a52-9d9c-4b2a-8a3e-6d8c3f0f7a11", "8a4f0f0e-21b7-4f4f-9d0a-3f5b8d1c2e90"
_BEFORE = "b7a3a0b4-6a8b-4c57-9f3a-2a1f0c8e4d55"
_SHA256 = "5f2b1f6f0d3a4f9f6a1a6b7cfe0a3cbf4d0f8c5a0e7a9b1c2d3e4f5061728394"

CASES = OpenApiExample(
    "A file of cases",
    request_only=True,
    value=json.loads(
        (Path(__file__).resolve().parents[1] / "example_cases.json").read_text("utf-8")
    ),
)
KEPT = OpenApiExample(
    "The file is kept",
    response_only=True,
    status_codes=["201"],
    value={
        "id": _FILE,
        "case_set": f"upload:{_FILE}",
        "name": "cases.json",
        "sha256": _SHA256,
        "cases": 2,
        "topics": ["delivery_periods", "dst_day"],
    },
)
CASE_SETS = OpenApiExample(
    "Two sets",
    response_only=True,
    value=[
        {"key": "shipped", "name": "Shipped cases", "source": "SHIPPED"},
        {"key": f"upload:{_FILE}", "name": "cases.json", "source": "UPLOAD"},
    ],
)
START = OpenApiExample("The sent file", request_only=True, value={"case_set": f"upload:{_FILE}"})
_ASKED: dict[str, Any] = {
    "id": _RUN,
    "organization_id": "7a0f3f0e-9f5a-4b64-b6a1-2c1f8f8d2f6d",
    "source": "UPLOAD",
    "name": "cases.json",
    "topics": [],
    "state": "QUEUED",
    "job_id": "0b8c2c63-6c3f-4f7e-9a6c-0d6a4f1c9b11",
    "error": "",
    "requested_by": "user:4f9d2f3e-8c0b-4e0e-9b7a-0c6e6f1d2a33",
    "requested_at": "2027-03-28T01:00:00Z",
    "outcome": None,
}
QUEUED = OpenApiExample(
    "Waiting for a worker", response_only=True, value=_ASKED, status_codes=["202"]
)
_DONE = {
    **_ASKED,
    "state": "SUCCEEDED",
    "outcome": {
        "cases": 2, "passed": 1, "failed": 1, "unsupported": 0, "worst": 2.0, "seconds": 0.004,
        "sha256": _SHA256, "result_hash": _SHA256, "code": "1.0 numpy 2.4.0", "tzdata": "2026b",
        "finished_at": "2027-03-28T01:00:02Z",
    },
}  # fmt: skip
RUN = OpenApiExample("A run that has ended", response_only=True, value=_DONE)
DETAIL = OpenApiExample(
    "One case newly failing",
    response_only=True,
    value={
        **_DONE,
        "by_topic": [
            {"topic": "delivery_periods", "cases": 1, "passed": 0, "failed": 1, "unsupported": 0,
             "worst": 2.0, "seconds": 0.001},
            {"topic": "dst_day", "cases": 1, "passed": 1, "failed": 0, "unsupported": 0,
             "worst": None, "seconds": 0.003},
        ],
        "against": _BEFORE,
        "changes": [
            {"kind": "Newly failing", "case_id": "quarter-texas", "topic": "delivery_periods",
             "before": "pass", "now": "fail", "is_same_case": False}
        ],
    },
)  # fmt: skip
CASE = OpenApiExample(
    "A case that failed",
    response_only=True,
    value={
        "number": 2,
        "id": "quarter-texas",
        "topic": "delivery_periods",
        "model": "Hours of base load in a quarter",
        "status": "fail",
        "inputs": {"tz": "America/Chicago"},
        "expected": {"q1_27": 2160},
        "got": {"q1_27": 2159},
        "difference": {"q1_27": -1},
        "tolerance": {"q1_27": "0.5"},
        "worst": 2.0,
        "reason": "",
        "source": "90 days",
        "provenance": "",
        "note": "",
        "seconds": 0.001,
    },
)
